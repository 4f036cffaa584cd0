/* SPDX-License-Identifier: MIT */
/*
 * Universal scalability law: throughput of N concurrent clients,
 *   X(N) = gamma N / (1 + sigma (N - 1) + kappa N (N - 1)),
 * sigma the share that is serial (contention), kappa the cost of keeping pairs
 * coherent. Throughput peaks at N* = sqrt((1 - sigma) / kappa).
 */
#ifndef HK_MODEL_SCALABILITY_H
#define HK_MODEL_SCALABILITY_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

struct hk_scalability {
    double gamma_per_s; /* throughput of one client */
    double sigma;
    double kappa;
    double covariance[3][3]; /* of gamma, sigma, kappa */
    double relative_sd;      /* scatter of a measurement */
    size_t count;
};

/* X(N). HK_OK; HK_EINVAL if gamma <= 0, N < 1 or the denominator is not positive. */
enum hk_status hk_scalability_at(const struct hk_scalability *law, double clients,
                                 double *throughput_per_s);

/*
 * Fit the law by least squares of relative errors.
 *
 * clients           [in]   n counts >= 1, at least 4 different
 * throughput_per_s  [in]   n values > 0
 * n                 [in]   >= 4
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if there are too few values or the fit does
 * not converge; HK_ENOMEM. sigma and kappa may come out slightly negative: that is
 * what the data say, and their errors say whether it matters.
 * Source: Gunther 2007, Guerrilla Capacity Planning, chapter 4.
 */
enum hk_status hk_scalability_fit(const double *clients, const double *throughput_per_s,
                                  size_t n, struct hk_scalability *out);

/*
 * Clients at which throughput peaks, with its error by the delta method.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if there is no peak (kappa <= 0 or sigma >= 1).
 */
enum hk_status hk_scalability_peak(const struct hk_scalability *law,
                                   struct hk_estimate *clients);

#endif
