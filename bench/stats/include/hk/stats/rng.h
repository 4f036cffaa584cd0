/* SPDX-License-Identifier: MIT */
/* Random numbers with an explicit seed, passed to whoever draws: no hidden state. */
#ifndef HK_STATS_RNG_H
#define HK_STATS_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

struct hk_rng;

/*
 * Create a generator (MT19937 of GSL).
 *
 * seed    [in]   mixed with the stream and folded to the 32 bits that MT19937 takes
 * stream  [in]   number of the stream: work split over threads or machines gives
 *                each part its own, and the result is the same however it is split
 * rng     [out]  owned by the caller; released with hk_rng_destroy
 *
 * Returns HK_OK; HK_EINVAL for a null pointer; HK_ENOMEM.
 */
enum hk_status hk_rng_create(uint64_t seed, uint64_t stream, struct hk_rng **rng);

/* Release a generator; a null pointer is fine. */
void hk_rng_destroy(struct hk_rng *rng);

/* Uniform on [0, 1). About 5 ns. */
double hk_rng_uniform(struct hk_rng *rng);

/* Uniform on {0, ..., bound - 1}; bound in [1, 2^32 - 1]. Unbiased. */
size_t hk_rng_below(struct hk_rng *rng, size_t bound);

/* Exponential with the given mean (any unit, > 0). */
double hk_rng_exponential(struct hk_rng *rng, double mean);

/* Standard normal. */
double hk_rng_normal(struct hk_rng *rng);

/*
 * Put the n values of x into uniformly random order (Fisher-Yates).
 */
void hk_rng_shuffle(struct hk_rng *rng, double *x, size_t n);

#endif
