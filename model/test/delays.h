/* SPDX-License-Identifier: MIT */
/* Simulated wake-up delays: what the controls of F6 and F7 are made of. */
#ifndef HK_MODEL_TEST_DELAYS_H
#define HK_MODEL_TEST_DELAYS_H

#include <stddef.h>

#include "hk/stats/rng.h"

enum delay_law {
    DELAY_EXPONENTIAL, /* the textbook's */
    DELAY_LOGNORMAL,   /* sd 1.5 of the logarithm: heavier than exponential, CV 2.9 */
    DELAY_LOGNORMAL1,  /* sd 1 of the logarithm, CV 1.31 */
    DELAY_WEIBULL,     /* shape 0.6 */
    DELAY_GAMMA4,      /* sum of four: lighter, CV 0.5 */
    DELAY_EAR,         /* exponential law, lag-1 autocorrelation 0.7 */
};

/* Fill n delays of mean about mean_ns. */
static inline void fill_delays(struct hk_rng *rng, enum delay_law law, double mean_ns, double *x,
                               size_t n)
{
    double previous = hk_rng_exponential(rng, mean_ns);
    for (size_t i = 0; i < n; i++) {
        const double e = hk_rng_exponential(rng, 1.0);
        switch (law) {
        case DELAY_EXPONENTIAL:
            x[i] = mean_ns * e;
            break;
        case DELAY_LOGNORMAL:
            x[i] = mean_ns * exp(1.5 * hk_rng_normal(rng) - 1.125);
            break;
        case DELAY_LOGNORMAL1:
            x[i] = mean_ns * exp(hk_rng_normal(rng) - 0.5);
            break;
        case DELAY_WEIBULL:
            x[i] = mean_ns / tgamma(1.0 + 1.0 / 0.6) * pow(e, 1.0 / 0.6);
            break;
        case DELAY_GAMMA4:
            x[i] = mean_ns / 4.0 *
                   (e + hk_rng_exponential(rng, 1.0) + hk_rng_exponential(rng, 1.0) +
                    hk_rng_exponential(rng, 1.0));
            break;
        case DELAY_EAR:
            /* exponential autoregression of Gaver & Lewis 1980 */
            previous = 0.7 * previous + (hk_rng_uniform(rng) < 0.3 ? mean_ns * e : 0.0);
            x[i] = previous;
            break;
        }
    }
}

/* Periods of an absolute timer whose wake-ups are late by d0_ns plus the delays. */
static inline void fill_periods(const double *delay_ns, size_t n, double nominal_ns,
                                double *period_ns)
{
    for (size_t i = 0; i + 1 < n; i++) {
        period_ns[i] = nominal_ns + delay_ns[i + 1] - delay_ns[i];
    }
}

#endif
