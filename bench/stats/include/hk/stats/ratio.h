/* SPDX-License-Identifier: MIT */
/* The ratio of two means. */
#ifndef HK_STATS_RATIO_H
#define HK_STATS_RATIO_H

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/*
 * Ratio of two estimates with Fieller's interval: the r for which numerator -
 * r denominator does not differ from 0. Exact for normal estimates, where a delta-method
 * interval is too narrow and too symmetric once the denominator is noisy.
 *
 * numerator, denominator  [in]   finite; denominator not 0
 * covariance              [in]   of the two estimates; 0 for separate launches
 * confidence              [in]   inside (0, 1)
 * ratio                   [out]  value, delta-method standard error, smaller count
 * interval                [out]  Student t with the smaller count - 1 degrees of freedom
 *
 * Returns HK_OK; HK_EINVAL (a covariance beyond the product of standard errors
 * included); HK_ENOISE if a count is below 2 or the denominator does not differ from
 * 0 at this confidence: the interval has no ends.
 * Source: Fieller 1954 (J. R. Statist. Soc. B 16(2)).
 */
enum hk_status hk_ratio_estimate(const struct hk_estimate *numerator,
                                 const struct hk_estimate *denominator, double covariance,
                                 double confidence, struct hk_estimate *ratio,
                                 struct hk_interval *interval);

#endif
