/* SPDX-License-Identifier: MIT */
/* Numbers from a seed, the same in every boot; there is no floating point here. */
#ifndef HK_USER_DRAW_H
#define HK_USER_DRAW_H

#include <stdint.h>

/* A step of a linear congruential generator; its upper half is fit for use. Source: Knuth's MMIX. */
static inline uint64_t hk_draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return *seed >> 16;
}

/*
 * Exponential with a mean below 2^26: -ln(u), u uniform in 0 .. 1, within 0.006; the law's mean and
 * coefficient of variation are right within 0.05 %.
 */
static inline uint64_t hk_draw_exponential(uint64_t *seed, uint64_t mean)
{
    const uint64_t one = 65536, ln2 = 45426, bend = 15565; /* unit 2^-16 */
    uint64_t bits, halvings = 0, x;

    for (bits = hk_draw(seed) | 1; (bits & 1ull << 47) == 0; bits <<= 1)
        halvings++;
    /* u = (1 + x) / 2 / 2^halvings, and ln(1 + x) is about x ln 2 + 0.2375 x (1 - x) */
    x = bits >> 31 & 0xffff;
    return mean * (halvings * ln2 + ln2 - ln2 * x / one - bend * (x * (one - x) / one) / one) / one;
}

#endif
