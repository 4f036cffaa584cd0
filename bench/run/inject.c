/* SPDX-License-Identifier: MIT */
/*
 * A known delay before each send (or each system call): the slope of the cost over the
 * delay counts how many there are. It is a test of the method and of the model's whole
 * numbers at once. All delays take turns within a launch, in blocks: what distinguishes
 * one launch from the next, and what drifts, is in none of their differences.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "links.h"
#include "timed.h"

/*
 * Short ones: longer windows are hit by timer ticks, which are not the delay's. None is 0: that
 * would read no clock, and the reading would pass for delay.
 */
static const int delays_ns[] = {100, 500, 1000, 2000, 4000};

enum { DELAYS = HK_ARRAY_COUNT(delays_ns), ROUNDS_MAX = 1024, KEPT_MIN = 5, SETTLE_OPERATIONS = 2 };

/*
 * Blocks this many times shorter than elsewhere, and as many more of them: what the timer tick
 * takes is a share of the time, and so would be taken for a share of the delay; most of these
 * blocks lie between two ticks.
 */
enum { BLOCKS_PER_BLOCK = 2 };

/* The block means of one delay. */
struct arm {
    uint64_t operations; /* per block */
    uint64_t delay_ticks;
    size_t kept_count;
    size_t all_count;
    double kept_ns[ROUNDS_MAX];
    double all_ns[ROUNDS_MAX];
};

static enum hk_status prepare_arm(struct hk_task *task, struct arm *arm, size_t d,
                                  _Atomic uint64_t *delay_ticks, double *operation_ns)
{
    arm->delay_ticks = hk_clock_ticks(&task->clock, delays_ns[d]);
    atomic_store(delay_ticks, arm->delay_ticks);
    const enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, operation_ns);
    if (status == HK_OK)
        arm->operations = hk_block_operations(
            *operation_ns, task->effort.block_ns / BLOCKS_PER_BLOCK, 1);
    return status;
}

static enum hk_status measure_arm(struct hk_task *task, struct arm *arm,
                                  _Atomic uint64_t *delay_ticks)
{
    double mean_ns;
    bool kept;

    atomic_store(delay_ticks, arm->delay_ticks);
    enum hk_status status = task->experiment->run(task, SETTLE_OPERATIONS);
    if (status == HK_OK)
        status = hk_timed_block(task, arm->operations, &mean_ns, &kept);
    if (status != HK_OK)
        return status;
    arm->all_ns[arm->all_count++] = mean_ns;
    if (kept)
        arm->kept_ns[arm->kept_count++] = mean_ns;
    return HK_OK;
}

/* One block of every delay, in a new random order. */
static enum hk_status measure_round(struct hk_task *task, struct arm arms[DELAYS], uint64_t round,
                                    _Atomic uint64_t *delay_ticks)
{
    size_t order[DELAYS];
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < DELAYS; i++) {
        const size_t j = hk_mix(task->seed, round * DELAYS + i) % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < DELAYS && status == HK_OK; i++)
        status = measure_arm(task, &arms[order[i]], delay_ticks);
    return status;
}

/* The costs by delay; those at the least one are also the launch's own. */
static enum hk_status report_arms(struct arm arms[DELAYS], struct hk_launch *launch)
{
    double delay_ns[DELAYS], cost_ns[DELAYS];
    size_t kept = 0, all = 0;
    bool disturbed = false;
    enum hk_status status = HK_OK;

    for (size_t d = 0; d < DELAYS; d++) {
        disturbed = disturbed || arms[d].kept_count < KEPT_MIN;
        kept += arms[d].kept_count;
        all += arms[d].all_count;
    }
    for (size_t d = 0; d < DELAYS && status == HK_OK; d++) {
        double *values = disturbed ? arms[d].all_ns : arms[d].kept_ns;
        const size_t n = disturbed ? arms[d].all_count : arms[d].kept_count;
        if (d == 0)
            status = hk_report_costs(values, n, launch);
        if (status == HK_OK)
            status = hk_sample_sort(values, n);
        if (status == HK_OK)
            status = hk_quantile(values, n, 0.1, &cost_ns[d]);
        delay_ns[d] = delays_ns[d];
    }
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "delay_ns", delay_ns, DELAYS);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "delay_cost_ns", cost_ns, DELAYS);
    const struct hk_counter counters[] = {
        {"hk_blocks_kept", (double)kept},
        {"hk_blocks_dropped", (double)(all - kept)},
        {"hk_block_operations", (double)arms[0].operations},
        {"hk_disturbed", disturbed ? 1.0 : 0.0},
    };
    for (size_t i = 0; i < HK_ARRAY_COUNT(counters) && status == HK_OK; i++)
        status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    return status;
}

static enum hk_status measure_arms(struct hk_task *task, struct arm arms[DELAYS],
                                   _Atomic uint64_t *delay_ticks, struct hk_launch *launch)
{
    const uint32_t asked = task->effort.block_count * BLOCKS_PER_BLOCK;
    const uint32_t rounds = asked < KEPT_MIN ? KEPT_MIN : asked > ROUNDS_MAX ? ROUNDS_MAX : asked;
    const struct hk_surroundings before = hk_look_around(task);
    double operation_ns = 0;
    enum hk_status status = HK_OK;

    for (size_t d = 0; d < DELAYS && status == HK_OK; d++)
        status = prepare_arm(task, &arms[d], d, delay_ticks, &operation_ns);
    for (uint32_t r = 0; r < rounds && status == HK_OK; r++)
        status = measure_round(task, arms, r, delay_ticks);
    if (status == HK_OK)
        status = report_arms(arms, launch);
    if (status == HK_OK)
        status = hk_report_surroundings(task, &before, launch);
    atomic_store(delay_ticks, 0);
    if (status != HK_OK)
        return status;
    return hk_timed_verify(task, operation_ns, launch);
}

static enum hk_status measure_delays(struct hk_task *task, _Atomic uint64_t *delay_ticks,
                                     struct hk_launch *launch)
{
    struct arm *arms = calloc(DELAYS, sizeof *arms);

    if (arms == NULL)
        return HK_ENOMEM;
    const enum hk_status status = measure_arms(task, arms, delay_ticks, launch);
    free(arms);
    return status;
}

/* --- per send, through one or two servers --------------------------------------- */

static enum hk_status expand_sends(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (const struct hk_chain_row *r = hk_chain_rows; r < hk_chain_rows + HK_CHAIN_ROWS; r++)
        for (int servers = 1; servers <= 2 && status == HK_OK; servers++)
            if (r->inject && (r->quick || mode == HK_RUN_FULL))
                status = add(context, "native/inject/%s/place:same_core%s/servers:%d/bytes:64",
                             r->transport, r->policy, servers);
    return status;
}

static enum hk_status open_sends(struct hk_task *task)
{
    const enum hk_status status = hk_chain_open(task);
    struct hk_links *l = task->state;

    if (status != HK_OK)
        return status;
    void *shared = mmap(NULL, sizeof *l->delay_ticks, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return HK_ENOMEM;
    l->delay_ticks = shared;
    return HK_OK;
}

static void close_sends(struct hk_task *task)
{
    const struct hk_links *l = task->state;

    if (l != NULL && l->delay_ticks != NULL)
        munmap(l->delay_ticks, sizeof *l->delay_ticks);
    hk_links_close(task);
}

static enum hk_status measure_sends(struct hk_task *task, struct hk_launch *launch)
{
    const struct hk_links *l = task->state;

    return measure_delays(task, l->delay_ticks, launch);
}

const struct hk_experiment hk_experiment_inject = {
    .kind = "inject",
    .summary = "a chain with known delays before each send",
    .expand = expand_sends,
    .open = open_sends,
    .close = close_sends,
    .serve = hk_links_serve,
    .enter = hk_links_enter,
    .run = hk_links_run,
    .verify = hk_links_verify,
    .leave = hk_links_leave,
    .measure = measure_sends,
};

/* --- per system call, in one process ----------------------------------------------- */

enum { MESSAGE_BYTES_MAX = 4096 };

struct self_pipe {
    int fds[2];
    size_t bytes;
    _Atomic uint64_t delay_ticks;
    char buffer[MESSAGE_BYTES_MAX];
};

static enum hk_status expand_syscalls(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    (void)mode;
    return add(context, "native/inject_syscall/pipe_self/bytes:64");
}

static enum hk_status open_self(struct hk_task *task)
{
    struct self_pipe *p = calloc(1, sizeof *p);
    const int64_t bytes = hk_task_int(task, "bytes", -1);

    if (p == NULL)
        return HK_ENOMEM;
    task->state = p;
    p->fds[0] = p->fds[1] = -1;
    if (bytes < 1 || bytes > MESSAGE_BYTES_MAX)
        return hk_task_refuse(task, HK_EINVAL, "bytes:1 to %d are needed", MESSAGE_BYTES_MAX);
    p->bytes = (size_t)bytes;
    task->expected.client_syscalls_min = task->expected.client_syscalls_max = 2;
    if (pipe2(p->fds, O_CLOEXEC) != 0)
        return HK_ENOMEM;
    return hk_task_place(task);
}

static void close_self(struct hk_task *task)
{
    struct self_pipe *p = task->state;

    if (p == NULL)
        return;
    for (size_t i = 0; i < 2; i++)
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    free(p);
    task->state = NULL;
}

static enum hk_status run_self(struct hk_task *task, uint64_t n)
{
    struct self_pipe *p = task->state;
    const uint64_t delay_ticks = atomic_load_explicit(&p->delay_ticks, memory_order_relaxed);
    const ssize_t bytes = (ssize_t)p->bytes;

    for (uint64_t i = 0; i < n; i++) {
        hk_clock_spin(&task->clock, delay_ticks);
        if (write(p->fds[1], p->buffer, p->bytes) != bytes)
            return HK_EIO;
        hk_clock_spin(&task->clock, delay_ticks);
        if (read(p->fds[0], p->buffer, p->bytes) != bytes)
            return HK_EIO;
    }
    return HK_OK;
}

static enum hk_status measure_self(struct hk_task *task, struct hk_launch *launch)
{
    struct self_pipe *p = task->state;

    return measure_delays(task, &p->delay_ticks, launch);
}

const struct hk_experiment hk_experiment_inject_syscall = {
    .kind = "inject_syscall",
    .summary = "two system calls with known delays before each",
    .expand = expand_syscalls,
    .open = open_self,
    .close = close_self,
    .run = run_self,
    .measure = measure_self,
};
