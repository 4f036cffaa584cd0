/* SPDX-License-Identifier: MIT */
/* The second error bar: parameters known from a sample only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "hk/base/units.h"
#include "rare_cases.h"
#include "support.h"

static void covariances_are_the_known_ones(void **state)
{
    (void)state;
    double c[HK_DELAY_PARAMETERS_MAX][HK_DELAY_PARAMETERS_MAX];
    struct hk_delay_law law = {HK_DELAY_EXPONENTIAL, 2.385, 0, 0};
    assert_int_equal(hk_delay_covariance(&law, c), HK_OK);
    assert_near(c[0][0], 1.0, 1e-4);
    /* Weibull: 6 / pi^2 for ln k; 1.1087 / k^2 for ln scale; 0.2570 / k together */
    law = (struct hk_delay_law){HK_DELAY_WEIBULL, 2.385, 0.6, 0};
    assert_int_equal(hk_delay_covariance(&law, c), HK_OK);
    assert_near(c[1][1], 6.0 / (M_PI * M_PI), 1e-3);
    assert_near(c[0][0] * 0.36, 1.1087, 1e-3);
    assert_near(c[0][1] * 0.6, 0.2570, 1e-3);
    /* a GPD of shape xi = 1 / alpha: var xi = (1 + xi)^2, so var ln alpha = (1 + alpha)^2 */
    law = (struct hk_delay_law){HK_DELAY_LOMAX, 2.385, 2.0, 0};
    assert_int_equal(hk_delay_covariance(&law, c), HK_OK);
    assert_near(c[1][1], 9.0, 1e-2);
    /* components far apart are known like separate samples */
    law = (struct hk_delay_law){HK_DELAY_HYPEREXPONENTIAL, 1.0, 0.3, 1e6};
    assert_int_equal(hk_delay_covariance(&law, c), HK_OK);
    assert_near(c[0][0], 1.0 / 0.7, 1e-2);
    assert_near(c[2][2], 1.0 / 0.3, 1e-2);
    assert_near(c[1][1], 1.0 / 0.7 + 1.0 / 0.3, 1e-2);
    law.shape = 1.0;
    assert_int_equal(hk_delay_covariance(&law, c), HK_EINVAL);
}

/* d ln P = -lambda h d ln lambda: sd = lambda h / sqrt n, also for the half law and the queue. */
static void errors_of_the_exponential_are_known(void **state)
{
    (void)state;
    double error;
    struct hk_rare_problem p = rare_case_at(CASE_EXPONENTIAL, 1e-9);
    assert_int_equal(hk_rare_input_error(&p, 30000.0, 1, &error), HK_OK);
    assert_near(error * sqrt(30000.0) / p.headroom_ns, 1.0, 1e-3);
    p = rare_case_at(CASE_ABSOLUTE, 1e-9);
    assert_int_equal(hk_rare_input_error(&p, 30000.0, 1, &error), HK_OK);
    assert_near(error * sqrt(30000.0) / p.headroom_ns, 1.0, 1e-3);
    /* the queue is more sensitive: its decay falls faster than the rate */
    p = rare_case_at(CASE_D_M_1, 1e-9);
    assert_int_equal(hk_rare_input_error(&p, 30000.0, 1, &error), HK_OK);
    assert_true(error * sqrt(30000.0) > 2.0 * 20.7);
}

/* The interval covers when the parameter really comes from a sample. */
static void the_error_bar_covers(void **state)
{
    (void)state;
    enum { REPLICATES = 400, N = 2000 };
    struct hk_rng *rng = test_rng(277);
    const struct hk_rare_problem truth = rare_case_at(CASE_D_M_1, 1e-9);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_rare_problem p = truth;
        double sum = 0.0;
        double exact;
        double error;
        for (int i = 0; i < N; i++) {
            sum += hk_delay_draw(&truth.law, rng);
        }
        p.law.scale_ns = sum / N;
        assert_int_equal(hk_rare_exact(&p, &exact, NULL), HK_OK);
        assert_int_equal(hk_rare_input_error(&p, N, 1, &error), HK_OK);
        hits += fabs(log(exact / 1e-9)) <= 1.959964 * error;
    }
    assert_rate(hits, REPLICATES, 0.95);
    hk_rng_destroy(rng);
}

static void headroom_is_found(void **state)
{
    (void)state;
    static const enum rare_case cases[] = {CASE_ERLANG, CASE_ABSOLUTE, CASE_D_M_1, CASE_M_HYPER_1,
                                           CASE_HYPER_SUM, CASE_WEIBULL_SUM};
    for (size_t c = 0; c < HK_ARRAY_COUNT(cases); c++) {
        const struct hk_rare_problem p = rare_case_at(cases[c], 1e-8);
        double headroom_ns;
        assert_int_equal(hk_rare_headroom_needed(&p, 1e-8, 1, &headroom_ns), HK_OK);
        assert_near(headroom_ns / p.headroom_ns, 1.0, 1e-6);
    }
    /* without a closed form: by simulation, to the error of a pilot */
    struct hk_rare_problem p = rare_case_at(CASE_D_M_1, 1e-6);
    double headroom_ns;
    p.ring_ns = 100.0 * p.headroom_ns;
    assert_int_equal(hk_rare_headroom_needed(&p, 1e-6, 1, &headroom_ns), HK_OK);
    assert_near(headroom_ns / p.headroom_ns, 1.0, 0.05);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct hk_rare_problem p = rare_case_at(CASE_D_M_1, 1e-6);
    double out = 0.0;
    assert_refused(hk_rare_input_error(&p, 0.0, 1, &out), HK_EINVAL, &out);
    assert_refused(hk_rare_headroom_needed(&p, 0.0, 1, &out), HK_EINVAL, &out);
    assert_refused(hk_rare_headroom_needed(&p, 1.0, 1, &out), HK_EINVAL, &out);
    p.period_ns = 0.5;
    assert_refused(hk_rare_input_error(&p, 100.0, 1, &out), HK_ERANGE, &out);
    assert_refused(hk_rare_headroom_needed(&p, 1e-3, 1, &out), HK_ERANGE, &out);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covariances_are_the_known_ones),
        cmocka_unit_test(errors_of_the_exponential_are_known),
        cmocka_unit_test(the_error_bar_covers),
        cmocka_unit_test(headroom_is_found),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
