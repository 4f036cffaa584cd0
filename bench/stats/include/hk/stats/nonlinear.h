/* SPDX-License-Identifier: MIT */
/* A curve with any parameters through points, by least squares. */
#ifndef HK_STATS_NONLINEAR_H
#define HK_STATS_NONLINEAR_H

#include <stddef.h>

#include "hk/base/status.h"

#define HK_NONLINEAR_PARAMETERS_MAX 8u

/* Value of the curve at x; a value that is not finite ends the fit. */
typedef double (*hk_curve_fn)(double x, const double *parameters, const void *context);

struct hk_curve {
    hk_curve_fn function;
    const void *context;
    size_t parameter_count; /* 1..HK_NONLINEAR_PARAMETERS_MAX */
};

struct hk_curve_points {
    const double *x;       /* n finite values */
    const double *y;
    const double *weights; /* n values > 0, inverse variances up to a factor; null: equal */
    size_t n;
};

struct hk_nonlinear {
    double parameters[HK_NONLINEAR_PARAMETERS_MAX];
    double covariance[HK_NONLINEAR_PARAMETERS_MAX][HK_NONLINEAR_PARAMETERS_MAX];
    double residual_sd; /* of an observation of weight 1 */
    size_t parameter_count;
    size_t count;
};

/*
 * Fit a curve, Levenberg-Marquardt with a numerical Jacobian.
 *
 * start  [in]   parameter_count finite values near the solution
 * out    [out]  the minimum reached from there: a local one unless the start was good
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n <= parameter_count, the iteration does not
 * converge or the points do not determine the parameters; HK_ENOMEM.
 * Source: GSL's multifit_nlinear; accurate to 6 digits on NIST's StRD problems.
 */
enum hk_status hk_nonlinear_fit(const struct hk_curve *curve,
                                const struct hk_curve_points *points, const double *start,
                                struct hk_nonlinear *out);

#endif
