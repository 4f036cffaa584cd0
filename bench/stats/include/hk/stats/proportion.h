/* SPDX-License-Identifier: MIT */
/* Counts of events: exact intervals, bands and coverage tests. */
#ifndef HK_STATS_PROPORTION_H
#define HK_STATS_PROPORTION_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/*
 * Exact (Clopper-Pearson) interval of a probability.
 *
 * events      [in]   <= trials
 * trials      [in]   1 .. 2^32 - 1
 * confidence  [in]   inside (0, 1)
 * out         [out]  lower 0 for no event, upper 1 for all
 *
 * Returns HK_OK; HK_EINVAL for bad arguments.
 * Source: Clopper & Pearson 1934 (Biometrika 26).
 */
enum hk_status hk_proportion_interval(uint64_t events, uint64_t trials, double confidence,
                                      struct hk_interval *out);

/*
 * Trials after which a probability is known to +- relative of itself:
 * z^2 (1 - p) / (p relative^2), 96 (1 - p) / p for 20 % at 95 %.
 *
 * probability  [in]  expected, inside (0, 1)
 * relative     [in]  > 0
 * confidence   [in]  inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE beyond 2^53.
 */
enum hk_status hk_proportion_count_needed(double probability, double relative,
                                          double confidence, uint64_t *trials);

/*
 * Central band of a binomial count: P(count < low) and P(count > high) are each
 * at most (1 - confidence) / 2. For A/A runs: the rejections that alpha allows.
 *
 * trials       [in]   1 .. 2^32 - 1
 * probability  [in]   0..1
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_binomial_band(uint64_t trials, double probability, double confidence,
                                uint64_t *low, uint64_t *high);

/*
 * Exact two-sided p of events against a claimed probability (sum of all
 * outcomes no more likely than the one seen).
 *
 * Returns HK_OK; HK_EINVAL. Cost O(log trials) binomial probabilities.
 */
enum hk_status hk_binomial_test(uint64_t events, uint64_t trials, double probability, double *p);

struct hk_coverage {
    double coverage_ratio;       /* hits / trials */
    struct hk_interval interval; /* Clopper-Pearson, 95 % */
    double statistic;            /* likelihood ratio, chi-square with 1 degree of freedom */
    double p_value;
};

/*
 * Kupiec's test: do intervals cover as often as they say?
 *
 * hits     [in]  trials in which the interval held the truth
 * trials   [in]  >= 1
 * nominal  [in]  inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL.
 * Source: Kupiec 1995 (Journal of Derivatives 3(2)).
 */
enum hk_status hk_coverage_test(uint64_t hits, uint64_t trials, double nominal,
                                struct hk_coverage *out);

#endif
