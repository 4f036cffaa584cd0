/* SPDX-License-Identifier: MIT */
#include "kernel/irq.h"

#include "kernel/kernel.h"
#include "port/port.h"

void hk_irq_raised(struct hk_cpu *cpu, uint32_t line)
{
    struct hk_irq *irq = &cpu->kernel->irqs[line];

    if (irq->masked || irq->event.endpoint == NULL)
        return;
    irq->masked = true;
    hk_port_irq_mask(cpu, line, true);
    hk_event_raise(cpu, &irq->event);
}

void hk_irq_unbind(struct hk_cpu *cpu, struct hk_endpoint *endpoint)
{
    for (uint32_t line = 0; line < HK_IRQ_COUNT; line++) {
        struct hk_irq *irq = &cpu->kernel->irqs[line];

        if (irq->event.endpoint != endpoint)
            continue;
        hk_port_irq_mask(cpu, line, true);
        hk_event_cancel(&irq->event);
        irq->event.endpoint = NULL;
    }
}

enum hk_status hk_irq_attach(struct hk_cpu *cpu, uint64_t line, struct hk_endpoint *endpoint,
                             uint64_t badge)
{
    struct hk_irq *irq;

    if (line >= HK_IRQ_COUNT)
        return HK_EINVAL;
    irq = &cpu->kernel->irqs[line];
    if (irq->event.endpoint != NULL)
        return HK_EBUSY;
    irq->event = (struct hk_event){ .endpoint = endpoint, .badge = badge };
    hk_irq_acknowledge(cpu, (uint32_t)line);
    return HK_OK;
}

void hk_irq_acknowledge(struct hk_cpu *cpu, uint32_t line)
{
    cpu->kernel->irqs[line].masked = false;
    hk_port_irq_mask(cpu, line, false);
}

/* The line, if the caller's process may command interrupts. */
static enum hk_status find(struct hk_cpu *cpu, uint64_t line, struct hk_irq **irq)
{
    struct hk_object *self;
    enum hk_status status = hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &self);

    if (status != HK_OK)
        return status;
    if (line >= HK_IRQ_COUNT)
        return HK_EINVAL;
    *irq = &cpu->kernel->irqs[line];
    return HK_OK;
}

hk_result hk_sys_irq_bind(struct hk_cpu *cpu, uint64_t line, uint64_t handle, uint64_t badge,
                          uint64_t d, uint64_t e)
{
    struct hk_irq *irq;
    struct hk_object *endpoint;
    enum hk_status status = find(cpu, line, &irq);

    (void)d, (void)e;
    if (status == HK_OK)
        status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_ENDPOINT,
                             HK_RIGHT_RECEIVE, &endpoint);
    if (status != HK_OK)
        return status;
    return hk_irq_attach(cpu, line, (struct hk_endpoint *)(void *)endpoint, badge);
}

hk_result hk_sys_irq_ack(struct hk_cpu *cpu, uint64_t line, uint64_t b, uint64_t c, uint64_t d,
                         uint64_t e)
{
    struct hk_irq *irq;
    enum hk_status status = find(cpu, line, &irq);

    (void)b, (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (irq->event.endpoint == NULL)
        return HK_ENOENT;
    hk_irq_acknowledge(cpu, (uint32_t)line);
    return HK_OK;
}

hk_result hk_sys_irq_raise(struct hk_cpu *cpu, uint64_t line, uint64_t b, uint64_t c, uint64_t d,
                           uint64_t e)
{
    struct hk_irq *irq;
    enum hk_status status = find(cpu, line, &irq);

    (void)b, (void)c, (void)d, (void)e;
    if (status == HK_OK)
        hk_port_irq_raise(cpu, (uint32_t)line);
    return status;
}
