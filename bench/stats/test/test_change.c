/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/stats/change.h"
#include "hk/stats/noise.h"
#include "support.h"

enum { POINTS = 60, THREADS = 2 };

static const struct hk_change_options all = {.permutations_max = 19999, .seed = 1};
static const struct hk_change_options quick = {.permutations_max = 999, .exceedances_max = 10,
                                               .seed = 1};

/* --- refusals ----------------------------------------------------------------------- */

static void bad_arguments_are_refused(void **state)
{
    double y[HK_CHANGE_POINTS_MAX + 1] = {0};
    const struct hk_change_options none = {0};
    struct hk_change out;
    size_t positions[HK_CHANGE_SEGMENTS_MAX];
    size_t count;
    double p;

    (void)state;
    assert_refused(hk_change_test(y, 9, &quick, &out), HK_ENOISE, &out);
    assert_refused(hk_change_test(y, HK_CHANGE_POINTS_MAX + 1, &quick, &out), HK_ETOOBIG, &out);
    assert_refused(hk_change_test(y, 10, &none, &out), HK_EINVAL, &out);
    assert_refused(hk_change_test(NULL, 10, &quick, &out), HK_EINVAL, &out);
    assert_refused(hk_change_segments(y, 9, 0.01, &quick, positions, &count), HK_ENOISE, &count);
    assert_refused(hk_change_segments(y, 10, 1.0, &quick, positions, &count), HK_EINVAL, &count);
    assert_refused(hk_change_newest(y, 5, &p), HK_ENOISE, &p);
    y[3] = NAN;
    assert_refused(hk_change_test(y, 10, &quick, &out), HK_EINVAL, &out);
    assert_refused(hk_change_newest(y, 10, &p), HK_EINVAL, &p);
}

static void one_bad_series_does_not_spoil_the_others(void **state)
{
    double y[2][12] = {{0}};
    const struct hk_change_series series[] = {{y[0], 12}, {y[1], 12}, {y[0], 7}};
    const struct hk_change_plan plan = {.false_discovery_ratio = 0.01, .permutations_min = 99,
                                        .seed = 1, .thread_count = THREADS};
    const struct hk_change_plan no_threads = {.false_discovery_ratio = 0.01,
                                              .permutations_min = 99};
    struct hk_change_judged judged[3];

    (void)state;
    y[1][5] = INFINITY;
    assert_int_equal(hk_change_judge(series, 3, &plan, judged), HK_OK);
    assert_int_equal(judged[0].status, HK_OK);
    assert_int_equal(judged[1].status, HK_EINVAL);
    assert_int_equal(judged[2].status, HK_ENOISE);
    assert_int_equal(hk_change_judge(series, 3, &no_threads, judged), HK_EINVAL);
    assert_int_equal(hk_change_judge(series, 0, &plan, judged), HK_EINVAL);
}

/* --- against what is known exactly ---------------------------------------------------- */

/* Of ten points only one position is searched: all small ranks on one side, 2 / C(10, 5). */
static void p_is_the_share_of_permutations_as_extreme(void **state)
{
    static const double y[] = {2.385, 1.2, 3.71, 0.03, 2.9, 11.6, 15.1, 9.83, 12.2, 19.4};
    struct hk_change c;

    (void)state;
    assert_int_equal(hk_change_test(y, 10, &all, &c), HK_OK);
    assert_rate((uint64_t)(c.p_step * 20000 + 0.5) - 1, 19999, 2.0 / 252.0);
    assert_int_equal(c.position, 5);
    assert_int_equal(c.first, 5);
    assert_int_equal(c.last, 5);
    assert_int_equal(c.shape, HK_CHANGE_STEP);
    assert_near(c.before_median, 2.385, 1e-12);
    assert_near(c.difference, 12.2 - 2.385, 1e-12);
    assert_near(c.residual_median, 1.255, 1e-12); /* of 0 .515 1.185 1.325 2.355, 0 .6 2.37 2.9 7.2 */
    assert_near(c.agreement_ratio, 1.0, 1e-12);
}

/* Kendall's exact distribution of ten points: P(|S| >= 35) and P(|S| >= 19). */
static void drift_p_follows_kendall(void **state)
{
    static const double y[] = {2, 1, 4, 3, 6, 5, 8, 7, 10, 9};
    static const double z[] = {3, 6, 1, 2, 9, 4, 5, 10, 8, 7};
    struct hk_change c;

    (void)state;
    assert_int_equal(hk_change_test(y, 10, &all, &c), HK_OK);
    assert_rate((uint64_t)(c.p_drift * 20000 + 0.5) - 1, 19999, 0.0009463);
    assert_int_equal(hk_change_test(z, 10, &all, &c), HK_OK);
    assert_rate((uint64_t)(c.p_drift * 20000 + 0.5) - 1, 19999, 0.108313);
}

static void a_constant_series_never_changes(void **state)
{
    double y[POINTS];
    struct hk_change c;
    double p = 0.0;

    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        y[i] = 98.0;
    }
    assert_int_equal(hk_change_test(y, POINTS, &quick, &c), HK_OK);
    assert_near(c.p_value, 1.0, 0);
    assert_false(hk_change_matters(&c, &(struct hk_change_gate){0}));
    assert_int_equal(hk_change_newest(y, POINTS, &p), HK_OK);
    assert_near(p, 1.0, 0);
    y[POINTS - 1] = 99.0;
    assert_int_equal(hk_change_newest(y, POINTS, &p), HK_OK);
    assert_near(p, 0.0, 0);
}

/* Mean 3, sd 1.5811 of five; t = 4 / (1.5811 sqrt(1.2)) = 2.3094 with 4 degrees of freedom. */
static void the_newest_point_is_held_against_a_prediction_interval(void **state)
{
    static const double y[] = {1, 2, 3, 4, 5, 7};
    double p;

    (void)state;
    assert_int_equal(hk_change_newest(y, 6, &p), HK_OK);
    assert_near(p, 0.08211, 2e-4);
}

static void a_ramp_is_a_drift(void **state)
{
    struct hk_rng *rng = test_rng(31);
    double y[POINTS];
    struct hk_change c;

    (void)state;
    hk_noise_draw(HK_NOISE_INDEPENDENT, rng, y, POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        y[i] += 0.125 * (double)i;
    }
    assert_int_equal(hk_change_test(y, POINTS, &quick, &c), HK_OK);
    assert_int_equal(c.shape, HK_CHANGE_DRIFT);
    assert_true(c.p_value <= 0.01);
    assert_near(c.difference, 0.125 * (POINTS - 1), 0.3);
    hk_rng_destroy(rng);
}

static void gates_hold_back_what_does_not_matter(void **state)
{
    static const struct {
        double difference, residual, agreement;
        bool matters;
    } rows[] = {
        {5.0, 1.0, 0.9, true},   {-5.0, 1.0, 0.9, true}, {2.9, 0.5, 0.9, false},
        {5.0, 1.8, 0.9, false},  {5.0, 1.0, 0.8, false}, {3.0, 1.0, 0.85, true},
    };
    const struct hk_change_gate gate = {.difference_min = 3.0, .residual_factor = 3.0,
                                        .agreement_min = 0.85};
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct hk_change c = {.difference = rows[i].difference,
                                    .residual_median = rows[i].residual,
                                    .agreement_ratio = rows[i].agreement};
        assert_int_equal(hk_change_matters(&c, &gate), rows[i].matters);
    }
}

static void several_steps_are_found_one_by_one(void **state)
{
    struct hk_rng *rng = test_rng(32);
    double y[90];
    size_t positions[HK_CHANGE_SEGMENTS_MAX];
    size_t count = 0;

    (void)state;
    hk_noise_draw(HK_NOISE_INDEPENDENT, rng, y, 90);
    for (size_t i = 0; i < 90; i++) {
        y[i] += i < 30 ? 0.0 : i < 62 ? 12.0 : 7.0;
    }
    assert_int_equal(hk_change_segments(y, 90, 0.01, &quick, positions, &count), HK_OK);
    assert_int_equal(count, 2);
    assert_int_equal(positions[0], 30);
    assert_int_equal(positions[1], 62);
    hk_rng_destroy(rng);
}

/* --- many series: rates, power, findings ------------------------------------------------ */

/* Series that hold noise alone, or a step of so many standard deviations at a point. */
static double *draw_all(enum hk_noise noise, uint64_t stream, size_t m, double step, size_t at)
{
    struct hk_rng *rng = test_rng(stream);
    double *y = malloc(m * POINTS * sizeof *y);
    assert_non_null(y);
    for (size_t i = 0; i < m; i++) {
        hk_noise_draw(noise, rng, y + i * POINTS, POINTS);
        for (size_t j = at; j < POINTS; j++) {
            y[i * POINTS + j] += step;
        }
    }
    hk_rng_destroy(rng);
    return y;
}

static void judge(const double *y, size_t m, size_t threads, struct hk_change_judged *judged)
{
    struct hk_change_series *series = malloc(m * sizeof *series);
    const struct hk_change_plan plan = {.false_discovery_ratio = 0.01, .permutations_min = 999,
                                        .seed = 1, .thread_count = threads};
    assert_non_null(series);
    for (size_t i = 0; i < m; i++) {
        series[i] = (struct hk_change_series){y + i * POINTS, POINTS};
    }
    assert_int_equal(hk_change_judge(series, m, &plan, judged), HK_OK);
    free(series);
}

static double rate_of(enum hk_noise noise, uint64_t stream, size_t m, double step, size_t at)
{
    struct hk_change_judged *judged = malloc(m * sizeof *judged);
    double *y = draw_all(noise, stream, m, step, at);
    size_t found = 0;
    assert_non_null(judged);
    judge(y, m, THREADS, judged);
    for (size_t i = 0; i < m; i++) {
        found += judged[i].change.p_value <= 0.01;
    }
    free(y);
    free(judged);
    return (double)found / (double)m;
}

/* A sanitizer makes these several times slower; there they only have to run. */
#if defined(__SANITIZE_ADDRESS__)
enum { NULL_SERIES = 100, STEP_SERIES = 8, MANY_SERIES = 150 };
#define RATE_MIN 0.0
#define RATE_MAX 0.1
#define POWER_SLACK 0.4
#else
enum { NULL_SERIES = 4000, STEP_SERIES = 60, MANY_SERIES = 500 };
#define RATE_MIN 0.005
#define RATE_MAX 0.025
#define POWER_SLACK 0.0
#endif

static void one_in_a_hundred_is_a_false_alarm_in_any_noise(void **state)
{
    (void)state;
    for (enum hk_noise noise = 0; noise < HK_NOISE_COUNT; noise++) {
        /* Dependent series cost several times as much, and their rate is further from zero. */
        const bool dependent = noise == HK_NOISE_AR3 || noise == HK_NOISE_AR6;
        const size_t m = dependent ? NULL_SERIES / 3 : NULL_SERIES;
        const double rate = rate_of(noise, 40 + (uint64_t)noise, m, 0.0, POINTS);
        print_message("%-12s %.4f of %zu series\n", hk_noise_name(noise), rate, m);
        if (rate < RATE_MIN || rate > RATE_MAX) {
            fail_msg("%s: %g", hk_noise_name(noise), rate);
        }
    }
}

/* Steps in standard deviations of the noise, those of the last two kinds included. */
static const struct {
    enum hk_noise noise;
    double step;
    size_t at;
    double power_min;
} powers[] = {
    {HK_NOISE_INDEPENDENT, 1.5, 30, 0.93}, {HK_NOISE_INDEPENDENT, 3.0, 50, 0.96},
    {HK_NOISE_SPIKES, 1.5 * 1.86, 30, 0.90}, {HK_NOISE_SPIKES, 3.0 * 1.86, 50, 0.96},
    {HK_NOISE_LOGNORMAL, 1.5 * 2.16, 30, 0.93}, {HK_NOISE_LOGNORMAL, 3.0 * 2.16, 50, 0.96},
    {HK_NOISE_AR3, 1.5, 30, 0.60}, {HK_NOISE_AR3, 3.0, 50, 0.55},
    {HK_NOISE_AR6, 1.5, 30, 0.20}, {HK_NOISE_AR6, 3.0, 50, 0.05},
};

static void steps_are_found_as_often_as_stated(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(powers); i++) {
        const double rate =
            rate_of(powers[i].noise, 60 + i, STEP_SERIES, powers[i].step, powers[i].at);
        print_message("%-12s %.2f at %zu: %.3f\n", hk_noise_name(powers[i].noise), powers[i].step,
                      powers[i].at, rate);
        if (rate < powers[i].power_min - POWER_SLACK) {
            fail_msg("%s, step %g: %g", hk_noise_name(powers[i].noise), powers[i].step, rate);
        }
    }
}

/* Among so many series 999 permutations cannot make a finding; the later looks can. */
static void one_change_among_many_series_is_found(void **state)
{
    enum { SERIES = MANY_SERIES, CHANGED = 117 };
    double *y = draw_all(HK_NOISE_INDEPENDENT, 80, SERIES, 0.0, POINTS);
    struct hk_change_judged judged[SERIES], single[SERIES];

    (void)state;
    for (size_t j = 25; j < POINTS; j++) {
        y[CHANGED * POINTS + j] += 4.0;
    }
    judge(y, SERIES, 3, judged);
    judge(y, SERIES, 1, single);
    for (size_t i = 0; i < SERIES; i++) {
        assert_int_equal(judged[i].p_adjusted <= 0.01, i == CHANGED);
        assert_true(judged[i].p_adjusted >= judged[i].change.p_value);
        assert_near(judged[i].change.p_value, single[i].change.p_value, 0);
    }
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(one_bad_series_does_not_spoil_the_others),
        cmocka_unit_test(p_is_the_share_of_permutations_as_extreme),
        cmocka_unit_test(drift_p_follows_kendall),
        cmocka_unit_test(a_constant_series_never_changes),
        cmocka_unit_test(the_newest_point_is_held_against_a_prediction_interval),
        cmocka_unit_test(a_ramp_is_a_drift),
        cmocka_unit_test(gates_hold_back_what_does_not_matter),
        cmocka_unit_test(several_steps_are_found_one_by_one),
        cmocka_unit_test(one_in_a_hundred_is_a_false_alarm_in_any_noise),
        cmocka_unit_test(steps_are_found_as_often_as_stated),
        cmocka_unit_test(one_change_among_many_series_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
