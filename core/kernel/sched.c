/* SPDX-License-Identifier: MIT */
#include "kernel/sched.h"

#include "kernel/kernel.h"
#include "port/port.h"

static void link_before(struct hk_wait_queue *queue, struct hk_thread *thread,
                        struct hk_thread *before)
{
    if (before == NULL) {
        hk_wait_queue_append(queue, thread);
        return;
    }
    thread->queue = queue;
    thread->next = before;
    thread->previous = before->previous;
    if (before->previous != NULL)
        before->previous->next = thread;
    else
        queue->first = thread;
    before->previous = thread;
}

static void add_to_list(struct hk_run_queue *queue, uint32_t number, struct hk_thread *thread,
                        bool front)
{
    struct hk_wait_queue *list = &queue->list[number];

    link_before(list, thread, front ? list->first : NULL);
    queue->occupied |= 1u << number;
}

static struct hk_thread *pick_highest(struct hk_run_queue *queue)
{
    if (queue->occupied == 0)
        return NULL;
    return queue->list[31 - __builtin_clz(queue->occupied)].first;
}

static void add_in_turn(struct hk_run_queue *queue, struct hk_thread *thread, bool front)
{
    add_to_list(queue, 0, thread, front);
}

static bool never_preempts(const struct hk_thread *ready, const struct hk_thread *current)
{
    (void)ready, (void)current;
    return false;
}

static void add_by_priority(struct hk_run_queue *queue, struct hk_thread *thread, bool front)
{
    add_to_list(queue, thread->budget->priority, thread, front);
}

static bool higher_priority(const struct hk_thread *ready, const struct hk_thread *current)
{
    return ready->budget->priority > current->budget->priority;
}

/* Threads without a period come last. */
static uint64_t deadline_of(const struct hk_thread *thread)
{
    return thread->budget->period_ns == 0 ? UINT64_MAX : thread->budget->deadline_ns;
}

static void add_by_deadline(struct hk_run_queue *queue, struct hk_thread *thread, bool front)
{
    struct hk_thread *before = queue->list[0].first;

    while (before != NULL && (front ? deadline_of(before) < deadline_of(thread)
                                    : deadline_of(before) <= deadline_of(thread)))
        before = before->next;
    link_before(&queue->list[0], thread, before);
    queue->occupied |= 1u;
}

static bool earlier_deadline(const struct hk_thread *ready, const struct hk_thread *current)
{
    return deadline_of(ready) < deadline_of(current);
}

const struct hk_policy hk_policies[HK_POLICIES] = {
    [HK_POLICY_ROUND_ROBIN] = { "round_robin", add_in_turn, pick_highest, never_preempts, true,
                                false },
    [HK_POLICY_PRIORITY] = { "priority", add_by_priority, pick_highest, higher_priority, false,
                             false },
    [HK_POLICY_EDF] = { "edf", add_by_deadline, pick_highest, earlier_deadline, false, false },
    [HK_POLICY_SERVER] = { "server", add_in_turn, pick_highest, never_preempts, true, true },
};

static void slice_over(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    (void)deadline;
    if (cpu->run.count > 0)
        hk_sched_yield(cpu);
}

/*
 * A turn ends by time only when somebody else waits for it. The deadline is not
 * moved at every switch, which would cost more than the switch: a thread that
 * comes in late gets what is left of the slice.
 */
static void start_slice(struct hk_cpu *cpu)
{
    if (cpu->policy->sliced && cpu->current != NULL && cpu->run.count > 0 && !cpu->slice.armed)
        hk_deadline_arm(cpu, &cpu->slice,
                        hk_port_clock_ns(cpu) + cpu->current->budget->slice_ns, slice_over);
}

static void enqueue(struct hk_cpu *cpu, struct hk_thread *thread, bool front)
{
    thread->state = HK_THREAD_READY;
    cpu->policy->add(&cpu->run, thread, front);
    cpu->run.count++;
}

void hk_sched_ready(struct hk_cpu *cpu, struct hk_thread *thread)
{
    struct hk_thread *current = cpu->current;

    enqueue(cpu, thread, false);
    if (current == NULL || current->state != HK_THREAD_RUNNING ||
        cpu->policy->preempts(thread, current))
        cpu->exit_work |= HK_WORK_SCHEDULE;
    else
        start_slice(cpu);
}

void hk_sched_remove(struct hk_cpu *cpu, struct hk_thread *thread)
{
    struct hk_wait_queue *list = thread->queue;

    hk_wait_queue_remove(thread);
    cpu->run.count--;
    if (list->first == NULL)
        cpu->run.occupied &= ~(1u << (list - cpu->run.list));
}

void hk_sched_yield(struct hk_cpu *cpu)
{
    cpu->exit_work |= HK_WORK_SCHEDULE | HK_WORK_YIELD;
}

enum hk_status hk_sched_select(struct hk_cpu *cpu, uint64_t policy)
{
    struct hk_thread *first = NULL;
    struct hk_thread *thread;

    if (policy >= HK_POLICIES)
        return HK_EINVAL;
    while ((thread = pick_highest(&cpu->run)) != NULL) {
        hk_sched_remove(cpu, thread);
        thread->next = first;
        first = thread;
    }
    cpu->policy = &hk_policies[policy];
    while (first != NULL) {
        thread = first;
        first = thread->next;
        /* taken out first in, put back last in: each goes in front of the later ones */
        enqueue(cpu, thread, true);
    }
    cpu->exit_work |= HK_WORK_SCHEDULE;
    return HK_OK;
}

void hk_sched_exit(struct hk_cpu *cpu)
{
    uint64_t work = cpu->exit_work;
    struct hk_thread *previous = cpu->current;
    struct hk_thread *next = cpu->hand_over;

    cpu->exit_work = 0;
    cpu->hand_over = NULL;
    if (next != NULL) {
        cpu->current = next; /* no queue changes: the slice that runs goes on */
        return;
    }
    if (!(work & HK_WORK_SCHEDULE))
        return;
    if (previous != NULL && previous->state == HK_THREAD_RUNNING)
        enqueue(cpu, previous, !(work & HK_WORK_YIELD));
    if (cpu->policy->served)
        next = hk_advice_pick(cpu);
    if (next == NULL) {
        next = cpu->policy->pick(&cpu->run);
        if (next != NULL)
            hk_sched_remove(cpu, next);
    }
    cpu->current = next;
    if (next != NULL)
        next->state = HK_THREAD_RUNNING;
    if (next != previous)
        cpu->switch_count++;
    start_slice(cpu);
}

hk_result hk_sys_yield(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                       uint64_t e)
{
    (void)a, (void)b, (void)c, (void)d, (void)e;
    if (cpu->run.count > 0)
        hk_sched_yield(cpu);
    return HK_OK;
}

hk_result hk_sys_policy_select(struct hk_cpu *cpu, uint64_t policy, uint64_t b, uint64_t c,
                               uint64_t d, uint64_t e)
{
    struct hk_object *self;
    enum hk_status status = hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &self);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_sched_select(cpu, policy) : status;
}
