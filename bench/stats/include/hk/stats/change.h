/* SPDX-License-Identifier: MIT */
/*
 * Did a series change: one step somewhere, or a drift? Ranks and permutations, so that no
 * distribution is assumed; where neighbours are alike, what is permuted is what each point does
 * not owe to the one before, so that slow noise does not pass for a step.
 */
#ifndef HK_STATS_CHANGE_H
#define HK_STATS_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_CHANGE_POINTS_MIN 10u
#define HK_CHANGE_POINTS_MAX 512u
#define HK_CHANGE_SEGMENT_MIN 5u /* points on either side of a step */

struct hk_change_options {
    size_t permutations_max; /* 1 .. 10^7; p cannot fall below 1 / (this + 1) */
    /*
     * Stop drawing for a shape once so many permutations were as extreme as the series: its p is
     * then this number over the permutations drawn. 0: always draw all.
     */
    size_t exceedances_max;
    uint64_t seed;
};

enum hk_change_shape { HK_CHANGE_STEP, HK_CHANGE_DRIFT };

/* Differences in the unit of the series. */
struct hk_change {
    enum hk_change_shape shape; /* which of the two fits better */
    double p_value;        /* of any change: twice the smaller of the two below, at most 1 */
    double p_step;
    double p_drift;
    size_t position;       /* of the best step: index of the first point after it */
    size_t first;          /* the step may as well lie at first .. last */
    size_t last;
    double difference;     /* after - before: of the medians, or along the fitted line */
    double before_median;  /* left of the best step */
    double after_median;
    double residual_median; /* median distance from the fitted shape */
    double agreement_ratio; /* of pairs (before, after), how many go the way of the difference */
    double autocorrelation; /* of neighbours, once the best step is removed; of ranks */
    bool dependent;         /* it is too large to permute points one by one */
};

/*
 * Test a series for a step and for a drift.
 *
 * y    [in]   n finite values in order of time, any unit
 * n    [in]   HK_CHANGE_POINTS_MIN .. HK_CHANGE_POINTS_MAX
 * out  [out]
 *
 * The step statistic is the largest |cumulated centred rank sum| sqrt(n / (k (n - k))); each
 * permutation searches all positions again, so p needs no correction for the search. The drift
 * statistic is Mann and Kendall's. p does not depend on other series, only on y and options.
 *
 * Returns HK_OK; HK_EINVAL for bad arguments or a value that is not finite; HK_ENOISE if
 * n < HK_CHANGE_POINTS_MIN; HK_ETOOBIG if n > HK_CHANGE_POINTS_MAX; HK_ENOMEM.
 * Cost per permutation O(n^2) comparisons of small integers, without allocation.
 * Source: Pettitt 1979 (Appl. Statist. 28(2)); Mann 1945 (Econometrica 13); stopping
 * rule: Besag & Clifford 1991 (Biometrika 78(2)); dependent series: docs/decisions/0250.
 */
enum hk_status hk_change_test(const double *y, size_t n, const struct hk_change_options *options,
                              struct hk_change *out);

/* When a significant change is large enough to matter. */
struct hk_change_gate {
    double difference_min; /* in the unit of the series, >= 0 */
    double residual_factor; /* at least so many median residuals: 3 */
    double agreement_min;   /* 0.85 */
};

/* Does a change pass the gate? True for changes in either direction. */
bool hk_change_matters(const struct hk_change *change, const struct hk_change_gate *gate);

/* --- many series at once ------------------------------------------------------- */

struct hk_change_series {
    const double *y;
    size_t n;
};

struct hk_change_judged {
    enum hk_status status; /* of hk_change_test; the others hold only when HK_OK */
    struct hk_change change;
    double p_adjusted; /* Benjamini-Hochberg over all series that could be judged */
};

struct hk_change_plan {
    double false_discovery_ratio; /* inside (0, 1): p_adjusted <= it is a finding */
    size_t permutations_min;      /* of the first look: 999 */
    uint64_t seed;
    size_t thread_count; /* >= 1 */
};

/*
 * Judge series, each by hk_change_test, with as many permutations as a finding among so many
 * series takes: those that could still be findings are looked at again with ten times as many,
 * until p can reach the smallest value that the adjustment asks for.
 *
 * judged  [out]  m of them, in the order of the series; the same for any thread_count
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOMEM.
 * Source: Benjamini & Hochberg 1995.
 */
enum hk_status hk_change_judge(const struct hk_change_series *series, size_t m,
                               const struct hk_change_plan *plan, struct hk_change_judged *judged);

/* --- all changes of one series -------------------------------------------------- */

#define HK_CHANGE_SEGMENTS_MAX 32u

/*
 * Find the changes of a series one by one: the best step splits it, each part is searched again.
 * If a line fits better than all those steps, the series drifts and has none.
 *
 * alpha      [in]   level of each test
 * positions  [out]  HK_CHANGE_SEGMENTS_MAX of them; ascending indices of first points
 * count      [out]  steps found
 *
 * Returns as hk_change_test; a part too short to be judged is not split.
 * Source: binary segmentation, Vostrikova 1981.
 */
enum hk_status hk_change_segments(const double *y, size_t n, double alpha,
                                  const struct hk_change_options *options, size_t *positions,
                                  size_t *count);

/* --- the newest point -------------------------------------------------------------- */

/*
 * How surprising is the newest point, given those before it?
 *
 * y  [in]   n finite values, the newest last
 * n  [in]   >= 6
 * p  [out]  that a new value of the same normal noise lies as far from the mean on either side;
 *           by the t prediction interval of the earlier n - 1. 1 when they and it are all equal,
 *           0 when only it differs.
 *
 * One point is no finding: measure again. Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 6.
 */
enum hk_status hk_change_newest(const double *y, size_t n, double *p);

#endif
