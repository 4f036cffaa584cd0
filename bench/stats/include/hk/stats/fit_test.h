/* SPDX-License-Identifier: MIT */
/*
 * Goodness of fit when the parameters come from the same sample.
 *
 * Estimating parameters pulls the fitted law towards the sample: the textbook
 * table for known parameters (95 % point of A2: 2.49) then hardly ever rejects,
 * where the right point for an exponential law with estimated mean is 1.32.
 */
#ifndef HK_STATS_FIT_TEST_H
#define HK_STATS_FIT_TEST_H

#include <stddef.h>

#include "hk/base/status.h"

enum hk_fit_law {
    HK_FIT_EXPONENTIAL,         /* origin 0, mean estimated */
    HK_FIT_EXPONENTIAL_SHIFTED, /* origin and mean estimated */
    HK_FIT_NORMAL,              /* mean and standard deviation estimated */
    HK_FIT_LOGNORMAL,           /* the same on logarithms; values must be > 0 */
};

struct hk_fit_test {
    double location;  /* origin, or mean (of logarithms for the lognormal) */
    double scale;     /* mean beyond the origin, or standard deviation */
    double ks;        /* D: largest distance of distribution functions, the effect size */
    double cramer;    /* W2 */
    double anderson;  /* A2, the most powerful of the three here */
    double p_ks;      /* each clamped to [0.001, 0.5]: 0.001 means at most that */
    double p_cramer;
    double p_anderson;
    size_t count;
};

/*
 * Test a sample against a law with estimated parameters.
 *
 * sorted  [in]   n ascending finite values (hk_sample_sort)
 * n       [in]   >= 8
 * law     [in]
 * out     [out]
 *
 * The shifted exponential is tested on the distances from the smallest value,
 * which are an exponential sample of n - 1 with origin 0.
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, values out of order or outside
 * the law's support; HK_ENOISE if n < 8 or the sample is constant.
 * Cost O(n), no allocation.
 * Source: Stephens 1974 (JASA 69:730) for the small-sample forms; Lilliefors
 * 1969 (JASA 64:387); percentage points from our own simulation, which the tests
 * repeat (docs/decisions/0150).
 */
enum hk_status hk_fit_test_run(const double *sorted, size_t n, enum hk_fit_law law,
                               struct hk_fit_test *out);

/* "exponential", "shifted exponential", "normal", "lognormal". */
const char *hk_fit_law_name(enum hk_fit_law law);

#endif
