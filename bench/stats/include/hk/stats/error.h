/* SPDX-License-Identifier: MIT */
/* How far predictions are from measurements. */
#ifndef HK_STATS_ERROR_H
#define HK_STATS_ERROR_H

#include <stddef.h>

#include "hk/base/status.h"

struct hk_error_summary {
    double signed_median;        /* median of predicted / measured - 1 */
    double absolute_median;      /* MdAPE, as a ratio */
    double absolute_p95;         /* 95 % quantile of the absolute relative error */
    double log_ratio_mean;       /* of ln(predicted / measured) */
    double log_ratio_sd;
    size_t count;
};

/*
 * Summarise the errors of n predictions.
 *
 * predicted, measured  [in]   n finite values > 0
 * n                    [in]   >= 2
 * out                  [out]
 *
 * Returns HK_OK; HK_EINVAL (a value <= 0 included); HK_ENOISE if n < 2; HK_ENOMEM.
 */
enum hk_status hk_error_summarise(const double *predicted, const double *measured, size_t n,
                                  struct hk_error_summary *out);

/*
 * Half-width of a distribution-free prediction interval from held-out residuals
 * (split conformal): the ceil((n + 1) confidence)-th smallest absolute residual.
 *
 * residuals   [in]   n finite values, measured - predicted, not used in the fit
 * half_width  [out]  in their unit
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < confidence / (1 - confidence): no
 * finite interval has that coverage; HK_ENOMEM.
 * Source: Lei et al. 2018 (JASA 113:523).
 */
enum hk_status hk_conformal_half_width(const double *residuals, size_t n, double confidence,
                                       double *half_width);

#endif
