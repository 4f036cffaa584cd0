/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "gpd_profile.h"
#include "hk/model/tail.h"
#include "hk/stats/quantile.h"
#include "support.h"
#include "delays.h"

static const struct hk_tail_options options = {.confidence_ratio = 0.95, .extremal_index = 1.0};

static void fill_gpd(struct hk_rng *rng, double xi, double sigma, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = hk_gpd_quantile(xi, sigma, exp(-hk_rng_exponential(rng, 1.0)));
    }
    assert_int_equal(hk_sample_sort(x, n), HK_OK);
}

static void survival_and_quantile_are_inverse(void **state)
{
    (void)state;
    static const double shapes[] = {-0.4, 0.0, 1e-12, 0.3, 1.7};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (double p = 1.0; p > 1e-12; p *= 0.03) {
            const double x = hk_gpd_quantile(shapes[i], 2.385, p);
            assert_near(hk_gpd_survival(shapes[i], 2.385, x) / p, 1.0, 1e-9);
        }
    }
    assert_near(hk_gpd_survival(-0.5, 1.0, 2.5), 0.0, 0.0); /* beyond the end of the support */
    assert_near(hk_gpd_survival(0.0, 2.0, 3.0), exp(-1.5), 1e-15);
}

static void parameters_are_recovered_and_covered(void **state)
{
    (void)state;
    enum { N = 500, REPLICATES = 200 };
    static const double shapes[] = {-0.2, 0.0, 0.25, 0.8, 1.5};
    struct hk_rng *rng = test_rng(140);
    double x[N];
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        double mean_xi = 0.0;
        double mean_sigma = 0.0;
        uint64_t hits = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct hk_gpd g;
            fill_gpd(rng, shapes[s], 17.0, x, N);
            assert_int_equal(hk_gpd_fit(x, N, 0.9, &g), HK_OK);
            mean_xi += g.xi / REPLICATES;
            mean_sigma += g.sigma_ns / REPLICATES;
            hits += g.xi_interval.lower <= shapes[s] && shapes[s] <= g.xi_interval.upper;
        }
        assert_near(mean_xi, shapes[s], 0.02);
        assert_near(mean_sigma / 17.0, 1.0, 0.02);
        assert_rate(hits, REPLICATES, 0.9);
    }
    hk_rng_destroy(rng);
}

/* Condensing must not move the estimate: compare with the score at the full sample. */
static void condensed_fit_is_the_full_fit(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(141);
    double *x = malloc(N * sizeof *x);
    fill_gpd(rng, 0.3, 17.0, x, N);
    struct hk_gpd g;
    assert_int_equal(hk_gpd_fit(x, N, 0.95, &g), HK_OK);
    /* Newton step of the full likelihood in (xi, ln sigma) by finite differences */
    double grid[3][3];
    const double h = 1e-3;
    for (int a = -1; a <= 1; a++) {
        for (int b = -1; b <= 1; b++) {
            const double xi = g.xi + a * h;
            const double sigma = g.sigma_ns * exp(b * h);
            double sum = 0.0;
            for (int i = 0; i < N; i++) {
                sum += log1p(xi * x[i] / sigma);
            }
            grid[a + 1][b + 1] = -N * log(sigma) - (1.0 + 1.0 / xi) * sum;
        }
    }
    const double g1 = (grid[2][1] - grid[0][1]) / (2 * h);
    const double g2 = (grid[1][2] - grid[1][0]) / (2 * h);
    const double h11 = (grid[2][1] - 2 * grid[1][1] + grid[0][1]) / (h * h);
    const double h22 = (grid[1][2] - 2 * grid[1][1] + grid[1][0]) / (h * h);
    const double h12 = (grid[2][2] - grid[2][0] - grid[0][2] + grid[0][0]) / (4 * h * h);
    const double step = (h22 * g1 - h12 * g2) / (h11 * h22 - h12 * h12);
    /* the standard error of xi is (1 + xi) / sqrt N = 0.009 */
    assert_true(fabs(step) < 0.001);
    free(x);
    hk_rng_destroy(rng);
}

static void anderson_p_is_uniform_under_the_law(void **state)
{
    (void)state;
    enum { N = 250, REPLICATES = 600 };
    static const double shapes[] = {-0.2, 0.0, 0.4, 1.2};
    struct hk_rng *rng = test_rng(142);
    double x[N];
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        uint64_t rejected = 0;
        uint64_t upper_half = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct gpd_points points;
            struct gpd_parameters best;
            fill_gpd(rng, shapes[s], 17.0, x, N);
            gpd_points_init(&points, x, N, 0.0);
            assert_int_equal(gpd_maximise(&points, &best), HK_OK);
            const double a2 = gpd_anderson(x, N, 0.0, best.xi, best.sigma);
            rejected += gpd_anderson_p(a2, best.xi) <= 0.05;
            upper_half += gpd_anderson_p(a2, best.xi) >= 0.5;
        }
        assert_rate(rejected, REPLICATES, 0.05);
        assert_rate(upper_half, REPLICATES, 0.5);
    }
    hk_rng_destroy(rng);
}

/*
 * One decade beyond the data: intervals cover, estimates are centred. The lognormal
 * and the Weibull law approach their limit slowly, which is why few values may lie
 * beyond the threshold.
 */
static void extrapolation_by_a_decade_is_covered(void **state)
{
    (void)state;
    enum { N = 10000, REPLICATES = 60 };
    const double target = 1e-5;
    const struct {
        enum delay_law law;
        double at; /* in means: the law's own quantile */
    } cases[] = {
        {DELAY_EXPONENTIAL, -log(target)},
        {DELAY_LOGNORMAL, exp(1.5 * 4.26489079392 - 1.125)},
        {DELAY_WEIBULL, pow(-log(target), 1.0 / 0.6) / tgamma(1.0 + 1.0 / 0.6)},
    };
    struct hk_rng *rng = test_rng(143);
    double *x = malloc(N * sizeof *x);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double errors[REPLICATES];
        int covered = 0;
        for (int r = 0; r < REPLICATES; r++) {
            struct hk_tail tail;
            struct hk_tail_probability p;
            fill_delays(rng, cases[c].law, 1.0, x, N);
            assert_int_equal(hk_sample_sort(x, N), HK_OK);
            assert_int_equal(hk_tail_fit(x, N, &options, &tail), HK_OK);
            assert_int_equal(hk_tail_probability(&tail, cases[c].at, 0.95, &p), HK_OK);
            covered += p.interval.lower <= target && target <= p.interval.upper;
            errors[r] = fmax(-20.0, log10(p.probability / target));
        }
        double median;
        assert_int_equal(hk_sample_sort(errors, REPLICATES), HK_OK);
        assert_int_equal(hk_quantile(errors, REPLICATES, 0.5, &median), HK_OK);
        assert_true(covered >= 50);
        assert_true(fabs(median) < 0.4);
    }
    free(x);
    hk_rng_destroy(rng);
}

static void body_and_tail_join(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(144);
    double *x = malloc(N * sizeof *x);
    fill_delays(rng, DELAY_LOGNORMAL, 1.0, x, N);
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    struct hk_tail tail;
    assert_int_equal(hk_tail_fit(x, N, &options, &tail), HK_OK);
    /* probabilities fall, intervals hold them, and stay near the truth all the way */
    double last = 1.0;
    for (double depth = 0.1; depth < 4.0; depth += 0.2) {
        const double truth = pow(10.0, -depth);
        struct hk_interval interval;
        struct hk_tail_probability p;
        double at;
        assert_int_equal(hk_tail_quantile(&tail, truth, 0.95, &at, &interval), HK_OK);
        assert_true(interval.lower <= at && at <= interval.upper);
        assert_int_equal(hk_tail_probability(&tail, at, 0.95, &p), HK_OK);
        assert_near(p.probability / truth, 1.0, truth > 0.01 ? 0.01 : 1e-6);
        assert_true(p.interval.lower <= p.probability && p.probability <= p.interval.upper);
        assert_true(p.interval.upper <= 1.0 && p.probability <= last);
        assert_true(p.interval_decades < 1.5);
        last = p.probability;
    }
    struct hk_tail_probability p;
    assert_int_equal(hk_tail_probability(&tail, -5.0, 0.95, &p), HK_OK);
    assert_near(p.probability, 1.0, 0.0);
    free(x);
    hk_rng_destroy(rng);
}

static void a_bounded_tail_ends(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct hk_rng *rng = test_rng(145);
    double x[N];
    fill_gpd(rng, -0.4, 17.0, x, N); /* nothing beyond 42.5 */
    struct hk_tail tail;
    struct hk_tail_probability p;
    assert_int_equal(hk_tail_fit(x, N, &options, &tail), HK_OK);
    assert_int_equal(hk_tail_probability(&tail, 60.0, 0.95, &p), HK_OK);
    assert_near(p.probability, 0.0, 1e-9);
    assert_true(p.interval.lower == 0.0 && p.interval.upper < 1e-4);
    assert_true(p.extrapolated && isinf(p.interval_decades));
    hk_rng_destroy(rng);
}

static void no_mean_no_extrapolation(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct hk_rng *rng = test_rng(146);
    double x[N];
    fill_gpd(rng, 1.8, 17.0, x, N);
    struct hk_tail tail;
    struct hk_tail_probability p;
    double at;
    assert_int_equal(hk_tail_fit(x, N, &options, &tail), HK_OK);
    assert_true(tail.gpd.xi >= 1.0);
    assert_refused(hk_tail_probability(&tail, 2.0 * x[N - 1], 0.95, &p), HK_ERANGE, &p);
    assert_refused(hk_tail_quantile(&tail, 1e-9, 0.95, &at, NULL), HK_ERANGE, &at);
    assert_int_equal(hk_tail_probability(&tail, 0.5 * x[N - 1], 0.95, &p), HK_OK);
    assert_false(p.extrapolated);
    hk_rng_destroy(rng);
}

static void clusters_widen_the_interval(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(147);
    double *x = malloc(N * sizeof *x);
    double index;
    /* the maximum of two neighbours: every peak counts twice, index 1/2 */
    double previous = hk_rng_exponential(rng, 1.0);
    for (int i = 0; i < N; i++) {
        const double next = hk_rng_exponential(rng, 1.0);
        x[i] = fmax(previous, next);
        previous = next;
    }
    assert_int_equal(hk_extremal_index(x, N, 5.5, 3, &index), HK_OK);
    assert_near(index, 0.5, 0.06);
    assert_refused(hk_extremal_index(x, N, 1e9, 3, &index), HK_ENOISE, &index);
    assert_refused(hk_extremal_index(x, N, 5.5, 0, &index), HK_EINVAL, &index);
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    struct hk_tail_options clustered = options;
    clustered.extremal_index = 0.5;
    clustered.threshold_quantile = 0.98;
    struct hk_tail tail;
    struct hk_tail_probability p[2];
    assert_int_equal(hk_tail_fit(x, N, &clustered, &tail), HK_OK);
    assert_int_equal(hk_tail_probability(&tail, 9.0, 0.95, &p[0]), HK_OK);
    clustered.extremal_index = 1.0;
    assert_int_equal(hk_tail_fit(x, N, &clustered, &tail), HK_OK);
    assert_int_equal(hk_tail_probability(&tail, 9.0, 0.95, &p[1]), HK_OK);
    /* sqrt 2 for a parabola; deviances of tails are steeper towards the upper end */
    assert_near(p[0].interval_decades / p[1].interval_decades, sqrt(2.0), 0.2);
    free(x);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double x[400];
    struct hk_tail tail;
    struct hk_gpd g;
    for (int i = 0; i < 400; i++) {
        x[i] = 1.0 + (double)i;
    }
    assert_refused(hk_tail_fit(x, 299, &options, &tail), HK_ENOISE, &tail);
    struct hk_tail_options bad = options;
    bad.extremal_index = 0.0;
    assert_refused(hk_tail_fit(x, 400, &bad, &tail), HK_EINVAL, &tail);
    bad = options;
    bad.threshold_quantile = 0.99; /* four values beyond */
    assert_refused(hk_tail_fit(x, 400, &bad, &tail), HK_ENOISE, &tail);
    assert_refused(hk_gpd_fit(x, 29, 0.95, &g), HK_ENOISE, &g);
    x[399] = INFINITY;
    assert_refused(hk_tail_fit(x, 400, &options, &tail), HK_EINVAL, &tail);
    assert_refused(hk_gpd_fit(x, 400, 0.95, &g), HK_EINVAL, &g);
    x[0] = 500.0;
    assert_refused(hk_gpd_fit(x, 100, 0.95, &g), HK_EINVAL, &g);
    for (int i = 0; i < 400; i++) {
        x[i] = 7.0;
    }
    assert_refused(hk_tail_fit(x, 400, &options, &tail), HK_ENOISE, &tail);
    assert_refused(hk_gpd_fit(x, 400, 0.95, &g), HK_ENOISE, &g);
    struct hk_tail_probability p;
    double at;
    assert_refused(hk_tail_probability(NULL, 1.0, 0.95, &p), HK_EINVAL, &p);
    for (int i = 0; i < 400; i++) {
        x[i] = -log(1.0 - ((double)i + 0.5) / 400.0);
    }
    assert_int_equal(hk_tail_fit(x, 400, &options, &tail), HK_OK);
    assert_refused(hk_tail_probability(&tail, NAN, 0.95, &p), HK_EINVAL, &p);
    assert_refused(hk_tail_probability(&tail, 1.0, 1.0, &p), HK_EINVAL, &p);
    assert_refused(hk_tail_quantile(&tail, 0.0, 0.95, &at, NULL), HK_EINVAL, &at);
    struct hk_interval interval;
    assert_refused(hk_tail_quantile(&tail, 0.999, 0.95, &at, &interval), HK_ENOISE, &at);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survival_and_quantile_are_inverse),
        cmocka_unit_test(parameters_are_recovered_and_covered),
        cmocka_unit_test(condensed_fit_is_the_full_fit),
        cmocka_unit_test(anderson_p_is_uniform_under_the_law),
        cmocka_unit_test(extrapolation_by_a_decade_is_covered),
        cmocka_unit_test(body_and_tail_join),
        cmocka_unit_test(a_bounded_tail_ends),
        cmocka_unit_test(no_mean_no_extrapolation),
        cmocka_unit_test(clusters_widen_the_interval),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
