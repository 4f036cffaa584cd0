/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/quantile.h"
#include "timed.h"

enum { ROUNDS_MIN = 5, ROUNDS_MAX = 4096, SETTLE_NS = 100000 };

struct pair {
    struct hk_task *tasks;
    bool parks; /* a server that spins would burn the other side's CPU */
    int active; /* side whose servers run; -1: both */
    uint64_t operations[2]; /* per block */
    size_t kept_count;
    size_t all_count;
    double kept[ROUNDS_MAX]; /* ln(t_B / t_A) per round */
    double all[ROUNDS_MAX];
};

static void signal_servers(const struct hk_task *task, int number)
{
    for (size_t s = 0; s < task->server_count; s++)
        kill(task->server_pids[s], number);
}

/*
 * Let only one side's servers run. The first operations afterwards wait until its server is
 * on its CPU and the other is off it: they are not timed.
 */
static enum hk_status activate(struct pair *p, unsigned side)
{
    struct hk_task *task = &p->tasks[side];
    const uint32_t step = task->operations_step == 0 ? 1 : task->operations_step;
    enum hk_status status = HK_OK;

    if (!p->parks || p->active == (int)side)
        return HK_OK;
    signal_servers(&p->tasks[1 - side], SIGSTOP);
    signal_servers(task, SIGCONT);
    p->active = (int)side;
    const uint64_t start_ns = hk_monotonic_ns();
    do {
        status = task->experiment->run(task, step);
    } while (status == HK_OK && hk_monotonic_ns() - start_ns < SETTLE_NS);
    return status;
}

/* Two rounds in ABBA or BAAB order: what drifts linearly hits both alike. */
static enum hk_status run_rounds(struct pair *p, unsigned first)
{
    const unsigned order[4] = {first, 1 - first, 1 - first, first};
    double mean_ns[4];
    bool kept[4];

    for (size_t i = 0; i < 4; i++) {
        const unsigned side = order[i];
        enum hk_status status = activate(p, side);
        if (status == HK_OK)
            status = hk_timed_block(&p->tasks[side], p->operations[side], &mean_ns[i], &kept[i]);
        if (status != HK_OK)
            return status;
    }
    for (size_t i = 0; i < 4; i += 2) {
        const size_t a = order[i] == 0 ? i : i + 1;
        const size_t b = order[i] == 0 ? i + 1 : i;
        const double log_ratio = log(mean_ns[b] / mean_ns[a]);
        p->all[p->all_count++] = log_ratio;
        if (kept[i] && kept[i + 1])
            p->kept[p->kept_count++] = log_ratio;
    }
    return HK_OK;
}

static enum hk_status report(struct pair *p, struct hk_launch *launch)
{
    const bool disturbed = p->kept_count < ROUNDS_MIN;
    double *values = disturbed ? p->all : p->kept;
    const size_t n = disturbed ? p->all_count : p->kept_count;
    double median;

    if (n < ROUNDS_MIN)
        return HK_ENOISE;
    enum hk_status status = hk_launch_add_series(launch, "round_log_ratio", values, n);
    if (status == HK_OK)
        status = hk_sample_sort(values, n);
    if (status == HK_OK)
        status = hk_quantile(values, n, 0.5, &median);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, HK_PAIR_COUNTER, median);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_disturbed", disturbed ? 1.0 : 0.0);
    return status;
}

/* Whether the two can take turns at all, and how. */
static enum hk_status admit(struct pair *p)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct hk_task *task = &p->tasks[side];
        if (task->experiment->run == NULL)
            return hk_task_refuse(&p->tasks[0], HK_EINVAL, "%.100s cannot be paired", task->name);
        if (task->spins && task->threads)
            return hk_task_refuse(&p->tasks[0], HK_ENOTSUP,
                                  "%.100s cannot be paired: its server is a thread, which spins "
                                  "beside the other side", task->name);
        p->parks = p->parks || task->spins;
    }
    return HK_OK;
}

static enum hk_status calibrate(struct pair *p)
{
    for (unsigned side = 0; side < 2; side++) {
        struct hk_task *task = &p->tasks[side];
        double operation_ns;
        enum hk_status status = activate(p, side);
        if (status == HK_OK)
            status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
        if (status != HK_OK)
            return status;
        p->operations[side] =
            hk_block_operations(operation_ns, task->effort.block_ns, task->operations_step);
    }
    /* The same cell twice must do the same work in both blocks. */
    if (strcmp(p->tasks[0].name, p->tasks[1].name) == 0)
        p->operations[1] = p->operations[0];
    return HK_OK;
}

enum hk_status hk_pair_measure(struct hk_task tasks[2], uint32_t rounds, struct hk_launch *launch)
{
    struct pair *p = calloc(1, sizeof *p);

    if (p == NULL)
        return HK_ENOMEM;
    p->tasks = tasks;
    p->active = -1;
    enum hk_status status = admit(p);
    if (status == HK_OK)
        status = calibrate(p);
    for (uint32_t r = 0; r + 1 < rounds && r + 1 < ROUNDS_MAX && status == HK_OK; r += 2)
        status = run_rounds(p, (unsigned)(hk_mix(tasks[0].seed, r) & 1));
    if (status == HK_OK)
        status = report(p, launch);
    for (unsigned side = 0; side < 2 && p->parks; side++)
        signal_servers(&tasks[side], SIGCONT); /* for the farewell */
    free(p);
    return status;
}
