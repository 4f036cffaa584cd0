/* SPDX-License-Identifier: MIT */
/* What the tests of statistics and models need; included after cmocka.h. */
#ifndef HK_STATS_TEST_SUPPORT_H
#define HK_STATS_TEST_SUPPORT_H

#include <math.h>
#include <string.h>

#include "hk/base/status.h"
#include "hk/stats/gsl.h"
#include "hk/stats/proportion.h"
#include "hk/stats/rng.h"

/* |actual - expected| within tolerance, relative where |expected| > 1. */
#define assert_near(actual, expected, tolerance)                                              \
    do {                                                                                      \
        const double near_a = (actual);                                                       \
        const double near_e = (expected);                                                     \
        const double near_scale = fmax(1.0, fabs(near_e));                                    \
        if (!(fabs(near_a - near_e) <= (tolerance) * near_scale)) {                           \
            fail_msg("%s = %.15g, expected %.15g within %g", #actual, near_a, near_e,         \
                     (double)(tolerance));                                                    \
        }                                                                                     \
    } while (0)

/* The call returns the status and leaves *out as it was. */
#define assert_refused(call, status, out)                                                     \
    do {                                                                                      \
        unsigned char refused_before[sizeof *(out)];                                          \
        memset((void *)(out), 0x5a, sizeof *(out));                                           \
        memcpy(refused_before, (out), sizeof *(out));                                         \
        assert_int_equal((call), (status));                                                   \
        assert_memory_equal((out), refused_before, sizeof *(out));                            \
    } while (0)

/* A generator for a test; the stream keeps tests from sharing numbers. */
static inline struct hk_rng *test_rng(uint64_t stream)
{
    struct hk_rng *rng = NULL;
    if (hk_rng_create(20240229, stream, &rng) != HK_OK) {
        fail_msg("no generator");
    }
    return rng;
}

/* A count of events at a claimed rate must lie in the central 99.9 % band. */
static inline void assert_rate(uint64_t events, uint64_t trials, double rate)
{
    uint64_t low;
    uint64_t high;
    assert_int_equal(hk_binomial_band(trials, rate, 0.999, &low, &high), HK_OK);
    if (events < low || events > high) {
        fail_msg("%llu of %llu, expected %llu..%llu for a rate of %g", (unsigned long long)events,
                 (unsigned long long)trials, (unsigned long long)low, (unsigned long long)high,
                 rate);
    }
}

#endif
