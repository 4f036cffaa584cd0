/* SPDX-License-Identifier: MIT */
/* A straight line through points, with everything needed to predict from it. */
#ifndef HK_STATS_LINE_H
#define HK_STATS_LINE_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

struct hk_line {
    double intercept;
    double slope;
    double var_intercept;
    double var_slope;
    double cov_intercept_slope;
    double residual_sd; /* of an observation of weight 1 */
    size_t count;
};

/*
 * Fit y = intercept + slope x by least squares.
 *
 * x, y     [in]   n finite values each
 * weights  [in]   n values > 0, inverse variances up to a factor; null for equal
 * n        [in]   >= 3
 * out      [out]
 *
 * Returns HK_OK; HK_EINVAL (squares that overflow included); HK_ENOISE if n < 3 or
 * all x are equal. Cost O(n), no allocation.
 */
enum hk_status hk_line_fit(const double *x, const double *y, const double *weights, size_t n,
                           struct hk_line *out);

/*
 * Interval of the slope, Student t with n - 2 degrees of freedom.
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_line_slope_interval(const struct hk_line *line, double confidence,
                                      struct hk_interval *out);

/*
 * Predict one new observation of weight 1 at x.
 *
 * value     [out]  of the line
 * interval  [out]  of the observation: the line's own error and the scatter
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_line_predict(const struct hk_line *line, double x, double confidence,
                               double *value, struct hk_interval *interval);

#endif
