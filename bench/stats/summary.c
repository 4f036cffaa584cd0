/* SPDX-License-Identifier: MIT */
#include "hk/stats/summary.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/quantile.h"

static double mean_of(const double *x, size_t n)
{
    /* The second pass adds what rounding lost in the first. */
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    const double first = sum / (double)n;
    double rest = 0.0;
    for (size_t i = 0; i < n; i++) {
        rest += x[i] - first;
    }
    return first + rest / (double)n;
}

static double sd_of(const double *x, size_t n, double mean)
{
    if (n < 2) {
        return 0.0;
    }
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    return sqrt(squares / (double)(n - 1));
}

enum hk_status hk_trimmed_mean(const double *sorted, size_t n, double cut, double *out)
{
    if (!sorted || !out || n == 0 || !(cut >= 0.0 && cut < 0.5)) {
        return HK_EINVAL;
    }
    const size_t dropped = (size_t)(cut * (double)n);
    *out = mean_of(sorted + dropped, n - 2 * dropped);
    return HK_OK;
}

enum hk_status hk_summary_compute(const double *x, size_t n, double *scratch,
                                  struct hk_summary *out)
{
    if (!scratch || !out || !hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    struct hk_summary s = {.count = n, .mean = mean_of(x, n)};
    s.sd = sd_of(x, n, s.mean);
    if (!isfinite(s.mean) || !isfinite(s.sd)) {
        return HK_EINVAL;
    }
    memcpy(scratch, x, n * sizeof *x);
    (void)hk_sample_sort(scratch, n);
    s.min = scratch[0];
    s.max = scratch[n - 1];
    (void)hk_quantile(scratch, n, 0.5, &s.median);
    (void)hk_trimmed_mean(scratch, n, 0.1, &s.trimmed_mean);
    for (size_t i = 0; i < n; i++) {
        scratch[i] = fabs(x[i] - s.median);
    }
    (void)hk_sample_sort(scratch, n);
    (void)hk_quantile(scratch, n, 0.5, &s.mad);
    *out = s;
    return HK_OK;
}

enum hk_status hk_mean_estimate(const double *x, size_t n, struct hk_estimate *out)
{
    if (!out || !x) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    const double mean = mean_of(x, n);
    const double sd = sd_of(x, n, mean);
    if (!isfinite(mean) || !isfinite(sd)) {
        return HK_EINVAL;
    }
    *out = (struct hk_estimate){
        .value = mean,
        .standard_error = sd / sqrt((double)n),
        .count = n,
    };
    return HK_OK;
}

enum hk_status hk_mean_interval(const struct hk_estimate *estimate, double confidence,
                                struct hk_interval *out)
{
    if (!estimate || !out || !(confidence > 0.0 && confidence < 1.0) ||
        !isfinite(estimate->value) || !(estimate->standard_error >= 0.0)) {
        return HK_EINVAL;
    }
    if (estimate->count < 2) {
        return HK_ENOISE;
    }
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(estimate->count - 1));
    *out = (struct hk_interval){
        .lower = estimate->value - t * estimate->standard_error,
        .upper = estimate->value + t * estimate->standard_error,
        .confidence_ratio = confidence,
    };
    return HK_OK;
}
