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

#include "hk/model/footprint.h"
#include "hk/model/overlap.h"
#include "support.h"

static const struct hk_overlap hop = {
    .send_ns = {900.0, 9.0, 20},
    .wake_ns = {5200.0, 80.0, 25},
    .rest_ns = {4700.0, 60.0, 22},
    .receive_ns = {650.0, 7.0, 30},
};

static void a_race_costs_its_later_half(void **state)
{
    (void)state;
    struct hk_estimate t;
    assert_int_equal(hk_overlap_hop(&hop, &t), HK_OK);
    assert_near(t.value, 900.0 + 5200.0 + 650.0, 1e-12);
    assert_near(t.standard_error, sqrt(81.0 + 6400.0 + 49.0), 1e-12);
    assert_int_equal(t.count, 20);
    /* scatter makes the race cost more than either mean: against simulation */
    enum { N = 400000 };
    struct hk_rng *rng = test_rng(520);
    struct hk_overlap scattered = hop;
    scattered.wake_sd_ns = 1100.0;
    scattered.rest_sd_ns = 400.0;
    double mean = 0.0;
    for (int i = 0; i < N; i++) {
        mean += fmax(5200.0 + 1100.0 * hk_rng_normal(rng), 4700.0 + 400.0 * hk_rng_normal(rng)) / N;
    }
    assert_int_equal(hk_overlap_hop(&scattered, &t), HK_OK);
    assert_near(t.value / (900.0 + mean + 650.0), 1.0, 0.001);
    assert_true(t.value > 900.0 + 5200.0 + 650.0 + 200.0);
    hk_rng_destroy(rng);
}

/* Work behind the trigger is free up to the slack, then paid by two hops. */
static void injection_finds_the_slack(void **state)
{
    (void)state;
    enum { REPLICATES = 200, LEVELS = 40 };
    struct hk_rng *rng = test_rng(521);
    for (int r = 0; r < REPLICATES; r++) {
        double delay[LEVELS];
        double total[LEVELS];
        const double slack = 500.0 + 3000.0 * hk_rng_uniform(rng);
        for (int i = 0; i < LEVELS; i++) {
            delay[i] = 150.0 * i;
            total[i] =
                17000.0 + 2.0 * fmax(0.0, delay[i] - slack) + 40.0 * hk_rng_normal(rng);
        }
        struct hk_slack found;
        assert_int_equal(hk_overlap_slack(delay, total, LEVELS, &found), HK_OK);
        assert_true(fabs(found.slack_ns - slack) < 110.0);
        assert_near(found.slope, 2.0, 0.12);
        assert_near(found.floor_ns, 17000.0, 0.005);
        assert_true(found.residual_sd_ns < 60.0);
    }
    /* no slack, and a bend between two delays without noise */
    const double delay[] = {0.0, 10.0, 20.0, 30.0, 40.0, 50.0};
    double total[6];
    struct hk_slack found;
    for (int i = 0; i < 6; i++) {
        total[i] = 100.0 + 4.0 * delay[i];
    }
    assert_int_equal(hk_overlap_slack(delay, total, 6, &found), HK_OK);
    assert_near(found.slack_ns, 0.0, 1e-9);
    assert_near(found.slope, 4.0, 1e-9);
    for (int i = 0; i < 6; i++) {
        total[i] = 100.0 + 4.0 * fmax(0.0, delay[i] - 23.85);
    }
    assert_int_equal(hk_overlap_slack(delay, total, 6, &found), HK_OK);
    assert_near(found.slack_ns, 23.85, 1e-9);
    hk_rng_destroy(rng);
}

/* Hops that refill what lies above 48 KB; chains of one and two servers are the training. */
static double true_hop(double bytes)
{
    return 2300.0 + 0.004 * bytes + 0.031 * fmax(0.0, bytes - 49152.0);
}

static void longer_chains_follow_from_their_footprint(void **state)
{
    (void)state;
    enum { PER_CHAIN = 24, N = 2 * PER_CHAIN };
    struct hk_rng *rng = test_rng(522);
    struct hk_chain chains[N];
    double total[N];
    for (size_t i = 0; i < N; i++) {
        chains[i] = (struct hk_chain){
            .servers = i < PER_CHAIN ? 1 : 2,
            .server_bytes = 4096.0 * (double)(1 + i % PER_CHAIN),
            .kernel_bytes = 8192.0,
            .body_ns = 700.0,
        };
        double bytes;
        assert_int_equal(hk_chain_footprint(&chains[i], &bytes), HK_OK);
        total[i] = 700.0 + 2.0 * chains[i].servers * true_hop(bytes) *
                               (1.0 + 0.01 * hk_rng_normal(rng));
    }
    struct hk_copy_curve curve;
    assert_int_equal(hk_footprint_fit(chains, total, N, 2, &curve), HK_OK);
    assert_true(curve.break_count >= 1);
    for (unsigned servers = 3; servers <= 5; servers++) {
        for (double each = 6000.0; each < 38000.0; each += 10000.0) {
            const struct hk_chain longer = {servers, each, 8192.0, 700.0};
            const double truth =
                700.0 + 2.0 * servers * true_hop(servers * each + 8192.0);
            struct hk_prediction p;
            assert_int_equal(hk_footprint_predict(&curve, &longer, 0.95, &p), HK_OK);
            assert_near(p.mean.value / truth, 1.0, 0.02);
            assert_true(p.interval.lower < truth && truth < p.interval.upper);
        }
    }
    /* beyond what was measured, nothing is said */
    const struct hk_chain huge = {5, 1e6, 8192.0, 700.0};
    struct hk_prediction p;
    assert_refused(hk_footprint_predict(&curve, &huge, 0.95, &p), HK_ERANGE, &p);
    total[3] = 600.0; /* less than its body */
    assert_refused(hk_footprint_fit(chains, total, N, 2, &curve), HK_EINVAL, &curve);
    assert_refused(hk_footprint_fit(chains, total, 0, 2, &curve), HK_ENOISE, &curve);
    const struct hk_chain none = {0, 1.0, 1.0, 1.0};
    const struct hk_chain negative = {1, -1.0, 1.0, 1.0};
    double bytes;
    assert_refused(hk_chain_footprint(&none, &bytes), HK_EINVAL, &bytes);
    assert_refused(hk_chain_footprint(&negative, &bytes), HK_EINVAL, &bytes);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_estimate t;
    struct hk_overlap bad = hop;
    bad.wake_ns.value = -1.0;
    assert_refused(hk_overlap_hop(&bad, &t), HK_EINVAL, &t);
    bad = hop;
    bad.rest_sd_ns = NAN;
    assert_refused(hk_overlap_hop(&bad, &t), HK_EINVAL, &t);
    bad = hop;
    bad.send_ns.value = bad.wake_ns.value = 1.7e308;
    assert_refused(hk_overlap_hop(&bad, &t), HK_ERANGE, &t);
    struct hk_slack s;
    const double delay[] = {0.0, 1.0, 2.0, 3.0, 4.0};
    const double down[] = {0.0, 1.0, 2.0, 1.0, 4.0};
    const double three[] = {0.0, 0.0, 1.0, 1.0, 2.0};
    const double flat[] = {7.0, 7.0, 7.0, 7.0, 7.0};
    const double falling[] = {9.0, 8.0, 7.0, 6.0, 5.0};
    const double endless[] = {9.0, 8.0, INFINITY, 6.0, 5.0};
    assert_refused(hk_overlap_slack(delay, flat, 5, &s), HK_ENOISE, &s);
    assert_refused(hk_overlap_slack(delay, falling, 5, &s), HK_ENOISE, &s);
    assert_refused(hk_overlap_slack(delay, flat, 4, &s), HK_ENOISE, &s);
    assert_refused(hk_overlap_slack(three, falling, 5, &s), HK_ENOISE, &s);
    assert_refused(hk_overlap_slack(down, flat, 5, &s), HK_EINVAL, &s);
    assert_refused(hk_overlap_slack(delay, endless, 5, &s), HK_EINVAL, &s);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_race_costs_its_later_half),
        cmocka_unit_test(injection_finds_the_slack),
        cmocka_unit_test(longer_chains_follow_from_their_footprint),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
