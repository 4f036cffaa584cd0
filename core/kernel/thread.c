/* SPDX-License-Identifier: MIT */
#include "kernel/thread.h"

#include "kernel/endpoint.h"
#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "port/port.h"

static void timed_out(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    hk_thread_wake(cpu, HK_CONTAINER(deadline, struct hk_thread, deadline), HK_ETIMEOUT);
}

void hk_thread_time(struct hk_cpu *cpu, struct hk_thread *thread, uint64_t timeout_ns)
{
    if (timeout_ns == HK_TIMEOUT_NONE)
        return;
    if (timeout_ns > INT64_MAX)
        timeout_ns = INT64_MAX;
    thread->flags |= HK_THREAD_TIMED;
    hk_deadline_arm(cpu, &thread->deadline, hk_port_clock_ns(cpu) + timeout_ns, timed_out);
}

void hk_wait_block(struct hk_cpu *cpu, struct hk_wait_queue *queue, uint64_t timeout_ns)
{
    struct hk_thread *self = cpu->current;

    self->state = HK_THREAD_WAITING;
    if (queue != NULL)
        hk_wait_queue_append(queue, self);
    hk_thread_time(cpu, self, timeout_ns);
    cpu->exit_work |= HK_WORK_SCHEDULE;
}

/*
 * The server has no client any more: it and whomever it called go on with the
 * server's own budget instead of the client's, which may be about to disappear.
 */
static void reclaim_budget(struct hk_cpu *cpu, struct hk_thread *server)
{
    struct hk_budget *budget = &server->own_budget;

    server->client = NULL;
    for (struct hk_thread *t = server;; t = t->server) {
        bool ready = t->state == HK_THREAD_READY;

        if (ready)
            hk_sched_remove(cpu, t);
        t->budget = budget;
        if (ready)
            hk_sched_ready(cpu, t);
        if (t->state != HK_THREAD_CALLED)
            return;
    }
}

/* Take a thread out of whatever it is in; its state is for the caller to set. */
static void detach(struct hk_cpu *cpu, struct hk_thread *thread)
{
    hk_deadline_disarm(cpu, &thread->deadline);
    thread->flags &= ~HK_THREAD_TIMED;
    switch ((enum hk_thread_state)thread->state) {
    case HK_THREAD_READY:
        hk_sched_remove(cpu, thread);
        break;
    case HK_THREAD_RECEIVING:
    case HK_THREAD_SENDING:
        hk_endpoint_leave(cpu, thread);
        break;
    case HK_THREAD_CALLED:
        reclaim_budget(cpu, thread->server);
        thread->server = NULL;
        break;
    case HK_THREAD_WAITING:
        hk_wait_queue_remove(thread);
        break;
    case HK_THREAD_NEW:
    case HK_THREAD_RUNNING:
    case HK_THREAD_DEAD:
        break;
    }
}

static bool is_message_state(uint32_t state)
{
    return state == HK_THREAD_RECEIVING || state == HK_THREAD_SENDING ||
           state == HK_THREAD_CALLED;
}

void hk_thread_wake(struct hk_cpu *cpu, struct hk_thread *thread, hk_result result)
{
    bool clear_message = is_message_state(thread->state);

    detach(cpu, thread);
    if (clear_message && (thread->flags & HK_THREAD_FAULTED)) {
        hk_pager_ended(cpu, thread);
    } else {
        if (clear_message) {
            thread->frame.rdi = 0;
            hk_port_zero(thread->frame.word, sizeof(thread->frame.word));
        }
        thread->frame.rax = (uint64_t)result;
    }
    if (thread->client == NULL)
        thread->budget = &thread->own_budget;
    hk_sched_ready(cpu, thread);
}

struct hk_thread *hk_wait_wake_one(struct hk_cpu *cpu, struct hk_wait_queue *queue,
                                   hk_result result)
{
    struct hk_thread *thread = queue->first;

    if (thread != NULL)
        hk_thread_wake(cpu, thread, result);
    return thread;
}

void hk_wait_wake_all(struct hk_cpu *cpu, struct hk_wait_queue *queue, hk_result result)
{
    while (hk_wait_wake_one(cpu, queue, result) != NULL)
        ;
}

/* The message page of a thread: its own slot, with an unmapped page after each. */
static enum hk_status map_ipc_page(struct hk_cpu *cpu, struct hk_thread *thread)
{
    struct hk_process *process = thread->process;
    enum hk_status status =
        hk_page_allocate(cpu->kernel, HK_PAGE_OWNER_KERNEL, &thread->ipc_page);

    if (status != HK_OK)
        return status;
    thread->ipc_address = HK_USER_IPC_BASE + 2 * HK_PAGE_BYTES * (uint64_t)thread->number;
    status = hk_space_map(cpu->kernel, &process->space, thread->ipc_address, thread->ipc_page,
                          HK_MAP_READ | HK_MAP_WRITE);
    if (status != HK_OK) {
        hk_page_release(cpu->kernel, thread->ipc_page);
        return status;
    }
    /* two holders: the mapping, and the thread, whose window must outlive any unmapping */
    hk_page_hold(cpu->kernel, thread->ipc_page);
    return HK_OK;
}

enum hk_status hk_thread_create(struct hk_cpu *cpu, struct hk_process *process, uint64_t entry,
                                uint64_t stack_top, uint64_t argument, struct hk_thread **thread)
{
    struct hk_object *object;
    struct hk_thread *new;
    enum hk_status status;

    if (entry >= HK_USER_END || stack_top > HK_USER_END)
        return HK_EINVAL;
    if (process->thread_count >= HK_THREADS_PER_PROCESS)
        return HK_ENOSPC;
    status = hk_object_create(cpu->kernel, HK_OBJECT_THREAD, &object);
    if (status != HK_OK)
        return status;
    new = (struct hk_thread *)(void *)object;
    new->process = process;
    new->number = process->thread_count;
    status = map_ipc_page(cpu, new);
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    process->thread_count++;
    new->caps = process->caps;
    new->space_root = process->space.root;
    new->own_budget.priority = HK_PRIORITY_DEFAULT;
    new->own_budget.slice_ns = HK_SLICE_NS;
    new->budget = &new->own_budget;
    new->ipc_timeout_ns = HK_TIMEOUT_NONE;
    new->frame.rip = entry;
    new->frame.rsp = stack_top;
    new->frame.rdi = argument;
    new->frame.word[0] = new->ipc_address;
    new->frame.rflags = HK_USER_RFLAGS;
    new->process_next = process->threads;
    process->threads = new;
    *thread = new;
    return HK_OK;
}

void hk_thread_kill(struct hk_cpu *cpu, struct hk_thread *thread)
{
    if (thread->state == HK_THREAD_DEAD)
        return;
    detach(cpu, thread);
    thread->state = HK_THREAD_DEAD;
    hk_advice_forget(cpu, thread);
    if (thread->client != NULL)
        hk_thread_wake(cpu, thread->client, HK_EPEER);
    if (cpu->hand_over == thread)
        cpu->hand_over = NULL;
    if (cpu->current == thread) {
        cpu->current = NULL; /* its record may go before the way out of the kernel */
        cpu->exit_work |= HK_WORK_SCHEDULE;
    }
    hk_page_release(cpu->kernel, thread->ipc_page);
}

static bool all_dead(const struct hk_process *process)
{
    for (const struct hk_thread *t = process->threads; t != NULL; t = t->process_next)
        if (t->state != HK_THREAD_DEAD)
            return false;
    return true;
}

/* thread_create(entry, stack_top, argument): a further thread of the caller's process */
hk_result hk_sys_thread_create(struct hk_cpu *cpu, uint64_t entry, uint64_t stack_top,
                               uint64_t argument, uint64_t d, uint64_t e)
{
    struct hk_process *process = cpu->current->process;
    struct hk_thread *thread;
    uint64_t handle;
    enum hk_status status =
        hk_thread_create(cpu, process, entry, stack_top, argument, &thread);

    (void)d, (void)e;
    if (status != HK_OK)
        return status;
    status = hk_cap_insert(process, &thread->object, HK_RIGHT_THREAD, 0, &handle);
    if (status != HK_OK) {
        hk_thread_kill(cpu, thread);
        return status;
    }
    thread->own_budget = cpu->current->own_budget;
    hk_sched_ready(cpu, thread);
    return (hk_result)handle;
}

hk_result hk_sys_thread_exit(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                             uint64_t e)
{
    struct hk_process *process = cpu->current->process;

    (void)a, (void)b, (void)c, (void)d, (void)e;
    hk_thread_kill(cpu, cpu->current);
    if (all_dead(process))
        hk_process_end(cpu, process, HK_EXIT_NORMAL, 0);
    return HK_OK;
}

hk_result hk_sys_thread_policy(struct hk_cpu *cpu, uint64_t handle, uint64_t priority,
                               uint64_t period_ns, uint64_t d, uint64_t e)
{
    struct hk_object *object;
    struct hk_thread *thread = cpu->current;
    bool ready;

    (void)d, (void)e;
    if (priority >= HK_PRIORITY_COUNT || period_ns > INT64_MAX)
        return HK_EINVAL;
    if (handle != HK_HANDLE_SELF) {
        enum hk_status status = hk_cap_find(thread->process, handle, HK_OBJECT_THREAD,
                                            HK_RIGHT_THREAD, &object);

        if (status != HK_OK)
            return status;
        thread = (struct hk_thread *)(void *)object;
    }
    ready = thread->state == HK_THREAD_READY;
    if (ready)
        hk_sched_remove(cpu, thread);
    thread->own_budget.priority = (uint32_t)priority;
    thread->own_budget.period_ns = period_ns;
    thread->own_budget.deadline_ns = hk_port_clock_ns(cpu) + period_ns;
    if (ready)
        hk_sched_ready(cpu, thread);
    return HK_OK;
}

static void slept(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    hk_thread_wake(cpu, HK_CONTAINER(deadline, struct hk_thread, deadline), HK_OK);
}

/* sleep(until_ns): with earliest deadline first, the end of the sleep starts a new period */
hk_result hk_sys_sleep(struct hk_cpu *cpu, uint64_t until_ns, uint64_t b, uint64_t c, uint64_t d,
                       uint64_t e)
{
    struct hk_thread *self = cpu->current;
    uint64_t now_ns = hk_port_clock_ns(cpu);

    (void)b, (void)c, (void)d, (void)e;
    if (until_ns > INT64_MAX)
        return HK_EINVAL;
    self->own_budget.deadline_ns = until_ns + self->own_budget.period_ns;
    if (until_ns <= now_ns)
        return HK_OK;
    hk_wait_block(cpu, NULL, HK_TIMEOUT_NONE);
    self->flags |= HK_THREAD_TIMED;
    hk_deadline_arm(cpu, &self->deadline, until_ns, slept);
    return HK_OK;
}

hk_result hk_sys_ipc_timeout(struct hk_cpu *cpu, uint64_t timeout_ns, uint64_t b, uint64_t c,
                             uint64_t d, uint64_t e)
{
    (void)b, (void)c, (void)d, (void)e;
    cpu->current->ipc_timeout_ns = timeout_ns;
    return HK_OK;
}
