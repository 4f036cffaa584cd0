/* SPDX-License-Identifier: MIT */
/* How good a predicted distribution was, and whether it is calibrated. */
#ifndef HK_STATS_SCORE_H
#define HK_STATS_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"

/*
 * Continuous ranked probability score of a forecast given as a sample:
 * E|X - y| - E|X - X'| / 2, in the unit of x; for one value the absolute error.
 *
 * sorted    [in]   n ascending finite values
 * observed  [in]   finite
 * crps      [out]  >= 0, smaller is better
 *
 * Returns HK_OK; HK_EINVAL. Cost O(n), no allocation.
 * Source: Gneiting & Raftery 2007 (JASA 102), equation 21.
 */
enum hk_status hk_crps(const double *sorted, size_t n, double observed, double *crps);

/*
 * Pinball loss of predicted quantiles, averaged: (y - x)(q - [y < x]).
 *
 * observed, predicted  [in]   n finite values each
 * q                    [in]   inside (0, 1)
 * loss                 [out]  >= 0, in the unit of the values
 *
 * Returns HK_OK; HK_EINVAL.
 * Source: Koenker & Bassett 1978 (Econometrica 46).
 */
enum hk_status hk_pinball(const double *observed, const double *predicted, size_t n, double q,
                          double *loss);

/*
 * Probability integral transform of an observation in a sample forecast: its midrank
 * (below + equal / 2 + 1/2) / (n + 1), so inside (0, 1).
 *
 * Returns HK_OK; HK_EINVAL. Cost O(log n).
 */
enum hk_status hk_pit(const double *sorted, size_t n, double observed, double *pit);

struct hk_calibration {
    double mean;          /* of the normal scores z: 0 if unbiased */
    double sd;            /* 1 if the spread is right; above: forecasts too narrow */
    double rho1;          /* 0 if errors do not follow each other */
    double statistic;     /* likelihood ratio, chi-square with 3 degrees of freedom */
    double p_value;
    double independence_statistic; /* of rho1 alone, 1 degree of freedom */
    double independence_p_value;
    size_t count;
};

/*
 * Berkowitz's test that a series of forecasts was calibrated: the normal scores of
 * the transforms are independent standard normal, against a first-order autoregression.
 *
 * pit  [in]  n values inside (0, 1) in time order
 * n    [in]  >= 20
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 20 or the scores are constant.
 * Source: Berkowitz 2001 (J. Business & Economic Statistics 19(4)), conditional
 * likelihood.
 */
enum hk_status hk_calibration_test(const double *pit, size_t n, struct hk_calibration *out);

struct hk_violations {
    double violation_ratio;
    double coverage_statistic;     /* Kupiec: as many as claimed? 1 degree of freedom */
    double coverage_p_value;
    double independence_statistic; /* Christoffersen: one after the other? 1 degree */
    double independence_p_value;
    double joint_statistic;        /* the sum, 2 degrees */
    double joint_p_value;
    size_t count;
};

/*
 * Back-test of a predicted quantile: violations as often as claimed, and independent.
 *
 * violated  [in]  n flags in time order: the observation lay beyond the quantile
 * n         [in]  >= 20
 * nominal   [in]  claimed probability of a violation, inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 20. With no violation, or nothing else,
 * independence cannot be tested: its p is 1.
 * Source: Kupiec 1995 (J. Derivatives 3(2)); Christoffersen 1998 (International
 * Economic Review 39(4)).
 */
enum hk_status hk_violation_test(const bool *violated, size_t n, double nominal,
                                 struct hk_violations *out);

#endif
