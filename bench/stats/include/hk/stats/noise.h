/* SPDX-License-Identifier: MIT */
/* Series of known truth, as measurements are disturbed: for checking what judges them. */
#ifndef HK_STATS_NOISE_H
#define HK_STATS_NOISE_H

#include <stddef.h>

#include "hk/stats/rng.h"

enum hk_noise {
    HK_NOISE_INDEPENDENT, /* normal */
    HK_NOISE_AR3,         /* autoregressive, rho 0.3 */
    HK_NOISE_AR6,         /* rho 0.6 */
    HK_NOISE_SPIKES,      /* normal, one in twenty with an exponential delay of mean 5 on top */
    HK_NOISE_LOGNORMAL,   /* exp of a standard normal */
    HK_NOISE_COUNT,
};

/* "independent", "AR(1) 0.3", ... */
const char *hk_noise_name(enum hk_noise noise);

/* Where values come from one by one; rng stays the caller's, state 0 is a fine start. */
struct hk_noise_source {
    enum hk_noise noise;
    double state;
    struct hk_rng *rng;
};

/* The next value; the normal part has standard deviation 1. */
double hk_noise_next(struct hk_noise_source *source);

/*
 * Draw n values of stationary noise.
 *
 * x  [out]  n values
 */
void hk_noise_draw(enum hk_noise noise, struct hk_rng *rng, double *x, size_t n);

#endif
