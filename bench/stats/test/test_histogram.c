/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/stats/histogram.h"
#include "hk/stats/quantile.h"
#include "support.h"

static struct hk_histogram make(unsigned precision_bits, uint64_t value_max)
{
    size_t bytes;
    struct hk_histogram h;
    assert_int_equal(hk_histogram_bytes(precision_bits, value_max, &bytes), HK_OK);
    void *memory = malloc(bytes);
    assert_non_null(memory);
    assert_int_equal(hk_histogram_init(&h, memory, bytes, precision_bits, value_max), HK_OK);
    return h;
}

static void buckets_tile_the_values(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 14; bits++) {
        struct hk_histogram h = make(bits, UINT64_MAX);
        assert_true(h.value_max == UINT64_MAX);
        uint64_t next = 0;
        for (size_t i = 0; i < h.bucket_count; i++) {
            struct hk_histogram_bucket b;
            assert_int_equal(hk_histogram_bucket_get(&h, i, &b), HK_OK);
            assert_true(b.first == next);
            assert_true(b.last >= b.first);
            assert_int_equal(hk_histogram_index(bits, b.first), i);
            assert_int_equal(hk_histogram_index(bits, b.last), i);
            assert_true((double)(b.last - b.first) <= ldexp((double)b.first, -(int)bits));
            next = b.last + 1;
        }
        assert_true(next == 0); /* wrapped: the last bucket ends at 2^64 - 1 */
        free(h.buckets);
    }
}

static void quantiles_keep_their_relative_error(void **state)
{
    (void)state;
    enum { N = 20001, BITS = 7 };
    struct hk_rng *rng = test_rng(3);
    struct hk_histogram h = make(BITS, 100000000);
    double *x = malloc(N * sizeof *x);
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        const uint64_t value = (uint64_t)exp(8.0 + 2.0 * hk_rng_normal(rng));
        hk_histogram_record(&h, value);
        x[i] = (double)value;
        sum += x[i];
    }
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    assert_int_equal(h.count, N);
    assert_int_equal(h.overflow_count, 0);
    for (double q = 0.0; q <= 1.0; q += 0.0625) {
        double value;
        const size_t rank = q == 0.0 ? 1 : (size_t)ceil(q * N);
        assert_int_equal(hk_histogram_quantile(&h, q, &value), HK_OK);
        assert_true(fabs(value - x[rank - 1]) <= ldexp(x[rank - 1], -(BITS + 1)));
    }
    double mean;
    assert_int_equal(hk_histogram_mean(&h, &mean), HK_OK);
    assert_true(fabs(mean - sum / N) <= ldexp(sum / N, -(BITS + 1)));
    struct hk_histogram_bucket b;
    assert_int_equal(hk_histogram_bucket_get(&h, hk_histogram_index(BITS, 9000), &b), HK_OK);
    uint64_t above = 0;
    for (int i = 0; i < N; i++) {
        above += x[i] > (double)b.last;
    }
    assert_int_equal(hk_histogram_count_above(&h, b.last), above);
    free(x);
    free(h.buckets);
    hk_rng_destroy(rng);
}

static void overflow_is_counted_and_not_invented(void **state)
{
    (void)state;
    struct hk_histogram h = make(3, 1000);
    double value;
    for (int i = 0; i < 90; i++) {
        hk_histogram_record(&h, 17);
    }
    for (int i = 0; i < 10; i++) {
        hk_histogram_record(&h, 5000 + (uint64_t)i);
    }
    assert_int_equal(h.count, 100);
    assert_int_equal(h.overflow_count, 10);
    assert_true(h.max_seen == 5009 && h.min_seen == 17);
    assert_int_equal(hk_histogram_quantile(&h, 0.9, &value), HK_OK);
    assert_near(value, 17.0, 0.0625);
    assert_refused(hk_histogram_quantile(&h, 0.91, &value), HK_ERANGE, &value);
    assert_refused(hk_histogram_mean(&h, &value), HK_ERANGE, &value);
    assert_int_equal(hk_histogram_count_above(&h, 100), 10);
    assert_int_equal(hk_histogram_count_above(&h, 1u << 20), 10);
    hk_histogram_reset(&h);
    assert_refused(hk_histogram_quantile(&h, 0.5, &value), HK_EEMPTY, &value);
    assert_refused(hk_histogram_mean(&h, &value), HK_EEMPTY, &value);
    assert_refused(hk_histogram_value_at_rank(&h, 1, &value), HK_EEMPTY, &value);
    free(h.buckets);
}

static void merge_adds_exactly(void **state)
{
    (void)state;
    struct hk_histogram a = make(5, 4096);
    struct hk_histogram b = make(5, 4096);
    struct hk_histogram both = make(5, 4096);
    for (uint64_t v = 0; v < 6000; v += 7) {
        hk_histogram_record(v % 2 ? &a : &b, v);
        hk_histogram_record(&both, v);
    }
    assert_int_equal(hk_histogram_merge(&a, &b), HK_OK);
    assert_int_equal(a.count, both.count);
    assert_int_equal(a.overflow_count, both.overflow_count);
    assert_true(a.min_seen == both.min_seen && a.max_seen == both.max_seen);
    assert_memory_equal(a.buckets, both.buckets, a.bucket_count * sizeof *a.buckets);
    struct hk_histogram other = make(6, 4096);
    assert_int_equal(hk_histogram_merge(&a, &other), HK_EINVAL);
    assert_int_equal(a.count, both.count);
    free(a.buckets);
    free(b.buckets);
    free(both.buckets);
    free(other.buckets);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    size_t bytes;
    assert_refused(hk_histogram_bytes(0, 10, &bytes), HK_EINVAL, &bytes);
    assert_refused(hk_histogram_bytes(15, 10, &bytes), HK_EINVAL, &bytes);
    assert_refused(hk_histogram_bytes(7, 0, &bytes), HK_EINVAL, &bytes);
    uint64_t memory[16];
    struct hk_histogram h;
    assert_refused(hk_histogram_init(&h, memory, sizeof memory, 7, 1000), HK_ENOSPC, &h);
    assert_refused(hk_histogram_init(&h, NULL, sizeof memory, 3, 10), HK_EINVAL, &h);
    assert_int_equal(hk_histogram_init(&h, memory, sizeof memory, 3, 10), HK_OK);
    double value;
    hk_histogram_record(&h, 4);
    assert_refused(hk_histogram_value_at_rank(&h, 0, &value), HK_EINVAL, &value);
    assert_refused(hk_histogram_value_at_rank(&h, 2, &value), HK_EINVAL, &value);
    assert_refused(hk_histogram_quantile(&h, 1.5, &value), HK_EINVAL, &value);
    struct hk_histogram_bucket b;
    assert_refused(hk_histogram_bucket_get(&h, h.bucket_count, &b), HK_ERANGE, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_tile_the_values),
        cmocka_unit_test(quantiles_keep_their_relative_error),
        cmocka_unit_test(overflow_is_counted_and_not_invented),
        cmocka_unit_test(merge_adds_exactly),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
