/* SPDX-License-Identifier: MIT */
/* Which cell is launched next, and when a cell is done. No clock, no process: only decisions. */
#ifndef HK_RUN_SCHEDULE_H
#define HK_RUN_SCHEDULE_H

#include "experiment.h"
#include "hk/stats/rng.h"

enum hk_cell_end {
    HK_CELL_RUNS,        /* wants more launches */
    HK_CELL_NARROW,      /* its interval is narrow enough */
    HK_CELL_ENOUGH,      /* the most launches, or no cost to look at and the least number done */
    HK_CELL_UNAVAILABLE, /* this machine has it not */
    HK_CELL_BROKEN,      /* INVALID or FAILED again and again */
};

struct hk_cell {
    const char *name;
    enum hk_cell_end end;
    uint32_t copies;   /* replicates that a launch of its group gives */
    uint32_t launches; /* numbered so far */
    uint32_t failures;
    uint32_t slow;     /* OK, on a slow core */
    bool waits;        /* in a session with others: what it measures is no work of the core */
    bool counted;      /* an OK launch counted its system calls */
    size_t cost_count;
    double *cost_ns; /* of the OK launches whose core was not slow; room for the most launches */
    double interval_ratio; /* half width / estimate; negative while unknown */
};

/* Cells that are launched together; most stand alone. */
struct hk_cell_group {
    char key[HK_NAME_BYTES];
    size_t count;
    size_t cells[HK_TASKS_MAX];
    uint32_t copies[HK_TASKS_MAX];
};

struct hk_schedule {
    const struct hk_effort *effort;
    size_t cell_count;
    struct hk_cell *cells;
    size_t group_count;
    struct hk_cell_group *groups;
    size_t *order; /* of the groups in the current pass */
    size_t order_count;
    size_t order_next;
    struct hk_rng *rng;
    size_t pace_count;
    double *pace_ns; /* of the launches so far, sorted; room for all */
    size_t pace_room;
};

enum hk_status hk_schedule_init(struct hk_schedule *schedule, const struct hk_cells *cells,
                                const struct hk_effort *effort, uint64_t seed);
void hk_schedule_fini(struct hk_schedule *schedule);

/*
 * The next group to launch: each pass takes every group with a cell that still runs, in a new
 * random order. NULL when all are done.
 */
const struct hk_cell_group *hk_schedule_next(struct hk_schedule *schedule);

/*
 * Whether the next launch of a cell counts its system calls: until one has been found in order,
 * then now and then. It takes as long as the rest of a launch.
 */
bool hk_schedule_counts(const struct hk_cell *cell);

/*
 * Take a launch into account.
 *
 * A launch on a slow core does not count, and as many are repeated as the least number of launches.
 *
 * launch  [in,out]  an OK one gets hk_interval_ratio, and hk_stop: 0 the cell goes on, 1 it is
 *                   narrow enough, 2 it has had enough launches; hk_slow: whether its core was,
 *                   by hk_pace_before_ns and hk_pace_after_ns against the faster quarter of the
 *                   launches before it; none while these are few
 *
 * Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_schedule_account(struct hk_schedule *schedule, size_t cell,
                                   struct hk_launch *launch);

#endif
