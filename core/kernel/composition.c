/* SPDX-License-Identifier: MIT */
#include "kernel/composition.h"

#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "kernel/service.h"
#include "port/port.h"

static void *instance_page(struct hk_service_host *host)
{
    struct hk_instance *instance = HK_CONTAINER(host, struct hk_instance, host);
    struct hk_kernel *kernel = instance->cpu->kernel;
    uint64_t *physical = &instance->pages[instance->page_count];

    if (instance->page_count == HK_INSTANCE_PAGES ||
        hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, physical) != HK_OK)
        return NULL;
    instance->page_count++;
    return hk_window(kernel, *physical);
}

static void instance_irq_ack(struct hk_service_host *host, uint32_t line)
{
    hk_irq_acknowledge(HK_CONTAINER(host, struct hk_instance, host)->cpu, line);
}

static enum hk_status instance_supply(struct hk_service_host *host, uint64_t address,
                                      uint64_t protection, void *page)
{
    struct hk_instance *instance = HK_CONTAINER(host, struct hk_instance, host);
    struct hk_cpu *cpu = instance->cpu;
    uint32_t i = 0;
    enum hk_status status;

    if (page == NULL)
        return hk_pager_map(cpu, cpu->current, address, 1, protection, NULL, 0);
    while (i < instance->page_count && hk_window(cpu->kernel, instance->pages[i]) != page)
        i++;
    if (i == instance->page_count)
        return HK_EINVAL;
    status = hk_pager_give(cpu, cpu->current, address, protection, instance->pages[i]);
    if (status == HK_OK)
        instance->pages[i] = instance->pages[--instance->page_count];
    return status;
}

enum hk_status hk_instance_start(struct hk_cpu *cpu, struct hk_instance *instance,
                                 const struct hk_service *service)
{
    enum hk_status status = hk_endpoint_create(cpu, &instance->endpoint);

    if (status != HK_OK)
        return status;
    instance->service = service;
    instance->cpu = cpu;
    instance->host = (struct hk_service_host){ instance_page, instance_irq_ack,
                                                 instance_supply };
    instance->state = instance_page(&instance->host);
    if (instance->state == NULL)
        return HK_ENOMEM;
    instance->endpoint->instance = instance;
    instance->endpoint->receive_capabilities = 1; /* somebody does receive: the kernel */
    status = hk_service_register(cpu, service->name, instance->endpoint);
    if (status == HK_OK && service->irq != HK_SERVICE_NO_IRQ)
        status = hk_irq_attach(cpu, service->irq, instance->endpoint, HK_SERVICE_IRQ_BADGE);
    return status;
}

enum hk_status hk_composition_start(struct hk_cpu *cpu, uint32_t placement)
{
    enum hk_status status = HK_OK;

    for (uint32_t i = 0; i < HK_SERVICES && status == HK_OK; i++)
        if (placement & 1u << i)
            status = hk_instance_start(cpu, &cpu->kernel->instances[i], &hk_services[i]);
    return status;
}

void hk_composition_fini(struct hk_cpu *cpu)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        struct hk_instance *instance = &cpu->kernel->instances[i];

        if (instance->service == NULL)
            continue;
        instance->endpoint->instance = NULL;
        hk_irq_unbind(cpu, instance->endpoint);
        (void)hk_service_unregister(cpu, instance->service->name);
        hk_object_release(cpu, &instance->endpoint->object);
        while (instance->page_count > 0)
            hk_page_release(cpu->kernel, instance->pages[--instance->page_count]);
        instance->service = NULL;
    }
}

int64_t hk_instance_call(struct hk_instance *instance, struct hk_thread *client, uint64_t badge)
{
    uint64_t *word = client->frame.word;
    struct hk_service_message message = {
        .badge = badge,
        .words = HK_SERVICE_REPLY_WORDS,
        .word = word,
        .buffer = hk_window(instance->cpu->kernel, client->ipc_page),
    };

    word[0] = (uint64_t)instance->service->handle(&instance->host, instance->state, &message);
    return (int64_t)message.words;
}

void hk_instance_fault(struct hk_instance *instance, const struct hk_thread *client)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    struct hk_service_message message = {
        .badge = client->wait.badge,
        .words = HK_SERVICE_REPLY_WORDS,
        .word = word,
    };

    hk_pager_message(client, word);
    (void)instance->service->handle(&instance->host, instance->state, &message);
}

void hk_instance_event(struct hk_instance *instance, uint64_t badge, uint64_t count)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { count };
    struct hk_service_message message = { .badge = badge, .word = word };

    (void)instance->service->handle(&instance->host, instance->state, &message);
}
