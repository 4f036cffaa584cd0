/* SPDX-License-Identifier: MIT */
#include "hk/model/scalability.h"

#include <stdlib.h>

#include "check.h"
#include "hk/stats/nonlinear.h"

#define COUNT_MIN 4u

/* gamma is fitted as a multiple of the largest throughput: parameters of one size. */
static double throughput(double clients, const double *p, const void *context)
{
    (void)context;
    return p[0] * clients /
           (1.0 + p[1] * (clients - 1.0) + p[2] * clients * (clients - 1.0));
}

enum hk_status hk_scalability_at(const struct hk_scalability *law, double clients,
                                 double *throughput_per_s)
{
    if (!law || !throughput_per_s || !check_positive(law->gamma_per_s) ||
        !isfinite(law->sigma) || !isfinite(law->kappa) || !(clients >= 1.0)) {
        return HK_EINVAL;
    }
    const double p[] = {law->gamma_per_s, law->sigma, law->kappa};
    const double x = throughput(clients, p, NULL);
    if (!check_positive(x)) {
        return HK_EINVAL;
    }
    *throughput_per_s = x;
    return HK_OK;
}

static size_t distinct(const double *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < i && x[j] != x[i]) {
            j++;
        }
        count += j == i;
    }
    return count;
}

/* Throughputs over their largest, and weights for relative errors. */
static enum hk_status scaled_fit(const double *clients, const double *throughput_per_s, size_t n,
                                 double largest, double *memory, struct hk_nonlinear *fit)
{
    double *scaled = memory;
    double *weights = memory + n;
    double start_gamma = 0.0;
    for (size_t i = 0; i < n; i++) {
        scaled[i] = throughput_per_s[i] / largest;
        weights[i] = 1.0 / (scaled[i] * scaled[i]);
        start_gamma = fmax(start_gamma, scaled[i] / clients[i]);
        if (!isfinite(weights[i])) {
            return HK_EINVAL;
        }
    }
    const struct hk_curve curve = {throughput, NULL, 3};
    const struct hk_curve_points points = {clients, scaled, weights, n};
    const double start[] = {start_gamma, 0.05, 0.001};
    return hk_nonlinear_fit(&curve, &points, start, fit);
}

enum hk_status hk_scalability_fit(const double *clients, const double *throughput_per_s,
                                  size_t n, struct hk_scalability *out)
{
    if (!clients || !throughput_per_s || !out) {
        return HK_EINVAL;
    }
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(clients[i]) || !(clients[i] >= 1.0) ||
            !check_positive(throughput_per_s[i])) {
            return HK_EINVAL;
        }
        largest = fmax(largest, throughput_per_s[i]);
    }
    if (n < COUNT_MIN || distinct(clients, n) < COUNT_MIN) {
        return HK_ENOISE;
    }
    double *memory = malloc(2 * n * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    struct hk_nonlinear fit;
    const enum hk_status status =
        scaled_fit(clients, throughput_per_s, n, largest, memory, &fit);
    free(memory);
    if (status != HK_OK) {
        return status;
    }
    struct hk_scalability law = {
        .gamma_per_s = fit.parameters[0] * largest,
        .sigma = fit.parameters[1],
        .kappa = fit.parameters[2],
        .relative_sd = fit.residual_sd,
        .count = n,
    };
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            law.covariance[i][j] = fit.covariance[i][j] * (i == 0 ? largest : 1.0) *
                                   (j == 0 ? largest : 1.0);
        }
    }
    if (!check_positive(law.gamma_per_s) || !isfinite(law.covariance[0][0])) {
        return HK_ENOISE;
    }
    *out = law;
    return HK_OK;
}

enum hk_status hk_scalability_peak(const struct hk_scalability *law, struct hk_estimate *clients)
{
    if (!law || !clients || !isfinite(law->sigma) || !isfinite(law->kappa)) {
        return HK_EINVAL;
    }
    if (!(law->kappa > 0.0) || !(law->sigma < 1.0)) {
        return HK_ERANGE;
    }
    const double peak = sqrt((1.0 - law->sigma) / law->kappa);
    const double by_sigma = -peak / (2.0 * (1.0 - law->sigma));
    const double by_kappa = -peak / (2.0 * law->kappa);
    const double variance = by_sigma * by_sigma * law->covariance[1][1] +
                            by_kappa * by_kappa * law->covariance[2][2] +
                            2.0 * by_sigma * by_kappa * law->covariance[1][2];
    const struct hk_estimate result = {peak, sqrt(fmax(0.0, variance)), law->count};
    if (!check_finite_estimate(&result)) {
        return HK_ERANGE;
    }
    *clients = result;
    return HK_OK;
}
