/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "hk/stats/shift.h"
#include "support.h"

enum { LAUNCHES = 12, QUANTILES = 4, REPLICATES = 299, TRIALS = 600 };

/* Quantiles of one launch move together, and tails scatter more. */
static void draw(struct hk_rng *rng, const double *truth, double *d)
{
    for (size_t l = 0; l < LAUNCHES; l++) {
        const double common = hk_rng_normal(rng);
        for (size_t q = 0; q < QUANTILES; q++) {
            d[l * QUANTILES + q] =
                truth[q] + 0.02 * (double)(q + 1) * (0.7 * common + 0.7 * hk_rng_normal(rng));
        }
    }
}

static void covers_and_rejects(const double *truth, uint64_t *missed, uint64_t *rejected)
{
    double d[LAUNCHES * QUANTILES];
    const struct hk_shift_data data = {d, LAUNCHES, QUANTILES};
    struct hk_shift_point points[QUANTILES];
    struct hk_rng *rng = test_rng(81);
    *missed = *rejected = 0;
    for (int i = 0; i < TRIALS; i++) {
        bool miss = false, reject = false;
        draw(rng, truth, d);
        assert_int_equal(hk_shift_band(&data, 0.95, REPLICATES, rng, points), HK_OK);
        for (size_t q = 0; q < QUANTILES; q++) {
            miss = miss || truth[q] < points[q].interval.lower || truth[q] > points[q].interval.upper;
            reject = reject || points[q].p_adjusted <= 0.05;
        }
        *missed += miss ? 1 : 0;
        *rejected += reject ? 1 : 0;
    }
    hk_rng_destroy(rng);
}

static void nothing_shifted_is_called_shifted_at_alpha(void **state)
{
    (void)state;
    const double truth[QUANTILES] = {0};
    uint64_t missed, rejected;
    covers_and_rejects(truth, &missed, &rejected);
    assert_rate(rejected, TRIALS, 0.05);
    assert_rate(missed, TRIALS, 0.05);
}

static void the_band_covers_what_is_true(void **state)
{
    (void)state;
    const double truth[QUANTILES] = {0.0, 0.01, 0.07, 0.31}; /* the tail grew */
    uint64_t missed, rejected;
    covers_and_rejects(truth, &missed, &rejected);
    assert_rate(missed, TRIALS, 0.05);
    assert_true(rejected > TRIALS * 99 / 100);
}

static void equal_differences_have_no_spread(void **state)
{
    (void)state;
    double d[8 * 2];
    struct hk_shift_point points[2];
    struct hk_rng *rng = test_rng(82);
    for (size_t l = 0; l < 8; l++) {
        d[2 * l] = 0.1;
        d[2 * l + 1] = 0.0;
    }
    const struct hk_shift_data data = {d, 8, 2};
    assert_int_equal(hk_shift_band(&data, 0.95, 99, rng, points), HK_OK);
    assert_near(points[0].interval.lower, 0.1, 1e-12);
    assert_near(points[0].p_adjusted, 0.0, 0.0);
    assert_near(points[1].interval.upper, 0.0, 0.0);
    assert_near(points[1].p_adjusted, 1.0, 0.0);
    hk_rng_destroy(rng);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    double d[6] = {.1, .2, -.1, .3, .25, NAN};
    struct hk_shift_point point;
    struct hk_rng *rng = test_rng(83);
    const struct hk_shift_data short_data = {d, 5, 1}, bad = {d, 6, 1}, none = {d, 5, 0};
    assert_refused(hk_shift_band(&short_data, .95, 99, rng, &point), HK_ENOISE, &point);
    assert_refused(hk_shift_band(&bad, .95, 99, rng, &point), HK_EINVAL, &point);
    assert_refused(hk_shift_band(&none, .95, 99, rng, &point), HK_EINVAL, &point);
    assert_refused(hk_shift_band(&short_data, .95, 98, rng, &point), HK_EINVAL, &point);
    assert_refused(hk_shift_band(&short_data, 1.0, 99, rng, &point), HK_EINVAL, &point);
    hk_rng_destroy(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_shifted_is_called_shifted_at_alpha),
        cmocka_unit_test(the_band_covers_what_is_true),
        cmocka_unit_test(equal_differences_have_no_spread),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    hk_gsl_init();
    return cmocka_run_group_tests_name("stats/shift", tests, NULL, NULL);
}
