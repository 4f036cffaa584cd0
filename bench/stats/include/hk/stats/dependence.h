/* SPDX-License-Identifier: MIT */
/* Dependence in time and between rankings. */
#ifndef HK_STATS_DEPENDENCE_H
#define HK_STATS_DEPENDENCE_H

#include <stddef.h>

#include "hk/base/status.h"

/*
 * Lag-1 autocorrelation about the overall mean.
 *
 * x  [in]  n >= 3 finite values in time order
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 3 or the series is constant.
 * Cost O(n), no allocation.
 */
enum hk_status hk_autocorrelation_lag1(const double *x, size_t n, double *rho);

/*
 * Autocorrelations at lags 1..lag_count.
 *
 * lag_count  [in]   1 .. n - 1
 * rho        [out]  lag_count values; rho[0] is lag 1
 *
 * Returns as hk_autocorrelation_lag1; HK_ENOMEM.
 * Cost O(n log n): one FFT.
 */
enum hk_status hk_autocorrelation(const double *x, size_t n, size_t lag_count, double *rho);

struct hk_ljung_box {
    double statistic;
    double p_value;
    size_t lag_count;
};

/*
 * Ljung-Box test that the first lag_count autocorrelations are zero.
 *
 * fitted_count  [in]  parameters fitted to the series, < lag_count; they cost
 *                     degrees of freedom
 *
 * Returns as hk_autocorrelation; HK_EINVAL if fitted_count >= lag_count.
 * Source: Ljung & Box 1978 (Biometrika 65(2)).
 */
enum hk_status hk_ljung_box_test(const double *x, size_t n, size_t lag_count,
                                 size_t fitted_count, struct hk_ljung_box *out);

/*
 * Kendall's tau-b between two rankings, corrected for ties.
 *
 * x, y  [in]   n >= 2 finite values each
 * tau   [out]  -1..1
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 2 or one side is constant.
 * Cost O(n^2), no allocation: rankings are of services or designs, not of samples.
 * Source: Kendall 1945 (Biometrika 33).
 */
enum hk_status hk_kendall_tau_b(const double *x, const double *y, size_t n, double *tau);

/* Counts of one class: aligned and right-sized, aligned only, right-sized only, neither. */
struct hk_table2x2 {
    double both;
    double first_only;
    double second_only;
    double neither;
};

struct hk_association {
    double statistic;         /* chi-square, 1 degree of freedom, continuity-corrected */
    double p_value;
    double common_odds_ratio; /* Mantel-Haenszel; 1 is independence */
};

/*
 * Cochran-Mantel-Haenszel test: are two properties independent within classes?
 * Pooling the classes instead would mistake a mixture for dependence.
 *
 * tables  [in]  class_count >= 1 tables of counts >= 0
 *
 * Returns HK_OK; HK_EINVAL for a negative or non-finite count; HK_ENOISE if no
 * class says anything (every margin empty) or the odds ratio is infinite.
 * Source: Mantel & Haenszel 1959 (J. Natl. Cancer Inst. 22).
 */
enum hk_status hk_association_test(const struct hk_table2x2 *tables, size_t class_count,
                                   struct hk_association *out);

#endif
