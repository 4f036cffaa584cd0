/* SPDX-License-Identifier: MIT */
#include "hk/stats/quantile.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

bool hk_sample_finite(const double *x, size_t n)
{
    if (!x || n == 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

enum hk_status hk_sample_sort(double *x, size_t n)
{
    if (!hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    qsort(x, n, sizeof *x, ascending);
    return HK_OK;
}

enum hk_status hk_quantile(const double *sorted, size_t n, double q, double *out)
{
    if (!sorted || !out || n == 0 || !(q >= 0.0 && q <= 1.0)) {
        return HK_EINVAL;
    }
    const double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    if (below >= n - 1) {
        *out = sorted[n - 1];
        return HK_OK;
    }
    const double fraction = position - (double)below;
    *out = sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
    return HK_OK;
}

/* Largest k with P(Bin(n, q) <= k) <= tail, given that k = 0 satisfies it. */
static unsigned largest_below(unsigned n, double q, double tail)
{
    unsigned good = 0;
    unsigned bad = n;
    while (bad - good > 1) {
        const unsigned middle = good + (bad - good) / 2;
        if (gsl_cdf_binomial_P(middle, q, n) <= tail) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    return good;
}

enum hk_status hk_quantile_interval_ranks(size_t n, double q, double confidence,
                                          struct hk_quantile_ranks *out)
{
    if (!out || n == 0 || n >= UINT_MAX || !(q > 0.0 && q < 1.0) ||
        !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    const double tail = (1.0 - confidence) / 2.0;
    const double log_tail = log(tail);
    if ((double)n * log1p(-q) > log_tail || (double)n * log(q) > log_tail) {
        return HK_ENOISE;
    }
    const unsigned count = (unsigned)n;
    const unsigned misses_low = largest_below(count, q, tail);
    /* By symmetry, P(Bin(n, q) >= s) = P(Bin(n, 1 - q) <= n - s). */
    const unsigned misses_high = largest_below(count, 1.0 - q, tail);
    out->lower = (size_t)misses_low + 1;
    out->upper = n - misses_high;
    out->coverage_ratio = 1.0 - gsl_cdf_binomial_P(misses_low, q, count) -
                          gsl_cdf_binomial_P(misses_high, 1.0 - q, count);
    return HK_OK;
}

enum hk_status hk_quantile_interval(const double *sorted, size_t n, double q, double confidence,
                                    struct hk_interval *out)
{
    if (!sorted || !out) {
        return HK_EINVAL;
    }
    struct hk_quantile_ranks ranks;
    const enum hk_status status = hk_quantile_interval_ranks(n, q, confidence, &ranks);
    if (status != HK_OK) {
        return status;
    }
    out->lower = sorted[ranks.lower - 1];
    out->upper = sorted[ranks.upper - 1];
    out->confidence_ratio = ranks.coverage_ratio;
    return HK_OK;
}

enum hk_status hk_quantile_count_needed(double q, double confidence, size_t *count)
{
    if (!count || !(q > 0.0 && q < 1.0) || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    *count = (size_t)ceil(log1p(-confidence) / log(q));
    return HK_OK;
}
