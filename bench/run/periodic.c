/* SPDX-License-Identifier: MIT */
#include "periodic.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/stats/rng.h"

enum {
    WAKEUPS_SKIPPED = 16, /* cold caches and the start of the others */
    CONTROL_COPIES = 12,
    CONTROL_SESSIONS = 2, /* a known law is told from a close one by many wake-ups */
    LOAD_HELPERS_MAX = 4,
    LOAD_BYTES = 256 * 1024,
};

/* Its copies have enough of them after this long. */
static const uint64_t control_ns_max = 10ull * HK_NS_PER_S;

/* A control's wake-up that is later than this, in its mean injected delay, met a stall. */
static const double stall_ratio = 0.25;

static const uint64_t load_work_ns = 3 * HK_NS_PER_MS;
static const uint64_t load_sleep_ns = 2 * HK_NS_PER_MS;

static const char *const clock_names[] = {
    [HK_PERIODIC_ABSOLUTE] = "absolute",
    [HK_PERIODIC_RELATIVE] = "relative",
    [HK_PERIODIC_DEVICE] = "device",
    [HK_PERIODIC_QUEUED] = "queued",
};

static bool read_clock(const char *name, enum hk_periodic_clock *clock)
{
    char text[24];

    if (hk_name_part(name, 2, text, sizeof text) != HK_OK)
        return false;
    for (size_t c = 0; c < HK_ARRAY_COUNT(clock_names); c++) {
        if (strcmp(text, clock_names[c]) == 0) {
            *clock = (enum hk_periodic_clock)c;
            return true;
        }
    }
    return false;
}

static bool text_is(const struct hk_task *task, const char *key, const char *value)
{
    char text[24];

    return hk_name_text(task->name, key, text, sizeof text) == HK_OK && strcmp(text, value) == 0;
}

static uint64_t session_ns(const struct hk_task *task, bool control)
{
    const uint64_t wanted_ns = task->effort.session_ns * (control ? CONTROL_SESSIONS : 1);

    return control && wanted_ns > control_ns_max ? control_ns_max : wanted_ns;
}

enum hk_status hk_periodic_open(struct hk_task *task)
{
    struct hk_periodic *p = calloc(1, sizeof *p);
    const int64_t period_us = hk_task_int(task, "period_us", 0);
    const int64_t inject_us = hk_task_int(task, "inject_us", 0);

    if (p == NULL)
        return HK_ENOMEM;
    task->state = p;
    p->timer_fd = -1;
    if (!read_clock(task->name, &p->clock) || period_us < 100 || period_us > 1000000 ||
        inject_us < 0 || inject_us > period_us)
        return hk_task_refuse(task, HK_EINVAL, "a clock, period_us:100 to 1000000 and inject_us "
                              "up to the period are needed");
    p->period_ns = (uint64_t)period_us * HK_NS_PER_US;
    p->inject_ns = (double)inject_us * HK_NS_PER_US;
    p->count = session_ns(task, inject_us > 0) / p->period_ns;
    if (text_is(task, "load", "loaded") || inject_us > 0)
        task->helper_count = hk_cpu_count() < LOAD_HELPERS_MAX ? hk_cpu_count() : LOAD_HELPERS_MAX;
    /* The scheduler admits a deadline task only where it may run everywhere. */
    task->cpus[0] = text_is(task, "policy", "deadline") ? -1 : hk_nth_cpu(task->ordinal);
    task->cpus[1] = task->cpus[0];
    return HK_OK;
}

void hk_periodic_close(struct hk_task *task)
{
    struct hk_periodic *p = task->state;

    if (p == NULL)
        return;
    free(p->delays_ns);
    if (p->timer_fd >= 0)
        close(p->timer_fd);
    free(p);
    task->state = NULL;
}

/* Never where it could delay anybody: without SCHED_IDLE the CPU may halt. */
static void keep_awake(void)
{
    if (sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) != 0)
        return;
    for (;;)
        __asm__ volatile("" : : : "memory");
}

void hk_periodic_help(struct hk_task *task, size_t helper)
{
    static const struct timespec pause = {0, (long)load_sleep_ns};
    const struct hk_periodic *p = task->state;

    if (hk_pin(hk_nth_cpu((uint32_t)helper)) != HK_OK)
        return;
    if (p->inject_ns > 0) {
        keep_awake();
        return;
    }
    unsigned char *memory = calloc(1, LOAD_BYTES);
    if (memory == NULL)
        return;
    for (;;) {
        const uint64_t end_ns = hk_monotonic_ns() + load_work_ns;
        while (hk_monotonic_ns() < end_ns) {
            memset(memory, (int)end_ns, LOAD_BYTES);
            for (int i = 0; i < 16; i++)
                syscall(SYS_getppid);
        }
        nanosleep(&pause, NULL);
    }
}

/* --- becoming real-time ------------------------------------------------------------------- */

/* sched_attr as the kernel defines it (linux/sched/types.h), which libc headers collide with. */
struct deadline_attr {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

static enum hk_status become_deadline(struct hk_task *task)
{
    static const uint32_t deadline_policy = 6; /* SCHED_DEADLINE */
    const struct hk_periodic *p = task->state;
    struct deadline_attr attr = {
        .size = sizeof attr,
        .policy = deadline_policy,
        .runtime_ns = p->period_ns / 10,
        .deadline_ns = p->period_ns,
        .period_ns = p->period_ns,
    };

    if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
        return HK_OK;
    return hk_task_refuse(task, HK_ENOTSUP, "SCHED_DEADLINE: %s; run as root, outside cpusets",
                          strerror(errno));
}

static enum hk_status prepare_delays(struct hk_task *task, struct hk_periodic *p)
{
    const size_t n = p->count + WAKEUPS_SKIPPED;
    struct hk_rng *rng;

    p->delays_ns = calloc(n, sizeof *p->delays_ns);
    if (p->delays_ns == NULL)
        return HK_ENOMEM;
    enum hk_status status = hk_rng_create(task->seed, 0, &rng);
    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < n && p->inject_ns > 0; i++)
        p->delays_ns[i] = (uint64_t)hk_rng_exponential(rng, p->inject_ns);
    hk_rng_destroy(rng);
    return HK_OK;
}

enum hk_status hk_periodic_enter(struct hk_task *task)
{
    struct hk_periodic *p = task->state;
    enum hk_status status = prepare_delays(task, p);

    if (status != HK_OK)
        return status;
    mlockall(MCL_CURRENT | MCL_FUTURE); /* without the right to it, pages stay by being used */
    /* In the wild a timer has the slack that everybody's has; a known law must not get it too. */
    if (p->inject_ns > 0)
        prctl(PR_SET_TIMERSLACK, 1);
    if (p->clock == HK_PERIODIC_DEVICE) {
        p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        if (p->timer_fd < 0)
            return hk_task_refuse(task, HK_ENOTSUP, "timerfd: %s", strerror(errno));
    }
    if (text_is(task, "policy", "fifo"))
        return hk_task_fifo(task);
    if (text_is(task, "policy", "deadline"))
        return become_deadline(task);
    if (!text_is(task, "policy", "other"))
        return hk_task_refuse(task, HK_EINVAL, "policies are other, fifo and deadline");
    return HK_OK;
}

/* --- following the clock ---------------------------------------------------------------------- */

static enum hk_status start_device(const struct hk_periodic *p)
{
    const uint64_t first_ns = p->origin_ns + p->period_ns;
    const struct itimerspec timer = {
        .it_interval = {(time_t)(p->period_ns / HK_NS_PER_S), (long)(p->period_ns % HK_NS_PER_S)},
        .it_value = {(time_t)(first_ns / HK_NS_PER_S), (long)(first_ns % HK_NS_PER_S)},
    };

    return timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL) == 0 ? HK_OK : HK_EIO;
}

/* Waits for tick number *tick or later; the device does not wait for us. */
static enum hk_status wait_device(const struct hk_periodic *p, uint64_t delay_ns, uint64_t *tick)
{
    uint64_t ticks;
    ssize_t n;

    do
        n = read(p->timer_fd, &ticks, sizeof ticks);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof ticks)
        return HK_EIO;
    *tick += ticks - 1; /* those that passed unseen */
    if (delay_ns > 0)
        hk_sleep_until(p->origin_ns + *tick * p->period_ns + delay_ns);
    return HK_OK;
}

/* One wait by the clock's rule. */
static enum hk_status wait_for(const struct hk_periodic *p, uint64_t delay_ns, uint64_t *tick,
                               struct hk_wakeup *w)
{
    enum hk_status status = HK_OK;

    w->grid_ns = p->origin_ns + *tick * p->period_ns;
    switch (p->clock) {
    case HK_PERIODIC_ABSOLUTE:
        hk_sleep_until(w->grid_ns + delay_ns);
        break;
    case HK_PERIODIC_RELATIVE:
        w->grid_ns = w->last_ns + p->period_ns;
        hk_sleep_until(w->grid_ns + delay_ns);
        break;
    case HK_PERIODIC_DEVICE:
        w->due_ns = w->grid_ns;
        status = wait_device(p, delay_ns, tick);
        w->grid_ns = p->origin_ns + *tick * p->period_ns;
        break;
    case HK_PERIODIC_QUEUED: /* begins when it is due and the work before is done */
        hk_sleep_until((w->grid_ns > w->last_ns ? w->grid_ns : w->last_ns) + delay_ns);
        break;
    }
    if (p->clock != HK_PERIODIC_DEVICE)
        w->due_ns = w->grid_ns;
    w->now_ns = hk_monotonic_ns();
    return status;
}

/* Whether the machine, and not the delay that was injected, made this wake-up late. */
static bool stood_still(const struct hk_periodic *p, uint64_t delay_ns, const struct hk_wakeup *w,
                        bool before)
{
    const bool queued = p->clock == HK_PERIODIC_QUEUED && w->last_ns > w->grid_ns;
    const uint64_t asked_ns = (queued ? w->last_ns : w->grid_ns) + delay_ns;

    if (!(p->inject_ns > 0))
        return false;
    return (double)w->now_ns - (double)asked_ns > stall_ratio * p->inject_ns ||
           w->due_ns < w->grid_ns || /* ticks passed unseen */
           (queued && before);
}

enum hk_status hk_periodic_run(struct hk_task *task, struct hk_launch *launch, hk_wakeup_fn *wake,
                               void *context)
{
    struct hk_periodic *p = task->state;
    const size_t n = p->count + WAKEUPS_SKIPPED;
    enum hk_status status = HK_OK;
    bool before = false;
    size_t stalled = 0;

    /* Each process has a phase of its own, so that they do not all wake at once. */
    p->origin_ns = task->start_ns + hk_mix(task->seed, 1) % p->period_ns;
    if (p->clock == HK_PERIODIC_DEVICE)
        status = start_device(p);
    struct hk_wakeup w = {.last_ns = p->origin_ns};
    uint64_t tick = 1;
    for (size_t i = 0; i < n && status == HK_OK; i++, tick++) {
        status = wait_for(p, p->delays_ns[i], &tick, &w);
        const bool now = stood_still(p, p->delays_ns[i], &w, before);
        w.stalled = now || before;
        before = now;
        if (i >= WAKEUPS_SKIPPED && status == HK_OK) {
            stalled += w.stalled ? 1 : 0;
            wake(context, &w);
        }
        w.last_ns = w.now_ns;
    }
    if (status == HK_OK && p->inject_ns > 0)
        status = hk_launch_add_counter(launch, "hk_stalled_ratio",
                                       (double)stalled / (double)p->count);
    return status;
}

/* --- grouping ----------------------------------------------------------------------------- */

void hk_periodic_group(const char *name, char *group, size_t capacity)
{
    char kind[24] = "", load[24] = "";
    int64_t inject_us = 0;

    hk_name_part(name, 1, kind, sizeof kind);
    hk_name_text(name, "load", load, sizeof load);
    hk_name_int(name, "inject_us", &inject_us);
    if (inject_us > 0)
        snprintf(group, capacity, "%s %s control", kind, load);
    else
        snprintf(group, capacity, "periodic %s wild", load);
}

uint32_t hk_periodic_copies(const char *name)
{
    int64_t inject_us = 0;

    hk_name_int(name, "inject_us", &inject_us);
    return inject_us > 0 ? CONTROL_COPIES : 1;
}
