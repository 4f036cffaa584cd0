/* SPDX-License-Identifier: MIT */
#include "kernel/timer.h"

#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "port/port.h"

void hk_deadline_arm(struct hk_cpu *cpu, struct hk_deadline *deadline, uint64_t at_ns,
                     void (*expired)(struct hk_cpu *, struct hk_deadline *))
{
    struct hk_deadline *after;

    hk_deadline_disarm(cpu, deadline); /* first: it may be the last of the ring itself */
    after = cpu->deadlines.previous;
    while (after != &cpu->deadlines && after->at_ns > at_ns)
        after = after->previous;
    deadline->at_ns = at_ns;
    deadline->expired = expired;
    deadline->armed = true;
    deadline->previous = after;
    deadline->next = after->next;
    after->next->previous = deadline;
    after->next = deadline;
    if (cpu->deadlines.next == deadline)
        hk_port_timer_arm(cpu, at_ns);
}

/* The hardware may still fire for it; hk_deadline_run() then finds nothing due. */
void hk_deadline_disarm(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    (void)cpu;
    if (!deadline->armed)
        return;
    deadline->armed = false;
    deadline->previous->next = deadline->next;
    deadline->next->previous = deadline->previous;
}

void hk_deadline_run(struct hk_cpu *cpu)
{
    uint64_t now_ns = hk_port_clock_ns(cpu);
    struct hk_deadline *first = cpu->deadlines.next;

    while (first != &cpu->deadlines && first->at_ns <= now_ns) {
        hk_deadline_disarm(cpu, first);
        first->expired(cpu, first);
        first = cpu->deadlines.next;
    }
    hk_port_timer_arm(cpu, first == &cpu->deadlines ? HK_TIMEOUT_NONE : first->at_ns);
}

static void timer_expired(struct hk_cpu *cpu, struct hk_deadline *deadline)
{
    struct hk_timer *timer = HK_CONTAINER(deadline, struct hk_timer, deadline);
    uint64_t missed;

    hk_event_raise(cpu, &timer->event);
    if (timer->period_ns == 0)
        return;
    /* periods that went by unserved are skipped: the grid stays, the kernel does not catch up */
    missed = (hk_port_clock_ns(cpu) - deadline->at_ns) / timer->period_ns;
    hk_deadline_arm(cpu, deadline, deadline->at_ns + (missed + 1) * timer->period_ns,
                    timer_expired);
}

void hk_timer_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_timer *timer = (struct hk_timer *)(void *)object;

    hk_deadline_disarm(cpu, &timer->deadline);
    hk_event_cancel(&timer->event);
    hk_object_release(cpu, &timer->event.endpoint->object);
}

hk_result hk_sys_timer_create(struct hk_cpu *cpu, uint64_t handle, uint64_t badge,
                              uint64_t first_ns, uint64_t period_ns, uint64_t unused)
{
    struct hk_process *self = cpu->current->process;
    struct hk_object *endpoint, *object;
    struct hk_timer *timer;
    uint64_t new_handle;
    enum hk_status status;

    (void)unused;
    if ((period_ns != 0 && period_ns < HK_TIMER_PERIOD_NS_MIN) || period_ns > INT64_MAX ||
        first_ns > INT64_MAX)
        return HK_EINVAL;
    status = hk_cap_find(self, handle, HK_OBJECT_ENDPOINT, HK_RIGHT_RECEIVE, &endpoint);
    if (status == HK_OK)
        status = hk_object_create(cpu->kernel, HK_OBJECT_TIMER, &object);
    if (status != HK_OK)
        return status;
    timer = (struct hk_timer *)(void *)object;
    timer->event.endpoint = (struct hk_endpoint *)(void *)endpoint;
    timer->event.badge = badge;
    timer->period_ns = period_ns;
    hk_object_hold(endpoint);
    status = hk_cap_insert(self, object, HK_RIGHT_TIMER, 0, &new_handle);
    if (status == HK_OK)
        hk_deadline_arm(cpu, &timer->deadline, first_ns, timer_expired);
    hk_object_release(cpu, object); /* the capability holds it from here on */
    return status == HK_OK ? (hk_result)new_handle : status;
}

/* timer_set(timer, at_ns): whatever was still to come of it does not */
hk_result hk_sys_timer_set(struct hk_cpu *cpu, uint64_t handle, uint64_t at_ns, uint64_t c,
                           uint64_t d, uint64_t e)
{
    struct hk_object *object;
    struct hk_timer *timer;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_TIMER,
                                        HK_RIGHT_TIMER, &object);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (at_ns > INT64_MAX)
        return HK_EINVAL;
    timer = (struct hk_timer *)(void *)object;
    timer->period_ns = 0;
    hk_event_cancel(&timer->event);
    hk_deadline_arm(cpu, &timer->deadline, at_ns, timer_expired);
    return HK_OK;
}

hk_result hk_sys_clock(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                       uint64_t e)
{
    (void)a, (void)b, (void)c, (void)d, (void)e;
    return (hk_result)hk_port_clock_ns(cpu);
}
