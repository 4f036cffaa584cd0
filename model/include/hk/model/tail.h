/* SPDX-License-Identifier: MIT */
/*
 * Tail of a latency distribution: the empirical body up to a threshold, a
 * generalised Pareto law (GPD) above it,
 *   P(X > x) = zeta (1 + xi (x - u) / sigma)^(-1 / xi),  x > u.
 */
#ifndef HK_MODEL_TAIL_H
#define HK_MODEL_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

#define HK_TAIL_EXCEEDANCES_MIN 30u

struct hk_gpd {
    double xi;       /* shape: 0 exponential, > 0 heavy, >= 1 no mean */
    double sigma_ns; /* scale, > 0 */
    double log_likelihood;
    struct hk_interval xi_interval; /* profile likelihood */
    size_t count;
};

/*
 * Fit a GPD to exceedances by maximum likelihood.
 *
 * exceed_ns   [in]   n values > 0: distances beyond the threshold, ascending
 * n           [in]   >= HK_TAIL_EXCEEDANCES_MIN
 * confidence  [in]   of xi_interval
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n is too small, the values are constant
 * or no maximum exists (xi <= -1).
 * Cost O(100 n).
 * Source: Grimshaw 1993 (Technometrics 35(2)): one-dimensional profile.
 */
enum hk_status hk_gpd_fit(const double *exceed_ns, size_t n, double confidence,
                          struct hk_gpd *out);

/* P(X > x) of a GPD, x >= 0. */
double hk_gpd_survival(double xi, double sigma, double x);

/* x with P(X > x) = p, 0 < p <= 1. */
double hk_gpd_quantile(double xi, double sigma, double p);

struct hk_tail {
    const double *sorted_ns; /* the caller's sample: outlives the tail */
    size_t count;
    double threshold_ns;
    size_t exceed_count;
    double exceed_ratio;     /* zeta */
    struct hk_gpd gpd;
    double anderson_p;       /* fit of the GPD beyond the threshold */
    double extremal_index;   /* deviances are scaled by it: clusters are one event */
};

struct hk_tail_options {
    double confidence_ratio;  /* of all intervals, inside (0, 1) */
    double extremal_index;    /* from hk_extremal_index; 1 for independent values */
    double threshold_quantile; /* 0: choose by stability and A-D; else fixed, inside (0, 1) */
};

/*
 * Fit body and tail.
 *
 * sorted_ns  [in]  n ascending finite values; kept by reference
 * n          [in]  >= 300
 * options    [in]
 *
 * The threshold is the lowest of a fixed list of quantiles (0.85 to 0.9995) from
 * which on the GPD is not rejected (ForwardStop at 10 %) and the shape agrees
 * with that of every higher threshold within their intervals; the highest usable
 * one if none passes (anderson_p then says so). Thresholds with more than n^(2/3)
 * values beyond are passed over: the share beyond must fall as n grows. The
 * Anderson-Darling p values are those for estimated parameters, by percentage
 * points that depend on the shape (docs/decisions/0151).
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if too few values lie beyond any threshold
 * or ties leave nothing to fit. Cost O(n) and milliseconds.
 * Source: Bader, Yan & Zhang 2018 (Annals of Applied Statistics 12(1)).
 */
enum hk_status hk_tail_fit(const double *sorted_ns, size_t n,
                           const struct hk_tail_options *options, struct hk_tail *out);

/* A probability with its statistical interval. */
struct hk_tail_probability {
    double probability;
    struct hk_interval interval;
    double interval_decades;  /* log10(upper / lower); INFINITY if the lower end is 0 */
    bool extrapolated;        /* beyond the largest value seen */
};

/*
 * P(X > x): counted in the body, by the GPD beyond the threshold, with a
 * profile-likelihood interval there.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if x lies beyond the largest value seen and
 * xi >= 1: such a tail has no mean, and nothing said about it is defensible.
 */
enum hk_status hk_tail_probability(const struct hk_tail *tail, double x_ns, double confidence,
                                   struct hk_tail_probability *out);

/*
 * Inverse: the value exceeded with probability p (the return level of 1 / p).
 *
 * interval_ns  [out]  profile likelihood; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE as above; HK_ENOISE if the interval has no
 * upper end or, in the body, the sample is too small for one.
 */
enum hk_status hk_tail_quantile(const struct hk_tail *tail, double p, double confidence,
                                double *x_ns, struct hk_interval *interval_ns);

/*
 * Extremal index by runs: clusters of exceedances, separated by at least run
 * values below the threshold, per exceedance. 1 / index is the mean cluster size.
 *
 * x      [in]   n finite values in time order
 * run    [in]   >= 1
 * index  [out]  in (0, 1]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if fewer than 10 values exceed.
 * Source: Smith & Weissman 1994 (J. R. Statist. Soc. B 56(3)).
 */
enum hk_status hk_extremal_index(const double *x, size_t n, double threshold, size_t run,
                                 double *index);

#endif
