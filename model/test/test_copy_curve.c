/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/model/copy_curve.h"
#include "support.h"

#define KIB 1024.0

static const double sizes[] = {0,          1 * KIB,   2 * KIB,   4 * KIB,   8 * KIB,
                               16 * KIB,   24 * KIB,  32 * KIB,  48 * KIB,  64 * KIB,
                               128 * KIB,  256 * KIB, 384 * KIB, 512 * KIB, 768 * KIB,
                               1024 * KIB, 1536 * KIB, 2048 * KIB};
#define SIZES (sizeof sizes / sizeof sizes[0])

/* Cost with one slope per cache level; the breaks are part of the truth. */
static double truth_ns(double bytes, size_t levels)
{
    static const double breaks[] = {32 * KIB, 512 * KIB};
    static const double slopes[] = {0.06, 0.09, 0.35};
    double cost = 700.0 + slopes[0] * bytes;
    for (size_t j = 0; j + 1 < levels; j++) {
        cost += (slopes[j + 1] - slopes[j]) * fmax(0.0, bytes - breaks[j]);
    }
    return cost;
}

static size_t simulate(struct hk_rng *rng, size_t levels, double relative_sd, size_t launches,
                       double *bytes, double *cost)
{
    size_t n = 0;
    for (size_t l = 0; l < launches; l++) {
        for (size_t i = 0; i < SIZES; i++) {
            bytes[n] = sizes[i];
            cost[n++] = truth_ns(sizes[i], levels) * (1.0 + relative_sd * hk_rng_normal(rng));
        }
    }
    return n;
}

static void levels_are_counted(void **state)
{
    (void)state;
    enum { LAUNCHES = 10, REPLICATES = 12 };
    struct hk_rng *rng = test_rng(150);
    double bytes[SIZES * LAUNCHES];
    double cost[SIZES * LAUNCHES];
    for (size_t levels = 1; levels <= 3; levels++) {
        int right = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct hk_copy_curve curve;
            const size_t n = simulate(rng, levels, 0.01, LAUNCHES, bytes, cost);
            assert_int_equal(hk_copy_curve_fit(bytes, cost, n, 3, &curve), HK_OK);
            right += curve.break_count == levels - 1;
            if (curve.break_count == levels - 1) {
                assert_near(curve.terms[0], 700.0, 0.02);
                assert_near(curve.terms[1], 0.06, 0.003);
                assert_near(curve.relative_sd, 0.01, 0.002);
            }
            if (levels == 3 && curve.break_count == 2) {
                assert_near(curve.break_bytes[1] / (512 * KIB), 1.0, 0.15);
            }
        }
        assert_true(right >= REPLICATES - 2);
    }
    hk_rng_destroy(rng);
}

static void exact_data_are_recovered(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(151);
    double bytes[SIZES];
    double cost[SIZES];
    const size_t n = simulate(rng, 3, 0.0, 1, bytes, cost);
    struct hk_copy_curve curve;
    assert_int_equal(hk_copy_curve_fit(bytes, cost, n, 2, &curve), HK_OK);
    assert_int_equal(curve.break_count, 2);
    assert_near(curve.break_bytes[0], 32 * KIB, 1e-6);
    assert_near(curve.break_bytes[1], 512 * KIB, 1e-6);
    struct hk_estimate mean;
    assert_int_equal(hk_copy_curve_predict(&curve, 100 * KIB, 0.95, &mean, NULL), HK_OK);
    assert_near(mean.value / truth_ns(100 * KIB, 3), 1.0, 1e-9);
    hk_rng_destroy(rng);
}

static void unseen_sizes_are_predicted_and_covered(void **state)
{
    (void)state;
    enum { LAUNCHES = 6, REPLICATES = 60 };
    static const double unseen[] = {3000, 12000, 100 * KIB, 200 * KIB, 700 * KIB, 1800 * KIB};
    struct hk_rng *rng = test_rng(152);
    double bytes[SIZES * LAUNCHES];
    double cost[SIZES * LAUNCHES];
    uint64_t hits = 0;
    uint64_t trials = 0;
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_copy_curve curve;
        const size_t n = simulate(rng, 3, 0.02, LAUNCHES, bytes, cost);
        assert_int_equal(hk_copy_curve_fit(bytes, cost, n, 2, &curve), HK_OK);
        for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
            struct hk_estimate mean;
            struct hk_interval interval;
            const double seen =
                truth_ns(unseen[i], 3) * (1.0 + 0.02 * hk_rng_normal(rng));
            assert_int_equal(hk_copy_curve_predict(&curve, unseen[i], 0.95, &mean, &interval),
                             HK_OK);
            assert_near(mean.value / truth_ns(unseen[i], 3), 1.0, 0.05);
            hits += interval.lower <= seen && seen <= interval.upper;
            trials++;
        }
    }
    assert_rate(hits, trials, 0.95);
    hk_rng_destroy(rng);
}

static void curves_cross_where_remapping_starts_to_pay(void **state)
{
    (void)state;
    enum { N = 6 };
    const double bytes[N] = {4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB};
    double copy[N];
    double remap[N];
    for (int i = 0; i < N; i++) {
        copy[i] = 200.0 + 0.10 * bytes[i];
        remap[i] = 9000.0 + 0.02 * bytes[i];
    }
    struct hk_copy_curve k;
    struct hk_copy_curve z;
    double at;
    assert_int_equal(hk_copy_curve_fit(bytes, copy, N, 0, &k), HK_OK);
    assert_int_equal(hk_copy_curve_fit(bytes, remap, N, 0, &z), HK_OK);
    assert_int_equal(hk_copy_curve_crossing(&k, &z, &at), HK_OK);
    assert_near(at, 8800.0 / 0.08, 1e-6);
    assert_int_equal(hk_copy_curve_crossing(&z, &k, &at), HK_OK);
    assert_near(at, 8800.0 / 0.08, 1e-6);
    for (int i = 0; i < N; i++) {
        remap[i] = copy[i] + 500.0;
    }
    assert_int_equal(hk_copy_curve_fit(bytes, remap, N, 0, &z), HK_OK);
    assert_refused(hk_copy_curve_crossing(&k, &z, &at), HK_ERANGE, &at);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double bytes[] = {1, 2, 3, 4, 5, 6};
    const double few[] = {1, 1, 1, 2, 2, 3};
    const double cost[] = {1, 2, 3, 4, 5, 7};
    const double zero[] = {1, 2, 3, 0, 5, 6};
    const double negative[] = {-1, 2, 3, 4, 5, 6};
    struct hk_copy_curve curve;
    assert_refused(hk_copy_curve_fit(bytes, cost, 4, 1, &curve), HK_ENOISE, &curve);
    assert_refused(hk_copy_curve_fit(few, cost, 6, 1, &curve), HK_ENOISE, &curve);
    assert_refused(hk_copy_curve_fit(bytes, zero, 6, 1, &curve), HK_EINVAL, &curve);
    assert_refused(hk_copy_curve_fit(negative, cost, 6, 1, &curve), HK_EINVAL, &curve);
    assert_refused(hk_copy_curve_fit(bytes, cost, 6, 4, &curve), HK_EINVAL, &curve);
    assert_int_equal(hk_copy_curve_fit(bytes, cost, 6, 3, &curve), HK_OK);
    struct hk_estimate mean;
    assert_refused(hk_copy_curve_predict(&curve, 0.5, 0.95, &mean, NULL), HK_ERANGE, &mean);
    assert_refused(hk_copy_curve_predict(&curve, 6.5, 0.95, &mean, NULL), HK_ERANGE, &mean);
    assert_refused(hk_copy_curve_predict(&curve, NAN, 0.95, &mean, NULL), HK_EINVAL, &mean);
    assert_refused(hk_copy_curve_predict(NULL, 2.0, 0.95, &mean, NULL), HK_EINVAL, &mean);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_counted),
        cmocka_unit_test(exact_data_are_recovered),
        cmocka_unit_test(unseen_sizes_are_predicted_and_covered),
        cmocka_unit_test(curves_cross_where_remapping_starts_to_pay),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
