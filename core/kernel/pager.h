/* SPDX-License-Identifier: MIT */
/*
 * Page faults served by a pager: an endpoint that a region of an address space was
 * given to. The fault is a call in the faulting thread's name. While the pager
 * serves it, and only then, it may map pages into that region; the reply, like any
 * other reply, lets the thread go on. A reply without the page, a pager that is
 * gone or takes too long: the thread faults once more and its process ends, as
 * without a pager.
 */
#ifndef HK_KERNEL_PAGER_H
#define HK_KERNEL_PAGER_H

#include "kernel/endpoint.h"
#include "kernel/types.h"

/* Part of a process's address space whose faults are messages; in the list of the process. */
struct hk_region {
    struct hk_object object;
    struct hk_region *next;
    struct hk_endpoint *endpoint; /* held */
    uint64_t address, bytes;
    uint64_t badge;      /* of the capability it was bound with: tells the pager who asks */
    uint64_t timeout_ns; /* what the pager has for one fault */
};

void hk_region_destroy(struct hk_cpu *cpu, struct hk_object *object);

/*
 * The current thread touched what it may not.
 *
 * access  [in]  the one of HK_MAP_* that it lacked
 *
 * Returns true when a pager serves it: the thread sleeps, or goes on already where the
 * pager is in ring 0. Returns false when its process has to end.
 */
bool hk_pager_fault(struct hk_cpu *cpu, uint64_t address, uint64_t access);

/* What a pager is told of a thread's fault: abi.h. */
void hk_pager_message(const struct hk_thread *faulted, uint64_t word[HK_PAGER_WORDS]);

/* The same as a message to the thread that serves it. */
void hk_pager_deliver(const struct hk_thread *faulted, struct hk_thread *server);

/* Nobody serves the thread's fault any more. It is not ready yet; its registers stay. */
void hk_pager_ended(struct hk_cpu *cpu, struct hk_thread *faulted);

/*
 * Map pages for a thread whose fault is being served, in the region of that fault.
 *
 * from  [in]  giver's address of pages that move, writable in both; 0: fresh zeroed pages, and a
 *             page of the thread's own that is there gets the protection
 *
 * Returns HK_OK; HK_EPERM when the thread has no fault, its region does not hold all these pages,
 * or a page is shared; HK_EEXIST; HK_EINVAL; HK_ETOOBIG; HK_ENOENT; HK_ENOMEM. Stops at the first
 * page that cannot be had, with those before it mapped.
 */
enum hk_status hk_pager_map(struct hk_cpu *cpu, struct hk_thread *faulted, uint64_t address,
                            uint64_t count, uint64_t protection, struct hk_process *giver,
                            uint64_t from);

/* The end of a process: its regions go. */
void hk_pager_clear(struct hk_cpu *cpu, struct hk_process *process);

#endif
