/* SPDX-License-Identifier: MIT */
/*
 * A workload in every placement of the guest's services, and what can be told of all
 * placements from a few of them. Sets are bit masks of the services that run in servers,
 * as in hk/model/migration.h: 0 is the monolith. (Cells name the complement, the
 * services in the kernel.)
 */
#ifndef HK_JUDGE_PLACEMENTS_H
#define HK_JUDGE_PLACEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

#define HK_PLACED_SERVICES 8u
#define HK_PLACEMENTS (1u << HK_PLACED_SERVICES)

struct hk_placements {
    char workload[HK_NAME_BYTES];
    size_t found_count;               /* placements that were measured */
    size_t launch_count;              /* of the placement with the fewest */
    bool exact;                       /* all of them repeated in every counter */
    double instructions[HK_PLACEMENTS]; /* per request, by set */
};

/* One placement of a workload, over the launches that hold. */
struct hk_placement_cell {
    double instructions; /* per request, mean */
    size_t launch_count;
    bool exact;          /* all of them repeated in every counter */
    const struct hk_launch *launch; /* one of them */
};

/*
 * Read one placement.
 *
 * set  [in]  of services in servers, below HK_PLACEMENTS
 *
 * Returns HK_OK; HK_ENOENT when no launch of it holds; HK_EINVAL for a name that is too long.
 */
enum hk_status hk_placement_read(const struct hk_run *run, const char *workload, uint32_t set,
                                 struct hk_placement_cell *out);

/*
 * Read one workload, e.g. "desktop".
 *
 * Returns HK_OK with all placements; HK_ENOENT when some were not measured (`out` is written:
 * found_count tells how many there are); HK_EINVAL for a name that is too long.
 */
enum hk_status hk_placements_read(const struct hk_run *run, const char *workload,
                                  struct hk_placements *out);

/*
 * The workload of the next cell guest/placement/... at or after *launch, which moves behind
 * that workload's cells. False at the end.
 */
bool hk_placements_next(const struct hk_run *run, size_t *launch, char workload[HK_NAME_BYTES]);

/* What the sets of up to `order` services say. */
enum hk_placements_order {
    HK_PLACEMENTS_ADDITIVE = 1, /* F2: p_i of each service moved alone, 9 cells */
    HK_PLACEMENTS_PAIRWISE = 2, /* and how much each pair costs more or less, 37 cells */
};

/*
 * Predict the cost of all sets from those of at most `order` services, which come out as
 * measured; no other is looked at.
 *
 * instructions  [in]   HK_PLACEMENTS finite values, of which the training sets are read
 * predicted     [out]  HK_PLACEMENTS values
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_placements_predict(const double *instructions, enum hk_placements_order order,
                                     double *predicted);

/* How a prediction of all sets fares. */
struct hk_placements_fit {
    double added_error_median; /* |predicted / measured - 1| of what a set adds to the monolith */
    double added_error_p95;
    double total_error_median; /* of the whole cost, which thinking dilutes */
    double tau_b;              /* of the order of the sets */
    size_t count;              /* held-out sets, of 3 services and more */
    size_t not_positive;       /* of these, sets that add nothing: no relative error */
};

/*
 * Judge a prediction on the held-out sets.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE when fewer than 2 sets add something or all cost the same.
 */
enum hk_status hk_placements_judge(const double *measured, const double *predicted,
                                   struct hk_placements_fit *out);

/*
 * How far pairs are from not caring about each other: the sum of all |interactions| as a share
 * of what the services add alone. 0 when F2's additivity holds.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE when services alone add nothing.
 */
enum hk_status hk_placements_interaction(const double *instructions, double *share_ratio);

#endif
