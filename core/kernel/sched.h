/* SPDX-License-Identifier: MIT */
/* Who runs next. Policies are rows of hk_policies[]. */
#ifndef HK_KERNEL_SCHED_H
#define HK_KERNEL_SCHED_H

#include "kernel/thread.h"
#include "kernel/types.h"

#define HK_PRIORITY_COUNT 32
#define HK_PRIORITY_DEFAULT 8
#define HK_SLICE_NS (10 * HK_NS_PER_MS)

/* Ready threads of one CPU; a policy decides how it uses the lists. */
struct hk_run_queue {
    struct hk_wait_queue list[HK_PRIORITY_COUNT];
    uint32_t occupied; /* bit p: list[p] is not empty */
    uint32_t count;
};

struct hk_policy {
    const char *name;
    /* front: it was preempted and keeps its place among equals */
    void (*add)(struct hk_run_queue *queue, struct hk_thread *thread, bool front);
    struct hk_thread *(*pick)(struct hk_run_queue *queue);
    /* true when a thread that became ready must run before the current one */
    bool (*preempts)(const struct hk_thread *ready, const struct hk_thread *current);
    bool sliced; /* the current thread's turn ends after its slice */
    bool served; /* a user-space server is asked first, see kernel/advice.h */
};

extern const struct hk_policy hk_policies[HK_POLICIES];

/* Make a thread ready; asks for a switch when the policy wants one. */
void hk_sched_ready(struct hk_cpu *cpu, struct hk_thread *thread);

/* Take a ready thread out of its run queue. */
void hk_sched_remove(struct hk_cpu *cpu, struct hk_thread *thread);

/* The current thread gives its turn away and stays ready. */
void hk_sched_yield(struct hk_cpu *cpu);

/* Use another policy from now on; ready threads are kept. HK_EINVAL: no such row. */
enum hk_status hk_sched_select(struct hk_cpu *cpu, uint64_t policy);

/*
 * On the way out of the kernel, when cpu->exit_work is set: choose who runs.
 * cpu->current is it afterwards; NULL when nobody is ready (the port idles then).
 */
void hk_sched_exit(struct hk_cpu *cpu);

#endif
