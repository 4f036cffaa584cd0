/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/model/throughput.h"
#include "support.h"

static struct hk_estimate exactly(double value)
{
    return (struct hk_estimate){value, 0.0, 30};
}

static void textbook_is_the_closed_form(void **state)
{
    (void)state;
    static const struct {
        double alpha;
        double beta;
        double ratio;
    } cases[] = {
        {0.0, 1.0, 1.0},        /* a copy replaced by a copy */
        {0.0, 0.0, 2.0},        /* all free: twice the kernel, which still copies */
        {0.385, 0.23, 1.0},     /* beta + 2 alpha = 1: break-even */
        {2.385, 3.17, 2.0 / 8.94},
        {0.1, 142.0, 2.0 / 143.2}, /* page moves of 4 KB cost 142 copies */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hk_estimate alpha = exactly(cases[i].alpha);
        const struct hk_estimate beta = exactly(cases[i].beta);
        struct hk_estimate t;
        double general;
        assert_int_equal(hk_throughput_textbook(&alpha, &beta, 0.0, &t), HK_OK);
        assert_near(t.value, cases[i].ratio, 1e-14);
        assert_near(t.standard_error, 0.0, 0.0);
        /* phi = 1/2, a = alpha / 2 */
        assert_int_equal(hk_throughput_general(0.5, cases[i].beta, cases[i].alpha / 2.0, &general),
                         HK_OK);
        assert_near(general, cases[i].ratio, 1e-14);
    }
    /* break-even in general: phi (1 - beta) = 2 a */
    double ratio;
    assert_int_equal(hk_throughput_general(0.3, 0.4, 0.09, &ratio), HK_OK);
    assert_near(ratio, 1.0, 1e-14);
}

static double simulated_sd(const struct hk_throughput_costs *costs, bool adaptive)
{
    enum { N = 30000 };
    struct hk_rng *rng = test_rng(400);
    double mean = 0.0;
    double squares = 0.0;
    for (int i = 1; i <= N; i++) {
        struct hk_throughput_costs drawn = *costs;
        struct hk_estimate *all[] = {&drawn.base_ns, &drawn.copy_ns, &drawn.remap_ns,
                                     &drawn.transfer_ns};
        for (int j = 0; j < 4; j++) {
            all[j]->value += all[j]->standard_error * hk_rng_normal(rng);
        }
        struct hk_throughput t;
        assert_int_equal(hk_throughput_predict(&drawn, &t), HK_OK);
        const double x = adaptive ? t.adaptive.value : t.ratio.value;
        const double step = x - mean;
        mean += step / i;
        squares += step * (x - mean);
    }
    hk_rng_destroy(rng);
    return sqrt(squares / (N - 1));
}

static void errors_match_simulation(void **state)
{
    (void)state;
    struct hk_throughput_costs costs = {
        .base_ns = {2385.0, 40.0, 20},
        .copy_ns = {5110.0, 70.0, 18},
        .remap_ns = {1730.0, 55.0, 25},
        .transfer_ns = {1210.0, 31.0, 30},
    };
    struct hk_throughput t;
    assert_int_equal(hk_throughput_predict(&costs, &t), HK_OK);
    assert_near(t.copy_share_ratio, 5110.0 / 7495.0, 1e-14);
    assert_near(t.beta, 1730.0 / 5110.0, 1e-14);
    assert_near(t.ratio.value, 7495.0 / 6535.0, 1e-14);
    assert_near(t.adaptive.value, t.ratio.value, 0.0);
    assert_int_equal(t.ratio.count, 18);
    assert_near(t.ratio.standard_error / simulated_sd(&costs, false), 1.0, 0.03);
    /* a remap dearer than the copy: the adaptive policy copies, and shares k's error */
    costs.remap_ns.value = 9000.0;
    assert_int_equal(hk_throughput_predict(&costs, &t), HK_OK);
    assert_near(t.adaptive.value, 7495.0 / (7495.0 + 2420.0), 1e-14);
    assert_true(t.adaptive.value > t.ratio.value);
    assert_near(t.adaptive.standard_error / simulated_sd(&costs, true), 1.0, 0.03);
    /* the textbook's error with its covariance */
    const struct hk_estimate alpha = {0.31, 0.012, 20};
    const struct hk_estimate beta = {0.47, 0.020, 20};
    struct hk_estimate ratio;
    assert_int_equal(hk_throughput_textbook(&alpha, &beta, 0.0001, &ratio), HK_OK);
    assert_near(ratio.standard_error,
                2.0 * sqrt(0.0004 + 4 * 0.000144 + 4 * 0.0001) / (2.09 * 2.09), 1e-12);
}

/* Copies that grow with the size against page moves that hardly do, +-2 % scatter. */
static void fit_curves(struct hk_rng *rng, struct hk_copy_curve *copy,
                       struct hk_copy_curve *remap)
{
    enum { SIZES = 9, REPEATS = 4 };
    double bytes[SIZES * REPEATS];
    double copy_ns[SIZES * REPEATS];
    double remap_ns[SIZES * REPEATS];
    for (int i = 0; i < SIZES * REPEATS; i++) {
        bytes[i] = 4096.0 * (1 << (i % SIZES));
        copy_ns[i] = (90.0 + 0.11 * bytes[i]) * (1.0 + 0.02 * hk_rng_normal(rng));
        remap_ns[i] = (2400.0 + 0.013 * bytes[i]) * (1.0 + 0.02 * hk_rng_normal(rng));
    }
    assert_int_equal(hk_copy_curve_fit(bytes, copy_ns, SIZES * REPEATS, 0, copy), HK_OK);
    assert_int_equal(hk_copy_curve_fit(bytes, remap_ns, SIZES * REPEATS, 0, remap), HK_OK);
}

static void break_even_size_is_covered(void **state)
{
    (void)state;
    enum { REPLICATES = 1000 };
    struct hk_rng *rng = test_rng(401);
    /* 90 + .11 L = 2400 + .013 L + 2 * 4150 */
    const double truth = (2400.0 + 8300.0 - 90.0) / (0.11 - 0.013);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_copy_curve copy;
        struct hk_copy_curve remap;
        fit_curves(rng, &copy, &remap);
        const struct hk_throughput_curves curves = {
            .base_ns = {9000.0, 50.0, 20},
            .transfer_ns = {4150.0 + 60.0 * hk_rng_normal(rng), 60.0, 200},
            .copy = &copy,
            .remap = &remap,
        };
        struct hk_break_even_size size;
        assert_int_equal(hk_throughput_break_even(&curves, 0.95, &size), HK_OK);
        assert_true(size.bounded);
        assert_true(size.interval.lower < size.bytes.value);
        assert_true(size.interval.upper > size.bytes.value);
        assert_near(size.bytes.value / truth, 1.0, 0.1);
        hits += size.interval.lower <= truth && truth <= size.interval.upper;
        struct hk_throughput t;
        assert_int_equal(hk_throughput_at(&curves, size.bytes.value, &t), HK_OK);
        assert_near(t.ratio.value, 1.0, 1e-9);
    }
    assert_rate(hits, REPLICATES, 0.95);
    hk_rng_destroy(rng);
}

static void parallel_curves_leave_the_size_open(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(402);
    struct hk_copy_curve copy;
    struct hk_copy_curve remap;
    fit_curves(rng, &copy, &remap);
    struct hk_throughput_curves curves = {
        .base_ns = {9000.0, 50.0, 20},
        .transfer_ns = {4150.0, 4000.0, 3},
        .copy = &copy,
        .remap = &remap,
    };
    struct hk_break_even_size size;
    assert_int_equal(hk_throughput_break_even(&curves, 0.95, &size), HK_OK);
    assert_false(size.bounded);
    assert_near(size.interval.lower, 4096.0, 0.0);
    curves.transfer_ns = exactly(1e7);
    assert_refused(hk_throughput_break_even(&curves, 0.95, &size), HK_ERANGE, &size);
    struct hk_throughput t;
    assert_refused(hk_throughput_at(&curves, 4095.0, &t), HK_ERANGE, &t);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const struct hk_estimate good = {0.4, 0.01, 9};
    const struct hk_estimate bad[] = {
        {-0.1, 0.0, 9}, {NAN, 0.0, 9}, {INFINITY, 0.0, 9}, {0.4, -1.0, 9}, {0.4, NAN, 9},
    };
    struct hk_estimate out;
    struct hk_throughput t;
    double ratio;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(hk_throughput_textbook(&bad[i], &good, 0.0, &out), HK_EINVAL, &out);
        assert_refused(hk_throughput_textbook(&good, &bad[i], 0.0, &out), HK_EINVAL, &out);
        const struct hk_throughput_costs costs[] = {
            {bad[i], good, good, good},
            {good, bad[i], good, good},
            {good, good, bad[i], good},
            {good, good, good, bad[i]},
        };
        for (int j = 0; j < 4; j++) {
            assert_refused(hk_throughput_predict(&costs[j], &t), HK_EINVAL, &t);
        }
    }
    assert_refused(hk_throughput_textbook(&good, &good, 2e-4, &out), HK_EINVAL, &out);
    assert_refused(hk_throughput_textbook(&good, &good, NAN, &out), HK_EINVAL, &out);
    assert_refused(hk_throughput_general(1.0, 0.0, 0.0, &ratio), HK_ERANGE, &ratio);
    assert_refused(hk_throughput_general(1.1, 0.0, 0.0, &ratio), HK_EINVAL, &ratio);
    assert_refused(hk_throughput_general(0.5, -1.0, 0.0, &ratio), HK_EINVAL, &ratio);
    assert_refused(hk_throughput_general(0.5, 1.0, NAN, &ratio), HK_EINVAL, &ratio);
    const struct hk_throughput_costs tiny = {
        {1e-300, 0.0, 9}, {1e-300, 0.0, 9}, {1e300, 1e300, 9}, {1e300, 1e300, 9}};
    assert_refused(hk_throughput_predict(&tiny, &t), HK_ERANGE, &t);
    assert_refused(hk_throughput_predict(NULL, &t), HK_EINVAL, &t);
    struct hk_throughput_curves none = {.transfer_ns = good};
    struct hk_break_even_size size;
    assert_refused(hk_throughput_break_even(&none, 0.95, &size), HK_EINVAL, &size);
    assert_refused(hk_throughput_at(&none, 4096.0, &t), HK_EINVAL, &t);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(textbook_is_the_closed_form),
        cmocka_unit_test(errors_match_simulation),
        cmocka_unit_test(break_even_size_is_covered),
        cmocka_unit_test(parallel_curves_leave_the_size_open),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
