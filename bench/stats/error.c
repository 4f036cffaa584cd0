/* SPDX-License-Identifier: MIT */
#include "hk/stats/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"

static bool all_positive(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > 0.0)) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_error_summarise(const double *predicted, const double *measured, size_t n,
                                  struct hk_error_summary *out)
{
    if (!predicted || !measured || !out) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(predicted, n) || !hk_sample_finite(measured, n) ||
        !all_positive(predicted, n) || !all_positive(measured, n)) {
        return HK_EINVAL;
    }
    double *work = malloc(n * sizeof *work);
    if (!work) {
        return HK_ENOMEM;
    }
    struct hk_error_summary summary = {.count = n};
    struct hk_estimate mean;
    for (size_t i = 0; i < n; i++) {
        work[i] = log(predicted[i]) - log(measured[i]);
    }
    enum hk_status status = hk_mean_estimate(work, n, &mean);
    if (status == HK_OK) {
        summary.log_ratio_mean = mean.value;
        summary.log_ratio_sd = mean.standard_error * sqrt((double)n);
        for (size_t i = 0; i < n; i++) {
            work[i] = predicted[i] / measured[i] - 1.0;
        }
        status = hk_sample_sort(work, n);
    }
    if (status == HK_OK) {
        (void)hk_quantile(work, n, 0.5, &summary.signed_median);
        for (size_t i = 0; i < n; i++) {
            work[i] = fabs(work[i]);
        }
        (void)hk_sample_sort(work, n);
        (void)hk_quantile(work, n, 0.5, &summary.absolute_median);
        (void)hk_quantile(work, n, 0.95, &summary.absolute_p95);
        *out = summary;
    }
    free(work);
    return status;
}

enum hk_status hk_conformal_half_width(const double *residuals, size_t n, double confidence,
                                       double *half_width)
{
    if (!half_width || !hk_sample_finite(residuals, n) ||
        !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    const double rank = ceil((double)(n + 1) * confidence);
    if (rank > (double)n) {
        return HK_ENOISE;
    }
    double *work = malloc(n * sizeof *work);
    if (!work) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        work[i] = fabs(residuals[i]);
    }
    const enum hk_status status = hk_sample_sort(work, n);
    if (status == HK_OK) {
        *half_width = work[(size_t)rank - 1];
    }
    free(work);
    return status;
}
