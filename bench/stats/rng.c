/* SPDX-License-Identifier: MIT */
#include "hk/stats/rng.h"

#include <stdlib.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

struct hk_rng {
    gsl_rng *gsl;
};

/* SplitMix64's finaliser (Steele, Lea & Flood 2014): neighbouring seeds give unrelated ones. */
static uint64_t mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

enum hk_status hk_rng_create(uint64_t seed, uint64_t stream, struct hk_rng **rng)
{
    if (!rng) {
        return HK_EINVAL;
    }
    struct hk_rng *made = malloc(sizeof *made);
    if (!made) {
        return HK_ENOMEM;
    }
    made->gsl = gsl_rng_alloc(gsl_rng_mt19937);
    if (!made->gsl) {
        free(made);
        return HK_ENOMEM;
    }
    const uint64_t mixed = mix64(mix64(seed) ^ stream);
    gsl_rng_set(made->gsl, (unsigned long)((mixed >> 32) ^ (mixed & 0xffffffffu)));
    *rng = made;
    return HK_OK;
}

void hk_rng_destroy(struct hk_rng *rng)
{
    if (rng) {
        gsl_rng_free(rng->gsl);
        free(rng);
    }
}

double hk_rng_uniform(struct hk_rng *rng)
{
    return gsl_rng_uniform(rng->gsl);
}

size_t hk_rng_below(struct hk_rng *rng, size_t bound)
{
    return (size_t)gsl_rng_uniform_int(rng->gsl, (unsigned long)bound);
}

double hk_rng_exponential(struct hk_rng *rng, double mean)
{
    return gsl_ran_exponential(rng->gsl, mean);
}

double hk_rng_normal(struct hk_rng *rng)
{
    return gsl_ran_gaussian_ziggurat(rng->gsl, 1.0);
}

void hk_rng_shuffle(struct hk_rng *rng, double *x, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = hk_rng_below(rng, i);
        const double swapped = x[i - 1];
        x[i - 1] = x[j];
        x[j] = swapped;
    }
}
