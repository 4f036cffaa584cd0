/* SPDX-License-Identifier: MIT */
#include "kernel/composition.h"

#include "kernel/answers.h"
#include "kernel/client.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "kernel/service.h"
#include "port/port.h"
#include "services/ramfb.h"
#include "services/virtio.h"

static struct hk_instance *instance_of(struct hk_service_host *host)
{
    return HK_CONTAINER(host, struct hk_instance, host);
}

static uint64_t frame_of(const struct hk_instance *instance, const void *page)
{
    return (uintptr_t)page - instance->cpu->kernel->window;
}

static uint64_t clock_ns(struct hk_service_host *host)
{
    return hk_port_clock_ns(instance_of(host)->cpu);
}

static void time_came(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    (void)cpu;
    hk_instance_event(HK_CONTAINER(deadline, struct hk_instance, deadline), HK_SERVICE_TIME_BADGE,
                      1);
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    struct hk_instance *instance = instance_of(host);

    if (at_ns == HK_SERVICE_NEVER_NS)
        hk_deadline_disarm(instance->cpu, &instance->deadline);
    else
        hk_deadline_arm(instance->cpu, &instance->deadline, at_ns, time_came);
}

static enum hk_status signal_client(struct hk_service_host *host, uint64_t client, uint64_t bits)
{
    return hk_client_signal(instance_of(host)->cpu, client, bits);
}

static enum hk_status lend(struct hk_service_host *host, const void *page, uint64_t client,
                           uint64_t address)
{
    struct hk_instance *instance = instance_of(host);

    return hk_client_lend(instance->cpu, client, frame_of(instance, page), address);
}

static bool is_lent(struct hk_service_host *host, const void *page)
{
    struct hk_instance *instance = instance_of(host);

    return hk_page_holders(instance->cpu->kernel, frame_of(instance, page)) > 1;
}

static void answer(struct hk_service_host *host, const struct hk_answer *answer)
{
    struct hk_instance *instance = instance_of(host);

    hk_answers_put(&instance->cpu->kernel->answers, instance->endpoint, answer);
}

static enum hk_status supply(struct hk_service_host *host, uint64_t address, uint64_t protection)
{
    struct hk_cpu *cpu = instance_of(host)->cpu;

    return hk_pager_map(cpu, cpu->current, address, 1, protection, NULL, 0);
}

static void device_ack(struct hk_service_host *host)
{
    struct hk_instance *instance = instance_of(host);

    hk_irq_acknowledge(instance->cpu, instance->line);
}

static uint32_t in32(struct hk_service_host *host, uint32_t offset)
{
    return hk_port_in(instance_of(host)->cpu, (uint16_t)(HK_RAMFB_PORT + offset), 4);
}

static void out32(struct hk_service_host *host, uint32_t offset, uint32_t value)
{
    hk_port_out(instance_of(host)->cpu, (uint16_t)(HK_RAMFB_PORT + offset), 4, value);
}

static const struct hk_service_host in_kernel = {
    .clock_ns = clock_ns,
    .wake_at = wake_at,
    .signal = signal_client,
    .lend = lend,
    .is_lent = is_lent,
    .answer = answer,
    .supply = supply,
    .device_ack = device_ack,
    .in32 = in32,
    .out32 = out32,
};

/* The registers of a virtio device, and its line to the service's endpoint. */
static enum hk_status find_virtio(struct hk_instance *instance, enum hk_virtio_device wanted)
{
    volatile void *page = hk_port_registers(instance->cpu->kernel, HK_VIRTIO_PHYSICAL);
    uint32_t number;

    if (page == NULL || hk_virtio_find(page, wanted, &number) != HK_OK)
        return HK_ENOTSUP;
    instance->host.device.registers = (volatile char *)page + number * HK_VIRTIO_STRIDE_BYTES;
    instance->line = HK_VIRTIO_LINE + number;
    return hk_irq_attach(instance->cpu, instance->line, instance->endpoint,
                         HK_SERVICE_DEVICE_BADGE);
}

static enum hk_status find_device(struct hk_instance *instance)
{
    const struct hk_service *service = instance->service;
    struct hk_kernel *kernel = instance->cpu->kernel;
    enum hk_status status = hk_page_allocate_run(kernel, HK_PAGE_OWNER_KERNEL,
                                                 service->device_pages, &instance->frames);

    if (status != HK_OK)
        return status;
    instance->host.device = (struct hk_service_device){
        .kind = service->device,
        .frames = hk_window(kernel, instance->frames),
        .frames_physical = instance->frames,
    };
    switch (service->device) {
    case HK_DEVICE_VIRTIO_NET:
        return find_virtio(instance, HK_VIRTIO_NET);
    case HK_DEVICE_VIRTIO_BLOCK:
        return find_virtio(instance, HK_VIRTIO_BLOCK);
    default:
        return HK_OK; /* it finds out by itself */
    }
}

enum hk_status hk_instance_start(struct hk_cpu *cpu, struct hk_instance *instance,
                                 const struct hk_service *service, bool use_device)
{
    enum hk_status status = hk_endpoint_create(cpu, &instance->endpoint);

    if (status != HK_OK)
        return status;
    instance->service = service;
    instance->cpu = cpu;
    instance->memory = instance->frames = 0;
    status = hk_page_allocate_run(cpu->kernel, HK_PAGE_OWNER_KERNEL, service->pages,
                                  &instance->memory);
    if (status != HK_OK)
        return status;
    instance->host = in_kernel;
    instance->host.memory = hk_window(cpu->kernel, instance->memory);
    instance->endpoint->instance = instance;
    instance->endpoint->receive_capabilities = 1; /* somebody does receive: the kernel */
    if (use_device)
        status = find_device(instance);
    if (status != HK_OK)
        return status;
    service->start(&instance->host);
    return hk_service_register(cpu, service->name, instance->endpoint);
}

enum hk_status hk_composition_start(struct hk_cpu *cpu, uint32_t placement, uint32_t devices)
{
    enum hk_status status = HK_OK;

    for (uint32_t i = 0; i < HK_SERVICES && status == HK_OK; i++)
        if (placement & 1u << i)
            status = hk_instance_start(cpu, &cpu->kernel->instances[i], &hk_services[i],
                                       devices >> i & 1);
    return status;
}

void hk_composition_fini(struct hk_cpu *cpu)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        struct hk_instance *instance = &cpu->kernel->instances[i];

        if (instance->service == NULL)
            continue;
        instance->endpoint->instance = NULL;
        hk_deadline_disarm(cpu, &instance->deadline);
        hk_irq_unbind(cpu, instance->endpoint);
        if (instance->host.device.registers != NULL)
            hk_virtio_stop(instance->host.device.registers);
        (void)hk_service_unregister(cpu, instance->service->name);
        hk_object_release(cpu, &instance->endpoint->object);
        if (instance->memory != 0)
            hk_page_release_run(cpu->kernel, instance->memory, instance->service->pages);
        if (instance->frames != 0)
            hk_page_release_run(cpu->kernel, instance->frames, instance->service->device_pages);
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

    word[0] = (uint64_t)instance->service->handle(&instance->host, &message);
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
    (void)instance->service->handle(&instance->host, &message);
}

void hk_instance_event(struct hk_instance *instance, uint64_t badge, uint64_t count)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { count };
    struct hk_service_message message = { .badge = badge, .word = word };

    (void)instance->service->handle(&instance->host, &message);
}
