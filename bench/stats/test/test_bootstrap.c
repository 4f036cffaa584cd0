/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/stats/bootstrap.h"
#include "hk/stats/quantile.h"
#include "support.h"

static double first_mean(const double *means, const void *context)
{
    (void)context;
    return means[0];
}

static const struct hk_moment_statistic just_mean = {first_mean, NULL};

static double ratio_of_means(const double *means, const void *context)
{
    (void)context;
    return means[0] / means[1];
}

static double root_of_mean(const double *means, const void *context)
{
    (void)context;
    return sqrt(means[0]);
}

static const struct hk_moment_statistic just_root = {root_of_mean, NULL};

static double median_of(double *x, size_t n, const void *context)
{
    (void)context;
    double median = NAN;
    if (hk_sample_sort(x, n) != HK_OK || hk_quantile(x, n, 0.5, &median) != HK_OK) {
        return NAN;
    }
    return median;
}

static void fill_ar1(struct hk_rng *rng, double rho, double *x, size_t n)
{
    double value = hk_rng_normal(rng);
    for (size_t i = 0; i < n; i++) {
        value = rho * value + sqrt(1.0 - rho * rho) * hk_rng_normal(rng);
        x[i] = value;
    }
}

static void block_length_follows_the_memory(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct hk_rng *rng = test_rng(10);
    static double x[N];
    /*
     * Theory for AR(1): G = 2 rho / (1 - rho)^2, g(0) = (1 + rho) / (1 - rho), so
     * b = (1.5 (2 rho / (1 - rho^2))^2 n)^(1/3).
     */
    static const double rhos[] = {0.3, 0.6, 0.9};
    for (int r = 0; r < 3; r++) {
        const double g = 2.0 * rhos[r] / (1.0 - rhos[r] * rhos[r]);
        const double expected = cbrt(1.5 * g * g * N);
        double mean = 0.0;
        for (int s = 0; s < 40; s++) {
            size_t length;
            fill_ar1(rng, rhos[r], x, N);
            assert_int_equal(hk_block_length(x, N, &length), HK_OK);
            mean += (double)length / 40.0;
        }
        assert_true(mean > 0.75 * expected && mean < 1.35 * expected);
    }
    double mean = 0.0;
    for (int s = 0; s < 40; s++) {
        size_t length;
        fill_ar1(rng, 0.0, x, N);
        assert_int_equal(hk_block_length(x, N, &length), HK_OK);
        mean += (double)length / 40.0;
    }
    assert_true(mean < 4.0);
    hk_rng_destroy(rng);
}

/* Coverage of the mean of an AR(1) series by 90 % intervals. */
static uint64_t ar1_coverage(double rho, size_t n, size_t block, uint64_t replicates,
                             uint64_t stream)
{
    struct hk_rng *rng = test_rng(stream);
    double *x = malloc(n * sizeof *x);
    const double *columns[] = {x};
    const struct hk_moment_data data = {columns, 1, n};
    const struct hk_bootstrap_options options = {block, 300, 0.9};
    uint64_t hits = 0;
    for (uint64_t r = 0; r < replicates; r++) {
        struct hk_bootstrap b;
        fill_ar1(rng, rho, x, n);
        assert_int_equal(hk_bootstrap_moments(&data, &just_mean, 1, &options, rng, &b), HK_OK);
        hits += b.interval.lower <= 0.0 && b.interval.upper >= 0.0;
    }
    free(x);
    hk_rng_destroy(rng);
    return hits;
}

static void blocks_cover_where_independence_does_not(void **state)
{
    (void)state;
    /* of 300: 270 nominal, and the 99.9 % band with a little room for the method */
    assert_in_range(ar1_coverage(0.0, 300, 1, 300, 11), 248, 287);
    assert_in_range(ar1_coverage(0.6, 2000, 0, 300, 12), 244, 287);
    /* taking AR(.6) for independent leaves intervals half as wide as they should be */
    assert_true(ar1_coverage(0.6, 500, 1, 300, 13) < 210);
}

static void standard_error_is_the_known_one(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(14);
    double *x = malloc(N * sizeof *x);
    for (size_t i = 0; i < N; i++) {
        x[i] = hk_rng_exponential(rng, 2.385);
    }
    const double *columns[] = {x};
    const struct hk_moment_data data = {columns, 1, N};
    const struct hk_bootstrap_options options = {0, 2000, 0.95};
    struct hk_bootstrap b;
    assert_int_equal(hk_bootstrap_moments(&data, &just_mean, 1, &options, rng, &b), HK_OK);
    assert_near(b.standard_error, 2.385 / sqrt(N), 0.1 * 2.385 / sqrt(N));
    assert_near(b.interval.upper - b.interval.lower, 2.0 * 1.96 * 2.385 / sqrt(N),
                0.12 * 2.0 * 1.96 * 2.385 / sqrt(N));
    assert_int_equal(b.replicate_count, 2000);
    free(x);
    hk_rng_destroy(rng);
}

/* Of m values after n: the errors of both means. */
static void what_follows_varies_by_itself_too(void **state)
{
    (void)state;
    enum { N = 8000 };
    static const size_t next[] = {500, 8000, 32000};
    struct hk_rng *rng = test_rng(18);
    double *x = malloc(N * sizeof *x);
    for (size_t i = 0; i < N; i++) {
        x[i] = 23.85 + hk_rng_normal(rng);
    }
    const double *columns[] = {x};
    const struct hk_moment_data data = {columns, 1, N};
    const struct hk_bootstrap_options options = {0, 2000, 0.95};
    for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
        struct hk_interval interval;
        const double width = 2.0 * HK_Z_95 * sqrt(1.0 / N + 1.0 / (double)next[i]);
        assert_int_equal(hk_bootstrap_next(&data, &just_mean, next[i], &options, rng, &interval),
                         HK_OK);
        assert_near(interval.upper - interval.lower, width, 0.12 * width);
        assert_true(interval.lower < 23.85 && 23.85 < interval.upper);
    }
    free(x);
    hk_rng_destroy(rng);
}

static void general_and_moment_forms_agree(void **state)
{
    (void)state;
    enum { N = 400 };
    struct hk_rng *rng = test_rng(15);
    double x[N];
    fill_ar1(rng, 0.4, x, N);
    struct hk_bootstrap b;
    const struct hk_bootstrap_options options = {10, 3000, 0.9};
    assert_int_equal(hk_bootstrap_sample(x, N, median_of, NULL, &options, rng, &b), HK_OK);
    /* median of a normal AR(1): larger spread than the mean's, same order */
    assert_true(b.standard_error > 0.04 && b.standard_error < 0.16);
    assert_true(b.interval.lower < b.value && b.value < b.interval.upper);
    hk_rng_destroy(rng);
}

static void same_seed_same_interval(void **state)
{
    (void)state;
    const double x[] = {2.3, 1.1, 4.4, 3.2, 2.9, 5.1, 0.7, 3.3, 2.2, 4.0, 1.9, 2.8};
    const double *columns[] = {x};
    const struct hk_moment_data data = {columns, 1, 12};
    const struct hk_bootstrap_options options = {2, 500, 0.9};
    struct hk_bootstrap b[2];
    for (int i = 0; i < 2; i++) {
        struct hk_rng *rng = test_rng(16);
        assert_int_equal(hk_bootstrap_moments(&data, &just_root, 1, &options, rng, &b[i]),
                         HK_OK);
        hk_rng_destroy(rng);
    }
    assert_true(b[0].interval.lower == b[1].interval.lower);
    assert_true(b[0].interval.upper == b[1].interval.upper);
}

static void clusters_cover_a_ratio(void **state)
{
    (void)state;
    /* launch effects are common to a launch: its 50 values are one piece of evidence */
    enum { REPLICATES = 500, LAUNCHES = 30, VALUES = 50 };
    struct hk_rng *rng = test_rng(17);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double sums[2 * LAUNCHES];
        size_t counts[LAUNCHES];
        for (int l = 0; l < LAUNCHES; l++) {
            const double effect = 0.3 * hk_rng_normal(rng);
            counts[l] = VALUES;
            sums[2 * l] = VALUES * (3.0 + effect) + sqrt(VALUES) * 0.2 * hk_rng_normal(rng);
            sums[2 * l + 1] = VALUES * 2.0 + sqrt(VALUES) * 0.2 * hk_rng_normal(rng);
        }
        const struct hk_cluster_data data = {sums, counts, 2, LAUNCHES};
        const struct hk_bootstrap_options options = {0, 400, 0.9};
        struct hk_bootstrap b;
        assert_int_equal(hk_bootstrap_clusters(&data, ratio_of_means, NULL, &options, rng, &b),
                         HK_OK);
        hits += b.interval.lower <= 1.5 && b.interval.upper >= 1.5;
    }
    assert_in_range(hits, 425, 475);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(18);
    double x[16];
    double flat[16];
    double bad[16];
    for (int i = 0; i < 16; i++) {
        x[i] = sin(3.7 * i);
        flat[i] = 2.385;
        bad[i] = i == 9 ? INFINITY : 1.0;
    }
    const double *columns[] = {x};
    const double *flat_columns[] = {flat};
    const double *bad_columns[] = {bad};
    struct hk_moment_data data = {columns, 1, 16};
    const struct hk_moment_data flat_data = {flat_columns, 1, 16};
    const struct hk_moment_data bad_data = {bad_columns, 1, 16};
    struct hk_bootstrap_options options = {1, 200, 0.9};
    struct hk_bootstrap b;
    size_t length;
    assert_refused(hk_block_length(flat, 16, &length), HK_ENOISE, &length);
    assert_refused(hk_block_length(bad, 16, &length), HK_EINVAL, &length);
    assert_refused(hk_block_length(x, 7, &length), HK_ENOISE, &length);
    assert_int_equal(hk_block_length(x, 8, &length), HK_OK);
    assert_refused(hk_bootstrap_moments(&flat_data, &just_mean, 1, &options, rng, &b),
                   HK_ENOISE, &b);
    assert_refused(hk_bootstrap_moments(&bad_data, &just_mean, 1, &options, rng, &b),
                   HK_EINVAL, &b);
    /* half of the replicates have no root */
    assert_refused(hk_bootstrap_moments(&data, &just_root, 1, &options, rng, &b), HK_ENOISE,
                   &b);
    assert_refused(hk_bootstrap_moments(&data, NULL, 1, &options, rng, &b), HK_EINVAL, &b);
    data.n = 7;
    assert_refused(hk_bootstrap_moments(&data, &just_mean, 1, &options, rng, &b), HK_ENOISE,
                   &b);
    data.n = 16;
    options.block_count = 9;
    assert_refused(hk_bootstrap_moments(&data, &just_mean, 1, &options, rng, &b), HK_ENOISE,
                   &b);
    options = (struct hk_bootstrap_options){1, 99, 0.9};
    assert_refused(hk_bootstrap_moments(&data, &just_mean, 1, &options, rng, &b), HK_EINVAL,
                   &b);
    options = (struct hk_bootstrap_options){1, 200, 1.0};
    assert_refused(hk_bootstrap_sample(x, 16, median_of, NULL, &options, rng, &b), HK_EINVAL, &b);
    options.confidence_ratio = 0.9;
    assert_refused(hk_bootstrap_sample(flat, 16, median_of, NULL, &options, rng, &b), HK_ENOISE,
                   &b);
    assert_refused(hk_bootstrap_sample(x, 1, median_of, NULL, &options, rng, &b), HK_ENOISE, &b);
    assert_refused(hk_bootstrap_sample(bad, 16, median_of, NULL, &options, rng, &b), HK_EINVAL,
                   &b);
    const double *columns_next[] = {x};
    const double *columns_flat[] = {flat};
    const double *columns_bad[] = {bad};
    const struct hk_moment_data good = {columns_next, 1, 16};
    const struct hk_moment_data constant = {columns_flat, 1, 16};
    const struct hk_moment_data infinite = {columns_bad, 1, 16};
    struct hk_interval next;
    assert_refused(hk_bootstrap_next(&good, &just_mean, 0, &options, rng, &next), HK_EINVAL, &next);
    assert_refused(hk_bootstrap_next(&good, NULL, 4, &options, rng, &next), HK_EINVAL, &next);
    assert_refused(hk_bootstrap_next(&infinite, &just_mean, 4, &options, rng, &next), HK_EINVAL,
                   &next);
    assert_refused(hk_bootstrap_next(&constant, &just_mean, 4, &options, rng, &next), HK_ENOISE,
                   &next);
    size_t counts[5] = {1, 1, 1, 1, 0};
    const struct hk_cluster_data hollow = {x, counts, 1, 5};
    const struct hk_cluster_data few = {x, counts, 1, 4};
    assert_refused(hk_bootstrap_clusters(&hollow, first_mean, NULL, &options, rng, &b), HK_EINVAL,
                   &b);
    assert_refused(hk_bootstrap_clusters(&few, first_mean, NULL, &options, rng, &b), HK_ENOISE,
                   &b);
    hk_rng_destroy(rng);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_length_follows_the_memory),
        cmocka_unit_test(blocks_cover_where_independence_does_not),
        cmocka_unit_test(standard_error_is_the_known_one),
        cmocka_unit_test(what_follows_varies_by_itself_too),
        cmocka_unit_test(general_and_moment_forms_agree),
        cmocka_unit_test(same_seed_same_interval),
        cmocka_unit_test(clusters_cover_a_ratio),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
