/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/model/staleness.h"
#include "hk/model/extension.h"
#include "support.h"

/* Straight-line programs on a nested VM: size and load time (us, medians of 30). */
static const struct {
    double instructions;
    double load_us;
} loads[] = {{2, 16.1},    {16, 22.9},   {64, 45.4},    {256, 134},
             {1024, 489},  {4000, 1862}, {16000, 7676}, {64000, 29872}};

#define LOADS (sizeof loads / sizeof loads[0])

static struct hk_extension_costs costs_us(double execute, double verify, double user)
{
    return (struct hk_extension_costs){{execute * 1e3, 0.0, 30}, {verify * 1e3, 0.0, 30},
                                       {user * 1e3, 0.0, 30}};
}

/* 15 us + 0.467 us per instruction, and the break-even points that follow for T_u = 20 us. */
static void published_loads_are_reproduced(void **state)
{
    (void)state;
    double processed[LOADS];
    double load_ns[LOADS];
    for (size_t i = 0; i < LOADS; i++) {
        processed[i] = loads[i].instructions;
        load_ns[i] = loads[i].load_us * 1e3;
    }
    struct hk_line line;
    assert_int_equal(hk_extension_fit(processed, load_ns, LOADS, &line), HK_OK);
    assert_near(line.intercept / 15000.0, 1.0, 0.03);
    assert_near(line.slope / 467.0, 1.0, 0.01);
    assert_true(line.residual_sd < 0.04);
    for (size_t i = 0; i < LOADS; i++) {
        struct hk_estimate v;
        struct hk_interval interval;
        assert_int_equal(hk_extension_verify(&line, processed[i], 0.95, &v, &interval), HK_OK);
        assert_near(v.value / load_ns[i], 1.0, 0.04);
        assert_true(interval.lower < load_ns[i] && load_ns[i] < interval.upper);
    }
    /* execution: 0.23 ns per instruction and 30 ns, the longest as measured */
    static const struct {
        double instructions;
        double execute_ns;
        double n_star;
        double tolerance;
    } cases[] = {{64, 44.7, 2.2, 0.07},
                 {1024, 265.5, 25, 0.5},
                 {16000, 3710.0, 459, 3.0},
                 {64000, 14600.0, 5560, 50.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_extension_costs c = costs_us(cases[i].execute_ns / 1e3, 0.0, 20.0);
        struct hk_estimate n;
        assert_int_equal(
            hk_extension_verify(&line, cases[i].instructions, 0.95, &c.verify_ns, NULL), HK_OK);
        assert_int_equal(hk_extension_break_even(&c, &n), HK_OK);
        assert_true(fabs(n.value - cases[i].n_star) <= cases[i].tolerance);
    }
    const struct hk_line execute = {.intercept = 30.0, .slope = 0.23, .count = 3};
    double limit;
    assert_int_equal(hk_extension_size_limit(&execute, 20000.0, &limit), HK_OK);
    assert_near(limit, 87000.0, 0.003);
}

static void costs_meet_at_the_break_even(void **state)
{
    (void)state;
    struct hk_extension_costs c = {{850.0, 12.0, 30}, {45000.0, 900.0, 28}, {20000.0, 210.0, 40}};
    struct hk_estimate n;
    struct hk_estimate cost;
    assert_int_equal(hk_extension_break_even(&c, &n), HK_OK);
    assert_int_equal(n.count, 28);
    assert_int_equal(hk_extension_cost(&c, n.value, &cost), HK_OK);
    assert_near(cost.value, 20000.0, 1e-12);
    assert_near(cost.standard_error, hypot(12.0, 900.0 / n.value), 1e-12);
    enum { N = 30000 };
    struct hk_rng *rng = test_rng(420);
    double mean = 0.0;
    double squares = 0.0;
    for (int i = 1; i <= N; i++) {
        struct hk_extension_costs drawn = c;
        drawn.execute_ns.value += 12.0 * hk_rng_normal(rng);
        drawn.verify_ns.value += 900.0 * hk_rng_normal(rng);
        drawn.user_ns.value += 210.0 * hk_rng_normal(rng);
        struct hk_estimate one;
        assert_int_equal(hk_extension_break_even(&drawn, &one), HK_OK);
        const double step = one.value - mean;
        mean += step / i;
        squares += step * (one.value - mean);
    }
    assert_near(n.standard_error / sqrt(squares / (N - 1)), 1.0, 0.03);
    hk_rng_destroy(rng);
}

static void lifetimes_obey_jensen(void **state)
{
    (void)state;
    const struct hk_extension_costs c = costs_us(0.85, 45.0, 20.0);
    const double lifetimes[] = {1.0, 10.0, 1000.0, 100000.0};
    double mean;
    double naive;
    assert_int_equal(hk_extension_lifetimes(&c, lifetimes, 4, &mean, &naive), HK_OK);
    assert_near(mean, 850.0 + 45000.0 * 1.10101 / 4.0, 1e-12);
    assert_near(naive, 850.0 + 45000.0 / 25252.75, 1e-12);
    const double equal[] = {7.0, 7.0, 7.0};
    assert_int_equal(hk_extension_lifetimes(&c, equal, 3, &mean, &naive), HK_OK);
    assert_near(mean, naive, 1e-14);
}

/* Worst case over every N, by brute force. */
static double brute_force(const struct hk_extension_costs *c, double load_before)
{
    double worst = 0.0;
    for (double n = 1.0; n <= 4.0 * load_before; n += 1.0) {
        worst = fmax(worst, hk_extension_policy_ns(c, load_before, n) /
                                hk_extension_hindsight_ns(c, n));
    }
    return worst;
}

static void ski_rental_is_within_two(void **state)
{
    (void)state;
    struct hk_extension_costs c = costs_us(0.05, 45.0, 20.0);
    struct hk_ski_rental policy;
    assert_int_equal(hk_extension_ski_rental(&c, &policy), HK_OK);
    assert_near(policy.load_before, 3.0, 0.0);
    assert_near(policy.competitive_ratio, 1.88, 0.005);
    struct hk_rng *rng = test_rng(421);
    for (int i = 0; i < 500; i++) {
        c = costs_us(15.0 * hk_rng_uniform(rng), 3000.0 * hk_rng_uniform(rng), 20.0);
        assert_int_equal(hk_extension_ski_rental(&c, &policy), HK_OK);
        assert_true(policy.competitive_ratio <= 2.0);
        assert_near(policy.competitive_ratio, brute_force(&c, policy.load_before), 1e-12);
    }
    hk_rng_destroy(rng);
}

static double expected_cost(const struct hk_extension_costs *c, const double *probability,
                            size_t count, double n)
{
    double cost = 0.0;
    for (size_t i = 0; i < count; i++) {
        cost += probability[i] * hk_extension_policy_ns(c, (double)(i + 1), n);
    }
    return cost;
}

static void ski_random_beats_the_coin(void **state)
{
    (void)state;
    enum { CAPACITY = 4000 };
    static double probability[CAPACITY];
    struct hk_rng *rng = test_rng(422);
    size_t count;
    double ratio;
    for (int i = 0; i < 200; i++) {
        const struct hk_extension_costs c =
            costs_us(15.0 * hk_rng_uniform(rng), 600.0 * hk_rng_uniform(rng), 20.0);
        struct hk_ski_rental policy;
        assert_int_equal(hk_extension_ski_rental(&c, &policy), HK_OK);
        assert_int_equal(hk_extension_ski_random(&c, probability, CAPACITY, &count, &ratio),
                         HK_OK);
        double sum = 0.0;
        double worst = 0.0;
        for (size_t k = 0; k < count; k++) {
            assert_true(probability[k] >= -1e-12);
            sum += probability[k];
        }
        for (double n = 1.0; n <= 2.0 * (double)count + 2.0; n += 1.0) {
            worst = fmax(worst, expected_cost(&c, probability, count, n) /
                                    hk_extension_hindsight_ns(&c, n));
        }
        assert_near(sum, 1.0, 1e-9);
        assert_near(ratio, worst, 1e-9);
        assert_true(ratio <= M_E / (M_E - 1.0) + 1e-12);
        assert_true(ratio <= policy.competitive_ratio + 1e-12);
    }
    /* t_x = 0 and N* whole: 1 / (1 - (1 - 1/k)^k), the classic */
    const struct hk_extension_costs classic = costs_us(0.0, 20.0 * 10.0, 20.0);
    assert_int_equal(hk_extension_ski_random(&classic, probability, CAPACITY, &count, &ratio),
                     HK_OK);
    assert_int_equal(count, 10);
    assert_near(ratio, 1.0 / (1.0 - pow(0.9, 10.0)), 1e-12);
    const struct hk_extension_costs large = costs_us(0.0, 20.0 * 4000.0, 20.0);
    assert_int_equal(hk_extension_ski_random(&large, probability, CAPACITY, &count, &ratio),
                     HK_OK);
    assert_near(ratio, M_E / (M_E - 1.0), 2e-4);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_line line;
    const double flat[] = {5.0, 5.0, 5.0};
    const double rising[] = {1.0, 2.0, 3.0};
    const double zero[] = {1.0, 0.0, 3.0};
    assert_refused(hk_extension_fit(rising, rising, 2, &line), HK_ENOISE, &line);
    assert_refused(hk_extension_fit(flat, rising, 3, &line), HK_ENOISE, &line);
    assert_refused(hk_extension_fit(rising, zero, 3, &line), HK_EINVAL, &line);
    const double backwards[] = {-1.0, 2.0, 3.0};
    assert_refused(hk_extension_fit(backwards, rising, 3, &line), HK_EINVAL, &line);
    const double falling[] = {3.0, 2.0, 1.0};
    struct hk_line down;
    assert_int_equal(hk_extension_fit(rising, falling, 3, &down), HK_OK);
    struct hk_estimate e;
    assert_refused(hk_extension_verify(&down, 100.0, 0.95, &e, NULL), HK_ERANGE, &e);
    assert_refused(hk_extension_verify(&down, -1.0, 0.95, &e, NULL), HK_EINVAL, &e);
    assert_refused(hk_extension_verify(&down, 1.0, 1.0, &e, NULL), HK_EINVAL, &e);
    const struct hk_extension_costs never = costs_us(20.0, 45.0, 20.0);
    struct hk_extension_costs c = costs_us(0.05, 45.0, 20.0);
    struct hk_ski_rental policy;
    double probability[3];
    size_t count;
    double ratio;
    assert_refused(hk_extension_break_even(&never, &e), HK_ERANGE, &e);
    assert_refused(hk_extension_ski_rental(&never, &policy), HK_ERANGE, &policy);
    assert_refused(hk_extension_ski_random(&never, probability, 3, &count, &ratio), HK_ERANGE,
                   &ratio);
    assert_refused(hk_extension_ski_random(&c, probability, 2, &count, &ratio), HK_ETOOBIG,
                   &ratio);
    assert_refused(hk_extension_cost(&c, 0.0, &e), HK_EINVAL, &e);
    assert_refused(hk_extension_cost(&c, NAN, &e), HK_EINVAL, &e);
    assert_refused(hk_extension_cost(&c, 1e-320, &e), HK_ERANGE, &e);
    double mean;
    double naive;
    assert_refused(hk_extension_lifetimes(&c, rising, 0, &mean, &naive), HK_ENOISE, &mean);
    assert_refused(hk_extension_lifetimes(&c, zero, 3, &mean, &naive), HK_EINVAL, &mean);
    c.verify_ns.value = -1.0;
    assert_refused(hk_extension_cost(&c, 1.0, &e), HK_EINVAL, &e);
    assert_refused(hk_extension_break_even(&c, &e), HK_EINVAL, &e);
    assert_refused(hk_extension_ski_rental(&c, &policy), HK_EINVAL, &policy);
    const struct hk_line level = {.intercept = 30.0, .slope = 0.0, .count = 3};
    assert_refused(hk_extension_size_limit(&level, 20000.0, &mean), HK_ERANGE, &mean);
    assert_refused(hk_extension_size_limit(&level, -1.0, &mean), HK_EINVAL, &mean);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_loads_are_reproduced),
        cmocka_unit_test(costs_meet_at_the_break_even),
        cmocka_unit_test(lifetimes_obey_jensen),
        cmocka_unit_test(ski_rental_is_within_two),
        cmocka_unit_test(ski_random_beats_the_coin),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
