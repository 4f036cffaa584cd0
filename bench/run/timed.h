/* SPDX-License-Identifier: MIT */
/* The common way to time an experiment's run(): blocks, latencies, verification. */
#ifndef HK_RUN_TIMED_H
#define HK_RUN_TIMED_H

#include "experiment.h"
#include "hk/counters/host.h"
#include "hk/stats/histogram.h"

/* What happened around one block, none of it the block's own duration. */
struct hk_evidence {
    uint64_t wall_ns;
    uint64_t own_cpu_ns;   /* all processes of the task */
    uint64_t involuntary;  /* switches they did not ask for */
    uint64_t steal_ns;
    bool serial;           /* all of the task runs on one CPU, one after the other */
    uint64_t own_involuntary_max; /* so many are the operations' own */
};

/* More than this share of a block's time on someone else: a scheduler slice, not a tick. */
#define HK_GUARD_FOREIGN_RATIO_MAX 0.05

enum hk_guard { HK_GUARD_KEEP, HK_GUARD_STEAL, HK_GUARD_FOREIGN, HK_GUARD_PREEMPTED };

/*
 * Decide about a block on its evidence.
 *
 * On one CPU a wake-up preempts the waker, so switches say nothing there; but all of the time
 * must be ours. On two CPUs time is idle while the other side works, but nobody is preempted, or
 * no oftener than threads of the kernel that work for the task do it.
 */
enum hk_guard hk_guard_judge(const struct hk_evidence *evidence);

/*
 * Time one block of n operations, with all that speaks for or against it.
 *
 * watch_steal  [in]  the hypervisor reports what it takes
 *
 * Returns the status of the operations.
 */
enum hk_status hk_timed_witness(struct hk_task *task, uint64_t n, bool watch_steal,
                                double *elapsed_ns, struct hk_evidence *evidence);

/*
 * Measure a task that has entered: blocks, then latencies, then verification.
 *
 * launch  [in,out]  gets counters, series and, when the row did not do what it claims, its state
 *
 * Returns HK_OK; the status of a failed operation, with task->reason.
 */
enum hk_status hk_timed_measure(struct hk_task *task, struct hk_launch *launch);

/*
 * Operations in a block.
 *
 * operation_ns  [in]  estimate for one
 * block_ns      [in]
 * step          [in]  the result is a multiple of it
 *
 * At least 16 for anything under 1 us: a tick of the clock may be 10 ns.
 */
uint64_t hk_block_operations(double operation_ns, uint64_t block_ns, uint32_t step);

/* Time run() until the estimate is worth something; also warms up. */
enum hk_status hk_timed_calibrate(struct hk_task *task, uint64_t warm_ns, double *operation_ns);

/*
 * Time one block of n operations, guarded by the CPU time of the task alone: for blocks that are
 * interleaved with others and judged by their differences.
 *
 * mean_ns  [out]  per operation
 * kept     [out]  false when its evidence speaks against it
 */
enum hk_status hk_timed_block(struct hk_task *task, uint64_t n, double *mean_ns, bool *kept);

/*
 * Count what operations make the processes do and hold it against task->expected; a breach
 * makes the launch INVALID.
 */
enum hk_status hk_timed_verify(struct hk_task *task, double operation_ns,
                               struct hk_launch *launch);

/* CPU time of the calling process and of the task's servers and helpers so far, ns. */
uint64_t hk_task_cpu_ns(const struct hk_task *task);

/*
 * Time operations one by one into a histogram of ticks.
 *
 * run          [in]   performs n operations
 * count_max    [in]   operations at most
 * limit_ticks  [in]   no operation begins later than this after the first
 *
 * Returns HK_OK; the status of a failed operation. Cost beyond the operation: two clock reads
 * and a histogram increment.
 */
enum hk_status hk_timed_record(struct hk_task *task,
                               enum hk_status (*run)(struct hk_task *task, uint64_t n),
                               uint64_t count_max, uint64_t limit_ticks, struct hk_histogram *h);

/* cost_ns (10 % quantile), median_ns, mean_ns and the series block_mean_ns of n >= 1 values. */
enum hk_status hk_report_costs(const double *mean_ns, size_t n, struct hk_launch *launch);

/* Blocks of a launch, ns per operation, and which of them nothing speaks against. */
struct hk_blocks {
    uint64_t operations; /* of each */
    const double *kept_ns;
    size_t kept_count;
    const double *all_ns;
    size_t all_count;
};

/* Fewer undisturbed blocks do not describe a launch. */
enum { HK_BLOCKS_MIN = 5 };

/*
 * The costs of those kept; of all, with hk_disturbed: 1, where they are too few. And their counts.
 */
enum hk_status hk_report_blocks(const struct hk_blocks *blocks, struct hk_launch *launch);

/* Latencies of single operations, gathered in pieces. */
struct hk_latencies {
    struct hk_histogram h; /* ticks */
    void *memory;
};

/* HK_ERANGE for a clock whose ticks do not fit; HK_ENOMEM. */
enum hk_status hk_latencies_init(const struct hk_task *task, struct hk_latencies *latencies);
void hk_latencies_fini(struct hk_latencies *latencies);

/* Latency quantiles as far as their number allows, and the histogram's two series. */
enum hk_status hk_latencies_report(const struct hk_task *task,
                                   const struct hk_latencies *latencies,
                                   struct hk_launch *launch);

/* The same of n values that were measured elsewhere, ns. */
enum hk_status hk_report_latencies(struct hk_task *task, const double *ns, size_t n,
                                   struct hk_launch *launch);

/* The machine at some moment of a launch. */
struct hk_surroundings {
    bool has_host; /* /proc is there */
    bool has_pressure;
    struct hk_host_times host;
    uint64_t waiting_ns; /* of runnable tasks, by pressure stall information */
    uint64_t own_cpu_ns;
    uint64_t now_ns;
};

struct hk_surroundings hk_look_around(const struct hk_task *task);

/* Steal, foreign CPU share, pressure since `before`, and the clock's error; absent if unknown. */
enum hk_status hk_report_surroundings(const struct hk_task *task,
                                      const struct hk_surroundings *before,
                                      struct hk_launch *launch);

#endif
