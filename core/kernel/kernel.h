/* SPDX-License-Identifier: MIT */
/*
 * The state of the kernel: all of it, in two structures. Nothing else is mutable.
 */
#ifndef HK_KERNEL_KERNEL_H
#define HK_KERNEL_KERNEL_H

#include "kernel/answers.h"
#include "kernel/composition.h"
#include "kernel/endpoint.h"
#include "kernel/advice.h"
#include "kernel/object.h"
#include "kernel/page.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/service.h"
#include "kernel/types.h"

#define HK_IRQ_COUNT 24 /* inputs of an I/O APIC */

/* What happens on the way out of the kernel besides returning. */
#define HK_WORK_SCHEDULE 0x1u /* the current thread blocked, died, or another comes first */
#define HK_WORK_YIELD 0x2u    /* its turn is over: it goes behind its equals */

/*
 * The one home of per-CPU state. The entry code reaches it at a fixed address, so
 * a second CPU needs its own page there and nothing else.
 */
struct hk_cpu {
    struct hk_thread *current; /* NULL: idle */
    uint64_t exit_work;        /* HK_WORK_* */
    struct hk_thread *hand_over; /* hk_sched_hand_over() */
    struct hk_kernel *kernel;
    struct hk_run_queue run;
    const struct hk_policy *policy;
    struct hk_deadline deadlines; /* head of the ring of armed deadlines, by time */
    struct hk_deadline slice;     /* end of the current turn */
    uint64_t switch_count;
    uint64_t interrupt_count;
    struct hk_advice advice; /* of the policy "server" */
};

struct hk_irq {
    struct hk_event event; /* event.endpoint NULL: nobody listens */
    bool masked;           /* raised and not yet acknowledged */
};

/* A program that came with the kernel. */
struct hk_module {
    const char *name;
    uint64_t name_bytes;
    const unsigned char *data;
    uint64_t bytes;
};
#define HK_MODULE_COUNT 32

struct hk_kernel {
    struct hk_cpu *cpu;       /* the only one for now */
    uintptr_t window;         /* kernel address of physical address 0 */
    uint64_t memory_end;      /* physical: devices are above */
    uint64_t kernel_root;     /* top table whose upper half every space shares; 0 = none */
    struct hk_page_pool pages;
    struct hk_pool pools[HK_OBJECT_TYPES];
    struct hk_process *processes; /* not yet ended, newest first */
    struct hk_process *init;      /* held; its end is the end of the machine */
    uint32_t last_pid;
    uint32_t boot_pages;          /* what the kernel itself had taken before the first program */
    struct hk_irq irqs[HK_IRQ_COUNT];
    struct hk_module modules[HK_MODULE_COUNT];
    uint32_t module_count;
    struct hk_service_registry services;
    struct hk_answers answers;
    struct hk_instance instances[HK_SERVICES]; /* services that the composition puts here */
    char command_line[HK_COMMAND_LINE_BYTES];
};

/*
 * The current thread waits: run this one next, in its place, without asking the
 * policy. It has the current thread's budget, or nobody else is ready. It is in
 * no queue, and a call that hands over wakes nobody else.
 */
static inline void hk_sched_hand_over(struct hk_cpu *cpu, struct hk_thread *thread)
{
    thread->state = HK_THREAD_RUNNING;
    cpu->hand_over = thread;
    cpu->exit_work = HK_WORK_SCHEDULE;
    cpu->switch_count++;
}

/* The kernel's window on physical memory. */
static inline void *hk_window(const struct hk_kernel *kernel, uint64_t physical)
{
    return (void *)(kernel->window + physical);
}

static inline enum hk_status hk_page_allocate(struct hk_kernel *kernel, uint32_t owner,
                                              uint64_t *physical)
{
    return hk_page_pool_allocate(&kernel->pages, owner, physical);
}

static inline enum hk_status hk_page_free(struct hk_kernel *kernel, uint32_t owner,
                                          uint64_t physical)
{
    return hk_page_pool_free(&kernel->pages, owner, physical);
}

/*
 * Prepare the kernel's state on the caller's memory.
 *
 * base, bytes  [in]  physical range for the page allocator, page-aligned
 * window       [in]  kernel address of physical address 0
 *
 * Returns HK_OK; HK_ENOMEM when the range is too small.
 */
enum hk_status hk_kernel_init(struct hk_kernel *kernel, struct hk_cpu *cpu, uintptr_t window,
                              uint64_t base, uint64_t bytes);

/* End every process and give all memory back; returns the number of leaked objects and pages. */
uint64_t hk_kernel_fini(struct hk_kernel *kernel);

#endif
