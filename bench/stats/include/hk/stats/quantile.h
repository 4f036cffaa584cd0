/* SPDX-License-Identifier: MIT */
/* Quantiles of a sample and their distribution-free intervals. */
#ifndef HK_STATS_QUANTILE_H
#define HK_STATS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/* Are there n >= 1 values, all finite? False for a null pointer. Cost O(n). */
bool hk_sample_finite(const double *x, size_t n);

/*
 * Sort a sample ascending after checking it.
 *
 * x  [in,out]  n values, any unit; untouched on failure
 * n  [in]      >= 1
 *
 * Returns HK_OK; HK_EINVAL if n = 0 or a value is not finite.
 * Cost O(n log n), no allocation.
 */
enum hk_status hk_sample_sort(double *x, size_t n);

/*
 * Quantile of a sorted sample by linear interpolation between order statistics.
 *
 * sorted  [in]   n ascending finite values (hk_sample_sort); not checked again
 * n       [in]   >= 1
 * q       [in]   0..1
 * out     [out]  in the unit of the sample
 *
 * Returns HK_OK; HK_EINVAL if n = 0 or q is outside [0, 1].
 * Cost O(1).
 * Source: Hyndman & Fan 1996, definition 7 (The American Statistician 50(4)).
 */
enum hk_status hk_quantile(const double *sorted, size_t n, double q, double *out);

/* Ranks (1-based) whose order statistics enclose a quantile, and the exact coverage. */
struct hk_quantile_ranks {
    size_t lower;
    size_t upper;
    double coverage_ratio;
};

/*
 * Ranks of the distribution-free two-sided interval of a quantile.
 *
 * n           [in]   sample size
 * q           [in]   inside (0, 1)
 * confidence  [in]   inside (0, 1); at most (1 - confidence) / 2 is missed on each side
 * out         [out]  1 <= lower < upper <= n
 *
 * Returns HK_OK; HK_EINVAL for arguments outside their range; HK_ENOISE if n is
 * too small for a bound on either side: a tail is never extrapolated.
 * Cost O(log n) binomial probabilities, no allocation.
 * Source: David & Nagaraja, Order Statistics, 3rd ed., section 7.1.
 */
enum hk_status hk_quantile_interval_ranks(size_t n, double q, double confidence,
                                          struct hk_quantile_ranks *out);

/*
 * Distribution-free two-sided interval of a quantile, by order statistics.
 *
 * sorted, n, q, confidence as above; out in the unit of the sample, its
 * confidence_ratio the exact coverage for continuous data.
 *
 * Returns as hk_quantile_interval_ranks.
 */
enum hk_status hk_quantile_interval(const double *sorted, size_t n, double q, double confidence,
                                    struct hk_interval *out);

/*
 * Smallest sample that can bound a quantile from above: ceil(ln(1-confidence) / ln q).
 *
 * Returns HK_OK; HK_EINVAL if q or confidence is outside (0, 1).
 */
enum hk_status hk_quantile_count_needed(double q, double confidence, size_t *count);

#endif
