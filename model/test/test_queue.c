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

#include "hk/model/queue.h"
#include "support.h"

#define MEAN_NS 200000.0

static struct hk_queue_load load_of(double rho, double arrival_cv2, double service_cv2)
{
    return (struct hk_queue_load){
        .arrivals_per_s = {rho / MEAN_NS * 1e9, 0.0, 100},
        .service_ns = {MEAN_NS, 0.0, 100},
        .arrival_cv2 = arrival_cv2,
        .service_cv2 = service_cv2,
    };
}

static double wait_of(const struct hk_queue_load *load)
{
    struct hk_estimate wait = {0};
    assert_int_equal(hk_queue_wait_poisson(load, &wait), HK_OK);
    return wait.value;
}

static void closed_forms(void **state)
{
    (void)state;
    struct hk_queue_load load = load_of(0.7, 1.0, 1.0);
    assert_near(wait_of(&load), 0.7 / 0.3 * MEAN_NS, 1e-12); /* M/M/1 */
    load = load_of(0.7, 1.0, 0.0);
    assert_near(wait_of(&load), 0.7 / 0.6 * MEAN_NS, 1e-12); /* M/D/1 */
    struct hk_estimate general;
    assert_int_equal(hk_queue_wait_general(&load, &general), HK_OK);
    assert_near(general.value, wait_of(&load), 1e-12);
    load = load_of(0.7, 0.0, 1.0); /* half the variation of M/M/1 */
    assert_int_equal(hk_queue_wait_general(&load, &general), HK_OK);
    assert_near(general.value, 0.35 / 0.3 * MEAN_NS, 1e-12);
    double rate;
    assert_int_equal(hk_queue_rate_for_wait(&load, general.value, &rate), HK_OK);
    assert_near(rate, load.arrivals_per_s.value, 1e-12);
    /* near saturation small errors of the load are large ones of the wait */
    load = load_of(0.95, 1.0, 1.0);
    load.arrivals_per_s.standard_error = 0.01 * load.arrivals_per_s.value;
    load.service_ns.standard_error = 0.005 * MEAN_NS;
    assert_int_equal(hk_queue_wait_poisson(&load, &general), HK_OK);
    assert_near(general.standard_error / general.value, hypot(0.01 * 20.0, 0.005 * 21.0), 1e-12);
}

/* A queue simulated and replayed: the mechanism, the formula, and the wait of each law. */
static void formulas_match_replayed_traces(void **state)
{
    (void)state;
    enum { N = 400000 };
    static const struct {
        const char *law;
        double service_cv2;
    } laws[] = {{"constant", 0.0}, {"exponential", 1.0}, {"hyperexponential", 4.0}};
    struct hk_rng *rng = test_rng(500);
    double *gap = malloc(N * sizeof *gap);
    double *service = malloc(N * sizeof *service);
    double *wait = malloc(N * sizeof *wait);
    for (size_t l = 0; l < 3; l++) {
        for (double rho = 0.4; rho < 0.8; rho += 0.3) {
            for (size_t i = 0; i < N; i++) {
                gap[i] = hk_rng_exponential(rng, MEAN_NS / rho);
                service[i] = l == 0 ? MEAN_NS : hk_rng_exponential(rng, MEAN_NS);
                if (l == 2) { /* balanced means, c^2 = 4 */
                    const double p = 0.5 * (1.0 + sqrt(0.6));
                    const double share = hk_rng_uniform(rng) < p ? p : 1.0 - p;
                    service[i] /= 2.0 * share;
                }
            }
            assert_int_equal(hk_queue_replay(gap, service, N, wait), HK_OK);
            double mean = 0.0;
            for (size_t i = 0; i < N; i++) {
                mean += wait[i] / N;
            }
            const struct hk_queue_load load = load_of(rho, 1.0, laws[l].service_cv2);
            assert_near(mean / wait_of(&load), 1.0, 0.06);
        }
    }
    free(gap);
    free(service);
    free(wait);
    hk_rng_destroy(rng);
}

static void replay_by_hand_and_in_place(void **state)
{
    (void)state;
    double gap[] = {NAN, 1.0, 5.0, 2.0, 2.0}; /* the first gap is not read */
    const double service[] = {4.0, 3.0, 6.0, 1.0, 1.0};
    const double expected[] = {0.0, 3.0, 1.0, 5.0, 4.0};
    assert_int_equal(hk_queue_replay(gap, service, 5, gap), HK_OK);
    for (int i = 0; i < 5; i++) {
        assert_near(gap[i], expected[i], 1e-14);
    }
}

/* A server that is late whenever it was idle: what that adds to the wait of all, by simulation. */
static void dispatch_is_added_to_the_wait(void **state)
{
    (void)state;
    enum { N = 1000000 };
    static const double dispatch_ns[] = {37e3, 611e3}; /* three times a service, too */
    struct hk_rng *rng = test_rng(502);
    double *gap = malloc(N * sizeof *gap);
    double *service = malloc(N * sizeof *service);
    double *wait = malloc(N * sizeof *wait);
    for (size_t d = 0; d < 2; d++) {
        for (double rho = 0.4; rho < 0.8; rho += 0.3) {
            for (size_t i = 0; i < N; i++) {
                gap[i] = hk_rng_exponential(rng, MEAN_NS / rho);
                service[i] = hk_rng_exponential(rng, MEAN_NS);
            }
            const struct hk_queue_load load = load_of(rho, 1.0, 1.0);
            const struct hk_estimate dispatch = {dispatch_ns[d], 0.0, 100};
            struct hk_estimate added = {0};
            assert_int_equal(hk_queue_dispatch_wait(load.arrivals_per_s.value, &dispatch, 0.0,
                                                    &added), HK_OK);
            assert_int_equal(hk_queue_replay(gap, service, N, wait), HK_OK);
            double without = 0.0;
            for (size_t i = 0; i < N; i++) {
                without += wait[i] / N;
            }
            assert_int_equal(hk_queue_replay_dispatched(gap, service, N, dispatch_ns[d], wait),
                             HK_OK);
            double with = 0.0;
            for (size_t i = 0; i < N; i++) {
                with += wait[i] / N;
            }
            assert_near((with - without) / added.value, 1.0, 0.02);
        }
    }
    free(gap);
    free(service);
    free(wait);
    hk_rng_destroy(rng);
}

static void dispatch_by_hand(void **state)
{
    (void)state;
    struct hk_estimate dispatch = {2e5, 0.0, 7}, added, less, more;
    /* lambda E[D] = 0.4: (2 + 0.4 * 2.5) / (2 * 1.4) */
    assert_int_equal(hk_queue_dispatch_wait(2000.0, &dispatch, 1.5, &added), HK_OK);
    assert_near(added.value, 2e5 * 3.0 / 2.8, 1e-12);
    assert_near(added.standard_error, 0.0, 0.0);
    assert_int_equal(added.count, 7);
    dispatch.standard_error = 20.0;
    assert_int_equal(hk_queue_dispatch_wait(2000.0, &dispatch, 1.5, &added), HK_OK);
    dispatch.value -= 20.0;
    assert_int_equal(hk_queue_dispatch_wait(2000.0, &dispatch, 1.5, &less), HK_OK);
    dispatch.value += 40.0;
    assert_int_equal(hk_queue_dispatch_wait(2000.0, &dispatch, 1.5, &more), HK_OK);
    assert_near(added.standard_error / ((more.value - less.value) / 2.0), 1.0, 1e-6);
    /* idle at the first, the third and the fifth */
    const double gap[] = {NAN, 1.0, 9.0, 2.0, 20.0};
    const double service[] = {4.0, 2.0, 6.0, 1.0, 1.0};
    const double expected[] = {0.5, 3.5, 0.5, 4.5, 0.5};
    double wait[5];
    assert_int_equal(hk_queue_replay_dispatched(gap, service, 5, 0.5, wait), HK_OK);
    for (int i = 0; i < 5; i++) {
        assert_near(wait[i], expected[i], 1e-14);
    }
}

static void batches_keep_up(void **state)
{
    (void)state;
    /* M/M^[K]/1 from the balance equations of a long chain, K = 1 and 3 */
    struct hk_bulk bulk;
    assert_int_equal(hk_bulk_exponential(2100.0, 3e5, 1, &bulk), HK_OK);
    assert_near(bulk.response_ns, 3e5 / (1.0 - 0.63), 1e-9);
    assert_int_equal(hk_bulk_exponential(6000.0, 3e5, 3, &bulk), HK_OK);
    /* r + r^2 + r^3 = 1.8 at r, L = r / (1 - r) */
    const double r = bulk.in_system_mean / (1.0 + bulk.in_system_mean);
    assert_near(r + r * r + r * r * r, 1.8, 1e-9);
    assert_near(bulk.response_ns, bulk.in_system_mean / 6000.0 * 1e9, 1e-9);
    double batch;
    const struct hk_bulk_load load = {50000.0, 90000.0, 5000.0};
    assert_int_equal(hk_bulk_batch_needed(&load, &batch), HK_OK);
    assert_near(batch, 6.0, 0.0); /* exactly 50000 (90 + 5 m) us <= m s */
    const struct hk_bulk_load idle = {10.0, 90000.0, 5000.0};
    assert_int_equal(hk_bulk_batch_needed(&idle, &batch), HK_OK);
    assert_near(batch, 1.0, 0.0);
}

/* Simulated: the server takes up to K at each end of service; an idle one starts at once. */
static void bulk_matches_simulation(void **state)
{
    (void)state;
    enum { EVENTS = 2000000, K = 3 };
    struct hk_rng *rng = test_rng(501);
    const double lambda = 2.0;
    double time = 0.0;
    double area = 0.0;
    size_t in_system = 0;
    for (int e = 0; e < EVENTS; e++) {
        const double rate = lambda + (in_system > 0 ? 1.0 : 0.0);
        const double step = hk_rng_exponential(rng, 1.0 / rate);
        time += step;
        area += step * (double)in_system;
        if (hk_rng_uniform(rng) * rate < lambda) {
            in_system++;
        } else {
            in_system -= in_system < K ? in_system : K;
        }
    }
    struct hk_bulk bulk;
    assert_int_equal(hk_bulk_exponential(lambda * 1e3, 1e6, K, &bulk), HK_OK);
    assert_near(area / time / bulk.in_system_mean, 1.0, 0.03);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_estimate wait;
    struct hk_bulk bulk;
    double value;
    struct hk_queue_load load = load_of(1.0, 1.0, 1.0);
    assert_refused(hk_queue_wait_poisson(&load, &wait), HK_ERANGE, &wait);
    load = load_of(1.7, 1.0, 1.0);
    assert_refused(hk_queue_wait_general(&load, &wait), HK_ERANGE, &wait);
    load = load_of(0.5, -1.0, 1.0);
    assert_refused(hk_queue_wait_poisson(&load, &wait), HK_EINVAL, &wait);
    load = load_of(0.5, 1.0, NAN);
    assert_refused(hk_queue_wait_general(&load, &wait), HK_EINVAL, &wait);
    load = load_of(-0.5, 1.0, 1.0);
    assert_refused(hk_queue_wait_poisson(&load, &wait), HK_EINVAL, &wait);
    load = load_of(0.5, 0.0, 0.0);
    assert_refused(hk_queue_rate_for_wait(&load, 1e3, &value), HK_ERANGE, &value);
    assert_refused(hk_queue_rate_for_wait(&load, -1.0, &value), HK_EINVAL, &value);
    const double good[] = {1.0, 2.0};
    const double bad[] = {1.0, -2.0};
    const double endless[] = {1.7e308, 1.7e308};
    double out[2];
    assert_refused(hk_queue_replay(bad, good, 2, out), HK_EINVAL, &out[0]);
    assert_refused(hk_queue_replay(good, bad, 2, out), HK_EINVAL, &out[0]);
    assert_refused(hk_queue_replay(good, endless, 2, out), HK_EINVAL, &out[0]);
    assert_refused(hk_queue_replay(good, good, 0, out), HK_EINVAL, &out[0]);
    assert_refused(hk_queue_replay_dispatched(good, good, 2, -1.0, out), HK_EINVAL, &out[0]);
    const struct hk_estimate dispatch = {3e4, 1.0, 5}, nothing = {0.0, 1.0, 5};
    const struct hk_estimate vast = {1e300, 1e300, 5};
    assert_refused(hk_queue_dispatch_wait(0.0, &dispatch, 1.0, &wait), HK_EINVAL, &wait);
    assert_refused(hk_queue_dispatch_wait(1e3, &nothing, 1.0, &wait), HK_EINVAL, &wait);
    assert_refused(hk_queue_dispatch_wait(1e3, &dispatch, -1.0, &wait), HK_EINVAL, &wait);
    assert_refused(hk_queue_dispatch_wait(1e20, &vast, 1.0, &wait), HK_ERANGE, &wait);
    assert_refused(hk_bulk_exponential(1e4, 3e5, 3, &bulk), HK_ERANGE, &bulk);
    assert_refused(hk_bulk_exponential(1e4, 3e5, 0, &bulk), HK_EINVAL, &bulk);
    assert_refused(hk_bulk_exponential(NAN, 3e5, 1, &bulk), HK_EINVAL, &bulk);
    const struct hk_bulk_load full = {2e5, 9e4, 5e3};
    assert_refused(hk_bulk_batch_needed(&full, &value), HK_ERANGE, &value);
    const struct hk_bulk_load none = {2e5, 0.0, 0.0};
    assert_refused(hk_bulk_batch_needed(&none, &value), HK_EINVAL, &value);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(formulas_match_replayed_traces),
        cmocka_unit_test(replay_by_hand_and_in_place),
        cmocka_unit_test(dispatch_is_added_to_the_wait),
        cmocka_unit_test(dispatch_by_hand),
        cmocka_unit_test(batches_keep_up),
        cmocka_unit_test(bulk_matches_simulation),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
