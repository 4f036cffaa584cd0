/* SPDX-License-Identifier: MIT */
/* What the harness itself costs: the null rows that stand beside every other. */
#include <stdlib.h>
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "timed.h"

/* Sized for latencies up to a second at 1 % resolution, as the latency phase does it. */
enum { PRECISION_BITS = 7 };
static const double value_max_ns = 1e9;

struct harness {
    const struct harness_row *row;
    struct hk_histogram histogram;
    void *memory; /* of the histogram */
};

static enum hk_status nothing(struct hk_task *task, uint64_t n)
{
    (void)task;
    for (uint64_t i = 0; i < n; i++)
        __asm__ volatile("" ::: "memory");
    return HK_OK;
}

/* Around an operation that does nothing, as in latency_sample: the rest is the recording. */
static enum hk_status read_clock_twice(struct hk_task *task, uint64_t n)
{
    enum hk_status (*operation)(struct hk_task *, uint64_t) = nothing;
    const struct hk_clock clock = task->clock;
    enum hk_status status = HK_OK;

    __asm__ volatile("" : "+r"(operation)); /* called through a pointer, as there */
    for (uint64_t i = 0; i < n && status == HK_OK; i++) {
        const uint64_t t0 = hk_clock_start(&clock);
        status = operation(task, 1);
        const uint64_t ticks = hk_clock_stop(&clock) - t0;
        __asm__ volatile("" : : "r"(ticks) : "memory");
    }
    return status;
}

static enum hk_status record_samples(struct hk_task *task, uint64_t n)
{
    struct harness *h = task->state;

    return hk_timed_record(task, nothing, n, UINT64_MAX, &h->histogram);
}

static const struct harness_row {
    const char *name;
    enum hk_status (*run)(struct hk_task *task, uint64_t n);
} rows[] = {
    {"empty", nothing},
    {"clock_pair", read_clock_twice},
    {"latency_sample", record_samples},
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    (void)mode;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows) && status == HK_OK; i++)
        status = add(context, "native/harness/%s", rows[i].name);
    return status;
}

static enum hk_status open_histogram(struct hk_task *task, struct harness *h)
{
    const uint64_t ticks_max = hk_clock_ticks(&task->clock, value_max_ns);
    size_t bytes;
    enum hk_status status = hk_histogram_bytes(PRECISION_BITS, ticks_max, &bytes);

    if (status != HK_OK)
        return status;
    h->memory = malloc(bytes);
    if (h->memory == NULL)
        return HK_ENOMEM;
    return hk_histogram_init(&h->histogram, h->memory, bytes, PRECISION_BITS, ticks_max);
}

static enum hk_status open_task(struct hk_task *task)
{
    struct harness *h = calloc(1, sizeof *h);
    char name[32];

    if (h == NULL)
        return HK_ENOMEM;
    task->state = h;
    if (hk_name_part(task->name, 2, name, sizeof name) == HK_OK)
        for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
            if (strcmp(rows[i].name, name) == 0)
                h->row = &rows[i];
    if (h->row == NULL)
        return hk_task_refuse(task, HK_ENOENT, "no harness row of that name; hkbench list shows "
                              "them");
    const enum hk_status status = open_histogram(task, h);
    return status == HK_OK ? hk_task_place(task) : status;
}

static void close_task(struct hk_task *task)
{
    struct harness *h = task->state;

    if (h != NULL)
        free(h->memory);
    free(h);
    task->state = NULL;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    const struct harness *h = task->state;

    return h->row->run(task, n);
}

const struct hk_experiment hk_experiment_harness = {
    .kind = "harness",
    .summary = "what the harness itself costs: an empty iteration, clock reads, a sample",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .run = run,
};
