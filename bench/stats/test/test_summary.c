/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/summary.h"
#include "support.h"

#define NIST_COUNT 1001

/* NIST StRD NumAcc1..4: certified mean and standard deviation; the pattern repeats. */
static const struct {
    const char *name;
    double first;
    double odd;
    double even;
    size_t n;
    double mean;
    double sd;
    double sd_tolerance; /* what the rounding of the data itself leaves */
} nist[] = {
    {"NumAcc1", 10000002.0, 10000001.0, 10000003.0, 3, 10000002.0, 1.0, 1e-14},
    {"NumAcc2", 1.2, 1.1, 1.3, NIST_COUNT, 1.2, 0.1, 1e-13},
    {"NumAcc3", 1000000.2, 1000000.1, 1000000.3, NIST_COUNT, 1000000.2, 0.1, 1e-9},
    {"NumAcc4", 10000000.2, 10000000.1, 10000000.3, NIST_COUNT, 10000000.2, 0.1, 1e-8},
};

static void mean_and_sd_match_nist(void **state)
{
    (void)state;
    double x[NIST_COUNT];
    double scratch[NIST_COUNT];
    for (size_t c = 0; c < sizeof nist / sizeof nist[0]; c++) {
        x[0] = nist[c].first;
        for (size_t i = 1; i < nist[c].n; i++) {
            x[i] = i % 2 ? nist[c].odd : nist[c].even;
        }
        struct hk_summary s;
        assert_int_equal(hk_summary_compute(x, nist[c].n, scratch, &s), HK_OK);
        assert_near(s.mean, nist[c].mean, 1e-15);
        assert_near(s.sd, nist[c].sd, nist[c].sd_tolerance);
    }
}

static void summary_matches_r(void **state)
{
    (void)state;
    /* R 4.2: mean, sd, mean(trim = .1), median, mad(constant = 1) */
    const double x[] = {2.385, 17.91, 3.141, 8.774, 5.02, -1.337, 12.08, 101.3, 0.77, 4.4, 6.123};
    double scratch[11];
    struct hk_summary s;
    assert_int_equal(hk_summary_compute(x, 11, scratch, &s), HK_OK);
    assert_int_equal(s.count, 11);
    assert_near(s.mean, 14.5969090909091, 1e-14);
    assert_near(s.sd, 29.2601886099681, 1e-14);
    assert_near(s.trimmed_mean, 6.73366666666667, 1e-14);
    assert_near(s.median, 5.02, 1e-14);
    assert_near(s.mad, 3.754, 1e-14);
    assert_near(s.min, -1.337, 0.0);
    assert_near(s.max, 101.3, 0.0);
}

static void t_interval_matches_r(void **state)
{
    (void)state;
    const double x[] = {2.385, 17.91, 3.141, 8.774, 5.02, -1.337, 12.08};
    struct hk_estimate mean;
    struct hk_interval interval;
    assert_int_equal(hk_mean_estimate(x, 7, &mean), HK_OK);
    assert_near(mean.standard_error, 6.55040679943584 / sqrt(7.0), 1e-14);
    assert_int_equal(hk_mean_interval(&mean, 0.9, &interval), HK_OK);
    assert_near(interval.lower, 2.04231906417552, 1e-12);
    assert_near(interval.upper, 11.66425236439591, 1e-12);
}

static void constant_and_single_values_have_no_spread(void **state)
{
    (void)state;
    const double x[] = {2.385, 2.385, 2.385};
    double scratch[3];
    struct hk_summary s;
    assert_int_equal(hk_summary_compute(x, 3, scratch, &s), HK_OK);
    assert_near(s.sd, 0.0, 0.0);
    assert_near(s.mad, 0.0, 0.0);
    assert_int_equal(hk_summary_compute(x, 1, scratch, &s), HK_OK);
    assert_near(s.sd, 0.0, 0.0);
    assert_near(s.trimmed_mean, 2.385, 0.0);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double x[] = {2.385, INFINITY, 1.0};
    const double huge[] = {1e308, -1e308, 1e308};
    double scratch[3];
    struct hk_summary s;
    assert_refused(hk_summary_compute(x, 3, scratch, &s), HK_EINVAL, &s);
    assert_refused(hk_summary_compute(x, 0, scratch, &s), HK_EINVAL, &s);
    assert_refused(hk_summary_compute(x, 1, NULL, &s), HK_EINVAL, &s);
    assert_refused(hk_summary_compute(huge, 3, scratch, &s), HK_EINVAL, &s);
    double trimmed;
    assert_refused(hk_trimmed_mean(x, 1, 0.5, &trimmed), HK_EINVAL, &trimmed);
    assert_refused(hk_trimmed_mean(x, 0, 0.1, &trimmed), HK_EINVAL, &trimmed);
    struct hk_estimate mean;
    assert_refused(hk_mean_estimate(x, 1, &mean), HK_ENOISE, &mean);
    assert_refused(hk_mean_estimate(x, 3, &mean), HK_EINVAL, &mean);
    struct hk_interval interval;
    const struct hk_estimate one = {.value = 1.0, .standard_error = 0.5, .count = 1};
    const struct hk_estimate bad = {.value = 1.0, .standard_error = -0.5, .count = 9};
    assert_refused(hk_mean_interval(&one, 0.9, &interval), HK_ENOISE, &interval);
    assert_refused(hk_mean_interval(&bad, 0.9, &interval), HK_EINVAL, &interval);
    assert_refused(hk_mean_interval(&one, 1.0, &interval), HK_EINVAL, &interval);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_sd_match_nist),
        cmocka_unit_test(summary_matches_r),
        cmocka_unit_test(t_interval_matches_r),
        cmocka_unit_test(constant_and_single_values_have_no_spread),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
