/* SPDX-License-Identifier: MIT */
/* Services that the composition places in the kernel: endpoints without a receiver. */
#ifndef HK_KERNEL_COMPOSITION_H
#define HK_KERNEL_COMPOSITION_H

#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/types.h"
#include "services/services.h"

/* A service in ring 0, with what it asked for. */
struct hk_instance {
    struct hk_service_host host;
    const struct hk_service *service; /* NULL: not placed here */
    struct hk_cpu *cpu;
    struct hk_endpoint *endpoint;     /* held */
    uint64_t memory;                  /* physical address of host.memory */
    struct hk_deadline deadline;      /* of host.wake_at */
};

/*
 * Start every service whose bit is set, registered under its name.
 *
 * Returns HK_OK; HK_ENOMEM. What was started is ended by hk_composition_fini().
 */
enum hk_status hk_composition_start(struct hk_cpu *cpu, uint32_t placement);
void hk_composition_fini(struct hk_cpu *cpu);

/* One service, registered under its name. HK_OK; HK_ENOMEM. */
enum hk_status hk_instance_start(struct hk_cpu *cpu, struct hk_instance *instance,
                                 const struct hk_service *service);

/*
 * The direct call: the service works on the client's words where they are, in its
 * frame and its IPC page, and leaves the reply there. The cost of this against a
 * rendezvous is what a composition trades.
 *
 * Returns the words of the reply.
 */
int64_t hk_instance_call(struct hk_instance *instance, struct hk_thread *client, uint64_t badge);

/* The current thread's page fault: a call in its name that leaves its registers alone. */
void hk_instance_fault(struct hk_instance *instance, const struct hk_thread *client);

/* A message from the kernel: its time has come. */
void hk_instance_event(struct hk_instance *instance, uint64_t badge, uint64_t count);

#endif
