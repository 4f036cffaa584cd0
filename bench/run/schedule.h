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
    bool counted;      /* an OK launch counted its system calls */
    size_t cost_count;
    double *cost_ns; /* of the OK launches; room for the most launches */
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
 * launch  [in,out]  an OK one gets hk_interval_ratio, and hk_stop: 0 the cell goes on, 1 it is
 *                   narrow enough, 2 it has had enough launches
 */
enum hk_status hk_schedule_account(struct hk_schedule *schedule, size_t cell,
                                   struct hk_launch *launch);

#endif
