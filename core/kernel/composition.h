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
    uint64_t frames;                  /* of host.device.frames; 0: no device */
    uint32_t line;                    /* of its device */
    struct hk_deadline deadline;      /* of host.wake_at */
};

/*
 * Start every service whose bit is set, registered under its name.
 *
 * devices  [in]  bit per service: it uses its device
 *
 * Returns HK_OK; HK_ENOMEM; HK_ENOTSUP when this machine lacks the device. What was started is
 * ended by hk_composition_fini().
 */
enum hk_status hk_composition_start(struct hk_cpu *cpu, uint32_t placement, uint32_t devices);
void hk_composition_fini(struct hk_cpu *cpu);

/* One service, registered under its name, with its device or without. Returns as above. */
enum hk_status hk_instance_start(struct hk_cpu *cpu, struct hk_instance *instance,
                                 const struct hk_service *service, bool use_device);

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

/* A message from the kernel: its time has come, or its device interrupted. */
void hk_instance_event(struct hk_instance *instance, uint64_t badge, uint64_t count);

#endif
