/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/quantile.h"
#include "hk/stats/score.h"
#include "support.h"

static void crps_is_the_definition(void **state)
{
    (void)state;
    const double sample[] = {0.2, 1.1, 2.3, 3.9, 4.7};
    double crps;
    assert_int_equal(hk_crps(sample, 5, 2.9, &crps), HK_OK);
    assert_near(crps, 0.636, 1e-12); /* mean |x - y| - mean |x - x'| / 2, numpy */
    const double one[] = {2.0};
    assert_int_equal(hk_crps(one, 1, 5.5, &crps), HK_OK);
    assert_near(crps, 3.5, 1e-14);
    /* standard normal forecast: z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt pi (Gneiting 2005) */
    enum { N = 200000 };
    struct hk_rng *rng = test_rng(480);
    double *x = malloc(N * sizeof *x);
    for (int i = 0; i < N; i++) {
        x[i] = hk_rng_normal(rng);
    }
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    for (double z = -2.0; z <= 3.0; z += 0.7) {
        assert_int_equal(hk_crps(x, N, z, &crps), HK_OK);
        const double expected = z * erf(z / M_SQRT2) +
                                2.0 * exp(-z * z / 2.0) / sqrt(2.0 * M_PI) - 1.0 / sqrt(M_PI);
        assert_near(crps, expected, 0.006);
    }
    free(x);
    hk_rng_destroy(rng);
}

static void pinball_prefers_the_quantile(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(481);
    static double y[N];
    static double guess[N];
    for (int i = 0; i < N; i++) {
        y[i] = hk_rng_exponential(rng, 1.0);
    }
    double best = INFINITY;
    double at = 0.0;
    for (double g = 1.5; g < 3.2; g += 0.05) {
        double loss;
        for (int i = 0; i < N; i++) {
            guess[i] = g;
        }
        assert_int_equal(hk_pinball(y, guess, N, 0.9, &loss), HK_OK);
        at = loss < best ? g : at;
        best = fmin(best, loss);
    }
    assert_near(at, 2.302585, 0.06);
    const double observed[] = {3.0, 1.0};
    const double predicted[] = {2.0, 2.0};
    double loss;
    assert_int_equal(hk_pinball(observed, predicted, 2, 0.9, &loss), HK_OK);
    assert_near(loss, (0.9 + 0.1) / 2.0, 1e-14);
    hk_rng_destroy(rng);
}

static void transforms_are_midranks(void **state)
{
    (void)state;
    const double sorted[] = {1.0, 2.0, 2.0, 3.0};
    double pit;
    assert_int_equal(hk_pit(sorted, 4, 0.0, &pit), HK_OK);
    assert_near(pit, 0.1, 1e-14);
    assert_int_equal(hk_pit(sorted, 4, 2.0, &pit), HK_OK);
    assert_near(pit, 0.5, 1e-14);
    assert_int_equal(hk_pit(sorted, 4, 9.0, &pit), HK_OK);
    assert_near(pit, 0.9, 1e-14);
}

/* Computed apart with numpy: autoregression by least squares, normal likelihoods. */
static void berkowitz_matches_numpy(void **state)
{
    (void)state;
    const double pit[] = {
        0.6217195218, 0.1150696702, 0.8105703452, 0.9264707404, 0.3935801268,
        0.7453730853, 0.1761855422, 0.5477584260, 0.9719333933, 0.6554217416,
        0.2911596868, 0.7673049077, 0.8599289099, 0.4443299952, 0.7224046752,
        0.0445654628, 0.5987063257, 0.8339767539, 0.9082408643, 0.3372427268,
        0.7910299121, 0.5199388058, 0.2482522305, 0.8849303298, 0.6914624613};
    struct hk_calibration c;
    assert_int_equal(hk_calibration_test(pit, 25, &c), HK_OK);
    assert_near(c.statistic, 3.7192489309554304, 1e-9);
    assert_near(c.p_value, 0.2934195835254579, 1e-9);
    assert_near(c.independence_statistic, 0.8975188920528865, 1e-9);
    assert_near(c.independence_p_value, 0.34344785964276026, 1e-9);
    assert_near(c.mean, 0.29333333328340716, 1e-9);
    assert_near(c.sd, 0.8960525345951877, 1e-9);
    assert_near(c.rho1, -0.19158810656414096, 1e-9);
}

static void tests_keep_their_level_and_see(void **state)
{
    (void)state;
    enum { REPLICATES = 2000, N = 400 };
    struct hk_rng *rng = test_rng(482);
    uint64_t level = 0;
    uint64_t narrow = 0;
    uint64_t followed = 0;
    uint64_t clustered = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double pit[N];
        double wide[N];
        double chain[N];
        bool violated[N];
        double z = 0.0;
        for (int i = 0; i < N; i++) {
            z = 0.3 * z + sqrt(0.91) * hk_rng_normal(rng);
            pit[i] = fmin(1.0 - 1e-12, fmax(1e-12, hk_rng_uniform(rng)));
            wide[i] = 0.5 * erfc(-1.2 * hk_rng_normal(rng) / M_SQRT2);
            chain[i] = 0.5 * erfc(-z / M_SQRT2);
            const double rate = i > 0 && violated[i - 1] ? 0.4 : 0.05;
            violated[i] = hk_rng_uniform(rng) < rate;
        }
        struct hk_calibration c;
        struct hk_violations v;
        assert_int_equal(hk_calibration_test(pit, N, &c), HK_OK);
        level += c.p_value < 0.05;
        assert_int_equal(hk_calibration_test(wide, N, &c), HK_OK);
        narrow += c.p_value < 0.05;
        assert_int_equal(hk_calibration_test(chain, N, &c), HK_OK);
        followed += c.independence_p_value < 0.05;
        assert_int_equal(hk_violation_test(violated, N, 0.08, &v), HK_OK);
        clustered += v.independence_p_value < 0.05;
    }
    assert_in_range(level, 70, 140); /* asymptotic level of 5 %, n = 400 */
    assert_true(narrow > REPLICATES * 9 / 10);
    assert_true(followed > REPLICATES * 9 / 10);
    assert_true(clustered > REPLICATES * 9 / 10);
    hk_rng_destroy(rng);
}

static void violations_match_numpy(void **state)
{
    (void)state;
    static const size_t when[] = {3, 4, 50, 51, 52, 120, 180, 181, 240};
    bool violated[250] = {false};
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        violated[when[i]] = true;
    }
    struct hk_violations v;
    assert_int_equal(hk_violation_test(violated, 250, 0.02, &v), HK_OK);
    assert_near(v.violation_ratio, 0.036, 1e-14);
    assert_near(v.coverage_statistic, 2.6458244281754233, 1e-10);
    assert_near(v.independence_statistic, 16.462396032404683, 1e-10);
    assert_near(v.independence_p_value, 4.962463717400651e-05, 1e-10);
    assert_near(v.joint_p_value, 7.090921009240781e-05, 1e-10);
    const bool never[30] = {false};
    assert_int_equal(hk_violation_test(never, 30, 0.02, &v), HK_OK);
    assert_near(v.independence_p_value, 1.0, 0.0);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double falling[] = {2.0, 1.0};
    const double endless[] = {1.0, INFINITY};
    const double huge[] = {-1.7e308, 1.7e308};
    double pit[40];
    bool violated[40] = {false};
    double out;
    struct hk_calibration c;
    struct hk_violations v;
    assert_refused(hk_crps(falling, 2, 1.0, &out), HK_EINVAL, &out);
    assert_refused(hk_crps(endless, 2, 1.0, &out), HK_EINVAL, &out);
    assert_refused(hk_crps(falling, 0, 1.0, &out), HK_EINVAL, &out);
    assert_refused(hk_crps(huge, 2, 1.7e308, &out), HK_EINVAL, &out);
    assert_refused(hk_pinball(falling, endless, 2, 0.5, &out), HK_EINVAL, &out);
    assert_refused(hk_pinball(falling, falling, 2, 1.0, &out), HK_EINVAL, &out);
    assert_refused(hk_pit(falling, 0, 1.0, &out), HK_EINVAL, &out);
    assert_refused(hk_pit(falling, 2, NAN, &out), HK_EINVAL, &out);
    for (int i = 0; i < 40; i++) {
        pit[i] = 0.5;
    }
    assert_refused(hk_calibration_test(pit, 40, &c), HK_ENOISE, &c);
    assert_refused(hk_calibration_test(pit, 19, &c), HK_ENOISE, &c);
    for (int i = 0; i < 40; i++) {
        pit[i] = i % 2 == 0 ? 0.3 : 0.7;
    }
    assert_refused(hk_calibration_test(pit, 40, &c), HK_ENOISE, &c); /* alternates: no likelihood */
    pit[5] = 0.0;
    assert_refused(hk_calibration_test(pit, 40, &c), HK_EINVAL, &c);
    pit[5] = NAN;
    assert_refused(hk_calibration_test(pit, 40, &c), HK_EINVAL, &c);
    assert_refused(hk_violation_test(violated, 19, 0.1, &v), HK_ENOISE, &v);
    assert_refused(hk_violation_test(violated, 40, 0.0, &v), HK_EINVAL, &v);
    assert_refused(hk_violation_test(NULL, 40, 0.1, &v), HK_EINVAL, &v);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crps_is_the_definition),
        cmocka_unit_test(pinball_prefers_the_quantile),
        cmocka_unit_test(transforms_are_midranks),
        cmocka_unit_test(berkowitz_matches_numpy),
        cmocka_unit_test(tests_keep_their_level_and_see),
        cmocka_unit_test(violations_match_numpy),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
