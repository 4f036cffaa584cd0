/* SPDX-License-Identifier: MIT */
/*
 * Endpoints: synchronous rendezvous. A call meets a waiting server or queues; the
 * server's reply goes to the one client it serves. Kernel events (interrupts,
 * timers) arrive as messages too.
 */
#ifndef HK_KERNEL_ENDPOINT_H
#define HK_KERNEL_ENDPOINT_H

#include "kernel/thread.h"
#include "kernel/types.h"

/*
 * A message from the kernel: at most one pending per source. Counts what was
 * raised while nobody listened.
 */
struct hk_event {
    struct hk_event *next;
    struct hk_endpoint *endpoint;
    uint64_t badge;
    uint64_t count; /* raised since the last delivery; > 0: it is in the endpoint's list */
};

/* Value of slot: look at the queue and the events instead. */
#define HK_SLOT_QUEUED ((struct hk_thread *)1)

/*
 * slot is the fast path's whole view of an endpoint:
 *   NULL            nobody waits and nothing is pending
 *   HK_SLOT_QUEUED  senders, two or more receivers, or events: slow path
 *   a thread        the only waiting receiver
 */
struct hk_endpoint {
    struct hk_object object;
    struct hk_thread *slot;
    struct hk_instance *instance; /* a service in ring 0 answers instead of a thread */
    struct hk_wait_queue queue;   /* all senders, or all receivers */
    struct hk_event *events;      /* pending, oldest first */
    uint32_t receive_capabilities; /* when the last goes, senders get HK_EPEER */
};

enum hk_status hk_endpoint_create(struct hk_cpu *cpu, struct hk_endpoint **endpoint);

/*
 * The slow path of every IPC class. Request and answer are in the frame of
 * cpu->current; cpu->exit_work says when it sleeps.
 */
void hk_ipc(struct hk_cpu *cpu);

/* The current thread calls its pager: pager.h. It sleeps afterwards. */
void hk_endpoint_fault(struct hk_cpu *cpu, struct hk_endpoint *endpoint);

/* hk_object_types[]: the last reference, and a capability, have gone. */
void hk_endpoint_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_endpoint_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

/* Take a thread that waits at its endpoint out again (kill, time-out). */
void hk_endpoint_leave(struct hk_cpu *cpu, struct hk_thread *thread);

/* Deliver an event now or keep it pending. */
void hk_event_raise(struct hk_cpu *cpu, struct hk_event *event);

/* Forget an event that may be pending. */
void hk_event_cancel(struct hk_event *event);

#endif
