/* SPDX-License-Identifier: MIT */
/* Values that carry their uncertainty; every other header speaks in these. */
#ifndef HK_STATS_ESTIMATE_H
#define HK_STATS_ESTIMATE_H

#include <stddef.h>

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
