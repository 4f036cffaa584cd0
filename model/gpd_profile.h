/* SPDX-License-Identifier: MIT */
/*
 * Likelihood of the generalised Pareto law over condensed exceedances.
 *
 * A likelihood interval takes thousands of evaluations. The 256 largest
 * exceedances stay as they are, the others are averaged in up to 256 groups of
 * neighbours: the likelihood is smooth in them, and the error is of second order
 * in a group's width.
 */
#ifndef HK_MODEL_GPD_PROFILE_H
#define HK_MODEL_GPD_PROFILE_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

#define GPD_POINTS_EXACT 256u
#define GPD_POINTS_GROUPED 256u
#define GPD_POINTS_MAX (GPD_POINTS_EXACT + GPD_POINTS_GROUPED)

#define GPD_XI_MIN (-0.999) /* at -1 the likelihood has no bound */
#define GPD_XI_MAX 10.0

struct gpd_points {
    double value[GPD_POINTS_MAX];
    double weight[GPD_POINTS_MAX];
    size_t count;
    double total; /* sum of weights */
    double mean;
    double max;
};

struct gpd_parameters {
    double xi;
    double sigma;
    double log_likelihood;
};

/* Condense n ascending values minus an offset below all of them. */
void gpd_points_init(struct gpd_points *points, const double *ascending, size_t n, double offset);

/* Maximum likelihood; HK_ENOISE if there is no maximum inside (-1, GPD_XI_MAX). */
enum hk_status gpd_maximise(const struct gpd_points *points, struct gpd_parameters *out);

/* Largest log likelihood for a given xi > -1. */
double gpd_profile_xi(const struct gpd_points *points, double xi);

/*
 * Profile interval of xi: where the largest log likelihood is within drop of the
 * best, clamped to [GPD_XI_MIN, GPD_XI_MAX].
 */
struct hk_interval gpd_xi_interval(const struct gpd_points *points,
                                   const struct gpd_parameters *best, double drop,
                                   double confidence);

/* Largest log likelihood given that P(X > distance) = exp(log_ratio), log_ratio < 0. */
double gpd_profile_ratio(const struct gpd_points *points, double distance, double log_ratio);

/* Anderson-Darling statistic of n ascending values minus an offset. */
double gpd_anderson(const double *ascending, size_t n, double offset, double xi, double sigma);

/* Its p value when xi and sigma were estimated from the same values; in [0.001, 0.99]. */
double gpd_anderson_p(double statistic, double xi);

#endif
