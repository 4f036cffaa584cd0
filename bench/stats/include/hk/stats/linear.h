/* SPDX-License-Identifier: MIT */
/* What each of several causes contributes to a cost: linear least squares. */
#ifndef HK_STATS_LINEAR_H
#define HK_STATS_LINEAR_H

#include <stddef.h>

#include "hk/base/status.h"

#define HK_LINEAR_TERMS_MAX 12u

struct hk_linear_data {
    const double *x;       /* n rows of term_count */
    const double *y;       /* n */
    const double *weights; /* n inverse variances up to a factor, or NULL for equal */
    size_t n;              /* > term_count */
    size_t term_count;     /* 1..HK_LINEAR_TERMS_MAX; a constant term is a column of ones */
};

struct hk_linear_fit {
    double coefficient[HK_LINEAR_TERMS_MAX];
    double covariance[HK_LINEAR_TERMS_MAX][HK_LINEAR_TERMS_MAX];
    double residual_sd; /* of an observation of weight 1 */
    size_t rank;        /* below the number of terms: some terms cannot be told apart */
};

/*
 * Fit y = sum of coefficient * x.
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE when n <= term_count; HK_ENOMEM.
 * Cost O(n * terms^2). Terms that cannot be told apart share their cost (least norm).
 * Source: GSL's gsl_multifit_wlinear_tsvd; checked against NIST StRD Longley.
 */
enum hk_status hk_linear_fit(const struct hk_linear_data *data, struct hk_linear_fit *out);

/* Value and standard error of sum of coefficient * x, from the fit's own uncertainty. */
void hk_linear_predict(const struct hk_linear_fit *fit, const double *x, size_t term_count,
                       double *value, double *standard_error);

#endif
