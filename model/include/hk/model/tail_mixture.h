/* SPDX-License-Identifier: MIT */
/*
 * Tails that are a rare mixture component: a GPD fitted across the knee between
 * the common and the rare delays is off by decades beyond it. Exceedances of a
 * hyperexponential law are hyperexponential, so that law competes with the GPD
 * on the same exceedances.
 */
#ifndef HK_MODEL_TAIL_MIXTURE_H
#define HK_MODEL_TAIL_MIXTURE_H

#include <stdbool.h>

#include "hk/base/status.h"
#include "hk/model/delay_law.h"
#include "hk/model/tail.h"

struct hk_tail_mixture {
    struct hk_delay_law law; /* of the distance beyond the tail's threshold */
    double log_likelihood;
    double bic_gain;         /* over the GPD; above HK_TAIL_MIXTURE_GAIN it takes its place */
};

/* Strong evidence on the usual scale (Kass & Raftery 1995). */
#define HK_TAIL_MIXTURE_GAIN 6.0

/*
 * Fit two exponentials to a tail's exceedances.
 *
 * tail  [in]  from hk_tail_fit
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE below 100 exceedances or where one exponential is enough;
 * HK_ENOMEM. Cost O(n) and milliseconds.
 */
enum hk_status hk_tail_mixture_fit(const struct hk_tail *tail, struct hk_tail_mixture *out);

/* Whether the mixture is to be believed rather than the GPD. */
bool hk_tail_mixture_preferred(const struct hk_tail_mixture *mixture);

/*
 * P(X > x) by the mixture beyond the tail's threshold; as hk_tail_probability before it. The
 * interval comes from the information matrix, normal on the logarithm.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE for a singular information matrix.
 */
enum hk_status hk_tail_mixture_probability(const struct hk_tail *tail,
                                           const struct hk_tail_mixture *mixture, double x_ns,
                                           double confidence, struct hk_tail_probability *out);

/*
 * Inverse: the value exceeded with probability p; as hk_tail_quantile for p in the body.
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_tail_mixture_quantile(const struct hk_tail *tail,
                                        const struct hk_tail_mixture *mixture, double p,
                                        double *x_ns);

#endif
