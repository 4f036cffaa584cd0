/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histogram of unsigned values (ns, cycles, instructions): exact
 * counts, relative bucket width at most 2^-precision_bits, no allocation.
 *
 * Life: hk_histogram_bytes says how much memory, the caller gives it, init takes
 * it. Values below 2^(precision_bits + 1) have a bucket each.
 */
#ifndef HK_STATS_HISTOGRAM_H
#define HK_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_HISTOGRAM_PRECISION_BITS_MIN 1u
#define HK_HISTOGRAM_PRECISION_BITS_MAX 14u

struct hk_histogram {
    uint64_t *buckets;
    size_t bucket_count;
    unsigned precision_bits;
    uint64_t value_max; /* largest value that has a bucket */

    uint64_t count;          /* all recorded values, the overflow included */
    uint64_t overflow_count; /* values above value_max: counted, not placed */
    uint64_t min_seen;       /* UINT64_MAX while empty */
    uint64_t max_seen;       /* exact, beyond value_max too */
};

/* One bucket: its values are first..last. */
struct hk_histogram_bucket {
    uint64_t first;
    uint64_t last;
    uint64_t count;
};

/*
 * Memory that a histogram needs.
 *
 * precision_bits  [in]   1..14; 7 gives 0.8 % buckets, 0.4 % to the middle
 * value_max       [in]   >= 1; rounded up to the end of its bucket by init
 * bytes           [out]
 *
 * Returns HK_OK; HK_EINVAL for arguments outside their range.
 */
enum hk_status hk_histogram_bytes(unsigned precision_bits, uint64_t value_max, size_t *bytes);

/*
 * Initialise an empty histogram on the caller's memory.
 *
 * h       [out]  written only on success
 * memory  [in]   hk_histogram_bytes() bytes, aligned for uint64_t; zeroed here
 * bytes   [in]   size of memory
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOSPC if bytes is too small.
 */
enum hk_status hk_histogram_init(struct hk_histogram *h, void *memory, size_t bytes,
                                 unsigned precision_bits, uint64_t value_max);

/* Forget all values; memory and layout stay. */
void hk_histogram_reset(struct hk_histogram *h);

/* Index of the bucket of a value; the value may be any. */
static inline size_t hk_histogram_index(unsigned precision_bits, uint64_t value)
{
    if (value >> precision_bits == 0) {
        return (size_t)value;
    }
    const unsigned shift = 63u - (unsigned)__builtin_clzll(value) - precision_bits;
    return ((size_t)shift << precision_bits) + (size_t)(value >> shift);
}

/*
 * Record one value. In the header because it stands in timed paths: about 1 ns
 * warm, no branch on the value but the overflow check.
 */
static inline void hk_histogram_record(struct hk_histogram *h, uint64_t value)
{
    const size_t index = hk_histogram_index(h->precision_bits, value);
    if (index < h->bucket_count) {
        h->buckets[index]++;
    } else {
        h->overflow_count++;
    }
    h->count++;
    h->min_seen = value < h->min_seen ? value : h->min_seen;
    h->max_seen = value > h->max_seen ? value : h->max_seen;
}

/*
 * Add all values of another histogram of the same layout.
 *
 * Returns HK_OK; HK_EINVAL if layouts differ. Cost O(buckets).
 */
enum hk_status hk_histogram_merge(struct hk_histogram *into, const struct hk_histogram *from);

/*
 * Look at one bucket, to iterate or to store.
 *
 * Returns HK_OK; HK_ERANGE if index >= bucket_count.
 */
enum hk_status hk_histogram_bucket_get(const struct hk_histogram *h, size_t index,
                                       struct hk_histogram_bucket *out);

/*
 * Value at a 1-based rank: the middle of its bucket, inside [min_seen, max_seen].
 *
 * rank   [in]   1..count
 * value  [out]  relative error at most 2^-(precision_bits + 1)
 *
 * Returns HK_OK; HK_EEMPTY; HK_EINVAL if rank is 0 or above count; HK_ERANGE if
 * the rank lies in the overflow, whose values are not known.
 * Cost O(buckets).
 */
enum hk_status hk_histogram_value_at_rank(const struct hk_histogram *h, uint64_t rank,
                                          double *value);

/*
 * Quantile: the value at rank ceil(q * count), at least 1 (Hyndman-Fan 1: no
 * interpolation between values that are not known exactly).
 *
 * Returns as hk_histogram_value_at_rank; HK_EINVAL if q is outside [0, 1].
 */
enum hk_status hk_histogram_quantile(const struct hk_histogram *h, double q, double *value);

/*
 * Number of recorded values in buckets wholly above a value, overflow included.
 * Exact whenever value is the last of its bucket; otherwise low by at most the
 * count of the bucket that holds it.
 */
uint64_t hk_histogram_count_above(const struct hk_histogram *h, uint64_t value);

/*
 * Mean from bucket middles.
 *
 * Returns HK_OK; HK_EEMPTY; HK_ERANGE if a value overflowed.
 */
enum hk_status hk_histogram_mean(const struct hk_histogram *h, double *mean);

#endif
