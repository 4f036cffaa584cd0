/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/quantile.h"
#include "support.h"

/* R 4.2, quantile(x, q, type = 7) */
static const double sample[] = {2.385, 17.91, 3.141, 8.774, 5.02, -1.337, 12.08};
static const struct {
    double q;
    double expected;
} quantiles[] = {
    {0.0, -1.337}, {0.1, 0.8962},   {0.25, 2.763}, {0.5, 5.02},
    {0.9, 14.412}, {0.99, 17.5602}, {1.0, 17.91},
};

static void quantiles_match_r(void **state)
{
    (void)state;
    double x[7];
    memcpy(x, sample, sizeof x);
    assert_int_equal(hk_sample_sort(x, 7), HK_OK);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        double value;
        assert_int_equal(hk_quantile(x, 7, quantiles[i].q, &value), HK_OK);
        assert_near(value, quantiles[i].expected, 1e-14);
    }
}

static void one_value_is_every_quantile(void **state)
{
    (void)state;
    const double x = 2.385;
    double value;
    assert_int_equal(hk_quantile(&x, 1, 0.37, &value), HK_OK);
    assert_near(value, 2.385, 0.0);
}

/* P(lower <= Bin(n, q) < upper) summed term by term. */
static double coverage_of(size_t n, double q, size_t lower, size_t upper)
{
    double sum = 0.0;
    for (size_t k = lower; k < upper; k++) {
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
                   (double)k * log(q) + (double)(n - k) * log1p(-q));
    }
    return sum;
}

static void interval_ranks_cover_and_cannot_shrink(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double q;
    } cases[] = {{10, 0.5}, {47, 0.5}, {200, 0.9}, {1000, 0.99}, {5000, 0.999}, {60, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_quantile_ranks ranks;
        const size_t n = cases[i].n;
        const double q = cases[i].q;
        assert_int_equal(hk_quantile_interval_ranks(n, q, 0.95, &ranks), HK_OK);
        assert_true(ranks.lower >= 1 && ranks.lower < ranks.upper && ranks.upper <= n);
        assert_near(ranks.coverage_ratio, coverage_of(n, q, ranks.lower, ranks.upper), 1e-9);
        assert_true(ranks.coverage_ratio >= 0.95);
        /* one rank further in, a side misses more than its 2.5 % */
        assert_true(coverage_of(n, q, 0, ranks.lower + 1) > 0.025);
        assert_true(coverage_of(n, q, ranks.upper - 1, n + 1) > 0.025);
    }
}

static void median_interval_of_ten_is_the_textbook_one(void **state)
{
    (void)state;
    /* Conover, section 3.2: ranks 2 and 9, 97.85 % */
    struct hk_quantile_ranks ranks;
    assert_int_equal(hk_quantile_interval_ranks(10, 0.5, 0.95, &ranks), HK_OK);
    assert_int_equal(ranks.lower, 2);
    assert_int_equal(ranks.upper, 9);
    assert_near(ranks.coverage_ratio, 1.0 - 22.0 / 1024.0, 1e-12);
}

static void a_tail_is_never_extrapolated(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(hk_quantile_count_needed(0.999, 0.95, &count), HK_OK);
    assert_int_equal(count, 2995);
    assert_int_equal(hk_quantile_count_needed(0.99, 0.95, &count), HK_OK);
    assert_int_equal(count, 299);
    /* two-sided at 90 % has 5 % above: the same bound */
    struct hk_quantile_ranks ranks;
    assert_refused(hk_quantile_interval_ranks(298, 0.99, 0.90, &ranks), HK_ENOISE, &ranks);
    assert_int_equal(hk_quantile_interval_ranks(299, 0.99, 0.90, &ranks), HK_OK);
    assert_int_equal(ranks.upper, 299);
    assert_refused(hk_quantile_interval_ranks(5, 0.5, 0.95, &ranks), HK_ENOISE, &ranks);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double x[] = {1.5, NAN, 0.5};
    const double before[] = {1.5, 0.5};
    assert_int_equal(hk_sample_sort(x, 3), HK_EINVAL);
    assert_near(x[0], before[0], 0.0);
    assert_near(x[2], before[1], 0.0);
    assert_int_equal(hk_sample_sort(x, 0), HK_EINVAL);
    assert_int_equal(hk_sample_sort(NULL, 3), HK_EINVAL);
    assert_false(hk_sample_finite(x, 3));
    assert_false(hk_sample_finite(NULL, 3));
    assert_false(hk_sample_finite(x, 0));
    double value;
    assert_refused(hk_quantile(sample, 0, 0.5, &value), HK_EINVAL, &value);
    assert_refused(hk_quantile(sample, 7, -0.01, &value), HK_EINVAL, &value);
    assert_refused(hk_quantile(sample, 7, 1.01, &value), HK_EINVAL, &value);
    assert_refused(hk_quantile(sample, 7, NAN, &value), HK_EINVAL, &value);
    struct hk_interval interval;
    assert_refused(hk_quantile_interval(sample, 7, 1.0, 0.9, &interval), HK_EINVAL, &interval);
    assert_refused(hk_quantile_interval(sample, 7, 0.5, 1.0, &interval), HK_EINVAL, &interval);
    assert_refused(hk_quantile_interval(NULL, 7, 0.5, 0.9, &interval), HK_EINVAL, &interval);
    size_t count;
    assert_refused(hk_quantile_count_needed(1.0, 0.9, &count), HK_EINVAL, &count);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_match_r),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(interval_ranks_cover_and_cannot_shrink),
        cmocka_unit_test(median_interval_of_ten_is_the_textbook_one),
        cmocka_unit_test(a_tail_is_never_extrapolated),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
