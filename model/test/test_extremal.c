/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "hk/base/units.h"
#include "hk/model/extremal.h"
#include "hk/stats/quantile.h"
#include "support.h"

#define PERIOD_NS 2000000.0

/* Max-autoregressive with unit Frechet margins: its extremal index is the parameter. */
static void fill_armax(struct hk_rng *rng, double index, double *x, size_t n)
{
    double last = 1.0 / hk_rng_exponential(rng, 1.0);
    for (size_t i = 0; i < n; i++) {
        last = fmax((1.0 - index) * last, index / hk_rng_exponential(rng, 1.0));
        x[i] = last;
    }
}

static void index_is_recovered(void **state)
{
    (void)state;
    enum { N = 200000 };
    static const double indices[] = {0.2, 0.5, 0.8, 1.0};
    struct hk_rng *rng = test_rng(275);
    double *x = malloc(N * sizeof *x);
    double *sorted = malloc(N * sizeof *sorted);
    for (size_t i = 0; i < HK_ARRAY_COUNT(indices); i++) {
        double threshold;
        double intervals;
        double runs;
        fill_armax(rng, indices[i], x, N);
        memcpy(sorted, x, N * sizeof *x);
        assert_int_equal(hk_sample_sort(sorted, N), HK_OK);
        assert_int_equal(hk_quantile(sorted, N, 0.99, &threshold), HK_OK);
        assert_int_equal(hk_extremal_intervals(x, N, threshold, &intervals), HK_OK);
        assert_near(intervals, indices[i], 0.06);
        assert_int_equal(hk_extremal_index(x, N, threshold, 10, &runs), HK_OK);
        assert_near(intervals, runs, 0.1);
    }
    free(sorted);
    free(x);
    hk_rng_destroy(rng);
}

/* Hours with an underrun, foretold from one half of a clustered series, counted in the other. */
static void hours_are_foretold(void **state)
{
    (void)state;
    enum { N = 400000, HOUR = 2000 };
    const double period_ns = 3600.0 * HK_NS_PER_S / HOUR;
    struct hk_rng *rng = test_rng(276);
    double *x = malloc(N * sizeof *x);
    double *sorted = malloc(N / 2 * sizeof *sorted);
    struct hk_tail_options options = {.confidence_ratio = 0.95};
    struct hk_tail tail;
    struct hk_hourly hourly;
    double threshold;
    fill_armax(rng, 0.25, x, N);
    for (size_t i = 0; i < N; i++) {
        x[i] = log(x[i]); /* Gumbel margins: a tail with a mean */
    }
    memcpy(sorted, x, N / 2 * sizeof *x);
    assert_int_equal(hk_sample_sort(sorted, N / 2), HK_OK);
    assert_int_equal(hk_quantile(sorted, N / 2, 0.99, &threshold), HK_OK);
    assert_int_equal(hk_extremal_intervals(x, N / 2, threshold, &options.extremal_index), HK_OK);
    assert_int_equal(hk_tail_fit(sorted, N / 2, &options, &tail), HK_OK);
    const double headroom = log(HOUR); /* exceeded once an hour, in clusters of four */
    assert_int_equal(hk_tail_hourly(&tail, headroom, period_ns, 0.95, &hourly), HK_OK);
    int hit = 0;
    const int hours = N / 2 / HOUR;
    for (int h = 0; h < hours; h++) {
        bool any = false;
        for (int i = 0; i < HOUR; i++) {
            any = any || x[N / 2 + h * HOUR + i] > headroom;
        }
        hit += any;
    }
    assert_near(hourly.events_per_hour, 1.0, 0.25);
    assert_near(hourly.clusters_per_hour / hourly.events_per_hour, 0.25, 0.05);
    assert_near(hourly.hit_probability, -expm1(-hourly.clusters_per_hour), 1e-12);
    assert_near((double)hit / hours, 0.22, 0.12); /* 1 - e^(-1/4); e^-1 without the clusters */
    assert_near((double)hit / hours, hourly.hit_probability, 0.1);
    /* the level of one cluster in an hour is where there is one */
    double level;
    struct hk_interval interval;
    assert_int_equal(hk_tail_return_level(&tail, period_ns, 1.0, 0.95, &level, &interval), HK_OK);
    assert_int_equal(hk_tail_hourly(&tail, level, period_ns, 0.95, &hourly), HK_OK);
    assert_near(hourly.clusters_per_hour, 1.0, 0.05);
    assert_true(interval.lower <= level && level <= interval.upper);
    assert_true(hourly.clusters_interval.lower <= 1.0 && 1.0 <= hourly.clusters_interval.upper);
    free(sorted);
    free(x);
    hk_rng_destroy(rng);
}

/* Counts of stretches, foretold from the first half of a clustered series, counted in the other. */
static void stretches_are_foretold(void **state)
{
    (void)state;
    enum { N = 400000, STRETCH = 2000 };
    static const struct {
        double index;
        double claimed; /* what the tail is told of it; 0: what was found */
        unsigned low;   /* of 100 intervals of 95 % */
        unsigned high;
    } cases[] = {
        {1.0, 0.0, 88, 100},
        {0.25, 0.0, 88, 100},
        {0.25, 1.0, 20, 80}, /* independent ones vary by sqrt 7 less */
    };
    struct hk_rng *rng = test_rng(277);
    double *x = malloc(N * sizeof *x);
    double *sorted = malloc(N / 2 * sizeof *sorted);
    for (size_t k = 0; k < HK_ARRAY_COUNT(cases); k++) {
        struct hk_tail_options options = {.confidence_ratio = 0.95, .extremal_index = 1.0};
        struct hk_tail tail;
        struct hk_stretch stretch;
        unsigned hits = 0;
        fill_armax(rng, cases[k].index, x, N);
        for (size_t i = 0; i < N; i++) {
            x[i] = log(x[i]);
        }
        memcpy(sorted, x, N / 2 * sizeof *x);
        assert_int_equal(hk_sample_sort(sorted, N / 2), HK_OK);
        assert_int_equal(hk_tail_fit(sorted, N / 2, &options, &tail), HK_OK);
        const double headroom = log(STRETCH / 20.0); /* twenty in a stretch */
        assert_int_equal(hk_extremal_intervals(x, N / 2, headroom, &tail.extremal_index), HK_OK);
        tail.extremal_index = cases[k].claimed > 0.0 ? cases[k].claimed : tail.extremal_index;
        assert_int_equal(hk_tail_stretch(&tail, headroom, STRETCH, 0.0, 0.95, &stretch), HK_OK);
        assert_near(stretch.expected_count, 20.0, 2.5);
        for (size_t at = N / 2; at < N; at += STRETCH) {
            double count = 0.0;
            for (size_t i = at; i < at + STRETCH; i++) {
                count += x[i] > headroom;
            }
            hits += stretch.interval.lower <= count && count <= stretch.interval.upper;
        }
        print_message("index %.2f: [%.0f, %.0f] holds %u of 100\n", tail.extremal_index,
                      stretch.interval.lower, stretch.interval.upper, hits);
        assert_in_range(hits, cases[k].low, cases[k].high);
    }
    free(sorted);
    free(x);
    hk_rng_destroy(rng);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    double x[400];
    double index = 0.0;
    double level = 0.0;
    struct hk_tail tail;
    struct hk_hourly hourly;
    const struct hk_tail_options options = {.confidence_ratio = 0.95, .extremal_index = 1.0};
    for (int i = 0; i < 400; i++) {
        x[i] = -log1p(-(i + 0.5) / 400.0);
    }
    assert_refused(hk_extremal_intervals(x, 400, x[390], &index), HK_ENOISE, &index);
    assert_refused(hk_extremal_intervals(x, 0, 1.0, &index), HK_EINVAL, &index);
    assert_refused(hk_extremal_intervals(x, 400, NAN, &index), HK_EINVAL, &index);
    assert_int_equal(hk_extremal_intervals(x, 400, x[350], &index), HK_OK); /* one cluster */
    assert_true(index > 0.0 && index <= 1.0);
    assert_int_equal(hk_tail_fit(x, 400, &options, &tail), HK_OK);
    assert_refused(hk_tail_hourly(&tail, 4.0, 0.0, 0.95, &hourly), HK_EINVAL, &hourly);
    assert_refused(hk_tail_hourly(&tail, NAN, PERIOD_NS, 0.95, &hourly), HK_EINVAL, &hourly);
    struct hk_stretch stretch;
    assert_refused(hk_tail_stretch(&tail, 4.0, 0.0, 0.0, 0.95, &stretch), HK_EINVAL, &stretch);
    assert_refused(hk_tail_stretch(&tail, 4.0, 100.0, 0.0, 1.0, &stretch), HK_EINVAL, &stretch);
    assert_refused(hk_tail_stretch(&tail, 4.0, 100.0, -1.0, 0.95, &stretch), HK_EINVAL, &stretch);
    assert_refused(hk_tail_stretch(&tail, NAN, 100.0, 0.0, 0.95, &stretch), HK_EINVAL, &stretch);
    assert_refused(hk_tail_stretch(&tail, 4.0, 1e12, 0.0, 0.95, &stretch), HK_ERANGE, &stretch);
    /* a spread beyond what clusters make counts instead of it: about 2 standard deviations */
    assert_int_equal(hk_tail_stretch(&tail, x[300], 40000.0, 0.3, 0.95, &stretch), HK_OK);
    assert_near(stretch.expected_count, 10000.0, 200.0);
    assert_true(stretch.interval.upper - stretch.interval.lower > 2 * 1.9 * 3000.0);
    assert_refused(hk_tail_return_level(&tail, PERIOD_NS, 0.0, 0.95, &level, NULL), HK_EINVAL,
                   &level);
    /* more than once a period */
    assert_refused(hk_tail_return_level(&tail, PERIOD_NS, 1e-9, 0.95, &level, NULL), HK_EINVAL,
                   &level);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_is_recovered),
        cmocka_unit_test(hours_are_foretold),
        cmocka_unit_test(stretches_are_foretold),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
