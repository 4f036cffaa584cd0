/* SPDX-License-Identifier: MIT */
/*
 * A buffer that a device drains at a constant rate and a periodic task refills. Buffers of
 * several sizes are fed by the same wake-ups; an underrun is a wake-up that finds its
 * buffer empty. Levels are kept in nanoseconds of play time.
 *
 * A buffer holds a period and its head-room h. How it is refilled follows the clock:
 *
 *   device    filled up as of the device's last tick: empty when a wake-up is later than h
 *   absolute  filled up now: empty when two wake-ups are more than a period and h apart
 *   queued    one period's data per piece of work: empty when the work is later than h;
 *             what comes too late is dropped, so that one delay is not counted for ever
 */
#include <stdlib.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "periodic.h"

enum { SIZES_MAX = 24 };

struct arm {
    const char *clock;
    const char *policy;
    const char *load;
    int period_us;
    int inject_us;
    bool quick;
};

static const struct arm arms[] = {
    {"device", "fifo", "idle", 16000, 1600, true},
    {"absolute", "fifo", "idle", 16000, 1600, true},
    {"queued", "fifo", "idle", 16000, 1600, true},
    {"device", "other", "idle", 1000, 0, true},
    {"absolute", "other", "idle", 1000, 0, true},
    {"device", "fifo", "idle", 1000, 0, true},
    {"absolute", "fifo", "idle", 1000, 0, true},
    {"device", "other", "loaded", 1000, 0, true},
    {"absolute", "other", "loaded", 1000, 0, true},
    {"device", "fifo", "loaded", 1000, 0, true},
    {"absolute", "fifo", "loaded", 1000, 0, true},
    {"queued", "other", "loaded", 1000, 0, false},
    {"queued", "fifo", "loaded", 1000, 0, false},
    {"device", "deadline", "idle", 1000, 0, false},
    {"device", "deadline", "loaded", 1000, 0, false},
};

/* Dense where a quiet machine's wake-ups lie. */
static const int wild_headrooms_us[] = {10, 12, 14,  16,  18,  20,  25,  30,   35,   40,   50,   60,
                                        80, 100, 150, 200, 300, 500, 800, 1000, 2000, 4000, 7000,
                                        10000};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(arms) && status == HK_OK; i++) {
        const struct arm *a = &arms[i];
        if (a->quick || mode == HK_RUN_FULL)
            status = add(context,
                         "native/underrun/%s/policy:%s/load:%s/period_us:%d/inject_us:%d",
                         a->clock, a->policy, a->load, a->period_us, a->inject_us);
    }
    return status;
}

struct drained {
    const struct hk_periodic *periodic;
    size_t size_count;
    uint64_t periods;
    bool filled; /* the first wake-up fills the buffers and is not counted */
    double headroom_ns[SIZES_MAX];
    double level_ns[SIZES_MAX];
    double underruns[SIZES_MAX];
};

static void choose_sizes(struct drained *d)
{
    static const size_t control_sizes = 14; /* to seven times the mean delay: e^-7 = 0.0009 */

    if (d->periodic->inject_ns > 0) {
        d->size_count = control_sizes;
        for (size_t i = 0; i < control_sizes; i++)
            d->headroom_ns[i] = 0.5 * (double)(i + 1) * d->periodic->inject_ns;
        return;
    }
    d->size_count = HK_ARRAY_COUNT(wild_headrooms_us);
    for (size_t i = 0; i < d->size_count; i++)
        d->headroom_ns[i] = (double)wild_headrooms_us[i] * HK_NS_PER_US;
}

/* Level after a refill at this wake-up. */
static double refilled(const struct drained *d, size_t i, const struct hk_wakeup *w)
{
    const double period_ns = (double)d->periodic->period_ns;
    const double capacity_ns = d->headroom_ns[i] + period_ns;

    switch (d->periodic->clock) {
    case HK_PERIODIC_DEVICE: /* what has been played since the tick is missing */
        return capacity_ns - (double)(w->now_ns - w->grid_ns);
    case HK_PERIODIC_QUEUED:
        return d->level_ns[i] + period_ns;
    case HK_PERIODIC_ABSOLUTE:
    case HK_PERIODIC_RELATIVE:
        break;
    }
    return capacity_ns;
}

static void feed(void *context, const struct hk_wakeup *w)
{
    struct drained *d = context;
    const double played_ns = (double)(w->now_ns - w->last_ns);

    for (size_t i = 0; i < d->size_count; i++) {
        if (!d->filled) {
            /* As if every wake-up so far had been on time. */
            d->level_ns[i] = d->headroom_ns[i] - ((double)w->now_ns - (double)w->grid_ns);
            d->level_ns[i] = refilled(d, i, w);
            continue;
        }
        d->level_ns[i] -= played_ns;
        d->underruns[i] += d->level_ns[i] < 0 && !w->stalled;
        d->level_ns[i] = refilled(d, i, w);
    }
    d->periods += d->filled && !w->stalled;
    d->filled = true;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct drained d = {.periodic = task->state};
    double periods[SIZES_MAX];

    choose_sizes(&d);
    enum hk_status status = hk_periodic_run(task, launch, feed, &d);
    for (size_t i = 0; i < d.size_count; i++)
        periods[i] = (double)d.periods;
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "headroom_ns", d.headroom_ns, d.size_count);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "underruns_count", d.underruns, d.size_count);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "periods_count", periods, d.size_count);
    return status;
}

const struct hk_experiment hk_experiment_underrun = {
    .kind = "underrun",
    .summary = "a draining buffer fed by a periodic task: how often it runs empty, by size",
    .expand = expand,
    .open = hk_periodic_open,
    .close = hk_periodic_close,
    .help = hk_periodic_help,
    .enter = hk_periodic_enter,
    .measure = measure,
    .group = hk_periodic_group,
    .copies = hk_periodic_copies,
};
