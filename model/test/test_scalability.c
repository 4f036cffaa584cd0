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

#include "hk/model/scalability.h"
#include "support.h"

static void known_laws_are_recovered(void **state)
{
    (void)state;
    enum { REPLICATES = 500, POINTS = 24 };
    struct hk_rng *rng = test_rng(510);
    const double truth[] = {52000.0, 0.07, 0.004};
    const double peak = sqrt(0.93 / 0.004);
    uint64_t peak_hits = 0;
    uint64_t sigma_hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double clients[POINTS];
        double x[POINTS];
        for (int i = 0; i < POINTS; i++) {
            const double n = clients[i] = 1.0 + 1.7 * i;
            x[i] = truth[0] * n / (1.0 + truth[1] * (n - 1.0) + truth[2] * n * (n - 1.0)) *
                   (1.0 + 0.02 * hk_rng_normal(rng));
        }
        struct hk_scalability law;
        struct hk_estimate at;
        assert_int_equal(hk_scalability_fit(clients, x, POINTS, &law), HK_OK);
        assert_int_equal(hk_scalability_peak(&law, &at), HK_OK);
        assert_near(law.gamma_per_s / truth[0], 1.0, 0.15);
        assert_near(law.relative_sd, 0.02, 0.012);
        /* Student t, 21 degrees of freedom */
        peak_hits += fabs(at.value - peak) <= 2.0796 * at.standard_error;
        sigma_hits += fabs(law.sigma - truth[1]) <= 2.0796 * sqrt(law.covariance[1][1]);
    }
    assert_in_range(peak_hits, REPLICATES * 92 / 100, REPLICATES * 98 / 100);
    assert_in_range(sigma_hits, REPLICATES * 92 / 100, REPLICATES * 98 / 100);
    hk_rng_destroy(rng);
}

static void exact_points_give_the_law(void **state)
{
    (void)state;
    double clients[] = {1, 2, 4, 8, 16, 32};
    double x[6];
    const struct hk_scalability truth = {.gamma_per_s = 3.3e-3, .sigma = 0.11, .kappa = 2.5e-4};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(hk_scalability_at(&truth, clients[i], &x[i]), HK_OK);
    }
    struct hk_scalability law;
    assert_int_equal(hk_scalability_fit(clients, x, 6, &law), HK_OK);
    assert_near(law.gamma_per_s / 3.3e-3, 1.0, 1e-6);
    assert_near(law.sigma, 0.11, 1e-6);
    assert_near(law.kappa, 2.5e-4, 1e-7);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double clients[] = {1, 2, 4, 8, 16};
    const double same[] = {4, 4, 4, 8, 8};
    const double none[] = {0, 2, 4, 8, 16};
    const double x[] = {100, 180, 300, 420, 500};
    const double zero[] = {100, 0, 300, 420, 500};
    const double endless[] = {100, INFINITY, 300, 420, 500};
    struct hk_scalability law;
    struct hk_estimate at;
    double value;
    assert_refused(hk_scalability_fit(clients, x, 3, &law), HK_ENOISE, &law);
    assert_refused(hk_scalability_fit(same, x, 5, &law), HK_ENOISE, &law);
    assert_refused(hk_scalability_fit(none, x, 5, &law), HK_EINVAL, &law);
    assert_refused(hk_scalability_fit(clients, zero, 5, &law), HK_EINVAL, &law);
    assert_refused(hk_scalability_fit(clients, endless, 5, &law), HK_EINVAL, &law);
    const struct hk_scalability linear = {.gamma_per_s = 1.0, .kappa = 0.0, .count = 5};
    assert_refused(hk_scalability_peak(&linear, &at), HK_ERANGE, &at);
    const struct hk_scalability serial = {.gamma_per_s = 1.0, .sigma = 1.0, .kappa = 0.1};
    assert_refused(hk_scalability_peak(&serial, &at), HK_ERANGE, &at);
    const struct hk_scalability collapse = {.gamma_per_s = 1.0, .sigma = -0.5};
    assert_refused(hk_scalability_at(&collapse, 10.0, &value), HK_EINVAL, &value);
    assert_refused(hk_scalability_at(&linear, 0.5, &value), HK_EINVAL, &value);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_laws_are_recovered),
        cmocka_unit_test(exact_points_give_the_law),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
