/* SPDX-License-Identifier: MIT */
/*
 * Cost against size with levels: continuous, piecewise affine,
 *   cost(x) = a + b x + sum_j s_j (x - tau_j)+,
 * one segment per cache level. The number of segments is chosen by BIC. Used for
 * c_copy over bytes and for the cost of a hop over its footprint.
 */
#ifndef HK_MODEL_COPY_CURVE_H
#define HK_MODEL_COPY_CURVE_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

#define HK_CURVE_BREAKS_MAX 3u
#define HK_CURVE_TERMS_MAX (2u + HK_CURVE_BREAKS_MAX)

struct hk_copy_curve {
    size_t break_count;
    double break_bytes[HK_CURVE_BREAKS_MAX]; /* ascending */
    double terms[HK_CURVE_TERMS_MAX];        /* a [ns], b [ns/B], s_1.. [ns/B] */
    double covariance[HK_CURVE_TERMS_MAX][HK_CURVE_TERMS_MAX];
    double relative_sd;                      /* scatter of an observation around the curve */
    double bic[HK_CURVE_BREAKS_MAX + 1];     /* by number of breaks; INFINITY where not fitted */
    double min_bytes;                        /* range of the fit: predictions stay inside it */
    double max_bytes;
    size_t count;
};

/*
 * Fit the curve by least squares of relative errors.
 *
 * bytes       [in]   n sizes >= 0, at least 4 different
 * cost_ns     [in]   n costs > 0 (launch means)
 * n           [in]   >= 5; as many breaks are tried as the sizes can carry
 * breaks_max  [in]   0..HK_CURVE_BREAKS_MAX; 0 fits a single straight line
 * out         [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if there are too few points or different
 * sizes; HK_ENOMEM.
 * Cost O(C(sizes, breaks)) small solves on the sizes' sums: milliseconds.
 * Source: Muggeo 2003 (Statistics in Medicine 22) for the form; exhaustive search
 * over the measured sizes, then refinement between them.
 */
enum hk_status hk_copy_curve_fit(const double *bytes, const double *cost_ns, size_t n,
                                 size_t breaks_max, struct hk_copy_curve *out);

/*
 * Predict the cost at a size that need not have been measured.
 *
 * bytes       [in]   inside [min_bytes, max_bytes]
 * confidence  [in]   inside (0, 1)
 * mean        [out]  ns
 * interval    [out]  ns, of one new observation; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE outside the fitted range.
 */
enum hk_status hk_copy_curve_predict(const struct hk_copy_curve *curve, double bytes,
                                     double confidence, struct hk_estimate *mean,
                                     struct hk_interval *interval);

/*
 * Size at which two curves cost the same: where remapping starts to beat copying.
 *
 * bytes  [out]  smallest crossing inside the common range; exact between breaks
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the curves do not cross there.
 */
enum hk_status hk_copy_curve_crossing(const struct hk_copy_curve *first,
                                      const struct hk_copy_curve *second, double *bytes);

#endif
