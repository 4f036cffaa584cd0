/* SPDX-License-Identifier: MIT */
/* Noise as benchmarks have it: five kinds, with a memory where the kind has one. */
#ifndef HK_COMPARE_TEST_NOISE_H
#define HK_COMPARE_TEST_NOISE_H

#include "hk/stats/rng.h"

enum noise_kind { NOISE_IID, NOISE_AR3, NOISE_AR6, NOISE_SPIKES, NOISE_LOGNORMAL, NOISE_KINDS };

extern const char *const noise_names[NOISE_KINDS];

struct noise {
    enum noise_kind kind;
    double state;
    struct hk_rng *rng;
};

/* The next value: log of a time about 0; spread about 1. */
double noise_next(struct noise *noise);

/*
 * Log ratios of launches that measure A and B in ABBA or BAAB rounds: what every launch of a
 * comparison gives. The noise runs on from epoch to epoch and from launch to launch; each
 * launch has a layout effect of its own on either side.
 *
 * effect  [in]   ln(B / A)
 * sd      [in]   of the noise of one epoch
 * d       [out]  count values, the median over ROUNDS
 */
void noise_launches(struct noise *noise, double effect, double sd, double *d, size_t count);

#endif
