/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/equivalence.h"
#include "support.h"

static const double ratios[] = {.012, -.004, .021, .008, .015, .003, -.011, .019};

static void two_one_sided_tests_match_r(void **state)
{
    (void)state;
    /* R 4.2: t.test(d, conf.level = .9), pt((m - |mean|) / se, 7, lower = FALSE) */
    struct hk_equivalence e;
    assert_int_equal(hk_equivalence_test(ratios, 8, 0.03, 0.05, &e), HK_OK);
    assert_int_equal(e.outcome, HK_EQUIVALENCE_EQUIVALENT);
    assert_near(e.value, 0.007875, 1e-15);
    assert_near(e.p_equivalence, 0.000422821622072599, 1e-12);
    assert_near(e.interval.lower, 0.000343879823995085, 1e-12);
    assert_near(e.interval.upper, 0.0154061201760049, 1e-12);
    assert_int_equal(e.count, 8);
}

static void outcomes_follow_the_interval(void **state)
{
    (void)state;
    static const struct {
        double lower;
        double upper;
        enum hk_equivalence_outcome expected;
        const char *name;
    } cases[] = {
        {-0.01, 0.02, HK_EQUIVALENCE_EQUIVALENT, "EQUIVALENT"},
        {0.04, 0.09, HK_EQUIVALENCE_DIFFERENT, "DIFFERENT"},
        {-0.09, -0.04, HK_EQUIVALENCE_DIFFERENT, "DIFFERENT"},
        {-0.01, 0.04, HK_EQUIVALENCE_UNDECIDED, "UNDECIDED"},
        {-0.04, 0.04, HK_EQUIVALENCE_UNDECIDED, "UNDECIDED"},
        {0.02, 0.02, HK_EQUIVALENCE_EQUIVALENT, "EQUIVALENT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hk_interval interval = {cases[i].lower, cases[i].upper, 0.9};
        struct hk_equivalence e;
        assert_int_equal(hk_equivalence_from_interval(cases[i].lower, &interval, 0.03, &e), HK_OK);
        assert_int_equal(e.outcome, cases[i].expected);
        assert_string_equal(hk_equivalence_outcome_name(e.outcome), cases[i].name);
    }
}

static void identical_ratios_are_judged_as_they_stand(void **state)
{
    (void)state;
    const double inside[] = {0.01, 0.01, 0.01};
    const double outside[] = {0.5, 0.5, 0.5};
    struct hk_equivalence e;
    assert_int_equal(hk_equivalence_test(inside, 3, 0.03, 0.05, &e), HK_OK);
    assert_int_equal(e.outcome, HK_EQUIVALENCE_EQUIVALENT);
    assert_near(e.p_equivalence, 0.0, 0.0);
    assert_int_equal(hk_equivalence_test(outside, 3, 0.03, 0.05, &e), HK_OK);
    assert_int_equal(e.outcome, HK_EQUIVALENCE_DIFFERENT);
    assert_near(e.p_equivalence, 1.0, 0.0);
}

static void a_truth_on_the_margin_passes_at_alpha(void **state)
{
    (void)state;
    enum { REPLICATES = 2000, N = 12 };
    struct hk_rng *rng = test_rng(6);
    uint64_t passed = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double d[N];
        for (int i = 0; i < N; i++) {
            d[i] = 0.03 + 0.02 * hk_rng_normal(rng);
        }
        struct hk_equivalence e;
        assert_int_equal(hk_equivalence_test(d, N, 0.03, 0.05, &e), HK_OK);
        passed += e.outcome == HK_EQUIVALENCE_EQUIVALENT;
    }
    assert_rate(passed, REPLICATES, 0.05);
    hk_rng_destroy(rng);
}

static void planned_counts_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        double sd;
        double margin;
        size_t n;
    } cases[] = {{.05, .02, 68}, {.1, .02, 271}, {.2, .05, 174}, {.2, .02, 1083}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n;
        assert_int_equal(hk_equivalence_count_needed(cases[i].sd, cases[i].margin, 0.05, 0.9, &n),
                         HK_OK);
        assert_int_equal(n, cases[i].n);
    }
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_equivalence e;
    const double bad[] = {0.1, NAN, 0.2};
    assert_refused(hk_equivalence_test(ratios, 2, 0.03, 0.05, &e), HK_ENOISE, &e);
    assert_refused(hk_equivalence_test(bad, 3, 0.03, 0.05, &e), HK_EINVAL, &e);
    assert_refused(hk_equivalence_test(ratios, 8, 0.0, 0.05, &e), HK_EINVAL, &e);
    assert_refused(hk_equivalence_test(ratios, 8, 0.03, 0.5, &e), HK_EINVAL, &e);
    assert_refused(hk_equivalence_test(NULL, 8, 0.03, 0.05, &e), HK_EINVAL, &e);
    const struct hk_interval empty = {0.2, 0.1, 0.9};
    const struct hk_interval infinite = {0.1, INFINITY, 0.9};
    assert_refused(hk_equivalence_from_interval(0.1, &empty, 0.03, &e), HK_EINVAL, &e);
    assert_refused(hk_equivalence_from_interval(0.1, &infinite, 0.03, &e), HK_EINVAL, &e);
    size_t n;
    assert_refused(hk_equivalence_count_needed(0.0, 0.02, 0.05, 0.9, &n), HK_EINVAL, &n);
    assert_refused(hk_equivalence_count_needed(1e9, 1e-9, 0.05, 0.9, &n), HK_ERANGE, &n);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_one_sided_tests_match_r),
        cmocka_unit_test(outcomes_follow_the_interval),
        cmocka_unit_test(identical_ratios_are_judged_as_they_stand),
        cmocka_unit_test(a_truth_on_the_margin_passes_at_alpha),
        cmocka_unit_test(planned_counts_are_the_published_ones),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
