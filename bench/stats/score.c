/* SPDX-License-Identifier: MIT */
#include "hk/stats/score.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"

#define SERIES_MIN 20u

static bool ascending(const double *sorted, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (sorted[i] < sorted[i - 1]) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_crps(const double *sorted, size_t n, double observed, double *crps)
{
    if (!crps || !isfinite(observed) || !hk_sample_finite(sorted, n) || !ascending(sorted, n)) {
        return HK_EINVAL;
    }
    const double count = (double)n;
    double distance = 0.0;
    double spread = 0.0;
    for (size_t i = 0; i < n; i++) {
        distance += fabs(sorted[i] - observed) / count;
        spread += (2.0 * (double)i - count + 1.0) / count * (sorted[i] / count);
    }
    const double score = fmax(0.0, distance - spread);
    if (!isfinite(score)) {
        return HK_EINVAL;
    }
    *crps = score;
    return HK_OK;
}

enum hk_status hk_pinball(const double *observed, const double *predicted, size_t n, double q,
                          double *loss)
{
    if (!loss || !(q > 0.0 && q < 1.0) || !hk_sample_finite(observed, n) ||
        !hk_sample_finite(predicted, n)) {
        return HK_EINVAL;
    }
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double error = observed[i] - predicted[i];
        mean += error * (q - (error < 0.0 ? 1.0 : 0.0)) / (double)n;
    }
    if (!isfinite(mean)) {
        return HK_EINVAL;
    }
    *loss = mean;
    return HK_OK;
}

/* Number of values below x, or not above it. */
static size_t count_below(const double *sorted, size_t n, double x, bool or_equal)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (or_equal && sorted[middle] == x)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum hk_status hk_pit(const double *sorted, size_t n, double observed, double *pit)
{
    if (!pit || !sorted || n == 0 || !isfinite(observed)) {
        return HK_EINVAL;
    }
    const double below = (double)count_below(sorted, n, observed, false);
    const double equal = (double)count_below(sorted, n, observed, true) - below;
    *pit = (below + equal / 2.0 + 0.5) / ((double)n + 1.0);
    return HK_OK;
}

/* Sums over t = 1 .. n - 1 of the pairs (z_(t-1), z_t). */
struct pairs {
    double count;
    double before_mean;
    double now_mean;
    double before_squares;
    double now_squares;
    double products;
    double now_raw_squares; /* about 0 */
};

static struct pairs pairs_of(const double *pit, size_t n)
{
    struct pairs p = {.count = (double)(n - 1)};
    double before = gsl_cdf_ugaussian_Pinv(pit[0]);
    for (size_t t = 1; t < n; t++) {
        const double now = gsl_cdf_ugaussian_Pinv(pit[t]);
        const double step_before = before - p.before_mean;
        const double step_now = now - p.now_mean;
        p.before_mean += step_before / (double)t;
        p.now_mean += step_now / (double)t;
        p.before_squares += step_before * (before - p.before_mean);
        p.now_squares += step_now * (now - p.now_mean);
        p.products += step_before * (now - p.now_mean);
        p.now_raw_squares += now * now;
        before = now;
    }
    return p;
}

enum hk_status hk_calibration_test(const double *pit, size_t n, struct hk_calibration *out)
{
    if (!pit || !out) {
        return HK_EINVAL;
    }
    if (n < SERIES_MIN) {
        return HK_ENOISE;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(pit[i] > 0.0 && pit[i] < 1.0)) {
            return HK_EINVAL;
        }
    }
    const struct pairs p = pairs_of(pit, n);
    if (!(p.before_squares > 1e-12) || !(p.now_squares > 1e-12)) {
        return HK_ENOISE;
    }
    const double slope = p.products / p.before_squares;
    const double unexplained = p.now_squares - slope * p.products;
    if (!(unexplained > 1e-12 * p.now_squares)) {
        return HK_ENOISE;
    }
    /* Twice the log likelihoods, without the constant they share. */
    const double autoregressive = -p.count * (log(unexplained / p.count) + 1.0);
    const double independent = -p.count * (log(p.now_squares / p.count) + 1.0);
    const double calibrated = -p.now_raw_squares;
    struct hk_calibration result = {
        .mean = p.now_mean,
        .sd = sqrt(p.now_squares / (p.count - 1.0)),
        .rho1 = p.products / sqrt(p.before_squares * p.now_squares),
        .statistic = fmax(0.0, autoregressive - calibrated),
        .independence_statistic = fmax(0.0, autoregressive - independent),
        .count = n,
    };
    result.p_value = gsl_cdf_chisq_Q(result.statistic, 3.0);
    result.independence_p_value = gsl_cdf_chisq_Q(result.independence_statistic, 1.0);
    *out = result;
    return HK_OK;
}

/* k ln(k / n) with 0 ln 0 = 0. */
static double log_likelihood(double k, double n)
{
    return k > 0.0 ? k * log(k / n) : 0.0;
}

/* Likelihood ratio of a first-order Markov chain over independent violations. */
static double chain_ratio(const bool *violated, size_t n)
{
    double moves[2][2] = {{0.0}};
    for (size_t t = 1; t < n; t++) {
        moves[violated[t - 1]][violated[t]] += 1.0;
    }
    const double from_fine = moves[0][0] + moves[0][1];
    const double from_violated = moves[1][0] + moves[1][1];
    const double to_fine = moves[0][0] + moves[1][0];
    const double to_violated = moves[0][1] + moves[1][1];
    const double total = from_fine + from_violated;
    const double chain =
        log_likelihood(moves[0][0], from_fine) + log_likelihood(moves[0][1], from_fine) +
        log_likelihood(moves[1][0], from_violated) + log_likelihood(moves[1][1], from_violated);
    return fmax(0.0, 2.0 * (chain - log_likelihood(to_fine, total) -
                            log_likelihood(to_violated, total)));
}

enum hk_status hk_violation_test(const bool *violated, size_t n, double nominal,
                                 struct hk_violations *out)
{
    if (!violated || !out || !(nominal > 0.0 && nominal < 1.0)) {
        return HK_EINVAL;
    }
    if (n < SERIES_MIN) {
        return HK_ENOISE;
    }
    size_t violations = 0;
    for (size_t t = 0; t < n; t++) {
        violations += violated[t];
    }
    struct hk_coverage coverage;
    const enum hk_status status = hk_coverage_test(violations, n, nominal, &coverage);
    if (status != HK_OK) {
        return status;
    }
    struct hk_violations result = {
        .violation_ratio = coverage.coverage_ratio,
        .coverage_statistic = coverage.statistic,
        .coverage_p_value = coverage.p_value,
        .independence_statistic = chain_ratio(violated, n),
        .count = n,
    };
    result.independence_p_value = gsl_cdf_chisq_Q(result.independence_statistic, 1.0);
    result.joint_statistic = result.coverage_statistic + result.independence_statistic;
    result.joint_p_value = gsl_cdf_chisq_Q(result.joint_statistic, 2.0);
    *out = result;
    return HK_OK;
}
