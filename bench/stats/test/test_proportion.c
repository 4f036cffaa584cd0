/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/proportion.h"
#include "support.h"

/* R 4.2: binom.test(events, trials)$conf.int */
static const struct {
    uint64_t events;
    uint64_t trials;
    double lower;
    double upper;
} exact[] = {
    {0, 20, 0.0, 0.168433470983085},
    {3, 20, 0.0320709371854637, 0.3789268265453140},
    {7, 200, 0.0141855258984192, 0.0707809983509773},
    {1, 100000, 2.53178047793332e-07, 5.57151603477427e-05},
    {999, 1000, 0.994441075720173, 0.999974682512509},
    {20, 20, 0.831566529016915, 1.0},
};

static void intervals_match_r(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        struct hk_interval ci;
        assert_int_equal(hk_proportion_interval(exact[i].events, exact[i].trials, 0.95, &ci),
                         HK_OK);
        assert_near(ci.lower, exact[i].lower, 1e-10 * fmax(exact[i].lower, 1e-3));
        assert_near(ci.upper, exact[i].upper, 1e-10 * fmax(exact[i].upper, 1e-3));
    }
}

static void no_event_in_many_trials_bounds_at_three_over_n(void **state)
{
    (void)state;
    struct hk_interval ci;
    /* one-sided 95 % is two-sided 90 % */
    assert_int_equal(hk_proportion_interval(0, 1000000000, 0.90, &ci), HK_OK);
    assert_near(ci.upper * 1e9, -log(0.05), 1e-6);
    assert_near(ci.lower, 0.0, 0.0);
}

static void binomial_tests_match_r(void **state)
{
    (void)state;
    static const struct {
        uint64_t events;
        uint64_t trials;
        double probability;
        double p;
    } cases[] = {
        {7, 200, .05, 0.416820356796248},
        {18, 200, .05, 0.0144257379209535},
        {3, 20, .3, 0.220418267380709},
        {9, 20, .3, 0.148814595175447},
        {0, 10, 0.0, 1.0},
        {1, 10, 0.0, 0.0},
        {10, 10, 1.0, 1.0},
        {10, 200, .05, 1.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double p;
        assert_int_equal(hk_binomial_test(cases[i].events, cases[i].trials,
                                          cases[i].probability, &p), HK_OK);
        assert_near(p, cases[i].p, 1e-9);
    }
}

static void band_matches_r(void **state)
{
    (void)state;
    uint64_t low;
    uint64_t high;
    assert_int_equal(hk_binomial_band(200, 0.05, 0.95, &low, &high), HK_OK);
    assert_int_equal(low, 4);
    assert_int_equal(high, 16);
    assert_int_equal(hk_binomial_band(200, 0.0, 0.95, &low, &high), HK_OK);
    assert_int_equal(high, 0);
    assert_int_equal(hk_binomial_band(200, 1.0, 0.95, &low, &high), HK_OK);
    assert_int_equal(low, 200);
}

static void coverage_test_is_kupiecs(void **state)
{
    (void)state;
    /* 94 of 100 at 95 %: LR = 2 (94 ln(.94/.95) + 6 ln(.06/.05)) = 0.19828, p by chi-square(1) */
    struct hk_coverage c;
    assert_int_equal(hk_coverage_test(94, 100, 0.95, &c), HK_OK);
    const double lr = 2.0 * (94.0 * log(.94 / .95) + 6.0 * log(.06 / .05));
    assert_near(c.statistic, lr, 1e-12);
    assert_near(c.p_value, erfc(sqrt(lr / 2.0)), 1e-12);
    assert_near(c.coverage_ratio, 0.94, 1e-15);
    assert_int_equal(hk_coverage_test(100, 100, 0.95, &c), HK_OK);
    assert_near(c.statistic, -200.0 * log(0.95), 1e-9);
    assert_int_equal(hk_coverage_test(0, 100, 0.95, &c), HK_OK);
    assert_true(isfinite(c.statistic) && c.p_value >= 0.0);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_interval ci;
    struct hk_coverage c;
    double p;
    uint64_t high;
    uint64_t low;
    assert_refused(hk_proportion_interval(3, 2, 0.95, &ci), HK_EINVAL, &ci);
    assert_refused(hk_proportion_interval(0, 0, 0.95, &ci), HK_EINVAL, &ci);
    assert_refused(hk_proportion_interval(1, UINT64_MAX, 0.95, &ci), HK_EINVAL, &ci);
    assert_refused(hk_proportion_interval(1, 2, 0.0, &ci), HK_EINVAL, &ci);
    assert_refused(hk_coverage_test(1, 2, 1.0, &c), HK_EINVAL, &c);
    assert_refused(hk_binomial_test(1, 2, -0.1, &p), HK_EINVAL, &p);
    assert_refused(hk_binomial_test(1, 2, NAN, &p), HK_EINVAL, &p);
    assert_refused(hk_binomial_band(0, 0.5, 0.95, &low, &high), HK_EINVAL, &low);
}

static void trials_for_a_relative_error(void **state)
{
    (void)state;
    static const struct {
        double p;
        double trials;
    } cases[] = {{1e-2, 9.5e3}, {1e-3, 9.6e4}, {1e-4, 9.6e5}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t trials;
        assert_int_equal(hk_proportion_count_needed(cases[i].p, 0.2, 0.95, &trials), HK_OK);
        assert_near((double)trials / cases[i].trials, 1.0, 0.006);
    }
    uint64_t trials;
    assert_refused(hk_proportion_count_needed(0.0, 0.2, 0.95, &trials), HK_EINVAL, &trials);
    assert_refused(hk_proportion_count_needed(0.5, NAN, 0.95, &trials), HK_EINVAL, &trials);
    assert_refused(hk_proportion_count_needed(1e-15, 0.001, 0.95, &trials), HK_ERANGE, &trials);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_match_r),
        cmocka_unit_test(no_event_in_many_trials_bounds_at_three_over_n),
        cmocka_unit_test(binomial_tests_match_r),
        cmocka_unit_test(band_matches_r),
        cmocka_unit_test(coverage_test_is_kupiecs),
        cmocka_unit_test(trials_for_a_relative_error),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
