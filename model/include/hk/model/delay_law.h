/* SPDX-License-Identifier: MIT */
/*
 * Laws of a delay that can be evaluated, drawn and, where a moment generating
 * function exists, tilted exponentially.
 *
 * Times have any unit, the same throughout; the suite uses ns.
 */
#ifndef HK_MODEL_DELAY_LAW_H
#define HK_MODEL_DELAY_LAW_H

#include <stdbool.h>

#include "hk/base/status.h"
#include "hk/stats/rng.h"

enum hk_delay_kind {
    HK_DELAY_EXPONENTIAL,      /* e^(-x / scale) */
    HK_DELAY_HYPEREXPONENTIAL, /* (1 - shape) e^(-x / scale) + shape e^(-x / rare_scale) */
    HK_DELAY_LOMAX,            /* (1 + x / scale)^(-shape); a GPD with xi = 1 / shape */
    HK_DELAY_WEIBULL,          /* e^(-(x / scale)^shape) */
};

struct hk_delay_law {
    enum hk_delay_kind kind;
    double scale_ns;      /* > 0 */
    double shape;         /* not read by the exponential; inside (0, 1) for the hyperexponential */
    double rare_scale_ns; /* hyperexponential only, > 0 */
};

/* HK_OK, or HK_EINVAL for an unknown kind or a parameter outside its range. */
enum hk_status hk_delay_check(const struct hk_delay_law *law);

/* P(D > x); 1 for x <= 0. The law must have passed hk_delay_check, here and below. */
double hk_delay_survival(const struct hk_delay_law *law, double x_ns);

/* Density at x > 0, per ns. */
double hk_delay_density(const struct hk_delay_law *law, double x_ns);

/* Mean; INFINITY for a Lomax law with shape <= 1. */
double hk_delay_mean(const struct hk_delay_law *law);

/* Is the tail heavier than every exponential? Then nothing can be tilted. */
bool hk_delay_is_heavy(const struct hk_delay_law *law);

/* One draw. */
double hk_delay_draw(const struct hk_delay_law *law, struct hk_rng *rng);

/* One draw from the law given D > from; from >= 0. */
double hk_delay_draw_beyond(const struct hk_delay_law *law, double from_ns, struct hk_rng *rng);

/*
 * Tilt: the law with density proportional to e^(theta x) f(x).
 *
 * theta_per_ns  [in]   below 1 / the longest mean, may be negative
 * tilted        [out]  a law of the same kind
 * log_mgf       [out]  ln E e^(theta D)
 *
 * Returns HK_OK; HK_ENOTSUP for Lomax and Weibull laws; HK_ERANGE where E e^(theta D) is infinite.
 */
enum hk_status hk_delay_tilt(const struct hk_delay_law *law, double theta_per_ns,
                             struct hk_delay_law *tilted, double *log_mgf);

/* Parameters of a law as it is known from a sample: logarithms, of a share the log odds. */
#define HK_DELAY_PARAMETERS_MAX 3u

/* 1 for the exponential, 3 for the hyperexponential, else 2. */
unsigned hk_delay_parameter_count(const struct hk_delay_law *law);

/* The law with its parameters moved: scale, shape, rare scale in this order. */
struct hk_delay_law hk_delay_shift(const struct hk_delay_law *law,
                                   const double shift[HK_DELAY_PARAMETERS_MAX]);

/*
 * Covariance of the maximum-likelihood parameters, times the number of independent values: the
 * inverse of the information of one value, by quadrature.
 *
 * covariance  [out]  the leading rows and columns of hk_delay_parameter_count
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE where the parameters cannot be told apart.
 */
enum hk_status hk_delay_covariance(
    const struct hk_delay_law *law,
    double covariance[HK_DELAY_PARAMETERS_MAX][HK_DELAY_PARAMETERS_MAX]);

/* "exponential", "hyperexponential", "lomax" or "weibull". */
const char *hk_delay_kind_name(enum hk_delay_kind kind);

#endif
