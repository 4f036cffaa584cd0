/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/model/underrun.h"
#include "hk/stats/proportion.h"
#include "support.h"

#define MEAN_NS 200000.0
#define PERIOD_NS 2000000.0

/* Every reading against a replay of simulated exponential delays, several decades deep. */
static void readings_match_their_mechanism(void **state)
{
    (void)state;
    enum { N = 1000000 };
    struct hk_rng *rng = test_rng(120);
    double *delay_ns = malloc(N * sizeof *delay_ns);
    for (int i = 0; i < N; i++) {
        delay_ns[i] = hk_rng_exponential(rng, MEAN_NS);
    }
    for (int law = HK_UNDERRUN_DEVICE; law <= HK_UNDERRUN_QUEUE; law++) {
        /* the queue at utilisation 0.7 */
        const double period_ns = law == HK_UNDERRUN_QUEUE ? MEAN_NS / 0.7 : PERIOD_NS;
        for (double h = 1.0; h <= 7.0; h += 2.0) {
            uint64_t events;
            uint64_t trials;
            double p;
            assert_int_equal(hk_underrun_replay((enum hk_underrun_law)law, delay_ns, N,
                                                h * MEAN_NS, period_ns, &events, &trials), HK_OK);
            assert_int_equal(hk_underrun_probability((enum hk_underrun_law)law, MEAN_NS,
                                                     h * MEAN_NS, period_ns, &p), HK_OK);
            /* the queue's events come in clusters: five times the independent error */
            const double errors = law == HK_UNDERRUN_QUEUE ? 20.0 : 4.0;
            const double n = (double)trials;
            assert_true(fabs((double)events / n - p) <= errors * sqrt(p / n));
        }
    }
    free(delay_ns);
    hk_rng_destroy(rng);
}

static void published_figures(void **state)
{
    (void)state;
    double p;
    double queue;
    /* rho = .7: decay .761 instead of 1.429 per unit; at h = 6, 1.04e-2 against 1.9e-4 */
    assert_int_equal(hk_underrun_probability(HK_UNDERRUN_QUEUE, 0.7, 6.0, 1.0, &queue), HK_OK);
    assert_near(queue, 1.04e-2, 5e-5);
    assert_near(-log(queue) / 6.0, 0.761, 5e-4);
    assert_int_equal(hk_underrun_probability(HK_UNDERRUN_DEVICE, 0.7, 6.0, 1.0, &p), HK_OK);
    assert_near(p, 1.9e-4, 5e-6);
    assert_near(queue / p, 55.0, 0.5);
    assert_int_equal(hk_underrun_probability(HK_UNDERRUN_ABSOLUTE, 1.0, 6.0, 0.0, &p), HK_OK);
    assert_near(p * 1e3, 0.5 * exp(-6.0) * 1e3, 1e-12);
}

static void inverses_undo(void **state)
{
    (void)state;
    static const double targets[] = {0.3, 1e-2, 1e-4, 1e-9, 1e-12};
    for (int law = HK_UNDERRUN_DEVICE; law <= HK_UNDERRUN_QUEUE; law++) {
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
            double headroom_ns;
            double p;
            assert_int_equal(hk_underrun_headroom_needed((enum hk_underrun_law)law, MEAN_NS,
                                                         PERIOD_NS, targets[i], &headroom_ns),
                             HK_OK);
            assert_int_equal(hk_underrun_probability((enum hk_underrun_law)law, MEAN_NS,
                                                     headroom_ns, PERIOD_NS, &p), HK_OK);
            assert_near(p / targets[i], 1.0, 1e-9);
        }
    }
    /* a 48 kHz stream: the buffer found gives at least the headroom asked for */
    uint64_t frames;
    double headroom_ns;
    assert_int_equal(hk_underrun_buffer_needed(1234567.0, 48000.0, 1e6, 13000.0, &frames), HK_OK);
    assert_int_equal(hk_underrun_headroom((double)frames, 48000.0, 1e6, 13000.0, &headroom_ns),
                     HK_OK);
    assert_true(headroom_ns >= 1234567.0 && headroom_ns < 1234567.0 + 1e9 / 48000.0);
    assert_int_equal(hk_underrun_buffer_needed(1e6, 48000.0, 1e6, 0.0, &frames), HK_OK);
    assert_int_equal(frames, 96);
}

static void headroom_below_zero(void **state)
{
    (void)state;
    double p;
    assert_int_equal(hk_underrun_probability(HK_UNDERRUN_DEVICE, 1.0, -0.5, 0.0, &p), HK_OK);
    assert_near(p, 1.0, 0.0);
    assert_int_equal(hk_underrun_probability(HK_UNDERRUN_ABSOLUTE, 1.0, -0.5, 0.0, &p), HK_OK);
    assert_near(p, 1.0 - 0.5 * exp(-0.5), 1e-15);
    double headroom_ns;
    assert_int_equal(hk_underrun_headroom_needed(HK_UNDERRUN_ABSOLUTE, 1.0, 0.0, 0.8,
                                                 &headroom_ns), HK_OK);
    assert_near(headroom_ns, 0.0, 0.0);
}

static void hours_and_clusters(void **state)
{
    (void)state;
    double p;
    /* 10 ms periods: 360,000 trials an hour */
    assert_int_equal(hk_underrun_per_hour(1e-6, 1e7, 1.0, &p), HK_OK);
    assert_near(p, 1.0 - pow(1.0 - 1e-6, 360000.0), 1e-10);
    assert_int_equal(hk_underrun_per_hour(1e-6, 1e7, 0.25, &p), HK_OK);
    assert_near(p, 1.0 - exp(-0.25 * 0.36), 1e-12);
    assert_int_equal(hk_underrun_per_hour(1e-18, 1e7, 1.0, &p), HK_OK);
    assert_near(p * 1e12, 0.36, 1e-9);
    assert_int_equal(hk_underrun_per_hour(1.0, 1e7, 1.0, &p), HK_OK);
    assert_near(p, 1.0, 0.0);
    assert_int_equal(hk_underrun_per_hour(0.0, 1e7, 1.0, &p), HK_OK);
    assert_near(p, 0.0, 0.0);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double x;
    uint64_t events;
    uint64_t trials;
    const double delay_ns[] = {1.0, 2.0, 3.0};
    const double negative[] = {1.0, -2.0, 3.0};
    assert_refused(hk_underrun_probability(HK_UNDERRUN_QUEUE, 1.0, 1.0, 1.0, &x), HK_ERANGE, &x);
    assert_refused(hk_underrun_probability(HK_UNDERRUN_QUEUE, 2.0, 1.0, 1.0, &x), HK_ERANGE, &x);
    assert_refused(hk_underrun_probability(HK_UNDERRUN_QUEUE, 1.0, 1.0, NAN, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_probability(HK_UNDERRUN_DEVICE, 0.0, 1.0, 1.0, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_probability(HK_UNDERRUN_DEVICE, -1.0, 1.0, 1.0, &x), HK_EINVAL,
                   &x);
    assert_refused(hk_underrun_probability(HK_UNDERRUN_DEVICE, 1.0, INFINITY, 1.0, &x), HK_EINVAL,
                   &x);
    assert_refused(hk_underrun_probability((enum hk_underrun_law)7, 1.0, 1.0, 1.0, &x), HK_EINVAL,
                   &x);
    assert_refused(hk_underrun_headroom_needed(HK_UNDERRUN_DEVICE, 1.0, 1.0, 0.0, &x), HK_EINVAL,
                   &x);
    assert_refused(hk_underrun_headroom(0.0, 48000.0, 1e6, 0.0, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_headroom(96.0, -48000.0, 1e6, 0.0, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_buffer_needed(1e30, 48000.0, 1e6, 0.0, &events), HK_ETOOBIG,
                   &events);
    assert_refused(hk_underrun_buffer_needed(-1.0, 48000.0, 1e6, 0.0, &events), HK_EINVAL,
                   &events);
    assert_refused(hk_underrun_per_hour(1.5, 1e7, 1.0, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_per_hour(0.5, 1e7, 0.0, &x), HK_EINVAL, &x);
    assert_refused(hk_underrun_replay(HK_UNDERRUN_DEVICE, delay_ns, 1, 1.0, 1.0, &events, &trials),
                   HK_ENOISE, &events);
    assert_refused(hk_underrun_replay(HK_UNDERRUN_DEVICE, negative, 3, 1.0, 1.0, &events, &trials),
                   HK_EINVAL, &events);
    assert_string_equal(hk_underrun_law_name(HK_UNDERRUN_QUEUE), "queue");
    assert_string_equal(hk_underrun_law_name((enum hk_underrun_law)7), "?");
}

/* Simulated means of n delays: the interval covers, and is as wide as lambda h / sqrt n. */
static void errors_of_the_mean_delay_carry_over(void **state)
{
    (void)state;
    enum { REPLICATES = 1000, N = 2000 };
    struct hk_rng *rng = test_rng(540);
    uint64_t hits[3] = {0};
    for (int r = 0; r < REPLICATES; r++) {
        double sum = 0.0;
        for (int i = 0; i < N; i++) {
            sum += hk_rng_exponential(rng, MEAN_NS);
        }
        const struct hk_estimate mean = {sum / N, sum / N / sqrt(N), N};
        for (int law = HK_UNDERRUN_DEVICE; law <= HK_UNDERRUN_QUEUE; law++) {
            double truth;
            double p;
            struct hk_interval interval;
            assert_int_equal(hk_underrun_probability((enum hk_underrun_law)law, MEAN_NS,
                                                     6.0 * MEAN_NS, PERIOD_NS, &truth), HK_OK);
            assert_int_equal(hk_underrun_propagate((enum hk_underrun_law)law, &mean,
                                                   6.0 * MEAN_NS, PERIOD_NS, 0.95, &p,
                                                   &interval), HK_OK);
            assert_true(interval.lower < p && p < interval.upper);
            hits[law] += interval.lower <= truth && truth <= interval.upper;
        }
    }
    for (int law = 0; law < 3; law++) {
        assert_rate(hits[law], REPLICATES, 0.95);
    }
    const struct hk_estimate mean = {MEAN_NS, MEAN_NS / 100.0, 10000};
    double p;
    struct hk_interval interval;
    assert_int_equal(hk_underrun_propagate(HK_UNDERRUN_DEVICE, &mean, 10.0 * MEAN_NS, PERIOD_NS,
                                           0.6827, &p, &interval), HK_OK);
    assert_near(log(interval.upper / interval.lower) / 2.0, 10.0 / 100.0, 0.01);
    const struct hk_estimate noisy = {MEAN_NS, MEAN_NS, 10};
    const struct hk_estimate one = {MEAN_NS, 1.0, 1};
    const struct hk_estimate busy = {0.99 * PERIOD_NS, 0.01 * PERIOD_NS, 100};
    const struct hk_estimate negative = {-MEAN_NS, 1.0, 100};
    assert_refused(hk_underrun_propagate(HK_UNDERRUN_DEVICE, &noisy, 1.0, 1.0, 0.95, &p,
                                         &interval), HK_ENOISE, &p);
    assert_refused(hk_underrun_propagate(HK_UNDERRUN_DEVICE, &one, 1.0, 1.0, 0.95, &p,
                                         &interval), HK_ENOISE, &p);
    assert_refused(hk_underrun_propagate(HK_UNDERRUN_QUEUE, &busy, 1.0, PERIOD_NS, 0.95, &p,
                                         &interval), HK_ERANGE, &p);
    assert_refused(hk_underrun_propagate(HK_UNDERRUN_DEVICE, &negative, 1.0, 1.0, 0.95, &p,
                                         &interval), HK_EINVAL, &p);
    hk_rng_destroy(rng);
}

/* One chance in a hundred per hour, for each reading: forward again, the target is kept. */
static void buffers_follow_from_hours(void **state)
{
    (void)state;
    for (int law = HK_UNDERRUN_DEVICE; law <= HK_UNDERRUN_QUEUE; law++) {
        for (double theta = 0.25; theta <= 1.0; theta += 0.75) {
            const struct hk_underrun_design design = {
                .law = (enum hk_underrun_law)law,
                .mean_delay_ns = MEAN_NS,
                .d0_ns = 13000.0,
                .period_ns = PERIOD_NS,
                .rate_frames_per_s = 48000.0,
                .extremal_index = theta,
            };
            uint64_t frames;
            assert_int_equal(hk_underrun_buffer_for_hourly(&design, 0.01, &frames), HK_OK);
            for (uint64_t less = 0; less < 2; less++) {
                double headroom;
                double p;
                double hourly;
                assert_int_equal(hk_underrun_headroom((double)(frames - less), 48000.0, PERIOD_NS,
                                                      13000.0, &headroom), HK_OK);
                assert_int_equal(hk_underrun_probability((enum hk_underrun_law)law, MEAN_NS,
                                                         headroom, PERIOD_NS, &p), HK_OK);
                assert_int_equal(hk_underrun_per_hour(p, PERIOD_NS, theta, &hourly), HK_OK);
                assert_true(less == 0 ? hourly <= 0.01 : hourly > 0.01);
            }
        }
    }
    double p;
    double hourly;
    assert_int_equal(hk_underrun_from_hourly(0.3, PERIOD_NS, 0.4, &p), HK_OK);
    assert_int_equal(hk_underrun_per_hour(p, PERIOD_NS, 0.4, &hourly), HK_OK);
    assert_near(hourly, 0.3, 1e-12);
    /* one period per hour, clusters of ten: 9 in 10 hours cannot have an underrun */
    assert_refused(hk_underrun_from_hourly(0.9, 3600e9, 0.1, &p), HK_ERANGE, &p);
    assert_refused(hk_underrun_from_hourly(1.0, PERIOD_NS, 1.0, &p), HK_EINVAL, &p);
    assert_refused(hk_underrun_from_hourly(0.5, 0.0, 1.0, &p), HK_EINVAL, &p);
    uint64_t frames;
    assert_refused(hk_underrun_buffer_for_hourly(NULL, 0.01, &frames), HK_EINVAL, &frames);
    const struct hk_underrun_design full = {
        HK_UNDERRUN_QUEUE, PERIOD_NS, 0.0, PERIOD_NS, 48000.0, 1.0};
    assert_refused(hk_underrun_buffer_for_hourly(&full, 0.01, &frames), HK_ERANGE, &frames);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_match_their_mechanism),
        cmocka_unit_test(published_figures),
        cmocka_unit_test(inverses_undo),
        cmocka_unit_test(headroom_below_zero),
        cmocka_unit_test(hours_and_clusters),
        cmocka_unit_test(errors_of_the_mean_delay_carry_over),
        cmocka_unit_test(buffers_follow_from_hours),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
