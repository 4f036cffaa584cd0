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

double hk_noise_next(struct hk_noise_source *source)
{
    const double rho = noises[source->noise].rho;

    source->state = rho * source->state + sqrt(1.0 - rho * rho) * hk_rng_normal(source->rng);
    if (source->noise == HK_NOISE_LOGNORMAL) {
        return exp(source->state);
    }
    if (source->noise == HK_NOISE_SPIKES && hk_rng_uniform(source->rng) < spike_probability) {
        return source->state + hk_rng_exponential(source->rng, spike_mean);
    }
    return source->state;
}

void hk_noise_draw(enum hk_noise noise, struct hk_rng *rng, double *x, size_t n)
{
    /* starts in its stationary distribution */
    struct hk_noise_source source = {noise, hk_rng_normal(rng), rng};

    for (size_t i = 0; i < n; i++) {
        x[i] = hk_noise_next(&source);
    }
}
