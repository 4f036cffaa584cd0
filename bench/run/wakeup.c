/* SPDX-License-Identifier: MIT */
/*
 * Periodic wake-ups. A cell records either how late each one is or the intervals between
 * them, never both: what one record teaches is tested on the other.
 */
#include <stdlib.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "periodic.h"

struct arm {
    const char *clock;
    const char *policy;
    const char *load;
    int period_us;
    int inject_us;
    const char *record;
    bool quick;
};

static const struct arm arms[] = {
    /*
     * Injected exponential delays: the formula's assumption, made true. They are long, so that the
     * machine's own, which are not exponential, are a few percent of them.
     */
    {"absolute", "fifo", "idle", 16000, 1600, "lateness", true},
    {"absolute", "fifo", "idle", 16000, 1600, "interval", true},
    {"relative", "fifo", "idle", 16000, 1600, "interval", true},
    {"device", "fifo", "idle", 16000, 1600, "lateness", true},
    {"absolute", "other", "idle", 16000, 1600, "lateness", false},
    {"absolute", "other", "idle", 16000, 1600, "interval", false},
    /* The machine as it is. */
    {"absolute", "other", "idle", 1000, 0, "lateness", true},
    {"absolute", "other", "idle", 1000, 0, "interval", true},
    {"device", "other", "idle", 1000, 0, "lateness", true},
    {"relative", "other", "idle", 1000, 0, "interval", false},
    {"absolute", "fifo", "idle", 1000, 0, "lateness", true},
    {"absolute", "fifo", "idle", 1000, 0, "interval", true},
    {"device", "fifo", "idle", 1000, 0, "lateness", true},
    {"relative", "fifo", "idle", 1000, 0, "interval", false},
    {"absolute", "deadline", "idle", 1000, 0, "lateness", false},
    {"absolute", "deadline", "idle", 1000, 0, "interval", false},
    {"device", "deadline", "idle", 1000, 0, "lateness", false},
    {"absolute", "other", "loaded", 1000, 0, "lateness", true},
    {"absolute", "other", "loaded", 1000, 0, "interval", true},
    {"device", "other", "loaded", 1000, 0, "lateness", true},
    {"relative", "other", "loaded", 1000, 0, "interval", false},
    {"absolute", "fifo", "loaded", 1000, 0, "lateness", true},
    {"absolute", "fifo", "loaded", 1000, 0, "interval", true},
    {"device", "fifo", "loaded", 1000, 0, "lateness", true},
    {"relative", "fifo", "loaded", 1000, 0, "interval", false},
    {"absolute", "deadline", "loaded", 1000, 0, "lateness", false},
    {"absolute", "deadline", "loaded", 1000, 0, "interval", false},
    {"device", "deadline", "loaded", 1000, 0, "lateness", false},
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(arms) && status == HK_OK; i++) {
        const struct arm *a = &arms[i];
        if (a->quick || mode == HK_RUN_FULL)
            status = add(context,
                         "native/wakeup/%s/policy:%s/load:%s/period_us:%d/inject_us:%d/record:%s",
                         a->clock, a->policy, a->load, a->period_us, a->inject_us, a->record);
    }
    return status;
}

struct recording {
    bool intervals;
    size_t count;
    size_t capacity;
    double *values_ns;
};

static void record(void *context, const struct hk_wakeup *w)
{
    struct recording *r = context;
    const uint64_t from_ns = r->intervals ? w->last_ns : w->due_ns;

    if (r->count < r->capacity && !w->stalled)
        r->values_ns[r->count++] = (double)w->now_ns - (double)from_ns;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    const struct hk_periodic *p = task->state;
    struct recording r = {.capacity = p->count};
    char kind[24];

    if (hk_name_text(task->name, "record", kind, sizeof kind) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "record:lateness or record:interval is needed");
    r.intervals = kind[0] == 'i';
    r.values_ns = calloc(p->count, sizeof *r.values_ns);
    if (r.values_ns == NULL)
        return HK_ENOMEM;
    enum hk_status status = hk_periodic_run(task, launch, record, &r);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, r.intervals ? "interval_ns" : "lateness_ns",
                                      r.values_ns, r.count);
    free(r.values_ns);
    return status;
}

const struct hk_experiment hk_experiment_wakeup = {
    .kind = "wakeup",
    .summary = "periodic wake-ups: how late, or how regular",
    .expand = expand,
    .open = hk_periodic_open,
    .close = hk_periodic_close,
    .help = hk_periodic_help,
    .enter = hk_periodic_enter,
    .measure = measure,
    .group = hk_periodic_group,
    .copies = hk_periodic_copies,
};
