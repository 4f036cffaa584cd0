/* SPDX-License-Identifier: MIT */
#include "hk/stats/paired.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"

#define POWER_DEFAULT 0.8
#define LOG_RATIO_MAX 700.0 /* beyond it, the ratio itself overflows */

/* What a test says of a set of differences at one confidence. */
struct finding {
    double location;
    double p_two_sided;
    struct hk_interval interval;
};

typedef enum hk_status (*test_fn)(const double *d, size_t n, double confidence,
                                  struct finding *out);

static double *sorted_copy(const double *d, size_t n)
{
    double *copy = malloc(n * sizeof *copy);
    if (copy) {
        memcpy(copy, d, n * sizeof *copy);
        (void)hk_sample_sort(copy, n);
    }
    return copy;
}

enum hk_status hk_sign_interval(const double *d, size_t n, double confidence,
                                struct hk_interval *out)
{
    if (!out || !hk_sample_finite(d, n) || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (n > HK_PAIRED_COUNT_MAX) {
        return HK_ETOOBIG;
    }
    struct hk_interval interval;
    double *sorted = sorted_copy(d, n);
    if (!sorted) {
        return HK_ENOMEM;
    }
    const enum hk_status status = hk_quantile_interval(sorted, n, 0.5, confidence, &interval);
    if (status == HK_OK) {
        *out = interval;
    }
    free(sorted);
    return status;
}

enum hk_status hk_sign_test(const double *d, size_t n, double *p_greater, double *p_less)
{
    if (!p_greater || !p_less || !hk_sample_finite(d, n)) {
        return HK_EINVAL;
    }
    unsigned positive = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        positive += d[i] > 0.0;
        count += d[i] != 0.0;
    }
    *p_greater = positive == 0 ? 1.0 : gsl_cdf_binomial_Q(positive - 1, 0.5, count);
    *p_less = count == 0 ? 1.0 : gsl_cdf_binomial_P(positive, 0.5, count);
    return HK_OK;
}

static enum hk_status find_sign(const double *d, size_t n, double confidence,
                                struct finding *out)
{
    const enum hk_status status = hk_sign_interval(d, n, confidence, &out->interval);
    if (status != HK_OK) {
        return status;
    }
    double *sorted = sorted_copy(d, n);
    if (!sorted) {
        return HK_ENOMEM;
    }
    double greater = 1.0;
    double less = 1.0;
    (void)hk_sign_test(d, n, &greater, &less);
    out->p_two_sided = fmin(1.0, 2.0 * fmin(greater, less));
    (void)hk_quantile(sorted, n, 0.5, &out->location);
    free(sorted);
    return HK_OK;
}

static enum hk_status find_wilcoxon(const double *d, size_t n, double confidence,
                                    struct finding *out)
{
    struct hk_wilcoxon test;
    const enum hk_status status = hk_wilcoxon_test(d, n, confidence, &test);
    if (status != HK_OK) {
        return status;
    }
    *out = (struct finding){
        .location = test.location,
        .p_two_sided = test.p_two_sided,
        .interval = test.interval,
    };
    return HK_OK;
}

static enum hk_status find_t(const double *d, size_t n, double confidence, struct finding *out)
{
    struct hk_estimate mean;
    enum hk_status status = hk_mean_estimate(d, n, &mean);
    if (status != HK_OK) {
        return status;
    }
    status = hk_mean_interval(&mean, confidence, &out->interval);
    if (status != HK_OK) {
        return status;
    }
    out->location = mean.value;
    if (mean.standard_error > 0.0) {
        const double t = fabs(mean.value) / mean.standard_error;
        out->p_two_sided = 2.0 * gsl_cdf_tdist_Q(t, (double)(n - 1));
    } else {
        out->p_two_sided = mean.value == 0.0 ? 1.0 : 0.0;
    }
    return HK_OK;
}

/* The tests, with their asymptotic efficiency relative to t under normality. */
static const struct {
    test_fn find;
    double efficiency_ratio;
} tests[] = {
    [HK_PAIRED_T] = {find_t, 1.0},
    [HK_PAIRED_WILCOXON] = {find_wilcoxon, 0.955}, /* 3 / pi */
    [HK_PAIRED_SIGN] = {find_sign, 0.637},         /* 2 / pi */
};

static bool test_valid(enum hk_paired_test test)
{
    return (size_t)test < sizeof tests / sizeof tests[0];
}

static bool level_valid(double alpha, double power)
{
    return alpha > 0.0 && alpha < 1.0 && power > 0.0 && power < 1.0;
}

static double detectable(double sd, size_t n, enum hk_paired_test test, double alpha,
                         double power)
{
    const double freedom = (double)(n - 1);
    const double t = gsl_cdf_tdist_Qinv(alpha / 2.0, freedom) +
                     gsl_cdf_tdist_Qinv(1.0 - power, freedom);
    return t * sd / sqrt((double)n * tests[test].efficiency_ratio);
}

enum hk_status hk_paired_detectable(double sd, size_t n, enum hk_paired_test test, double alpha,
                                    double power, double *delta)
{
    if (!delta || !test_valid(test) || !level_valid(alpha, power) || !(sd > 0.0) ||
        !isfinite(sd)) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    *delta = detectable(sd, n, test, alpha, power);
    return HK_OK;
}

enum hk_status hk_paired_power(double sd, size_t n, enum hk_paired_test test, double alpha,
                               double delta, double *power)
{
    if (!power || !test_valid(test) || !level_valid(alpha, 0.5) || !(sd > 0.0) || !isfinite(sd) ||
        !(delta >= 0.0) || !isfinite(delta)) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    const double freedom = (double)(n - 1);
    const double shift = delta / sd * sqrt((double)n * tests[test].efficiency_ratio);
    *power = gsl_cdf_tdist_Q(gsl_cdf_tdist_Qinv(alpha / 2.0, freedom) - shift, freedom);
    return HK_OK;
}

enum hk_status hk_paired_count_needed(double sd, double delta, enum hk_paired_test test,
                                      double alpha, double power, size_t *n)
{
    if (!n || !test_valid(test) || !level_valid(alpha, power) || !(sd > 0.0) || !isfinite(sd) ||
        !(delta > 0.0)) {
        return HK_EINVAL;
    }
    size_t too_few = 1;
    size_t enough = HK_PAIRED_COUNT_MAX;
    if (detectable(sd, enough, test, alpha, power) > delta) {
        return HK_ERANGE;
    }
    while (enough - too_few > 1) {
        const size_t middle = too_few + (enough - too_few) / 2;
        if (detectable(sd, middle, test, alpha, power) <= delta) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    *n = enough;
    return HK_OK;
}

static enum hk_paired_verdict decide(const struct hk_interval *difference,
                                     const struct hk_interval *equivalence, double bound)
{
    if (difference->lower > bound) {
        return HK_PAIRED_SLOWER;
    }
    if (difference->upper < -bound) {
        return HK_PAIRED_FASTER;
    }
    if (equivalence->lower > -bound && equivalence->upper < bound) {
        return HK_PAIRED_SAME;
    }
    return HK_PAIRED_UNKNOWN;
}

static bool log_ratios_valid(const double *d, size_t n)
{
    if (!d || n == 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(d[i]) <= LOG_RATIO_MAX)) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_paired_compare(const double *d, size_t n,
                                 const struct hk_paired_options *options, struct hk_paired *out)
{
    if (!options || !out || !log_ratios_valid(d, n) || !test_valid(options->test) ||
        !(options->alpha > 0.0 && options->alpha < 0.5) || !(options->practical_ratio >= 0.0) ||
        !isfinite(options->practical_ratio)) {
        return HK_EINVAL;
    }
    struct finding difference;
    struct finding equivalence;
    struct hk_estimate mean;
    const test_fn find = tests[options->test].find;
    enum hk_status status = find(d, n, 1.0 - options->alpha, &difference);
    if (status == HK_OK) {
        status = find(d, n, 1.0 - 2.0 * options->alpha, &equivalence);
    }
    if (status == HK_OK) {
        status = hk_mean_estimate(d, n, &mean);
    }
    if (status != HK_OK) {
        return status;
    }
    const double sd = mean.standard_error * sqrt((double)n);
    *out = (struct hk_paired){
        .verdict = decide(&difference.interval, &equivalence.interval,
                          log1p(options->practical_ratio)),
        .log_ratio = difference.location,
        .ratio = exp(difference.location),
        .interval = difference.interval,
        .p_two_sided = difference.p_two_sided,
        .detectable_log_ratio = detectable(sd, n, options->test, options->alpha, POWER_DEFAULT),
        .count = n,
    };
    return HK_OK;
}

const char *hk_paired_verdict_name(enum hk_paired_verdict verdict)
{
    switch (verdict) {
    case HK_PAIRED_UNKNOWN:
        return "UNKNOWN";
    case HK_PAIRED_SAME:
        return "SAME";
    case HK_PAIRED_SLOWER:
        return "SLOWER";
    case HK_PAIRED_FASTER:
        return "FASTER";
    }
    return "?";
}
