/* SPDX-License-Identifier: MIT */
#include "hk/stats/line.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/quantile.h"

static bool weights_valid(const double *weights, size_t n)
{
    for (size_t i = 0; weights && i < n; i++) {
        if (!isfinite(weights[i]) || !(weights[i] > 0.0)) {
            return false;
        }
    }
    return true;
}

static double weight_at(const double *weights, size_t i)
{
    return weights ? weights[i] : 1.0;
}

static double weighted_mean(const double *x, const double *weights, size_t n)
{
    double mean = 0.0;
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        total += weight_at(weights, i);
        mean += (x[i] - mean) * weight_at(weights, i) / total;
    }
    return mean;
}

enum hk_status hk_line_fit(const double *x, const double *y, const double *weights, size_t n,
                           struct hk_line *out)
{
    if (!x || !y || !out) {
        return HK_EINVAL;
    }
    if (n < 3) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(x, n) || !hk_sample_finite(y, n) || !weights_valid(weights, n)) {
        return HK_EINVAL;
    }
    const double x_mean = weighted_mean(x, weights, n);
    const double y_mean = weighted_mean(y, weights, n);
    double sxx = 0.0;
    double sxy = 0.0;
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double w = weight_at(weights, i);
        sxx += w * (x[i] - x_mean) * (x[i] - x_mean);
        sxy += w * (x[i] - x_mean) * (y[i] - y_mean);
        total += w;
    }
    if (!(sxx > 0.0)) {
        return HK_ENOISE;
    }
    if (!isfinite(sxx) || !isfinite(sxy)) {
        return HK_EINVAL;
    }
    const double slope = sxy / sxx;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double residual = (y[i] - y_mean) - slope * (x[i] - x_mean);
        squares += weight_at(weights, i) * residual * residual;
    }
    if (!isfinite(squares) || !isfinite(x_mean * x_mean / sxx)) {
        return HK_EINVAL;
    }
    const double variance = squares / (double)(n - 2);
    *out = (struct hk_line){
        .intercept = y_mean - slope * x_mean,
        .slope = slope,
        .var_intercept = variance * (1.0 / total + x_mean * x_mean / sxx),
        .var_slope = variance / sxx,
        .cov_intercept_slope = -variance * x_mean / sxx,
        .residual_sd = sqrt(variance),
        .count = n,
    };
    return HK_OK;
}

static bool line_valid(const struct hk_line *line, double confidence)
{
    return line && line->count >= 3 && confidence > 0.0 && confidence < 1.0;
}

enum hk_status hk_line_slope_interval(const struct hk_line *line, double confidence,
                                      struct hk_interval *out)
{
    if (!out || !line_valid(line, confidence)) {
        return HK_EINVAL;
    }
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(line->count - 2));
    const double half_width = t * sqrt(line->var_slope);
    *out = (struct hk_interval){
        .lower = line->slope - half_width,
        .upper = line->slope + half_width,
        .confidence_ratio = confidence,
    };
    return HK_OK;
}

enum hk_status hk_line_predict(const struct hk_line *line, double x, double confidence,
                               double *value, struct hk_interval *interval)
{
    if (!value || !interval || !line_valid(line, confidence) || !isfinite(x)) {
        return HK_EINVAL;
    }
    const double variance = fmax(0.0, line->var_intercept + x * x * line->var_slope +
                                          2.0 * x * line->cov_intercept_slope) +
                            line->residual_sd * line->residual_sd;
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(line->count - 2));
    const double predicted = line->intercept + line->slope * x;
    *value = predicted;
    *interval = (struct hk_interval){
        .lower = predicted - t * sqrt(variance),
        .upper = predicted + t * sqrt(variance),
        .confidence_ratio = confidence,
    };
    return HK_OK;
}
