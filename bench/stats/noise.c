/* SPDX-License-Identifier: MIT */
#include "hk/stats/noise.h"

#include <math.h>

static const double spike_probability = 0.05;
static const double spike_mean = 5.0;

static const struct {
    const char *name;
    double rho;
} noises[HK_NOISE_COUNT] = {
    [HK_NOISE_INDEPENDENT] = {"independent", 0.0},
    [HK_NOISE_AR3] = {"AR(1) 0.3", 0.3},
    [HK_NOISE_AR6] = {"AR(1) 0.6", 0.6},
    [HK_NOISE_SPIKES] = {"5 % spikes", 0.0},
    [HK_NOISE_LOGNORMAL] = {"lognormal", 0.0},
};

const char *hk_noise_name(enum hk_noise noise)
{
    return noises[noise].name;
}

void hk_noise_draw(enum hk_noise noise, struct hk_rng *rng, double *x, size_t n)
{
    const double rho = noises[noise].rho;
    const double innovation = sqrt(1.0 - rho * rho);
    double state = hk_rng_normal(rng); /* starts in its stationary distribution */
    for (size_t i = 0; i < n; i++) {
        state = rho * state + innovation * hk_rng_normal(rng);
        x[i] = noise == HK_NOISE_LOGNORMAL ? exp(state) : state;
        if (noise == HK_NOISE_SPIKES && hk_rng_uniform(rng) < spike_probability) {
            x[i] += hk_rng_exponential(rng, spike_mean);
        }
    }
}
