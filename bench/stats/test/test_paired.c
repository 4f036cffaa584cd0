/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/stats/paired.h"
#include "support.h"

/*
 * Hollander & Wolfe 1973, table 3.1: depression scale factor before minus after.
 * R 4.2, wilcox.test(paired = TRUE, conf.int = TRUE): V = 40, p = 0.0390625,
 * one-sided 0.01953125, interval [0.010, 0.786], location 0.46.
 */
static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};

static void wilcoxon_matches_hollander_wolfe(void **state)
{
    (void)state;
    double d[9];
    for (int i = 0; i < 9; i++) {
        d[i] = before[i] - after[i];
    }
    struct hk_wilcoxon w;
    assert_int_equal(hk_wilcoxon_test(d, 9, 0.95, &w), HK_OK);
    assert_int_equal(w.count, 9);
    assert_near(w.statistic, 40.0, 0.0);
    assert_near(w.p_two_sided, 0.0390625, 1e-15);
    assert_near(w.p_greater, 0.01953125, 1e-15);
    assert_near(w.p_less, 0.986328125, 1e-15);
    assert_near(w.location, 0.46, 1e-12);
    assert_near(w.interval.lower, 0.010, 1e-12);
    assert_near(w.interval.upper, 0.786, 1e-12);
    assert_true(w.interval.confidence_ratio >= 0.95);
}

static double wave(int i, double decimals)
{
    const double k = (double)i;
    return round((3.0 * sin(k) + 0.4 + cos(k * k)) * decimals) / decimals;
}

static void wilcoxon_matches_r_at_the_exact_limit(void **state)
{
    (void)state;
    /* R 4.2: d <- round(sin(1:50)*3+0.4+cos((1:50)^2), 4); exact = TRUE */
    double d[50];
    for (int i = 0; i < 50; i++) {
        d[i] = wave(i + 1, 1e4);
    }
    struct hk_wilcoxon w;
    assert_int_equal(hk_wilcoxon_test(d, 50, 0.95, &w), HK_OK);
    assert_near(w.statistic, 812.0, 0.0);
    assert_near(w.p_two_sided, 0.0932040847757225, 1e-12);
    assert_near(w.location, 0.55545, 1e-12);
    assert_near(w.interval.lower, -0.09675, 1e-12);
    assert_near(w.interval.upper, 1.2077, 1e-12);
}

static void wilcoxon_matches_r_with_ties_and_zeros(void **state)
{
    (void)state;
    /* R 4.2: round(..., 1) of 1:80, exact = FALSE: normal with continuity and ties */
    double d[80];
    for (int i = 0; i < 80; i++) {
        d[i] = wave(i + 1, 10.0);
    }
    struct hk_wilcoxon w;
    assert_int_equal(hk_wilcoxon_test(d, 80, 0.95, &w), HK_OK);
    assert_true(w.count < 80 && w.count > HK_WILCOXON_EXACT_MAX);
    assert_near(w.statistic, 2004.5, 0.0);
    assert_near(w.p_two_sided, 0.0382106576779531, 1e-12);
    assert_near(w.interval.lower, 0.05, 0.0501);
    assert_near(w.interval.upper, 1.1, 0.0501);
}

static void exact_ties_enumerate_all_signs(void **state)
{
    (void)state;
    /* every sign pattern of the midranks, counted one by one */
    const double d[] = {0.3, 0.3, -0.3, 0.7, 0.9, 0.9, -1.4, 2.0};
    const double rank[] = {2.0, 2.0, 2.0, 4.0, 5.5, 5.5, 7.0, 8.0};
    double seen = 0.0;
    for (int i = 0; i < 8; i++) {
        seen += d[i] > 0.0 ? rank[i] : 0.0;
    }
    int greater = 0;
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        double sum = 0.0;
        for (int i = 0; i < 8; i++) {
            sum += pattern & (1u << i) ? rank[i] : 0.0;
        }
        greater += sum >= seen;
    }
    struct hk_wilcoxon w;
    assert_int_equal(hk_wilcoxon_test(d, 8, 0.9, &w), HK_OK);
    assert_near(w.p_greater, (double)greater / 256.0, 1e-15);
}

static void identical_launches_are_not_different(void **state)
{
    (void)state;
    const double d[10] = {0.0};
    struct hk_wilcoxon w;
    assert_int_equal(hk_wilcoxon_test(d, 10, 0.95, &w), HK_OK);
    assert_int_equal(w.count, 0);
    assert_near(w.p_two_sided, 1.0, 0.0);
    assert_near(w.interval.lower, 0.0, 0.0);
    assert_near(w.interval.upper, 0.0, 0.0);
    const struct hk_paired_options options = {0.05, 0.03, HK_PAIRED_WILCOXON};
    struct hk_paired p;
    assert_int_equal(hk_paired_compare(d, 10, &options, &p), HK_OK);
    assert_int_equal(p.verdict, HK_PAIRED_SAME);
    assert_near(p.ratio, 1.0, 0.0);
}

static void sign_interval_is_the_order_statistics(void **state)
{
    (void)state;
    const double d[] = {9.5, 1.5, 8.5, 2.5, 7.5, 3.5, 6.5, 4.5, 5.5, 10.5};
    struct hk_interval interval;
    assert_int_equal(hk_sign_interval(d, 10, 0.95, &interval), HK_OK);
    assert_near(interval.lower, 2.5, 0.0);
    assert_near(interval.upper, 9.5, 0.0);
    assert_near(interval.confidence_ratio, 1.0 - 22.0 / 1024.0, 1e-12);
    /* L >= 6 at 5 %, L >= 8 at 1 % */
    assert_refused(hk_sign_interval(d, 5, 0.95, &interval), HK_ENOISE, &interval);
    assert_int_equal(hk_sign_interval(d, 6, 0.95, &interval), HK_OK);
    assert_refused(hk_sign_interval(d, 7, 0.99, &interval), HK_ENOISE, &interval);
    assert_int_equal(hk_sign_interval(d, 8, 0.99, &interval), HK_OK);
}

/* Noise of paired launch medians: ordinary, heavy-tailed, and two machine modes. */
static double noise(struct hk_rng *rng, int kind)
{
    switch (kind) {
    case 0:
        return 0.03 * hk_rng_normal(rng);
    case 1: {
        const double e = hk_rng_exponential(rng, 1.0);
        return 0.02 * (hk_rng_uniform(rng) < 0.5 ? -e * e : e * e);
    }
    default:
        return 0.01 * hk_rng_normal(rng) + (hk_rng_uniform(rng) < 0.1 ? 0.4 : 0.0) -
               (hk_rng_uniform(rng) < 0.1 ? 0.4 : 0.0);
    }
}

static void same_against_same_is_called_different_at_alpha(void **state)
{
    (void)state;
    enum { COMPARISONS = 200, LAUNCHES = 12 };
    struct hk_rng *rng = test_rng(4);
    uint64_t low;
    uint64_t high;
    assert_int_equal(hk_binomial_band(COMPARISONS, 0.05, 0.95, &low, &high), HK_OK);
    assert_int_equal(low, 4);
    assert_int_equal(high, 16);
    for (int kind = 0; kind < 3; kind++) {
        uint64_t rejected = 0;
        for (int c = 0; c < COMPARISONS; c++) {
            double d[LAUNCHES];
            for (int i = 0; i < LAUNCHES; i++) {
                d[i] = noise(rng, kind);
            }
            const struct hk_paired_options options = {0.05, 0.0, HK_PAIRED_WILCOXON};
            struct hk_paired p;
            assert_int_equal(hk_paired_compare(d, LAUNCHES, &options, &p), HK_OK);
            const int different = p.verdict == HK_PAIRED_SLOWER || p.verdict == HK_PAIRED_FASTER;
            /* for untied data the interval and the p value are one decision */
            assert_int_equal(different, p.p_two_sided <= 0.05);
            rejected += different != 0;
        }
        assert_in_range(rejected, low, high);
    }
    hk_rng_destroy(rng);
}

static void power_is_what_the_detectable_difference_says(void **state)
{
    (void)state;
    enum { COMPARISONS = 400, LAUNCHES = 15 };
    struct hk_rng *rng = test_rng(5);
    for (int test = HK_PAIRED_T; test <= HK_PAIRED_WILCOXON; test++) {
        double delta;
        uint64_t found = 0;
        assert_int_equal(hk_paired_detectable(0.04, LAUNCHES, (enum hk_paired_test)test, 0.05,
                                              0.8, &delta), HK_OK);
        for (int c = 0; c < COMPARISONS; c++) {
            double d[LAUNCHES];
            for (int i = 0; i < LAUNCHES; i++) {
                d[i] = delta + 0.04 * hk_rng_normal(rng);
            }
            const struct hk_paired_options options = {0.05, 0.0, (enum hk_paired_test)test};
            struct hk_paired p;
            assert_int_equal(hk_paired_compare(d, LAUNCHES, &options, &p), HK_OK);
            found += p.verdict == HK_PAIRED_SLOWER;
        }
        assert_in_range(found, (uint64_t)(0.74 * COMPARISONS), (uint64_t)(0.90 * COMPARISONS));
    }
    hk_rng_destroy(rng);
}

static void verdicts_follow_the_practical_bound(void **state)
{
    (void)state;
    static const struct {
        double centre;
        double spread;
        enum hk_paired_verdict expected;
        const char *name;
    } cases[] = {
        {0.10, 0.01, HK_PAIRED_SLOWER, "SLOWER"},
        {-0.10, 0.01, HK_PAIRED_FASTER, "FASTER"},
        {0.002, 0.01, HK_PAIRED_SAME, "SAME"},
        {0.03, 0.02, HK_PAIRED_UNKNOWN, "UNKNOWN"},
        {0.015, 0.001, HK_PAIRED_SAME, "SAME"}, /* different from 0, and it does not matter */
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        for (int test = HK_PAIRED_T; test <= HK_PAIRED_SIGN; test++) {
            double d[12];
            for (int i = 0; i < 12; i++) {
                d[i] = cases[c].centre + cases[c].spread * ((double)i - 5.5) / 5.5;
            }
            const struct hk_paired_options options = {0.05, 0.03, (enum hk_paired_test)test};
            struct hk_paired p;
            assert_int_equal(hk_paired_compare(d, 12, &options, &p), HK_OK);
            assert_int_equal(p.verdict, cases[c].expected);
            assert_string_equal(hk_paired_verdict_name(p.verdict), cases[c].name);
            assert_near(p.log_ratio, cases[c].centre, 1e-12);
            assert_near(p.ratio, exp(cases[c].centre), 1e-12);
        }
    }
}

static void planned_count_finds_the_difference(void **state)
{
    (void)state;
    /* 2.80 s / sqrt L for large L, alpha .05, power .8 */
    double delta;
    assert_int_equal(hk_paired_detectable(0.1, 4000, HK_PAIRED_T, 0.05, 0.8, &delta), HK_OK);
    assert_near(delta, 2.80 * 0.1 / sqrt(4000.0), 1e-5);
    size_t n;
    assert_int_equal(hk_paired_count_needed(0.05, 0.03, HK_PAIRED_SIGN, 0.05, 0.8, &n), HK_OK);
    assert_int_equal(hk_paired_detectable(0.05, n, HK_PAIRED_SIGN, 0.05, 0.8, &delta), HK_OK);
    assert_true(delta <= 0.03);
    assert_int_equal(hk_paired_detectable(0.05, n - 1, HK_PAIRED_SIGN, 0.05, 0.8, &delta), HK_OK);
    assert_true(delta > 0.03);
    assert_refused(hk_paired_count_needed(1.0, 1e-6, HK_PAIRED_T, 0.05, 0.8, &n), HK_ERANGE, &n);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double d[10] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    struct hk_wilcoxon w;
    assert_refused(hk_wilcoxon_test(d, 5, 0.95, &w), HK_ENOISE, &w);
    assert_refused(hk_wilcoxon_test(d, 0, 0.95, &w), HK_EINVAL, &w);
    assert_refused(hk_wilcoxon_test(NULL, 10, 0.95, &w), HK_EINVAL, &w);
    assert_refused(hk_wilcoxon_test(d, 10, 1.0, &w), HK_EINVAL, &w);
    double *many = calloc(HK_PAIRED_COUNT_MAX + 1, sizeof *many);
    struct hk_interval interval;
    assert_refused(hk_wilcoxon_test(many, HK_PAIRED_COUNT_MAX + 1, 0.95, &w), HK_ETOOBIG, &w);
    assert_refused(hk_sign_interval(many, HK_PAIRED_COUNT_MAX + 1, 0.95, &interval), HK_ETOOBIG,
                   &interval);
    free(many);
    struct hk_paired p;
    struct hk_paired_options options = {0.05, 0.03, HK_PAIRED_WILCOXON};
    assert_refused(hk_paired_compare(d, 5, &options, &p), HK_ENOISE, &p);
    assert_refused(hk_paired_compare(d, 10, NULL, &p), HK_EINVAL, &p);
    options.practical_ratio = -0.1;
    assert_refused(hk_paired_compare(d, 10, &options, &p), HK_EINVAL, &p);
    options = (struct hk_paired_options){0.5, 0.03, HK_PAIRED_WILCOXON};
    assert_refused(hk_paired_compare(d, 10, &options, &p), HK_EINVAL, &p);
    options = (struct hk_paired_options){0.05, 0.03, (enum hk_paired_test)7};
    assert_refused(hk_paired_compare(d, 10, &options, &p), HK_EINVAL, &p);
    d[3] = INFINITY;
    options.test = HK_PAIRED_T;
    assert_refused(hk_paired_compare(d, 10, &options, &p), HK_EINVAL, &p);
    double delta;
    assert_refused(hk_paired_detectable(0.0, 10, HK_PAIRED_T, 0.05, 0.8, &delta), HK_EINVAL,
                   &delta);
    assert_refused(hk_paired_detectable(0.1, 1, HK_PAIRED_T, 0.05, 0.8, &delta), HK_ENOISE,
                   &delta);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilcoxon_matches_hollander_wolfe),
        cmocka_unit_test(wilcoxon_matches_r_at_the_exact_limit),
        cmocka_unit_test(wilcoxon_matches_r_with_ties_and_zeros),
        cmocka_unit_test(exact_ties_enumerate_all_signs),
        cmocka_unit_test(identical_launches_are_not_different),
        cmocka_unit_test(sign_interval_is_the_order_statistics),
        cmocka_unit_test(same_against_same_is_called_different_at_alpha),
        cmocka_unit_test(power_is_what_the_detectable_difference_says),
        cmocka_unit_test(verdicts_follow_the_practical_bound),
        cmocka_unit_test(planned_count_finds_the_difference),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
