/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "hk/model/phase_type.h"
#include "hk/model/underrun.h"
#include "support.h"

static const struct hk_delay_law exponential = {HK_DELAY_EXPONENTIAL, 2.385, 0, 0};
static const struct hk_delay_law hyper = {HK_DELAY_HYPEREXPONENTIAL, 1.0, 0.01, 20.0};

/* A sum of exponentials is the incomplete gamma function, to the last decade. */
static void survival_is_the_known_one(void **state)
{
    (void)state;
    for (unsigned k = 1; k <= 8; k++) {
        struct hk_phase_type law;
        double mean;
        assert_int_equal(hk_phase_type_sum(&exponential, k, &law), HK_OK);
        assert_int_equal(hk_phase_type_mean(&law, &mean), HK_OK);
        assert_near(mean, k * 2.385, 1e-12);
        for (double x = 0.0; x < 120.0; x += 7.31) {
            double p;
            assert_int_equal(hk_phase_type_survival(&law, x, &p), HK_OK);
            assert_near(p / gsl_cdf_gamma_Q(x, k, 2.385), 1.0, 1e-9);
        }
    }
    struct hk_phase_type law;
    double p;
    assert_int_equal(hk_phase_type_sum(&hyper, 1, &law), HK_OK);
    assert_int_equal(hk_phase_type_survival(&law, 300.0, &p), HK_OK);
    assert_near(p / hk_delay_survival(&hyper, 300.0), 1.0, 1e-10);
}

static void differences_are_the_known_ones(void **state)
{
    (void)state;
    struct hk_phase_type law;
    double p;
    assert_int_equal(hk_phase_type_sum(&exponential, 1, &law), HK_OK);
    assert_int_equal(hk_phase_type_difference(&law, 50.0, &p), HK_OK);
    assert_near(p / (0.5 * exp(-50.0 / 2.385)), 1.0, 1e-10);
    /* two stages, by hand: e^-z (2 + z) / 4 */
    assert_int_equal(hk_phase_type_sum(&exponential, 2, &law), HK_OK);
    const double z = 50.0 / 2.385;
    assert_int_equal(hk_phase_type_difference(&law, 50.0, &p), HK_OK);
    assert_near(p / (exp(-z) * (2.0 + z) / 4.0), 1.0, 1e-10);
    /* a mixture: sum over pairs of p_i p_j m_i / (m_i + m_j) e^(-h / m_i) */
    const double share[2] = {0.99, 0.01};
    const double mean[2] = {1.0, 20.0};
    double exact = 0.0;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            exact += share[i] * share[j] * mean[i] / (mean[i] + mean[j]) * exp(-30.0 / mean[i]);
        }
    }
    assert_int_equal(hk_phase_type_sum(&hyper, 1, &law), HK_OK);
    assert_int_equal(hk_phase_type_difference(&law, 30.0, &p), HK_OK);
    assert_near(p / exact, 1.0, 1e-10);
    assert_int_equal(hk_phase_type_difference(&law, 0.0, &p), HK_OK);
    assert_near(p, 0.5, 1e-12);
}

static void queues_are_the_known_ones(void **state)
{
    (void)state;
    struct hk_phase_type law;
    double p;
    double known;
    assert_int_equal(hk_phase_type_sum(&exponential, 1, &law), HK_OK);
    for (double rho = 0.2; rho < 0.99; rho += 0.15) {
        const double period = 2.385 / rho;
        assert_int_equal(hk_phase_type_queue(&law, period, true, 40.0, &p), HK_OK);
        assert_near(p / exp(-(1.0 / 2.385 - 1.0 / period) * 40.0), 1.0, 1e-9);
        assert_int_equal(hk_phase_type_queue(&law, period, false, 40.0, &p), HK_OK);
        assert_int_equal(hk_underrun_probability(HK_UNDERRUN_QUEUE, 2.385, 40.0, period, &known),
                         HK_OK);
        assert_near(p / known, 1.0, 1e-8);
    }
    /* Pollaczek-Khinchine: the mean sojourn is the integral of the tail */
    assert_int_equal(hk_phase_type_sum(&hyper, 1, &law), HK_OK);
    const double period = 1.19 / 0.5;
    const double second = 2.0 * (0.99 + 0.01 * 400.0);
    double mean = 0.0;
    const double step = 0.05;
    for (double x = step / 2.0; x < 800.0; x += step) {
        assert_int_equal(hk_phase_type_queue(&law, period, true, x, &p), HK_OK);
        mean += p * step;
    }
    assert_near(mean / (1.19 + second / period / (2.0 * 0.5)), 1.0, 1e-4);
}

static void coxian_has_the_moments(void **state)
{
    (void)state;
    static const double cvs[] = {0.5, 0.8, 1.0, 2.83, 40.0};
    for (size_t i = 0; i < HK_ARRAY_COUNT(cvs); i++) {
        struct hk_phase_type law;
        double mean;
        double second = 0.0;
        double p;
        assert_int_equal(hk_phase_type_coxian(3.7, cvs[i], &law), HK_OK);
        assert_int_equal(hk_phase_type_mean(&law, &mean), HK_OK);
        assert_near(mean / 3.7, 1.0, 1e-12);
        const double step = 0.02 * sqrt(cvs[i]);
        for (double x = step / 2.0; x < 400.0 * sqrt(cvs[i]) + 200.0; x += step) {
            assert_int_equal(hk_phase_type_survival(&law, x, &p), HK_OK);
            second += 2.0 * x * p * step;
            if (p < 1e-12) {
                break;
            }
        }
        assert_near((second / (3.7 * 3.7) - 1.0) / cvs[i], 1.0, 2e-3);
    }
    struct hk_phase_type law;
    assert_refused(hk_phase_type_coxian(1.0, 0.4, &law), HK_ERANGE, &law);
    assert_refused(hk_phase_type_coxian(0.0, 1.0, &law), HK_EINVAL, &law);
}

static void draw(struct hk_rng *rng, const struct hk_delay_law *law, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = hk_delay_draw(law, rng);
    }
}

/* A component of one per cent is found, and its tail is right three decades beyond the sample. */
static void mixtures_are_recovered(void **state)
{
    (void)state;
    enum { N = 100000, REPLICATES = 10 };
    struct hk_rng *rng = test_rng(270);
    double *x = malloc(N * sizeof *x);
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_hyper_fit fit;
        draw(rng, &hyper, x, N);
        assert_int_equal(hk_hyper_fit(x, N, &fit), HK_OK);
        assert_near(fit.law.scale_ns, 1.0, 0.02);
        assert_near(fit.law.shape / 0.01, 1.0, 0.15);
        assert_near(fit.law.rare_scale_ns / 20.0, 1.0, 0.15);
        assert_true(fit.bic_gain > 1000.0);
        const double log_error = log10(hk_delay_survival(&fit.law, 184.2) /
                                       hk_delay_survival(&hyper, 184.2)); /* 1e-6 */
        assert_true(fabs(log_error) < 0.5);
    }
    /* one exponential needs no second component */
    int paid = 0;
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_hyper_fit fit;
        draw(rng, &exponential, x, N);
        paid += hk_hyper_fit(x, N, &fit) == HK_OK && fit.bic_gain > 0.0;
    }
    assert_true(paid <= 1);
    free(x);
    hk_rng_destroy(rng);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct hk_phase_type law;
    double p = 0.0;
    double x[200];
    struct hk_hyper_fit fit;
    const struct hk_delay_law lomax = {HK_DELAY_LOMAX, 1.0, 2.0, 0};
    assert_refused(hk_phase_type_sum(&lomax, 1, &law), HK_ENOTSUP, &law);
    assert_refused(hk_phase_type_sum(&hyper, 9, &law), HK_ETOOBIG, &law);
    assert_refused(hk_phase_type_sum(&hyper, 0, &law), HK_EINVAL, &law);
    assert_int_equal(hk_phase_type_sum(&exponential, 1, &law), HK_OK);
    assert_refused(hk_phase_type_survival(&law, -1.0, &p), HK_EINVAL, &p);
    assert_refused(hk_phase_type_difference(&law, NAN, &p), HK_EINVAL, &p);
    assert_refused(hk_phase_type_queue(&law, 2.385, true, 1.0, &p), HK_ERANGE, &p);
    assert_refused(hk_phase_type_queue(&law, 0.0, true, 1.0, &p), HK_EINVAL, &p);
    struct hk_rng *rng = test_rng(271);
    draw(rng, &hyper, x, 200);
    hk_rng_destroy(rng);
    assert_refused(hk_hyper_fit(x, 99, &fit), HK_ENOISE, &fit);
    x[7] = -1.0;
    assert_refused(hk_hyper_fit(x, 200, &fit), HK_EINVAL, &fit);
    x[7] = NAN;
    assert_refused(hk_hyper_fit(x, 200, &fit), HK_EINVAL, &fit);
    for (int i = 0; i < 200; i++) {
        x[i] = 0.0;
    }
    assert_refused(hk_hyper_fit(x, 200, &fit), HK_EINVAL, &fit);
    for (int i = 0; i < 200; i++) {
        x[i] = 3.0; /* lighter than exponential: nothing to find */
    }
    assert_refused(hk_hyper_fit(x, 200, &fit), HK_ENOISE, &fit);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survival_is_the_known_one),
        cmocka_unit_test(differences_are_the_known_ones),
        cmocka_unit_test(queues_are_the_known_ones),
        cmocka_unit_test(coxian_has_the_moments),
        cmocka_unit_test(mixtures_are_recovered),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
