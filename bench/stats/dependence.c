/* SPDX-License-Identifier: MIT */
#include "hk/stats/dependence.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fft_halfcomplex.h>
#include <gsl/gsl_fft_real.h>

#include "hk/stats/gsl.h"
#include "hk/stats/quantile.h"

static enum hk_status check_series(const double *x, size_t n, size_t n_min)
{
    if (!x) {
        return HK_EINVAL;
    }
    if (n < n_min) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0]) {
            return HK_OK;
        }
    }
    return HK_ENOISE;
}

static double mean_of(const double *x, size_t n)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += (x[i] - mean) / (double)(i + 1);
    }
    return mean;
}

enum hk_status hk_autocorrelation_lag1(const double *x, size_t n, double *rho)
{
    if (!rho) {
        return HK_EINVAL;
    }
    const enum hk_status status = check_series(x, n, 3);
    if (status != HK_OK) {
        return status;
    }
    const double mean = mean_of(x, n);
    double squares = (x[0] - mean) * (x[0] - mean);
    double products = 0.0;
    for (size_t i = 1; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        products += (x[i] - mean) * (x[i - 1] - mean);
    }
    if (!(squares > 0.0) || !isfinite(squares)) {
        return HK_ENOISE;
    }
    *rho = products / squares;
    return HK_OK;
}

/* Replace a real series by its circular autocovariance times its length; length a power of 2. */
static enum hk_status autocovary(double *work, size_t length)
{
    int code = gsl_fft_real_radix2_transform(work, 1, length);
    if (code != 0) {
        return hk_gsl_status(code);
    }
    work[0] *= work[0];
    work[length / 2] *= work[length / 2];
    for (size_t k = 1; k < length / 2; k++) {
        work[k] = work[k] * work[k] + work[length - k] * work[length - k];
        work[length - k] = 0.0;
    }
    code = gsl_fft_halfcomplex_radix2_inverse(work, 1, length);
    return hk_gsl_status(code);
}

enum hk_status hk_autocorrelation(const double *x, size_t n, size_t lag_count, double *rho)
{
    if (!rho) {
        return HK_EINVAL;
    }
    enum hk_status status = check_series(x, n, 3);
    if (status != HK_OK) {
        return status;
    }
    if (lag_count < 1 || lag_count >= n) {
        return HK_EINVAL;
    }
    /* Zeros behind the series keep its end from meeting its start. */
    size_t length = 4;
    while (length < n + lag_count) {
        length *= 2;
    }
    double *work = calloc(length, sizeof *work);
    if (!work) {
        return HK_ENOMEM;
    }
    const double mean = mean_of(x, n);
    for (size_t i = 0; i < n; i++) {
        work[i] = x[i] - mean;
    }
    status = autocovary(work, length);
    if (status == HK_OK && !(work[0] > 0.0 && isfinite(work[0]))) {
        status = HK_ENOISE;
    }
    for (size_t k = 0; status == HK_OK && k < lag_count; k++) {
        rho[k] = work[k + 1] / work[0];
    }
    free(work);
    return status;
}

enum hk_status hk_ljung_box_test(const double *x, size_t n, size_t lag_count,
                                 size_t fitted_count, struct hk_ljung_box *out)
{
    if (!out || fitted_count >= lag_count) {
        return HK_EINVAL;
    }
    if (x && lag_count >= n) {
        return HK_EINVAL;
    }
    double *rho = malloc(lag_count * sizeof *rho);
    if (!rho) {
        return HK_ENOMEM;
    }
    const enum hk_status status = hk_autocorrelation(x, n, lag_count, rho);
    if (status == HK_OK) {
        double sum = 0.0;
        for (size_t k = 0; k < lag_count; k++) {
            sum += rho[k] * rho[k] / (double)(n - k - 1);
        }
        const double statistic = (double)n * ((double)n + 2.0) * sum;
        *out = (struct hk_ljung_box){
            .statistic = statistic,
            .p_value = gsl_cdf_chisq_Q(statistic, (double)(lag_count - fitted_count)),
            .lag_count = lag_count,
        };
    }
    free(rho);
    return status;
}

enum hk_status hk_kendall_tau_b(const double *x, const double *y, size_t n, double *tau)
{
    if (!x || !y || !tau) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(x, n) || !hk_sample_finite(y, n)) {
        return HK_EINVAL;
    }
    double concordant = 0.0;
    double x_untied = 0.0;
    double y_untied = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            const int dx = (x[i] > x[j]) - (x[i] < x[j]);
            const int dy = (y[i] > y[j]) - (y[i] < y[j]);
            concordant += dx * dy;
            x_untied += dx != 0;
            y_untied += dy != 0;
        }
    }
    if (x_untied == 0.0 || y_untied == 0.0) {
        return HK_ENOISE;
    }
    *tau = concordant / (sqrt(x_untied) * sqrt(y_untied));
    return HK_OK;
}
