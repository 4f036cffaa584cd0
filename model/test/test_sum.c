/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hk/model/sum.h"
#include "hk/stats/quantile.h"
#include "support.h"

#define N 20000

/* Erlang-4 by four exponential parts; tail by the Poisson sum. */
static double erlang4_tail(double x)
{
    return exp(-x) * (1.0 + x + x * x / 2.0 + x * x * x / 6.0);
}

/* An exponential sample without luck: the quantiles at (i + 1/2) / n. */
static void fill_exponential(double *sorted, size_t n, double mean)
{
    for (size_t i = 0; i < n; i++) {
        sorted[i] = -mean * log1p(-((double)i + 0.5) / (double)n);
    }
}

static void four_exponential_hops_are_erlang(void **state)
{
    (void)state;
    double *sorted = malloc(N * sizeof *sorted);
    fill_exponential(sorted, N, 1000.0);
    const struct hk_sum_part part = {sorted, N, 4};
    struct hk_sum *sum;
    assert_int_equal(hk_sum_create(&part, 1, 65536, &sum), HK_OK);
    for (double x = 1.0; x <= 12.0; x += 1.0) {
        double p;
        assert_int_equal(hk_sum_exceedance(sum, 1000.0 * x, &p), HK_OK);
        /* the sample ends at its largest value: 1e-3 of the tail is lost far out */
        assert_near(p / erlang4_tail(x), 1.0, x < 9.0 ? 0.002 : 0.03);
        struct hk_sum_quantile q;
        assert_int_equal(hk_sum_quantile(sum, 1.0 - erlang4_tail(x), &q), HK_OK);
        assert_near(q.independent_ns, 1000.0 * x, 0.004);
    }
    struct hk_sum_quantile p99;
    assert_int_equal(hk_sum_quantile(sum, 0.99, &p99), HK_OK);
    assert_near(p99.comonotone_ns, 4000.0 * log(100.0), 0.001); /* adding p99s: 83 % too much */
    assert_near(p99.independent_ns, 10045.1, 0.002); /* scipy.stats.gamma(4).ppf(.99) */
    double mean;
    double sd;
    assert_int_equal(hk_sum_moments(sum, &mean, &sd), HK_OK);
    assert_near(mean, 4000.0, 1e-3);
    assert_near(sd, 2000.0, 2e-3);
    hk_sum_destroy(sum);
    free(sorted);
}

/* Three different laws against a resampled sum. */
static void convolution_matches_resampling(void **state)
{
    (void)state;
    enum { DRAWS = 300000 };
    struct hk_rng *rng = test_rng(530);
    double *a = malloc(N * sizeof *a);
    double *b = malloc(N * sizeof *b);
    double *drawn = malloc(DRAWS * sizeof *drawn);
    for (size_t i = 0; i < N; i++) {
        a[i] = 4000.0 + 300.0 * hk_rng_normal(rng) + (hk_rng_uniform(rng) < 0.02 ? 5e4 : 0.0);
        b[i] = 900.0 * exp(0.8 * hk_rng_normal(rng));
    }
    assert_int_equal(hk_sample_sort(a, N), HK_OK);
    assert_int_equal(hk_sample_sort(b, N), HK_OK);
    const double fixed[] = {350.0};
    const struct hk_sum_part parts[] = {{a, N, 2}, {b, N, 3}, {fixed, 1, 1}};
    for (size_t i = 0; i < DRAWS; i++) {
        drawn[i] = 350.0;
        for (int k = 0; k < 5; k++) {
            drawn[i] += (k < 2 ? a : b)[hk_rng_below(rng, N)];
        }
    }
    assert_int_equal(hk_sample_sort(drawn, DRAWS), HK_OK);
    struct hk_sum *sum;
    assert_int_equal(hk_sum_create(parts, 3, 1u << 17, &sum), HK_OK);
    for (double q = 0.01; q < 0.999; q += 0.07) {
        struct hk_sum_quantile found;
        double expected;
        assert_int_equal(hk_sum_quantile(sum, q, &found), HK_OK);
        assert_int_equal(hk_quantile(drawn, DRAWS, q, &expected), HK_OK);
        assert_near(found.independent_ns / expected, 1.0, 0.02);
        double p;
        assert_int_equal(hk_sum_exceedance(sum, found.independent_ns, &p), HK_OK);
        assert_near(p, 1.0 - q, 1e-9);
    }
    hk_sum_destroy(sum);
    free(a);
    free(b);
    free(drawn);
    hk_rng_destroy(rng);
}

static void constants_just_add(void **state)
{
    (void)state;
    const double five[] = {5.0, 5.0, 5.0};
    const double seven[] = {7.0};
    const struct hk_sum_part parts[] = {{five, 3, 3}, {seven, 1, 1}};
    struct hk_sum *sum;
    struct hk_sum_quantile q;
    double p;
    double mean;
    double sd;
    assert_int_equal(hk_sum_create(parts, 2, 256, &sum), HK_OK);
    assert_int_equal(hk_sum_quantile(sum, 0.5, &q), HK_OK);
    assert_near(q.independent_ns, 22.0, 1e-14);
    assert_near(q.comonotone_ns, 22.0, 1e-14);
    assert_int_equal(hk_sum_exceedance(sum, 21.999, &p), HK_OK);
    assert_near(p, 1.0, 0.0);
    assert_int_equal(hk_sum_exceedance(sum, 22.0, &p), HK_OK);
    assert_near(p, 0.0, 0.0);
    assert_int_equal(hk_sum_moments(sum, &mean, &sd), HK_OK);
    assert_near(sd, 0.0, 0.0);
    hk_sum_destroy(sum);
    hk_sum_destroy(NULL);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double good[] = {1.0, 2.0};
    const double falling[] = {2.0, 1.0};
    const double endless[] = {1.0, INFINITY};
    const double huge[] = {-1.7e308, 1.7e308};
    const struct hk_sum_part bad[] = {
        {falling, 2, 1}, {endless, 2, 1}, {good, 0, 1}, {good, 2, 0}, {good, 2, 1001},
        {NULL, 2, 1}, {huge, 2, 1}, {good, 2, 200}};
    struct hk_sum *sum = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(hk_sum_create(&bad[i], 1, 256, &sum), HK_EINVAL);
        assert_null(sum);
    }
    const struct hk_sum_part part = {good, 2, 2};
    assert_int_equal(hk_sum_create(&part, 1, 300, &sum), HK_EINVAL);
    assert_int_equal(hk_sum_create(&part, 1, 128, &sum), HK_EINVAL);
    assert_int_equal(hk_sum_create(&part, 0, 256, &sum), HK_EINVAL);
    assert_int_equal(hk_sum_create(&part, 1, 256, &sum), HK_OK);
    struct hk_sum_quantile q;
    double p;
    assert_refused(hk_sum_quantile(sum, 1.1, &q), HK_EINVAL, &q);
    assert_refused(hk_sum_quantile(sum, NAN, &q), HK_EINVAL, &q);
    assert_refused(hk_sum_exceedance(sum, INFINITY, &p), HK_EINVAL, &p);
    hk_sum_destroy(sum);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_exponential_hops_are_erlang),
        cmocka_unit_test(convolution_matches_resampling),
        cmocka_unit_test(constants_just_add),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
