/* SPDX-License-Identifier: MIT */
/*
 * Threads, and how they wait.
 *
 * There is one kernel stack per CPU and none per thread: a system call runs to
 * its end, and a caller that has to wait leaves nothing but its state and its
 * frame behind. Whoever wakes it writes the result into the frame. So blocking
 * never happens in the middle of a function, in the booted kernel and in the
 * hosted one alike.
 */
#ifndef HK_KERNEL_THREAD_H
#define HK_KERNEL_THREAD_H

#include "arch/x86_64/frame.h"
#include "kernel/timer.h"
#include "kernel/types.h"

enum hk_thread_state {
    HK_THREAD_NEW,       /* created, never run */
    HK_THREAD_READY,     /* in a run queue */
    HK_THREAD_RUNNING,   /* cpu->current */
    HK_THREAD_RECEIVING, /* at an endpoint, for a message */
    HK_THREAD_SENDING,   /* at an endpoint, for a receiver */
    HK_THREAD_CALLED,    /* its message is with thread->server, whose reply it waits for */
    HK_THREAD_WAITING,   /* in a wait queue of any other object, or asleep */
    HK_THREAD_DEAD,
};

/* Why the IPC fast path must leave a thread to the slow path. */
#define HK_THREAD_TIMED 0x1u   /* its deadline is armed */
#define HK_THREAD_FAULTED 0x2u /* SENDING or CALLED for its pager: the frame is no message */

#define HK_THREADS_PER_PROCESS 256 /* ever created */

/* Interrupts on, everything else off. */
#define HK_USER_RFLAGS 0x202

/* FIFO of threads. */
struct hk_wait_queue {
    struct hk_thread *first, *last;
};

/*
 * What the CPU is given for: travels with a call, so that a server runs at its
 * client's priority and on its client's time.
 */
struct hk_budget {
    uint32_t priority;     /* 0 lowest .. HK_PRIORITY_COUNT - 1 */
    uint32_t reserved;
    uint64_t slice_ns;     /* round robin: how long until the next one's turn */
    uint64_t period_ns;    /* earliest deadline first: 0 = not periodic */
    uint64_t deadline_ns;  /* earliest deadline first: absolute */
};

/* The IPC fast path uses the first group: see arch/x86_64/offsets.h. */
struct hk_thread {
    struct hk_object object;
    uint32_t state;              /* enum hk_thread_state */
    uint32_t flags;              /* HK_THREAD_*; 0 lets the fast path wake it */
    struct hk_cap *caps;         /* the process's table */
    uint64_t space_root;         /* physical address of the top page table */
    struct hk_budget *budget;    /* its own, or its client's while it serves one */
    struct hk_thread *client;    /* the single-use right to reply: who waits for it */
    struct hk_thread *server;    /* HK_THREAD_CALLED: who owes it a reply */
    struct hk_endpoint *endpoint; /* where it waits, RECEIVING or SENDING */
    struct hk_frame frame;

    struct hk_process *process;
    struct hk_thread *process_next; /* list of the process's threads */
    struct hk_budget own_budget;
    uint32_t number;             /* in its process, 1.. */

    struct hk_wait_queue *queue; /* the queue it is in: run, endpoint or object */
    struct hk_thread *next, *previous;
    struct hk_deadline deadline;

    /* what a sleeper left for its waker */
    struct {
        uint64_t badge;   /* SENDING: of the capability used */
        uint64_t words;   /* SENDING: length of the message */
        uint64_t address; /* user buffer of a blocked object call; of a page fault */
        uint64_t bytes;   /* its capacity or content */
        uint64_t word;    /* one more word for the object: e.g. wanted sender; access */
        bool wants_reply; /* SENDING: a call, not a send */
    } wait;

    uint64_t ipc_timeout_ns;     /* of the slow IPC classes */
    uint64_t ipc_page;           /* physical address of its message buffer */
    uint64_t ipc_address;        /* where the user sees it */
    uint64_t refused_page;       /* the pager left a fault there without a page; 0: none */
};

/*
 * Create a thread of a process, with an IPC page; it does not run yet.
 *
 * entry, stack_top  [in]  user addresses below HK_USER_END
 * argument          [in]  arrives in rdi
 * thread            [out] one reference, held by the process
 *
 * Returns HK_OK; HK_EINVAL for an address the user may not have; HK_ENOMEM.
 */
enum hk_status hk_thread_create(struct hk_cpu *cpu, struct hk_process *process, uint64_t entry,
                                uint64_t stack_top, uint64_t argument,
                                struct hk_thread **thread);

/*
 * Take a thread out of everything it is in: run queue, wait queue, endpoint,
 * timeouts, rendezvous with a partner (who gets HK_EPEER). It is dead afterwards.
 */
void hk_thread_kill(struct hk_cpu *cpu, struct hk_thread *thread);

/*
 * Put the calling thread to sleep in a queue.
 *
 * queue       [in,out] of the object; NULL to sleep for time alone
 * timeout_ns  [in]     relative; HK_TIMEOUT_NONE for ever. HK_TIMEOUT_NOW is
 *                      the caller's business: it must not sleep then
 *
 * On time-out the thread returns HK_ETIMEOUT from its system call.
 */
void hk_wait_block(struct hk_cpu *cpu, struct hk_wait_queue *queue, uint64_t timeout_ns);

/* Wake the first sleeper with this result; returns it, or NULL when there is none. */
struct hk_thread *hk_wait_wake_one(struct hk_cpu *cpu, struct hk_wait_queue *queue,
                                   hk_result result);

/* Wake all sleepers with this result (the object goes away: HK_EPEER). */
void hk_wait_wake_all(struct hk_cpu *cpu, struct hk_wait_queue *queue, hk_result result);

/* Wake a given sleeper, wherever it sleeps, with this result and no message. */
void hk_thread_wake(struct hk_cpu *cpu, struct hk_thread *thread, hk_result result);

/* Arm a thread's time-out, relative; HK_TIMEOUT_NONE does nothing. */
void hk_thread_time(struct hk_cpu *cpu, struct hk_thread *thread, uint64_t timeout_ns);

/* Link and unlink at a queue, nothing more; a thread in no queue may be unlinked. */
static inline void hk_wait_queue_append(struct hk_wait_queue *queue, struct hk_thread *thread)
{
    thread->queue = queue;
    thread->next = NULL;
    thread->previous = queue->last;
    if (queue->last != NULL)
        queue->last->next = thread;
    else
        queue->first = thread;
    queue->last = thread;
}

static inline void hk_wait_queue_remove(struct hk_thread *thread)
{
    struct hk_wait_queue *queue = thread->queue;

    if (queue == NULL)
        return;
    if (thread->previous != NULL)
        thread->previous->next = thread->next;
    else
        queue->first = thread->next;
    if (thread->next != NULL)
        thread->next->previous = thread->previous;
    else
        queue->last = thread->previous;
    thread->queue = NULL;
}

#endif
