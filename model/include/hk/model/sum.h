/* SPDX-License-Identifier: MIT */
/*
 * The law of a sum of measured parts. Means add; quantiles do not: the p99 of a path is
 * neither the sum of the p99s of its parts nor that of their medians.
 *
 * Two dependence structures bracket what is usual: independent parts (convolution by
 * FFT) and comonotone ones (all slow at once: quantiles add). Above the median the
 * independent quantile is the lower of the two for ordinary laws.
 */
#ifndef HK_MODEL_SUM_H
#define HK_MODEL_SUM_H

#include <stddef.h>

#include "hk/base/status.h"

/* One part, paid a number of times per request. */
struct hk_sum_part {
    const double *sorted_ns; /* n ascending finite values; the caller's, outlives the sum */
    size_t n;                /* >= 1 */
    unsigned times;          /* 1..1000: independent repetitions */
};

struct hk_sum;

/*
 * Convolve the parts on a grid.
 *
 * parts      [in]   part_count in 1..16
 * bin_count  [in]   of the grid from smallest to largest sum: a power of 2 in
 *                   256..2^22; a value's mass is split between its two neighbours, so
 *                   means are exact and quantiles good to one bin
 * sum        [out]  released with hk_sum_destroy
 *
 * Returns HK_OK; HK_EINVAL (values out of order, or more repetitions in all than half
 * the bins, included); HK_ENOMEM.
 * Cost O(parts * bins log bins + values).
 * Exceedances below about 1e-12 are rounding of the transform.
 */
enum hk_status hk_sum_create(const struct hk_sum_part *parts, size_t part_count,
                             size_t bin_count, struct hk_sum **sum);

/* Release a sum; a null pointer is fine. */
void hk_sum_destroy(struct hk_sum *sum);

struct hk_sum_quantile {
    double independent_ns;
    double comonotone_ns;
};

/*
 * Quantiles under both structures.
 *
 * q  [in]  0..1
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_sum_quantile(const struct hk_sum *sum, double q, struct hk_sum_quantile *out);

/*
 * P(sum > x) for independent parts; the mass of a bin is spread evenly over its width.
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_sum_exceedance(const struct hk_sum *sum, double x_ns, double *probability);

/* Mean and standard deviation for independent parts. HK_OK; HK_EINVAL. */
enum hk_status hk_sum_moments(const struct hk_sum *sum, double *mean_ns, double *sd_ns);

#endif
