/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/model/jitter.h"
#include "support.h"
#include "delays.h"

#define NOMINAL_NS 2000000.0
#define MEAN_NS 200000.0
#define D0_NS 13000.0

static const struct hk_bootstrap_options options = {0, 500, 0.95};

static void closed_forms(void **state)
{
    (void)state;
    double j;
    assert_int_equal(hk_jitter_textbook(2.385, &j), HK_OK);
    assert_near(j, 2.385 * 1.41421356237309505, 1e-15);
    assert_int_equal(hk_jitter_dependent(2.385, -0.5, &j), HK_OK);
    assert_near(j, 2.385 * sqrt(3.0), 1e-15);
    assert_refused(hk_jitter_textbook(-1.0, &j), HK_EINVAL, &j);
    assert_refused(hk_jitter_dependent(1.0, 1.5, &j), HK_EINVAL, &j);
    assert_refused(hk_jitter_dependent(INFINITY, 0.0, &j), HK_EINVAL, &j);
}

/* Jitter per unit of mean delay and of J_cc / J, in closed form or published. */
static const struct {
    enum delay_law law;
    double cv;
    double rho1;
    double jitter;
    double cycle_ratio;
} known[] = {
    {DELAY_EXPONENTIAL, 1.0, 0.0, 1.41421356, 1.7320508},
    {DELAY_GAMMA4, 0.5, 0.0, 0.70710678, 1.7320508},
    {DELAY_WEIBULL, 1.75806, 0.0, 2.48627, 1.7320508},
    /* EAR(1): (6 - 8 rho + 2 rho^2) / (2 - 2 rho), then the root */
    {DELAY_EAR, 1.0, 0.7, 0.77459667, 1.5165751},
};

static void both_runs_recover_the_known_laws(void **state)
{
    (void)state;
    enum { N = 60000 };
    struct hk_rng *rng = test_rng(130);
    double *delay = malloc(N * sizeof *delay);
    double *period = malloc(N * sizeof *period);
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        struct hk_lateness l;
        struct hk_jitter j;
        fill_delays(rng, known[k].law, MEAN_NS, delay, N);
        for (int i = 0; i < N; i++) {
            delay[i] += D0_NS;
        }
        assert_int_equal(hk_lateness_analyse(delay, N, &options, rng, &l), HK_OK);
        fill_delays(rng, known[k].law, MEAN_NS, delay, N);
        fill_periods(delay, N, NOMINAL_NS, period);
        assert_int_equal(hk_jitter_analyse(period, N - 1, NOMINAL_NS, &options, rng, &j), HK_OK);
        assert_near(l.cv, known[k].cv, 0.05);
        assert_near(l.rho1, known[k].rho1, 0.02);
        assert_near(l.delta_ns / MEAN_NS, known[k].law == DELAY_GAMMA4 ? 0.98 : 1.0, 0.03);
        assert_true(l.d0_ns >= D0_NS && l.d0_ns < D0_NS + 0.06 * MEAN_NS);
        assert_near(l.dependent_ns / MEAN_NS, known[k].jitter, 0.04);
        assert_near(j.rms_ns / MEAN_NS, known[k].jitter, 0.04);
        assert_near(j.cycle_ratio, known[k].cycle_ratio, 0.02);
        assert_near(l.textbook_ns, l.delta_ns * sqrt(2.0), 1e-9);
        assert_true(l.dependent_interval_ns.lower < l.dependent_ns &&
                    l.dependent_ns < l.dependent_interval_ns.upper);
        assert_true(j.trimmed_rms_ns < j.rms_ns);
        if (known[k].law != DELAY_EAR) {
            assert_near(j.rho1, -0.5, 0.02);
            /* a lighter or heavier law changes the share of the top 0.1 % */
            assert_true(j.top_share_ratio > 0.001 && j.top_share_ratio < 0.35);
        }
    }
    free(delay);
    free(period);
    hk_rng_destroy(rng);
}

static void the_exponential_law_is_recognised_and_others_are_not(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(131);
    double *delay = malloc(N * sizeof *delay);
    struct hk_lateness l;
    fill_delays(rng, DELAY_EXPONENTIAL, MEAN_NS, delay, N);
    assert_int_equal(hk_lateness_analyse(delay, N, &options, rng, &l), HK_OK);
    assert_true(l.exponential.ks < 0.012);
    assert_true(l.cv_interval.lower < 1.0 && l.cv_interval.upper > 1.0);
    fill_delays(rng, DELAY_LOGNORMAL, MEAN_NS, delay, N);
    assert_int_equal(hk_lateness_analyse(delay, N, &options, rng, &l), HK_OK);
    assert_true(l.exponential.ks > 0.15);
    assert_true(l.cv_interval.lower > 1.5);
    free(delay);
    hk_rng_destroy(rng);
}

/*
 * Theory: the standard error of ln J is 1.5 / sqrt n for independent exponential
 * delays; periods taken as independent would give 1.118 / sqrt n.
 */
static void the_interval_knows_that_periods_share_delays(void **state)
{
    (void)state;
    enum { N = 4000, REPLICATES = 200 };
    struct hk_rng *rng = test_rng(132);
    double delay[N];
    double period[N];
    double mean_se = 0.0;
    uint64_t hits = 0;
    const struct hk_bootstrap_options quick = {0, 300, 0.9};
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_jitter j;
        fill_delays(rng, DELAY_EXPONENTIAL, MEAN_NS, delay, N);
        fill_periods(delay, N, NOMINAL_NS, period);
        assert_int_equal(hk_jitter_analyse(period, N - 1, NOMINAL_NS, &quick, rng, &j), HK_OK);
        mean_se += j.relative_error_se / REPLICATES;
        hits += j.rms_interval_ns.lower <= MEAN_NS * sqrt(2.0) &&
                j.rms_interval_ns.upper >= MEAN_NS * sqrt(2.0);
    }
    assert_near(mean_se * sqrt(N), 1.5, 0.1);
    assert_in_range(hits, 165, 193);
    hk_rng_destroy(rng);
}

/* Foretold from three quarters of a log: how often does an interval hold the last quarter's J? */
static void the_next_block_is_foretold(void **state)
{
    static const struct {
        enum delay_law law;
        double growth; /* of the delays, in the last quarter */
        unsigned low;  /* of 200 intervals of 95 %; 3 standard errors are 9 */
        unsigned high;
    } cases[] = {
        {DELAY_EXPONENTIAL, 1.0, 181, 199},
        {DELAY_EAR, 1.0, 181, 199},
        {DELAY_LOGNORMAL1, 1.0, 174, 199}, /* its fourth moment is hardly known from so few */
        {DELAY_EXPONENTIAL, 1.3, 0, 20},
    };
    enum { N = 4000, BLOCK = 1000, REPLICATES = 200 };
    struct hk_rng *rng = test_rng(135);
    double delay[N];
    double period[N];
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        unsigned hits = 0;
        unsigned of_law = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct hk_lateness l;
            struct hk_jitter_forecast textbook;
            struct hk_jitter_forecast dependent;
            double sum = 0.0;
            fill_delays(rng, cases[k].law, MEAN_NS, delay, N);
            for (int i = N - BLOCK; i < N; i++) {
                delay[i] *= cases[k].growth;
            }
            const struct hk_bootstrap_options quick = {0, 200, 0.95};
            assert_int_equal(hk_lateness_analyse(delay, N - BLOCK, &quick, rng, &l), HK_OK);
            assert_int_equal(hk_jitter_foretell(delay, N - BLOCK, BLOCK - 1, &quick, rng, &textbook,
                                                &dependent),
                             HK_OK);
            fill_periods(delay + N - BLOCK, BLOCK, 0.0, period);
            for (int i = 0; i + 1 < BLOCK; i++) {
                sum += period[i] * period[i];
            }
            const double j = sqrt(sum / (BLOCK - 1));
            hits += dependent.interval_ns.lower <= j && j <= dependent.interval_ns.upper;
            of_law += l.dependent_interval_ns.lower <= j && j <= l.dependent_interval_ns.upper;
            assert_true(textbook.jitter_ns == l.textbook_ns);
            assert_true(dependent.jitter_ns == l.dependent_ns);
            assert_near(textbook.interval_ns.upper / dependent.interval_ns.upper,
                        textbook.jitter_ns / dependent.jitter_ns, 1e-12);
        }
        print_message("law %d, growth %.1f: %u of %d; by the law's interval %u\n", cases[k].law,
                      cases[k].growth, hits, REPLICATES, of_law);
        assert_in_range(hits, cases[k].low, cases[k].high);
        /* Half as wide, as the block's own error is left out: 67 % at most. */
        assert_true(of_law < 160);
    }
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(133);
    double x[128];
    struct hk_lateness l;
    struct hk_jitter j;
    for (int i = 0; i < 128; i++) {
        x[i] = 1000.0 + 17.0 * sin(i);
    }
    assert_refused(hk_lateness_analyse(x, 99, &options, rng, &l), HK_ENOISE, &l);
    assert_refused(hk_jitter_analyse(x, 99, 1000.0, &options, rng, &j), HK_ENOISE, &j);
    assert_refused(hk_jitter_analyse(x, 128, 0.0, &options, rng, &j), HK_EINVAL, &j);
    assert_refused(hk_jitter_analyse(x, 128, 1000.0, NULL, rng, &j), HK_EINVAL, &j);
    x[7] = -1.0;
    assert_refused(hk_lateness_analyse(x, 128, &options, rng, &l), HK_EINVAL, &l);
    x[7] = INFINITY;
    assert_refused(hk_lateness_analyse(x, 128, &options, rng, &l), HK_EINVAL, &l);
    assert_refused(hk_jitter_analyse(x, 128, 1000.0, &options, rng, &j), HK_EINVAL, &j);
    struct hk_jitter_forecast next[2];
    assert_refused(hk_jitter_foretell(x, 99, 40, &options, rng, &next[0], &next[1]), HK_ENOISE,
                   next);
    assert_refused(hk_jitter_foretell(x, 128, 0, &options, rng, &next[0], &next[1]), HK_EINVAL,
                   next);
    assert_refused(hk_jitter_foretell(x, 128, 40, NULL, rng, &next[0], &next[1]), HK_EINVAL, next);
    assert_refused(hk_jitter_foretell(x, 128, 40, &options, rng, &next[0], &next[1]), HK_EINVAL,
                   next); /* x[7] */
    for (int i = 0; i < 128; i++) {
        x[i] = 1000.0;
    }
    assert_refused(hk_lateness_analyse(x, 128, &options, rng, &l), HK_ENOISE, &l);
    assert_refused(hk_jitter_analyse(x, 128, 1000.0, &options, rng, &j), HK_ENOISE, &j);
    assert_refused(hk_jitter_foretell(x, 128, 40, &options, rng, &next[0], &next[1]), HK_ENOISE,
                   next);
    hk_rng_destroy(rng);
}

/* sigma sqrt 2 of the absolute timer against the relative one: equal only for CV 1. */
static void two_timers_two_jitters(void **state)
{
    (void)state;
    static const struct {
        double delta;
        double sigma;
        double absolute;
        double relative;
    } laws[] = {
        {1.0, 1.0, 1.414, 1.414},       /* exponential */
        {1.0, 1.758, 2.486, 2.023},     /* Weibull, k = 0.6 */
        {1.0, 0.5, 0.707, 1.118},       /* gamma, k = 4 */
        {1.0, 1.31083, 1.855, 1.650},   /* lognormal, sigma = 1 */
    };
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        double absolute;
        double relative;
        assert_int_equal(hk_jitter_dependent(laws[i].sigma, 0.0, &absolute), HK_OK);
        assert_int_equal(hk_jitter_relative(laws[i].delta, laws[i].sigma, &relative), HK_OK);
        assert_near(absolute, laws[i].absolute, 1e-3);
        assert_near(relative, laws[i].relative, 1.5e-3);
    }
    /* J_cc / J of EAR(1): 1.732, 1.581, 1.449 for rho = 0, .5, .9 */
    double ratio;
    assert_int_equal(hk_jitter_cycle_law(0.0, 0.0, &ratio), HK_OK);
    assert_near(ratio, sqrt(3.0), 1e-14);
    assert_int_equal(hk_jitter_cycle_law(0.5, 0.25, &ratio), HK_OK);
    assert_near(ratio, 1.581, 5e-4);
    assert_int_equal(hk_jitter_cycle_law(0.9, 0.81, &ratio), HK_OK);
    assert_near(ratio, 1.449, 5e-4);
    assert_refused(hk_jitter_cycle_law(1.0, 1.0, &ratio), HK_ERANGE, &ratio);
    assert_refused(hk_jitter_cycle_law(0.9, -0.9, &ratio), HK_ERANGE, &ratio);
    assert_refused(hk_jitter_cycle_law(1.5, 0.0, &ratio), HK_EINVAL, &ratio);
    assert_refused(hk_jitter_cycle_law(0.0, NAN, &ratio), HK_EINVAL, &ratio);
    assert_refused(hk_jitter_relative(-1.0, 1.0, &ratio), HK_EINVAL, &ratio);
    /* 3 % needs about 39 000 periods per run, 5 % 14 100 */
    size_t n;
    assert_int_equal(hk_jitter_count_needed(0.03, 0.05, 0.9, &n), HK_OK);
    assert_near((double)n / 39000.0, 1.0, 0.005);
    assert_int_equal(hk_jitter_count_needed(0.05, 0.05, 0.9, &n), HK_OK);
    assert_near((double)n / 14100.0, 1.0, 0.005);
    assert_refused(hk_jitter_count_needed(0.0, 0.05, 0.9, &n), HK_EINVAL, &n);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(both_runs_recover_the_known_laws),
        cmocka_unit_test(the_exponential_law_is_recognised_and_others_are_not),
        cmocka_unit_test(the_interval_knows_that_periods_share_delays),
        cmocka_unit_test(two_timers_two_jitters),
        cmocka_unit_test(the_next_block_is_foretold),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
