/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/model/latency.h"
#include "hk/stats/line.h"
#include "support.h"

static const struct hk_latency_costs costs = {
    .c_sys_ns = {1266.0, 11.0, 20},
    .c_ipc_ns = {4150.0, 37.0, 20},
    .c_copy_ns = {830.0, 23.0, 20},
    .t_kernel_ns = {310.0, 5.0, 15},
    .t_user_ns = {350.0, 7.0, 18},
    .ipc_copy_covariance_ns2 = -400.0,
};

static void totals_and_errors_are_the_closed_forms(void **state)
{
    (void)state;
    struct hk_estimate t;
    assert_int_equal(hk_latency_kernel(&hk_latency_textbook, &costs, &t), HK_OK);
    assert_near(t.value, 2 * 1266.0 + 2 * 830.0 + 310.0, 1e-12);
    assert_near(t.standard_error, sqrt(4 * 121.0 + 4 * 529.0 + 25.0), 1e-12);
    assert_int_equal(t.count, 15);
    assert_int_equal(hk_latency_user(&hk_latency_textbook, &costs, &t), HK_OK);
    assert_near(t.value, 4 * 4150.0 + 4 * 830.0 + 350.0, 1e-12);
    assert_near(t.standard_error, sqrt(16 * 1369.0 + 16 * 529.0 + 32 * -400.0 + 49.0), 1e-12);
    assert_int_equal(t.count, 18);
    assert_int_equal(hk_latency_difference(&hk_latency_textbook, &costs, &t), HK_OK);
    assert_near(t.value, 4 * 4150.0 - 2 * 1266.0 + 2 * 830.0 + 40.0, 1e-12);
    assert_near(t.standard_error,
                sqrt(16 * 1369.0 + 4 * 121.0 + 4 * 529.0 + 16 * -400.0 + 25.0 + 49.0), 1e-12);
}

static void chains_pay_two_transfers_per_server(void **state)
{
    (void)state;
    struct hk_latency_law law;
    assert_int_equal(hk_latency_chain_law(2, &law), HK_OK);
    assert_memory_equal(&law, &hk_latency_textbook, sizeof law);
    assert_int_equal(hk_latency_chain_law(5, &law), HK_OK);
    assert_near(law.user_transfers, 10.0, 0.0);
    assert_refused(hk_latency_chain_law(0, &law), HK_EINVAL, &law);
    assert_refused(hk_latency_chain_law(65, &law), HK_EINVAL, &law);
}

/* Errors by propagation against errors by simulation with correlated inputs. */
static void break_even_error_matches_simulation(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct hk_rng *rng = test_rng(100);
    struct hk_latency_costs c = costs;
    c.c_sys_ns = (struct hk_estimate){4000.0, 30.0, 20};
    struct hk_estimate batch;
    assert_int_equal(hk_latency_break_even_batch(&hk_latency_textbook, &c, &batch), HK_OK);
    assert_near(batch.value, 4 * 4150.0 / (2 * 4000.0 - 2 * 830.0 - 40.0), 1e-12);
    const double rho = -400.0 / (37.0 * 23.0);
    double mean = 0.0;
    double squares = 0.0;
    for (int i = 0; i < N; i++) {
        const double a = hk_rng_normal(rng);
        const double b = rho * a + sqrt(1.0 - rho * rho) * hk_rng_normal(rng);
        struct hk_latency_costs drawn = c;
        drawn.c_ipc_ns.value += 37.0 * a;
        drawn.c_copy_ns.value += 23.0 * b;
        drawn.c_sys_ns.value += 30.0 * hk_rng_normal(rng);
        drawn.t_kernel_ns.value += 5.0 * hk_rng_normal(rng);
        drawn.t_user_ns.value += 7.0 * hk_rng_normal(rng);
        struct hk_estimate one;
        assert_int_equal(hk_latency_break_even_batch(&hk_latency_textbook, &drawn, &one), HK_OK);
        mean += one.value / N;
        squares += one.value * one.value / N;
    }
    assert_near(batch.standard_error / sqrt(squares - mean * mean), 1.0, 0.03);
    /* where the kernel's way in is this cheap, no batch pays the server's copies back */
    c.c_sys_ns.value = 500.0;
    assert_refused(hk_latency_break_even_batch(&hk_latency_textbook, &c, &batch), HK_ERANGE,
                   &batch);
    hk_rng_destroy(rng);
}

static void break_even_is_where_the_difference_vanishes(void **state)
{
    (void)state;
    struct hk_latency_costs c = costs;
    c.c_sys_ns.value = 4000.0;
    struct hk_estimate batch;
    struct hk_estimate difference;
    assert_int_equal(hk_latency_break_even_batch(&hk_latency_textbook, &c, &batch), HK_OK);
    struct hk_latency_law batched = hk_latency_textbook;
    batched.user_transfers /= batch.value;
    assert_int_equal(hk_latency_difference(&batched, &c, &difference), HK_OK);
    assert_near(difference.value, 0.0, 1e-9);
}

/* Injected delays: the slope is how often the cost is paid; other integers are rejected. */
static void injection_recovers_the_coefficient(void **state)
{
    (void)state;
    enum { LAUNCHES = 20, LEVELS = 6 };
    struct hk_rng *rng = test_rng(101);
    for (int truth = 2; truth <= 4; truth++) {
        double slopes[LAUNCHES];
        for (int l = 0; l < LAUNCHES; l++) {
            double delay_ns[LEVELS];
            double total_ns[LEVELS];
            const double launch = 300.0 * hk_rng_normal(rng);
            for (int i = 0; i < LEVELS; i++) {
                delay_ns[i] = 800.0 * i;
                total_ns[i] = 17000.0 + launch + truth * delay_ns[i] + 60.0 * hk_rng_normal(rng);
            }
            struct hk_line line;
            assert_int_equal(hk_line_fit(delay_ns, total_ns, NULL, LEVELS, &line), HK_OK);
            slopes[l] = line.slope;
        }
        struct hk_coefficient c;
        assert_int_equal(hk_coefficient_test(slopes, NULL, LAUNCHES, truth, 0.999, &c), HK_OK);
        assert_true(c.claim_contained);
        assert_near(c.nearest_integer, truth, 0.0);
        assert_true(c.neighbour_distance_se > 20.0);
        assert_int_equal(hk_coefficient_test(slopes, NULL, LAUNCHES, truth + 1, 0.999, &c), HK_OK);
        assert_false(c.claim_contained);
    }
    hk_rng_destroy(rng);
}

/*
 * One launch of five is off its line: its slope says little. Intervals hold the truth as often as
 * they say whether such launches come or not.
 */
static void launches_off_their_line_weigh_less(void **state)
{
    (void)state;
    enum { LAUNCHES = 5, REPLICATES = 2000 };
    static const double good[LAUNCHES] = {4.01, 3.99, 4.02, 4.00, 6.25};
    static const double errors[LAUNCHES] = {0.01, 0.01, 0.01, 0.01, 0.8};
    struct hk_rng *rng = test_rng(104);
    struct hk_coefficient alike, weighed;
    assert_int_equal(hk_coefficient_test(good, NULL, LAUNCHES, 4, 0.9, &alike), HK_OK);
    assert_int_equal(hk_coefficient_test(good, errors, LAUNCHES, 4, 0.9, &weighed), HK_OK);
    assert_true(alike.interval.upper - alike.interval.lower > 1);
    assert_true(weighed.interval.lower > 3.96 && weighed.interval.upper < 4.04);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double slopes[LAUNCHES], own[LAUNCHES];
        for (int l = 0; l < LAUNCHES; l++) {
            const double sd = hk_rng_uniform(rng) < 0.1 ? 0.5 : 0.02;
            slopes[l] = 2 + sd * hk_rng_normal(rng);
            own[l] = sd * (0.7 + 0.6 * hk_rng_uniform(rng)); /* as well as five points tell it */
        }
        assert_int_equal(hk_coefficient_test(slopes, own, LAUNCHES, 2, 0.9, &weighed), HK_OK);
        hits += weighed.claim_contained;
    }
    assert_in_range(hits, 1740, 1880); /* of 2000, at 90 % */
    hk_rng_destroy(rng);
    const double negative[LAUNCHES] = {0.01, 0.01, -0.01, 0.01, 0.01};
    assert_refused(hk_coefficient_test(good, negative, LAUNCHES, 4, 0.9, &alike), HK_EINVAL,
                   &alike);
}

/* Three address spaces cost more per hop than two: only the incremental model knows. */
static void hops_predict_longer_chains(void **state)
{
    (void)state;
    enum { REPLICATES = 1000, LAUNCHES = 12 };
    struct hk_rng *rng = test_rng(102);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double one[LAUNCHES];
        double two[LAUNCHES];
        for (int l = 0; l < LAUNCHES; l++) {
            const double mode = 1.0 + 0.03 * hk_rng_normal(rng);
            one[l] = mode * 8300.0 * (1.0 + 0.004 * hk_rng_normal(rng));
            two[l] = mode * 18800.0 * (1.0 + 0.004 * hk_rng_normal(rng));
        }
        struct hk_hop_model model;
        struct hk_prediction p;
        assert_int_equal(hk_hop_fit(one, two, LAUNCHES, &model), HK_OK);
        assert_int_equal(hk_hop_predict(&model, 4, 0.95, &p), HK_OK);
        const double mode = 1.0 + 0.03 * hk_rng_normal(rng);
        const double seen = mode * (18800.0 + 2.0 * 10500.0);
        hits += seen >= p.interval.lower && seen <= p.interval.upper;
        assert_near(p.mean.value / (18800.0 + 2.0 * 10500.0), 1.0, 0.08);
    }
    assert_in_range(hits, 925, 985);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_estimate t;
    struct hk_latency_costs bad = costs;
    bad.c_ipc_ns.value = NAN;
    assert_refused(hk_latency_user(&hk_latency_textbook, &bad, &t), HK_EINVAL, &t);
    bad = costs;
    bad.c_copy_ns.standard_error = -1.0;
    assert_refused(hk_latency_kernel(&hk_latency_textbook, &bad, &t), HK_EINVAL, &t);
    bad = costs;
    bad.ipc_copy_covariance_ns2 = -900.0;
    assert_refused(hk_latency_difference(&hk_latency_textbook, &bad, &t), HK_EINVAL, &t);
    struct hk_latency_law law = hk_latency_textbook;
    law.user_copies = -1.0;
    assert_refused(hk_latency_user(&law, &costs, &t), HK_EINVAL, &t);
    assert_refused(hk_latency_user(NULL, &costs, &t), HK_EINVAL, &t);
    const double flat[] = {2.0, 2.0, 2.0};
    struct hk_coefficient c;
    assert_refused(hk_coefficient_test(flat, NULL, 3, 2.0, 0.95, &c), HK_ENOISE, &c);
    assert_refused(hk_coefficient_test(flat, NULL, 2, 2.0, 0.95, &c), HK_ENOISE, &c);
    assert_refused(hk_coefficient_test(flat, NULL, 3, INFINITY, 0.95, &c), HK_EINVAL, &c);
    struct hk_hop_model m;
    const double endless[] = {2.0, INFINITY, 2.0};
    assert_refused(hk_hop_fit(flat, flat, 2, &m), HK_ENOISE, &m);
    assert_refused(hk_hop_fit(flat, endless, 3, &m), HK_EINVAL, &m);
    assert_int_equal(hk_hop_fit(flat, flat, 3, &m), HK_OK);
    struct hk_prediction p;
    assert_refused(hk_hop_predict(&m, 2, 0.95, &p), HK_EINVAL, &p);
    assert_refused(hk_hop_predict(&m, 3, 1.0, &p), HK_EINVAL, &p);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_and_errors_are_the_closed_forms),
        cmocka_unit_test(chains_pay_two_transfers_per_server),
        cmocka_unit_test(break_even_error_matches_simulation),
        cmocka_unit_test(break_even_is_where_the_difference_vanishes),
        cmocka_unit_test(injection_recovers_the_coefficient),
        cmocka_unit_test(launches_off_their_line_weigh_less),
        cmocka_unit_test(hops_predict_longer_chains),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
