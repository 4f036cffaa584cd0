/* SPDX-License-Identifier: MIT */
#include "hk/model/latency.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"

#define SERVERS_MAX 64u
#define LAUNCHES_MIN 3u

const struct hk_latency_law hk_latency_textbook = {
    .kernel_entries = 2.0,
    .kernel_copies = 2.0,
    .user_transfers = 4.0,
    .user_copies = 4.0,
};

enum hk_status hk_latency_chain_law(unsigned servers, struct hk_latency_law *law)
{
    if (!law || servers < 1 || servers > SERVERS_MAX) {
        return HK_EINVAL;
    }
    *law = hk_latency_textbook;
    law->user_transfers = 2.0 * servers;
    law->user_copies = 2.0 * servers;
    return HK_OK;
}

static bool arguments_valid(const struct hk_latency_law *law,
                            const struct hk_latency_costs *costs, const struct hk_estimate *out)
{
    if (!law || !costs || !out || !check_not_negative(law->kernel_entries) ||
        !check_not_negative(law->kernel_copies) || !check_not_negative(law->user_transfers) ||
        !check_not_negative(law->user_copies) || !check_estimate(&costs->c_sys_ns) ||
        !check_estimate(&costs->c_ipc_ns) || !check_estimate(&costs->c_copy_ns) ||
        !check_estimate(&costs->t_kernel_ns) || !check_estimate(&costs->t_user_ns)) {
        return false;
    }
    /* Rounding in the caller's covariance may exceed the bound by a little. */
    const double bound = costs->c_ipc_ns.standard_error * costs->c_copy_ns.standard_error;
    return fabs(costs->ipc_copy_covariance_ns2) <= bound * (1.0 + 1e-9);
}

/* How often each parameter enters a linear combination. */
struct coefficients {
    double sys;
    double ipc;
    double copy;
    double kernel;
    double user;
};

static size_t count_used(double coefficient, const struct hk_estimate *e, size_t smallest)
{
    return coefficient != 0.0 && e->count < smallest ? e->count : smallest;
}

static struct hk_estimate combine(const struct coefficients *k,
                                  const struct hk_latency_costs *c)
{
    const struct {
        double coefficient;
        const struct hk_estimate *estimate;
    } terms[] = {
        {k->sys, &c->c_sys_ns},       {k->ipc, &c->c_ipc_ns},   {k->copy, &c->c_copy_ns},
        {k->kernel, &c->t_kernel_ns}, {k->user, &c->t_user_ns},
    };
    double value = 0.0;
    double variance = 2.0 * k->ipc * k->copy * c->ipc_copy_covariance_ns2;
    size_t count = SIZE_MAX;
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        const double error = terms[i].coefficient * terms[i].estimate->standard_error;
        value += terms[i].coefficient * terms[i].estimate->value;
        variance += error * error;
        count = count_used(terms[i].coefficient, terms[i].estimate, count);
    }
    return (struct hk_estimate){
        .value = value,
        .standard_error = sqrt(fmax(0.0, variance)),
        .count = count,
    };
}

enum hk_status hk_latency_kernel(const struct hk_latency_law *law,
                                 const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    if (!arguments_valid(law, costs, out)) {
        return HK_EINVAL;
    }
    const struct coefficients k = {
        .sys = law->kernel_entries,
        .copy = law->kernel_copies,
        .kernel = 1.0,
    };
    *out = combine(&k, costs);
    return HK_OK;
}

enum hk_status hk_latency_user(const struct hk_latency_law *law,
                               const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    if (!arguments_valid(law, costs, out)) {
        return HK_EINVAL;
    }
    const struct coefficients k = {
        .ipc = law->user_transfers,
        .copy = law->user_copies,
        .user = 1.0,
    };
    *out = combine(&k, costs);
    return HK_OK;
}

static struct coefficients difference(const struct hk_latency_law *law)
{
    return (struct coefficients){
        .sys = -law->kernel_entries,
        .ipc = law->user_transfers,
        .copy = law->user_copies - law->kernel_copies,
        .kernel = -1.0,
        .user = 1.0,
    };
}

enum hk_status hk_latency_difference(const struct hk_latency_law *law,
                                     const struct hk_latency_costs *costs,
                                     struct hk_estimate *out)
{
    if (!arguments_valid(law, costs, out)) {
        return HK_EINVAL;
    }
    const struct coefficients k = difference(law);
    *out = combine(&k, costs);
    return HK_OK;
}

enum hk_status hk_latency_break_even_batch(const struct hk_latency_law *law,
                                           const struct hk_latency_costs *costs,
                                           struct hk_estimate *out)
{
    if (!arguments_valid(law, costs, out)) {
        return HK_EINVAL;
    }
    struct coefficients k = difference(law);
    k.ipc = 0.0;
    /* What the server saves per request once transfers are free. */
    const double saving = -combine(&k, costs).value;
    const double crossing = law->user_transfers * costs->c_ipc_ns.value;
    if (!(saving > 0.0) || !(crossing >= 0.0)) {
        return HK_ERANGE;
    }
    const double batch = crossing / saving;
    /* m* solves f = n c_ipc / m + rest = 0; dm = m / saving times the error of f at m*. */
    k.ipc = batch > 0.0 ? law->user_transfers / batch : law->user_transfers;
    struct hk_estimate residual = combine(&k, costs);
    residual.value = batch;
    residual.standard_error *= batch / saving;
    if (!isfinite(residual.value) || !isfinite(residual.standard_error)) {
        return HK_ERANGE;
    }
    *out = residual;
    return HK_OK;
}

static enum hk_status weigh(const double *line_errors, size_t n, double *weights)
{
    double median = 0.0;
    for (size_t i = 0; i < n; i++) {
        weights[i] = line_errors ? line_errors[i] : 0.0;
        if (!check_not_negative(weights[i])) {
            return HK_EINVAL;
        }
    }
    enum hk_status status = hk_sample_sort(weights, n);
    if (status == HK_OK) {
        status = hk_quantile(weights, n, 0.5, &median);
    }
    for (size_t i = 0; i < n && status == HK_OK; i++) {
        const double error = median > 0.0 ? line_errors[i] / median : 0.0;
        weights[i] = 1.0 / (1.0 + error * error);
    }
    return status;
}

static struct hk_estimate weighted_mean(const double *x, const double *weights, size_t n)
{
    double sum = 0.0;
    double mean = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += weights[i];
        mean += weights[i] / sum * (x[i] - mean);
    }
    for (size_t i = 0; i < n; i++) {
        squares += weights[i] * (x[i] - mean) * (x[i] - mean);
    }
    return (struct hk_estimate){mean, sqrt(squares / ((double)(n - 1) * sum)), n};
}

enum hk_status hk_coefficient_test(const double *slopes, const double *line_errors,
                                   size_t launch_count, double claimed, double confidence,
                                   struct hk_coefficient *out)
{
    if (!slopes || !out || !isfinite(claimed) || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (launch_count < LAUNCHES_MIN) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(slopes, launch_count)) {
        return HK_EINVAL;
    }
    double *weights = malloc(launch_count * sizeof *weights);
    if (!weights) {
        return HK_ENOMEM;
    }
    const enum hk_status status = weigh(line_errors, launch_count, weights);
    const struct hk_estimate mean =
        status == HK_OK ? weighted_mean(slopes, weights, launch_count) : (struct hk_estimate){0};
    free(weights);
    if (status != HK_OK) {
        return status;
    }
    if (!(mean.standard_error > 0.0) || !isfinite(mean.standard_error)) {
        return HK_ENOISE;
    }
    struct hk_coefficient result = {
        .value = mean.value,
        .standard_error = mean.standard_error,
        .nearest_integer = round(mean.value),
        .count = launch_count,
    };
    (void)hk_mean_interval(&mean, confidence, &result.interval);
    result.claim_contained =
        claimed >= result.interval.lower && claimed <= result.interval.upper;
    result.neighbour_distance_se =
        fmin(fabs(mean.value - (claimed - 1.0)), fabs(mean.value - (claimed + 1.0))) /
        mean.standard_error;
    *out = result;
    return HK_OK;
}

enum hk_status hk_hop_fit(const double *one_ns, const double *two_ns, size_t launch_count,
                          struct hk_hop_model *out)
{
    if (!one_ns || !two_ns || !out) {
        return HK_EINVAL;
    }
    if (launch_count < LAUNCHES_MIN) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(one_ns, launch_count) || !hk_sample_finite(two_ns, launch_count)) {
        return HK_EINVAL;
    }
    const double n = (double)launch_count;
    double two_mean = 0.0;
    double hop_mean = 0.0;
    for (size_t i = 0; i < launch_count; i++) {
        two_mean += two_ns[i] / n;
        hop_mean += (two_ns[i] - one_ns[i]) / n;
    }
    double two_squares = 0.0;
    double hop_squares = 0.0;
    double products = 0.0;
    for (size_t i = 0; i < launch_count; i++) {
        const double two = two_ns[i] - two_mean;
        const double hop = two_ns[i] - one_ns[i] - hop_mean;
        two_squares += two * two;
        hop_squares += hop * hop;
        products += two * hop;
    }
    if (!isfinite(two_squares) || !isfinite(hop_squares) || !isfinite(products)) {
        return HK_EINVAL;
    }
    const double of_mean = n * (n - 1.0);
    *out = (struct hk_hop_model){
        .two_servers_ns = two_mean,
        .hop_ns = hop_mean,
        .var_two_servers_ns2 = two_squares / of_mean,
        .var_hop_ns2 = hop_squares / of_mean,
        .covariance_ns2 = products / of_mean,
        .launch_sd_ns = sqrt(two_squares / (n - 1.0)),
        .count = launch_count,
    };
    return HK_OK;
}

enum hk_status hk_hop_predict(const struct hk_hop_model *model, unsigned servers,
                              double confidence, struct hk_prediction *out)
{
    if (!model || !out || model->count < LAUNCHES_MIN || servers < 3 || servers > SERVERS_MAX ||
        !(confidence > 0.0 && confidence < 1.0) || !(model->two_servers_ns > 0.0)) {
        return HK_EINVAL;
    }
    const double hops = (double)servers - 2.0;
    const double value = model->two_servers_ns + hops * model->hop_ns;
    const double variance = fmax(0.0, model->var_two_servers_ns2 +
                                          hops * hops * model->var_hop_ns2 +
                                          2.0 * hops * model->covariance_ns2);
    /* A launch scatters in proportion to its total: the relative scatter is kept. */
    const double scatter = model->launch_sd_ns * value / model->two_servers_ns;
    const double t =
        gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(model->count - 1));
    const double half_width = t * sqrt(variance + scatter * scatter);
    *out = (struct hk_prediction){
        .mean = {.value = value, .standard_error = sqrt(variance), .count = model->count},
        .interval = {value - half_width, value + half_width, confidence},
    };
    return HK_OK;
}
