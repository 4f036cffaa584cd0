/* SPDX-License-Identifier: MIT */
/* The cache line between two CPUs as a cell of its own: what spinning transports are held to. */
#include <stdlib.h>

#include "experiments.h"
#include "hk/counters/floor.h"
#include "timed.h"

enum { BATCHES_MAX = 4096 };

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    const enum hk_status status = add(context, "native/floor/cache_line/place:cross_core");

    return status == HK_OK && mode == HK_RUN_FULL
               ? add(context, "native/floor/cache_line/place:smt")
               : status;
}

static enum hk_status open_task(struct hk_task *task)
{
    const enum hk_status status = hk_task_place(task);

    if (status == HK_OK && task->cpus[0] == task->cpus[1])
        return hk_task_refuse(task, HK_EINVAL, "the floor lies between two CPUs");
    return status;
}

static void close_task(struct hk_task *task)
{
    (void)task;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    double *batches = malloc(BATCHES_MAX * sizeof *batches);
    size_t n;

    if (batches == NULL)
        return HK_ENOMEM;
    enum hk_status status = hk_floor_measure(&task->clock, task->cpus, task->effort.blocks_ns_max,
                                             batches, BATCHES_MAX, &n);
    if (status == HK_ETIMEOUT)
        hk_task_refuse(task, status, "CPU %d did not answer in time: it is busy", task->cpus[1]);
    if (status == HK_OK)
        status = hk_report_costs(batches, n, launch);
    free(batches);
    return status;
}

const struct hk_experiment hk_experiment_floor = {
    .kind = "floor",
    .summary = "a cache line bounced between two CPUs: the floor of every exchange",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .measure = measure,
};
