/* SPDX-License-Identifier: MIT */
/* Location and spread of one sample. */
#ifndef HK_STATS_SUMMARY_H
#define HK_STATS_SUMMARY_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/* All in the unit of the sample. */
struct hk_summary {
    size_t count;
    double mean;
    double sd;           /* n - 1 in the denominator; 0 for one value */
    double min;
    double max;
    double median;       /* Hyndman-Fan 7 */
    double mad;          /* median absolute deviation, unscaled: times 1.4826 estimates sd */
    double trimmed_mean; /* without the lowest and highest tenth */
};

/*
 * Summarise a sample.
 *
 * x        [in]   n finite values
 * n        [in]   >= 1
 * scratch  [in]   room for n values, overwritten; may not overlap x
 * out      [out]
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, n = 0, a value that is not finite
 * or a sum of squares that overflows.
 * Cost O(n log n), no allocation. Mean and sd in two passes (NIST StRD to 13 digits).
 */
enum hk_status hk_summary_compute(const double *x, size_t n, double *scratch,
                                  struct hk_summary *out);

/*
 * Mean of what is left after dropping floor(cut * n) values at each end.
 *
 * sorted  [in]   n ascending finite values
 * cut     [in]   0 <= cut < 0.5
 *
 * Returns HK_OK; HK_EINVAL for n = 0 or cut outside its range. Cost O(n).
 */
enum hk_status hk_trimmed_mean(const double *sorted, size_t n, double cut, double *out);

/*
 * Mean with a Student t interval's ingredients: value, sd / sqrt(n), n.
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, a value that is not finite or a
 * sum of squares that overflows; HK_ENOISE if n < 2.
 */
enum hk_status hk_mean_estimate(const double *x, size_t n, struct hk_estimate *out);

/*
 * Student t interval of an estimate with count - 1 degrees of freedom.
 *
 * confidence  [in]  inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL for arguments outside their range; HK_ENOISE if count < 2.
 */
enum hk_status hk_mean_interval(const struct hk_estimate *estimate, double confidence,
                                struct hk_interval *out);

#endif
