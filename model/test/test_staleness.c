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

#include "hk/model/staleness.h"
#include "support.h"

#define S 1e9 /* ns: the cases below are in seconds */

static double probability(enum hk_status status, double p)
{
    assert_int_equal(status, HK_OK);
    return p;
}

static double any(double rate, const struct hk_time_law *delay)
{
    double p = NAN;
    const enum hk_status status = hk_stale_any_pending(rate, delay, &p);
    return probability(status, p);
}

static double last(double rate, const struct hk_time_law *delay)
{
    double p = NAN;
    const enum hk_status status = hk_stale_last_writer(rate, delay, &p);
    return probability(status, p);
}

static double renewal(const struct hk_time_law *interval, const struct hk_time_law *delay)
{
    double p = NAN;
    const enum hk_status status = hk_stale_renewal(interval, delay, &p);
    return probability(status, p);
}

/* mu = .5 /s, E d = .8 s: the laws agree for a constant delay only. */
static void three_laws_three_answers(void **state)
{
    (void)state;
    const struct hk_time_law constant = {.kind = HK_TIME_CONSTANT, .mean_ns = 0.8 * S};
    const struct hk_time_law exponential = {.kind = HK_TIME_EXPONENTIAL, .mean_ns = 0.8 * S};
    const struct hk_time_law lognormal = {
        .kind = HK_TIME_LOGNORMAL, .mean_ns = 0.8 * S, .log_sd = 1.5};
    assert_near(any(0.5, &constant), 1.0 - exp(-0.4), 1e-14);
    assert_near(any(0.5, &exponential), 0.3297, 5e-5);
    assert_near(any(0.5, &lognormal), 0.3297, 5e-5);
    assert_near(last(0.5, &constant), 0.3297, 5e-5);
    assert_near(last(0.5, &exponential), 0.2857, 5e-5);
    assert_near(last(0.5, &lognormal), 0.2171, 3e-4); /* simulated */
    /* scipy.integrate.quad, to 1e-13 */
    assert_near(last(0.5, &lognormal), 0.217332349150441, 1e-9);
    double ttl;
    assert_int_equal(hk_stale_ttl(0.5, 2.0 * S, &ttl), HK_OK);
    assert_near(ttl, 0.3679, 5e-5);
    assert_int_equal(hk_stale_ttl(0.5, 1e-6 * S, &ttl), HK_OK);
    assert_near(ttl / 2.5e-7, 1.0, 1e-6);
    assert_int_equal(hk_stale_ttl(0.5, 0.0, &ttl), HK_OK);
    assert_near(ttl, 0.0, 0.0);
}

/*
 * Updates one by one: the answer is stale if any, or if the latest, of the updates
 * committed before the request is not visible yet.
 */
static void laws_match_simulation(void **state)
{
    (void)state;
    enum { REQUESTS = 50000, RECENT = 40 };
    struct hk_rng *rng = test_rng(410);
    const struct hk_time_law law = {.kind = HK_TIME_LOGNORMAL, .mean_ns = 0.8 * S, .log_sd = 0.9};
    uint64_t any_stale = 0;
    uint64_t last_stale = 0;
    for (int i = 0; i < REQUESTS; i++) {
        double age_s = 0.0;
        bool stale = false;
        for (int u = 0; u < RECENT; u++) {
            age_s += hk_rng_exponential(rng, 1.0 / 0.5);
            const double delay_s = 0.8 * exp(0.9 * hk_rng_normal(rng) - 0.405);
            stale = stale || delay_s > age_s;
            last_stale += (uint64_t)(u == 0 && delay_s > age_s);
        }
        any_stale += (uint64_t)stale;
    }
    assert_rate(any_stale, REQUESTS, any(0.5, &law));
    assert_rate(last_stale, REQUESTS, last(0.5, &law));
    hk_rng_destroy(rng);
}

static void empirical_laws_approach_their_source(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct hk_rng *rng = test_rng(411);
    double *delay = malloc(N * sizeof *delay);
    double *interval = malloc(N * sizeof *interval);
    for (int i = 0; i < N; i++) {
        delay[i] = 0.8 * S * exp(1.5 * hk_rng_normal(rng) - 1.125);
        interval[i] = 2.0 * S * exp(0.7 * hk_rng_normal(rng) - 0.245);
    }
    const struct hk_time_law delays = {
        .kind = HK_TIME_EMPIRICAL, .sample_ns = delay, .count = N};
    const struct hk_time_law intervals = {
        .kind = HK_TIME_EMPIRICAL, .sample_ns = interval, .count = N};
    const struct hk_time_law delay_law = {
        .kind = HK_TIME_LOGNORMAL, .mean_ns = 0.8 * S, .log_sd = 1.5};
    const struct hk_time_law interval_law = {
        .kind = HK_TIME_LOGNORMAL, .mean_ns = 2.0 * S, .log_sd = 0.7};
    const struct hk_time_law poisson = {.kind = HK_TIME_EXPONENTIAL, .mean_ns = 2.0 * S};
    const struct hk_time_law clock = {.kind = HK_TIME_CONSTANT, .mean_ns = 2.0 * S};
    const struct hk_time_law half = {.kind = HK_TIME_CONSTANT, .mean_ns = 0.5 * S};
    const struct hk_time_law memoryless = {.kind = HK_TIME_EXPONENTIAL, .mean_ns = 0.8 * S};
    assert_near(last(0.5, &delays), last(0.5, &delay_law), 0.003);
    assert_near(renewal(&intervals, &delays), renewal(&interval_law, &delay_law), 0.003);
    /* Poisson updates are the renewal process that forgets */
    assert_near(renewal(&poisson, &delay_law), last(0.5, &delay_law), 1e-8);
    assert_near(renewal(&poisson, &delays), last(0.5, &delays), 1e-10);
    /* updates by the clock: the age is uniform */
    assert_near(renewal(&clock, &half), 0.25, 1e-14);
    assert_near(renewal(&clock, &memoryless), 0.4 * (1.0 - exp(-2.5)), 1e-8);
    double mean;
    assert_int_equal(hk_time_law_mean(&delays, &mean), HK_OK);
    assert_near(mean / (0.8 * S), 1.0, 0.05);
    free(delay);
    free(interval);
    hk_rng_destroy(rng);
}

static const struct hk_fast_path path = {
    .eligible_ratio = {0.72, 0.01, 40},
    .probe_ns = {85.0, 2.0, 30},
    .fast_ns = {310.0, 4.0, 30},
    .slow_ns = {9400.0, 60.0, 25},
};

static const struct hk_stale_harm harm = {{0.0031, 0.0002, 50}, 0.2, 1e6};

static double simulated_sd(enum hk_status (*f)(const struct hk_fast_path *,
                                               const struct hk_stale_harm *,
                                               struct hk_estimate *))
{
    enum { N = 30000 };
    struct hk_rng *rng = test_rng(412);
    double mean = 0.0;
    double squares = 0.0;
    for (int i = 1; i <= N; i++) {
        struct hk_fast_path p = path;
        struct hk_stale_harm h = harm;
        p.eligible_ratio.value += 0.01 * hk_rng_normal(rng);
        p.probe_ns.value += 2.0 * hk_rng_normal(rng);
        p.fast_ns.value += 4.0 * hk_rng_normal(rng);
        p.slow_ns.value += 60.0 * hk_rng_normal(rng);
        h.stale_ratio.value += 0.0002 * hk_rng_normal(rng);
        struct hk_estimate e;
        assert_int_equal(f(&p, &h, &e), HK_OK);
        const double step = e.value - mean;
        mean += step / i;
        squares += step * (e.value - mean);
    }
    hk_rng_destroy(rng);
    return sqrt(squares / (N - 1));
}

static enum hk_status latency_only(const struct hk_fast_path *p, const struct hk_stale_harm *h,
                                   struct hk_estimate *out)
{
    (void)h;
    return hk_fast_path_latency(p, out);
}

static enum hk_status gain_only(const struct hk_fast_path *p, const struct hk_stale_harm *h,
                                struct hk_estimate *out)
{
    (void)h;
    return hk_fast_path_gain(p, out);
}

static void costs_and_errors(void **state)
{
    (void)state;
    struct hk_estimate latency;
    struct hk_estimate gain;
    struct hk_estimate cost;
    struct hk_estimate loss;
    assert_int_equal(hk_fast_path_latency(&path, &latency), HK_OK);
    assert_int_equal(hk_fast_path_gain(&path, &gain), HK_OK);
    assert_int_equal(hk_fast_path_cost(&path, &harm, &cost), HK_OK);
    assert_int_equal(hk_fast_path_break_even_loss(&path, &harm, &loss), HK_OK);
    assert_near(latency.value, 85.0 + 0.72 * 310.0 + 0.28 * 9400.0, 1e-12);
    assert_near(gain.value, 9400.0 - latency.value, 1e-12);
    assert_near(cost.value, latency.value + 0.72 * 0.0031 * 0.2 * 1e6, 1e-12);
    assert_int_equal(cost.count, 25);
    /* at the break-even loss, the fast path costs what the slow one does */
    struct hk_stale_harm even = harm;
    even.loss_ns = loss.value;
    assert_int_equal(hk_fast_path_cost(&path, &even, &cost), HK_OK);
    assert_near(cost.value, 9400.0, 1e-12);
    assert_int_equal(hk_fast_path_cost(&path, &harm, &cost), HK_OK);
    assert_near(latency.standard_error / simulated_sd(latency_only), 1.0, 0.03);
    assert_near(gain.standard_error / simulated_sd(gain_only), 1.0, 0.03);
    assert_near(cost.standard_error / simulated_sd(hk_fast_path_cost), 1.0, 0.03);
    assert_near(loss.standard_error / simulated_sd(hk_fast_path_break_even_loss), 1.0, 0.05);
    double regret;
    assert_int_equal(hk_fast_path_regret(900.0, 1000.0, 1100.0, 1040.0, &regret), HK_OK);
    assert_near(regret, 60.0, 1e-12);
    assert_int_equal(hk_fast_path_regret(900.0, 1000.0, 990.0, 1040.0, &regret), HK_OK);
    assert_near(regret, 0.0, 0.0);
}

static double ttl_cost(const struct hk_ttl_costs *c, double ttl_ns)
{
    double p;
    assert_int_equal(hk_stale_ttl(c->update_rate_per_s, ttl_ns, &p), HK_OK);
    return c->refresh_ns / (ttl_ns / S) + c->request_rate_per_s * c->harm_ns * p;
}

static void optimal_ttl_is_a_minimum(void **state)
{
    (void)state;
    const struct hk_ttl_costs costs[] = {
        {0.5, 1000.0, 9400.0, 2000.0},
        {20.0, 50000.0, 9400.0, 300.0},
        {1e-3, 10.0, 5e5, 100.0},
        {3.0, 100.0, 9400.0, 300.0}, /* share .94: close to never */
    };
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        double ttl_ns;
        double cost;
        assert_int_equal(hk_ttl_optimal(&costs[i], &ttl_ns, &cost), HK_OK);
        assert_near(cost / ttl_cost(&costs[i], ttl_ns), 1.0, 1e-12);
        for (double factor = 0.25; factor < 5.0; factor *= 1.2345) {
            assert_true(ttl_cost(&costs[i], factor * ttl_ns) >= cost * (1.0 - 1e-12));
        }
    }
    double ttl_ns;
    struct hk_ttl_costs never = costs[0];
    never.harm_ns = 1.0;
    assert_refused(hk_ttl_optimal(&never, &ttl_ns, NULL), HK_ERANGE, &ttl_ns);
    never.harm_ns = -1.0;
    assert_refused(hk_ttl_optimal(&never, &ttl_ns, NULL), HK_EINVAL, &ttl_ns);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static const double zeros[] = {0.0, 0.0};
    static const double negative[] = {1.0, -1.0};
    static const double endless[] = {1.0, INFINITY};
    const struct hk_time_law good = {.kind = HK_TIME_CONSTANT, .mean_ns = 5.0};
    const struct hk_time_law bad[] = {
        {.kind = HK_TIME_CONSTANT, .mean_ns = 0.0},
        {.kind = HK_TIME_EXPONENTIAL, .mean_ns = NAN},
        {.kind = HK_TIME_LOGNORMAL, .mean_ns = 1.0, .log_sd = 0.0},
        {.kind = HK_TIME_LOGNORMAL, .mean_ns = 1.0, .log_sd = 5.1},
        {.kind = HK_TIME_EMPIRICAL, .sample_ns = zeros, .count = 2},
        {.kind = HK_TIME_EMPIRICAL, .sample_ns = negative, .count = 2},
        {.kind = HK_TIME_EMPIRICAL, .sample_ns = endless, .count = 2},
        {.kind = HK_TIME_EMPIRICAL, .sample_ns = zeros, .count = 0},
        {.kind = HK_TIME_EMPIRICAL, .count = 2},
        {.kind = (enum hk_time_law_kind)9, .mean_ns = 1.0},
    };
    double p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(hk_stale_any_pending(1.0, &bad[i], &p), HK_EINVAL, &p);
        assert_refused(hk_stale_last_writer(1.0, &bad[i], &p), HK_EINVAL, &p);
        assert_refused(hk_stale_renewal(&good, &bad[i], &p), HK_EINVAL, &p);
        assert_refused(hk_stale_renewal(&bad[i], &good, &p), HK_EINVAL, &p);
        assert_refused(hk_time_law_mean(&bad[i], &p), HK_EINVAL, &p);
    }
    assert_refused(hk_stale_any_pending(-1.0, &good, &p), HK_EINVAL, &p);
    assert_refused(hk_stale_last_writer(INFINITY, &good, &p), HK_EINVAL, &p);
    assert_refused(hk_stale_ttl(NAN, 1.0, &p), HK_EINVAL, &p);
    assert_refused(hk_stale_ttl(1.0, -1.0, &p), HK_EINVAL, &p);
    assert_refused(hk_fast_path_regret(NAN, 1.0, 1.0, 1.0, &p), HK_EINVAL, &p);
    struct hk_estimate e;
    struct hk_fast_path broken = path;
    broken.eligible_ratio.value = 1.01;
    assert_refused(hk_fast_path_latency(&broken, &e), HK_EINVAL, &e);
    broken = path;
    broken.slow_ns.value = -1.0;
    assert_refused(hk_fast_path_gain(&broken, &e), HK_EINVAL, &e);
    broken.slow_ns = (struct hk_estimate){300.0, 1.0, 9};
    assert_refused(hk_fast_path_break_even_loss(&broken, &harm, &e), HK_ERANGE, &e);
    struct hk_stale_harm harmless = harm;
    harmless.stale_ratio.value = 0.0;
    assert_refused(hk_fast_path_break_even_loss(&path, &harmless, &e), HK_ERANGE, &e);
    harmless.harm_ratio = -0.1;
    assert_refused(hk_fast_path_cost(&path, &harmless, &e), HK_EINVAL, &e);
    broken = path;
    broken.slow_ns = (struct hk_estimate){1e308, 1e308, 9};
    assert_refused(hk_fast_path_latency(&broken, &e), HK_ERANGE, &e);
}

/* Rates and delays far apart: probabilities stay in [0, 1]. */
static void extremes_stay_probabilities(void **state)
{
    (void)state;
    const double rates[] = {0.0, 1e-300, 1e-9, 1.0, 1e9, 1e300};
    const double means[] = {5e-324, 1e-9, 1.0, 1e9, 1e300};
    for (size_t r = 0; r < 6; r++) {
        for (size_t m = 0; m < 5; m++) {
            for (int kind = HK_TIME_CONSTANT; kind <= HK_TIME_LOGNORMAL; kind++) {
                const struct hk_time_law law = {
                    .kind = (enum hk_time_law_kind)kind, .mean_ns = means[m], .log_sd = 5.0};
                double p[4] = {0};
                assert_int_equal(hk_stale_any_pending(rates[r], &law, &p[0]), HK_OK);
                if (hk_stale_last_writer(rates[r], &law, &p[1]) != HK_OK) {
                    continue;
                }
                assert_int_equal(hk_stale_ttl(rates[r], means[m], &p[2]), HK_OK);
                (void)hk_stale_renewal(&law, &law, &p[3]);
                for (int i = 0; i < 4; i++) {
                    assert_true(p[i] >= 0.0 && p[i] <= 1.0);
                }
            }
        }
    }
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_laws_three_answers),
        cmocka_unit_test(laws_match_simulation),
        cmocka_unit_test(empirical_laws_approach_their_source),
        cmocka_unit_test(costs_and_errors),
        cmocka_unit_test(optimal_ttl_is_a_minimum),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(extremes_stay_probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
