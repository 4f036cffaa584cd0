/* SPDX-License-Identifier: MIT */
/*
 * The laws of the delays that the guest's periodic experiments draw from a seed: the program draws
 * them, and who judges its counts computes with the same numbers.
 */
#ifndef HK_CORE_DELAY_LAW_H
#define HK_CORE_DELAY_LAW_H

#include <stdbool.h>
#include <stdint.h>

/* Sums of exponential delays: of one mean, or of another one once in HK_DELAY_RARE_IN times. */
struct hk_delay_law {
    const char *name;
    uint64_t mean_ns;
    uint64_t rare_ns;
    uint64_t stages; /* so many of them, one after the other */
    bool lasting;    /* half of the last delay, half of a new one: late once is late again */
    bool intervals, underruns; /* what it is good for: a sum needs less luck than a rare long one */
};

#define HK_DELAY_RARE_IN 10u

/* The mean of all is 50 us. */
#define HK_DELAY_LAWS                                       \
    {                                                       \
        { "exponential", 50000, 50000, 1, false, true, true }, \
        { "mixture", 25000, 275000, 1, false, false, true },   \
        { "stages", 25000, 25000, 2, false, true, false },     \
        { "lasting", 50000, 50000, 1, true, true, false },     \
    }

/* Buffers are tried with so many headrooms, 1 to so many times the first. */
#define HK_DELAY_HEADROOMS 5

#endif
