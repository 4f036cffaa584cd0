/* SPDX-License-Identifier: MIT */
/* Two counts of rare events, compared exactly. */
#ifndef HK_STATS_RATE_H
#define HK_STATS_RATE_H

#include <stdint.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/* Events seen in some amount of watching: periods, seconds, operations. */
struct hk_event_count {
    uint64_t events;
    double exposure; /* > 0, the same unit on both sides */
};

struct hk_rate_test {
    double ratio;                /* rate of b / rate of a; infinite when a has no event */
    struct hk_interval interval; /* of the ratio; the upper end may be infinite */
    double p_two_sided;
    double p_greater; /* against: the rate of b is higher */
    double p_less;
};

/*
 * Compare the rates of two counts: given their sum, the count of b is binomial.
 *
 * a, b        [in]   events together at most 2^32 - 1
 * confidence  [in]   of the interval, inside (0, 1)
 * out         [out]  without any event p is 1 and the interval [0, infinity)
 *
 * Returns HK_OK; HK_EINVAL for bad arguments.
 * Source: Przyborowski & Wilenski 1940 (Biometrika 31); interval from Clopper & Pearson 1934.
 */
enum hk_status hk_rate_compare(const struct hk_event_count *a, const struct hk_event_count *b,
                               double confidence, struct hk_rate_test *out);

/*
 * Smallest true ratio of rates that a comparison of two counts would find.
 *
 * a, b   [in]   what was seen; their common rate is taken for the rate of a
 * alpha  [in]   two-sided level, inside (0, 1)
 * power  [in]   inside (0, 1)
 * ratio  [out]  > 1
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE without any event: nothing is known of the rate then;
 * HK_ERANGE when no ratio below a million would do. Cost some hundred binomial tails.
 */
enum hk_status hk_rate_detectable(const struct hk_event_count *a, const struct hk_event_count *b,
                                  double alpha, double power, double *ratio);

#endif
