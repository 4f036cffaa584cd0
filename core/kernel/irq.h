/* SPDX-License-Identifier: MIT */
/* Interrupts and timers become messages to the endpoint of a user-space driver. */
#ifndef HK_KERNEL_IRQ_H
#define HK_KERNEL_IRQ_H

#include "kernel/endpoint.h"
#include "kernel/timer.h"
#include "kernel/types.h"

struct hk_timer {
    struct hk_object object;
    struct hk_deadline deadline;
    struct hk_event event; /* event.endpoint is held */
    uint64_t period_ns;    /* 0: once */
};

void hk_timer_destroy(struct hk_cpu *cpu, struct hk_object *object);

/*
 * A device interrupted: message to its driver; the line stays masked until the
 * driver acknowledges, so that a device cannot flood the kernel.
 */
void hk_irq_raised(struct hk_cpu *cpu, uint32_t line);

/* Send a line's interrupts to an endpoint. HK_OK; HK_EINVAL; HK_EBUSY when somebody has it. */
enum hk_status hk_irq_attach(struct hk_cpu *cpu, uint64_t line, struct hk_endpoint *endpoint,
                             uint64_t badge);

/* The driver has served the line: the next interrupt may come. */
void hk_irq_acknowledge(struct hk_cpu *cpu, uint32_t line);

/* Nobody listens to this endpoint's interrupts any more. */
void hk_irq_unbind(struct hk_cpu *cpu, struct hk_endpoint *endpoint);

#endif
