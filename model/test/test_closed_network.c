/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/model/closed_network.h"
#include "support.h"

/*
 * Machine repairman (M/M/1//N): one station of demand s, think time z. The chance
 * that it idles is 1 / sum_k N!/(N-k)! (s/z)^k.
 */
static double repairman_throughput(double service_ns, double think_ns, unsigned clients)
{
    double term = 1.0;
    double sum = 1.0;
    for (unsigned k = 1; k <= clients; k++) {
        term *= (double)(clients - k + 1) * service_ns / think_ns;
        sum += term;
    }
    return (1.0 - 1.0 / sum) / service_ns * 1e9;
}

static void solution_is_the_closed_form(void **state)
{
    (void)state;
    const struct hk_station stations[] = {{2385.0, false}, {17230.0, true}};
    for (unsigned clients = 1; clients <= 40; clients++) {
        struct hk_closed_load load;
        assert_int_equal(hk_closed_solve(stations, 2, clients, &load), HK_OK);
        assert_near(load.throughput_per_s / repairman_throughput(2385.0, 17230.0, clients), 1.0,
                    1e-12);
        assert_near(load.queue_mean[0] + load.queue_mean[1], clients, 1e-12);
    }
    /* balanced: X = N / (D (N + M - 1) / M), Lazowska et al. 1984, section 5.4 */
    const struct hk_station equal[] = {{1700.0, false}, {1700.0, false}, {1700.0, false}};
    struct hk_closed_load load;
    assert_int_equal(hk_closed_solve(equal, 3, 7, &load), HK_OK);
    assert_near(load.throughput_per_s, 7.0 / (1700.0 * 9.0) * 1e9, 1e-12);
    assert_near(load.utilisation_ratio[1], 7.0 / 9.0, 1e-12);
    assert_near(load.response_ns, 1700.0 * 9.0, 1e-12);
}

static void bounds_hold_and_are_reached(void **state)
{
    (void)state;
    const struct hk_station stations[] = {{900.0, false}, {2100.0, false}, {5000.0, true}};
    for (size_t clients = 1; clients <= 64; clients++) {
        struct hk_closed_bounds bounds;
        struct hk_closed_load load;
        assert_int_equal(hk_closed_bounds(stations, 3, clients, &bounds), HK_OK);
        assert_int_equal(hk_closed_solve(stations, 3, clients, &load), HK_OK);
        assert_true(load.throughput_per_s <= bounds.upper_per_s * (1.0 + 1e-12));
        assert_true(load.throughput_per_s >= bounds.lower_per_s * (1.0 - 1e-12));
        assert_int_equal(bounds.bottleneck, 1);
        assert_near(bounds.knee_clients, 8000.0 / 2100.0, 1e-12);
        if (clients == 1) {
            assert_near(load.throughput_per_s, 1e9 / 8000.0, 1e-12);
        }
        if (clients == 64) {
            assert_near(load.throughput_per_s / bounds.upper_per_s, 1.0, 1e-6);
        }
    }
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_closed_bounds bounds;
    struct hk_closed_load load;
    const struct hk_station bad[][2] = {
        {{-1.0, false}, {2.0, false}}, {{NAN, false}, {2.0, false}},
        {{INFINITY, true}, {2.0, false}}, {{0.0, false}, {2.0, true}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(hk_closed_bounds(bad[i], 2, 3, &bounds), HK_EINVAL, &bounds);
        assert_refused(hk_closed_solve(bad[i], 2, 3, &load), HK_EINVAL, &load);
    }
    const struct hk_station good[] = {{2.0, false}};
    assert_refused(hk_closed_bounds(good, 0, 3, &bounds), HK_EINVAL, &bounds);
    assert_refused(hk_closed_bounds(good, HK_STATIONS_MAX + 1, 3, &bounds), HK_EINVAL, &bounds);
    assert_refused(hk_closed_bounds(good, 1, 0, &bounds), HK_EINVAL, &bounds);
    assert_refused(hk_closed_bounds(NULL, 1, 1, &bounds), HK_EINVAL, &bounds);
    assert_refused(hk_closed_solve(good, 1, 1000001, &load), HK_ETOOBIG, &load);
    const struct hk_station huge[] = {{1e308, false}};
    assert_refused(hk_closed_solve(huge, 1, 1000, &load), HK_ERANGE, &load);
    const struct hk_station tiny[] = {{1e-320, false}};
    assert_refused(hk_closed_bounds(tiny, 1, 1, &bounds), HK_ERANGE, &bounds);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solution_is_the_closed_form),
        cmocka_unit_test(bounds_hold_and_are_reached),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
