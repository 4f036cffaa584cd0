/* SPDX-License-Identifier: MIT */
/* Values that carry their uncertainty; every other header speaks in these. */
#ifndef HK_STATS_ESTIMATE_H
#define HK_STATS_ESTIMATE_H

#include <stddef.h>

/*
 * Quantiles of the standard normal law: half widths of two-sided 95 % and 90 % intervals in
 * standard errors. Source: Abramowitz & Stegun 1964, table 26.5.
 */
#define HK_Z_95 1.959964
#define HK_Z_90 1.644854

/* Closed interval in the unit of its quantity; confidence is what it really attains, 0..1. */
struct hk_interval {
    double lower;
    double upper;
    double confidence_ratio;
};

/* A value, the standard error of that value, and the replicates (launches) behind it. */
struct hk_estimate {
    double value;
    double standard_error;
    size_t count;
};

#endif
