/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "delays.h"
#include "hk/base/units.h"
#include "hk/model/tail_mixture.h"
#include "hk/stats/quantile.h"
#include "support.h"

/* The threshold that misleads: half of what lies beyond it belongs to the common component. */
static const struct hk_tail_options at_98 = {
    .confidence_ratio = 0.95, .extremal_index = 1.0, .threshold_quantile = 0.98};
static const struct hk_delay_law mixed = {HK_DELAY_HYPEREXPONENTIAL, 1.0, 0.01, 20.0};

static double median(double *x, size_t n)
{
    double value = NAN;
    assert_int_equal(hk_sample_sort(x, n), HK_OK);
    assert_int_equal(hk_quantile(x, n, 0.5, &value), HK_OK);
    return value;
}

static double depth(double probability)
{
    return 20.0 * log(0.01 / probability); /* of the mixture, far out */
}

/* 99 % Exp(1) and 1 % Exp(20), n = 100,000: the GPD is 1.7 decades off at 1e-5, 2.6 at 1e-6. */
static void a_rare_component_is_detected(void **state)
{
    (void)state;
    enum { N = 100000, REPLICATES = 20 };
    static const double targets[] = {1e-5, 1e-6};
    struct hk_rng *rng = test_rng(272);
    double *x = malloc(N * sizeof *x);
    double gpd[2][REPLICATES];
    double mixture[2][REPLICATES];
    int covered = 0;
    int preferred = 0;
    for (int r = 0; r < REPLICATES; r++) {
        struct hk_tail tail;
        struct hk_tail_mixture fit;
        for (int i = 0; i < N; i++) {
            x[i] = hk_delay_draw(&mixed, rng);
        }
        assert_int_equal(hk_sample_sort(x, N), HK_OK);
        assert_int_equal(hk_tail_fit(x, N, &at_98, &tail), HK_OK);
        assert_int_equal(hk_tail_mixture_fit(&tail, &fit), HK_OK);
        preferred += hk_tail_mixture_preferred(&fit);
        for (size_t t = 0; t < HK_ARRAY_COUNT(targets); t++) {
            struct hk_tail_probability p;
            const double at = depth(targets[t]);
            assert_near(hk_delay_survival(&mixed, at) / targets[t], 1.0, 1e-6);
            gpd[t][r] = log10(tail.exceed_ratio *
                              hk_gpd_survival(tail.gpd.xi, tail.gpd.sigma_ns,
                                              at - tail.threshold_ns) / targets[t]);
            assert_int_equal(hk_tail_mixture_probability(&tail, &fit, at, 0.95, &p), HK_OK);
            mixture[t][r] = log10(p.probability / targets[t]);
            double back;
            assert_int_equal(hk_tail_mixture_quantile(&tail, &fit, p.probability, &back), HK_OK);
            assert_near(back / at, 1.0, 1e-9);
            covered += p.interval.lower <= targets[t] && targets[t] <= p.interval.upper;
        }
    }
    assert_int_equal(preferred, REPLICATES);
    assert_true(covered >= (2 * REPLICATES * 85) / 100);
    for (size_t t = 0; t < HK_ARRAY_COUNT(targets); t++) {
        const double off = median(gpd[t], REPLICATES);
        const double now = median(mixture[t], REPLICATES);
        print_message("at %.0e: GPD %+.2f decades, mixture %+.2f, 95 %% intervals cover %d of %d\n",
                      targets[t], off, now, covered, 2 * REPLICATES);
        assert_true(off > 1.2);
        assert_true(fabs(now) < 0.15);
    }
    free(x);
    hk_rng_destroy(rng);
}

/* Laws that are no mixture: it is rarely preferred, and where it is, it does little harm. */
static void other_tails_stay_what_they_are(void **state)
{
    (void)state;
    enum { N = 30000, REPLICATES = 20 };
    static const enum delay_law laws[] = {DELAY_EXPONENTIAL, DELAY_WEIBULL, DELAY_LOGNORMAL};
    struct hk_rng *rng = test_rng(273);
    double *x = malloc(N * sizeof *x);
    for (size_t l = 0; l < HK_ARRAY_COUNT(laws); l++) {
        int preferred = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct hk_tail tail;
            struct hk_tail_mixture fit;
            fill_delays(rng, laws[l], 1.0, x, N);
            assert_int_equal(hk_sample_sort(x, N), HK_OK);
            assert_int_equal(hk_tail_fit(x, N, &at_98, &tail), HK_OK);
            preferred += hk_tail_mixture_fit(&tail, &fit) == HK_OK &&
                         hk_tail_mixture_preferred(&fit);
        }
        assert_true(preferred <= REPLICATES / 10);
    }
    free(x);
    hk_rng_destroy(rng);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct hk_rng *rng = test_rng(274);
    double x[N];
    struct hk_tail tail;
    struct hk_tail_mixture fit;
    struct hk_tail_probability p;
    fill_delays(rng, DELAY_EXPONENTIAL, 1.0, x, N);
    hk_rng_destroy(rng);
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    assert_int_equal(hk_tail_fit(x, N, &at_98, &tail), HK_OK);
    assert_refused(hk_tail_mixture_fit(&tail, &fit), HK_ENOISE, &fit); /* 40 exceedances */
    assert_refused(hk_tail_mixture_fit(NULL, &fit), HK_EINVAL, &fit);
    const struct hk_tail_mixture good = {.law = mixed};
    const struct hk_tail_mixture bad = {.law = {HK_DELAY_HYPEREXPONENTIAL, 1.0, 2.0, 3.0}};
    assert_refused(hk_tail_mixture_probability(&tail, &bad, 9.0, 0.95, &p), HK_EINVAL, &p);
    assert_refused(hk_tail_mixture_probability(&tail, &good, NAN, 0.95, &p), HK_EINVAL, &p);
    assert_refused(hk_tail_mixture_probability(&tail, &good, 9.0, 1.0, &p), HK_EINVAL, &p);
    double x_ns = 0.0;
    assert_refused(hk_tail_mixture_quantile(&tail, &good, 0.0, &x_ns), HK_EINVAL, &x_ns);
    assert_refused(hk_tail_mixture_quantile(&tail, &bad, 0.1, &x_ns), HK_EINVAL, &x_ns);
    /* the body is the body */
    struct hk_tail_probability body;
    assert_int_equal(hk_tail_probability(&tail, 1.0, 0.95, &body), HK_OK);
    assert_int_equal(hk_tail_mixture_probability(&tail, &good, 1.0, 0.95, &p), HK_OK);
    assert_near(p.probability, body.probability, 0.0);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rare_component_is_detected),
        cmocka_unit_test(other_tails_stay_what_they_are),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
