/* SPDX-License-Identifier: MIT */
#include "hk/stats/histogram.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool layout_valid(unsigned precision_bits, uint64_t value_max)
{
    return precision_bits >= HK_HISTOGRAM_PRECISION_BITS_MIN &&
           precision_bits <= HK_HISTOGRAM_PRECISION_BITS_MAX && value_max >= 1;
}

static void bucket_bounds(unsigned precision_bits, size_t index, uint64_t *first, uint64_t *last)
{
    const size_t per_octave = (size_t)1 << precision_bits;
    if (index < 2 * per_octave) {
        *first = index;
        *last = index;
        return;
    }
    const unsigned shift = (unsigned)(index >> precision_bits) - 1u;
    const uint64_t mantissa = (uint64_t)(index - ((size_t)shift << precision_bits));
    *first = mantissa << shift;
    *last = *first + (((uint64_t)1 << shift) - 1u);
}

enum hk_status hk_histogram_bytes(unsigned precision_bits, uint64_t value_max, size_t *bytes)
{
    if (!bytes || !layout_valid(precision_bits, value_max)) {
        return HK_EINVAL;
    }
    *bytes = (hk_histogram_index(precision_bits, value_max) + 1) * sizeof(uint64_t);
    return HK_OK;
}

enum hk_status hk_histogram_init(struct hk_histogram *h, void *memory, size_t bytes,
                                 unsigned precision_bits, uint64_t value_max)
{
    if (!h || !memory || !layout_valid(precision_bits, value_max)) {
        return HK_EINVAL;
    }
    const size_t bucket_count = hk_histogram_index(precision_bits, value_max) + 1;
    if (bytes / sizeof(uint64_t) < bucket_count) {
        return HK_ENOSPC;
    }
    uint64_t first;
    uint64_t last;
    bucket_bounds(precision_bits, bucket_count - 1, &first, &last);
    *h = (struct hk_histogram){
        .buckets = memory,
        .bucket_count = bucket_count,
        .precision_bits = precision_bits,
        .value_max = last,
    };
    hk_histogram_reset(h);
    return HK_OK;
}

void hk_histogram_reset(struct hk_histogram *h)
{
    memset(h->buckets, 0, h->bucket_count * sizeof *h->buckets);
    h->count = 0;
    h->overflow_count = 0;
    h->min_seen = UINT64_MAX;
    h->max_seen = 0;
}

enum hk_status hk_histogram_merge(struct hk_histogram *into, const struct hk_histogram *from)
{
    if (!into || !from || into->precision_bits != from->precision_bits ||
        into->bucket_count != from->bucket_count) {
        return HK_EINVAL;
    }
    for (size_t i = 0; i < into->bucket_count; i++) {
        into->buckets[i] += from->buckets[i];
    }
    into->count += from->count;
    into->overflow_count += from->overflow_count;
    into->min_seen = from->min_seen < into->min_seen ? from->min_seen : into->min_seen;
    into->max_seen = from->max_seen > into->max_seen ? from->max_seen : into->max_seen;
    return HK_OK;
}

enum hk_status hk_histogram_bucket_get(const struct hk_histogram *h, size_t index,
                                       struct hk_histogram_bucket *out)
{
    if (!h || !out) {
        return HK_EINVAL;
    }
    if (index >= h->bucket_count) {
        return HK_ERANGE;
    }
    struct hk_histogram_bucket bucket = {.count = h->buckets[index]};
    bucket_bounds(h->precision_bits, index, &bucket.first, &bucket.last);
    *out = bucket;
    return HK_OK;
}

/* Middle of a bucket; at the ends of the sample, the exact value that bounds it. */
static double bucket_value(const struct hk_histogram *h, size_t index)
{
    uint64_t first;
    uint64_t last;
    bucket_bounds(h->precision_bits, index, &first, &last);
    const double middle = (double)first + (double)(last - first) / 2.0;
    return fmin(fmax(middle, (double)h->min_seen), (double)h->max_seen);
}

enum hk_status hk_histogram_value_at_rank(const struct hk_histogram *h, uint64_t rank,
                                          double *value)
{
    if (!h || !value) {
        return HK_EINVAL;
    }
    if (h->count == 0) {
        return HK_EEMPTY;
    }
    if (rank == 0 || rank > h->count) {
        return HK_EINVAL;
    }
    uint64_t seen = 0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        seen += h->buckets[i];
        if (seen >= rank) {
            *value = bucket_value(h, i);
            return HK_OK;
        }
    }
    return HK_ERANGE;
}

enum hk_status hk_histogram_quantile(const struct hk_histogram *h, double q, double *value)
{
    if (!h || !value || !(q >= 0.0 && q <= 1.0)) {
        return HK_EINVAL;
    }
    /* Rounding in double keeps 0.9 of 100 at rank 90. */
    uint64_t rank = (uint64_t)ceil(q * (double)h->count);
    rank = rank < 1 ? 1 : rank;
    rank = rank > h->count ? h->count : rank;
    return h->count == 0 ? HK_EEMPTY : hk_histogram_value_at_rank(h, rank, value);
}

uint64_t hk_histogram_count_above(const struct hk_histogram *h, uint64_t value)
{
    uint64_t above = h->overflow_count;
    for (size_t i = h->bucket_count; i > hk_histogram_index(h->precision_bits, value) + 1; i--) {
        above += h->buckets[i - 1];
    }
    return above;
}

enum hk_status hk_histogram_mean(const struct hk_histogram *h, double *mean)
{
    if (!h || !mean) {
        return HK_EINVAL;
    }
    if (h->count == 0) {
        return HK_EEMPTY;
    }
    if (h->overflow_count > 0) {
        return HK_ERANGE;
    }
    double sum = 0.0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        if (h->buckets[i] > 0) {
            sum += bucket_value(h, i) * (double)h->buckets[i];
        }
    }
    *mean = sum / (double)h->count;
    return HK_OK;
}
