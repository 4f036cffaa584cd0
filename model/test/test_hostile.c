/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

/*
 * Samples nobody measured: ties, steps, huge and tiny values, alternations, one
 * outlier. Every function answers with a status or with finite numbers, never
 * with NaN.
 */
#include <float.h>

#include "hk/model/closed_network.h"
#include "hk/model/copy_curve.h"
#include "hk/model/decision.h"
#include "hk/model/extension.h"
#include "hk/model/jitter.h"
#include "hk/model/latency.h"
#include "hk/model/overlap.h"
#include "hk/model/queue.h"
#include "hk/model/scalability.h"
#include "hk/model/staleness.h"
#include "hk/model/sum.h"
#include "hk/model/tail.h"
#include "hk/model/throughput.h"
#include "hk/model/underrun.h"
#include "hk/stats/dependence.h"
#include "hk/stats/equivalence.h"
#include "hk/stats/error.h"
#include "hk/stats/line.h"
#include "hk/stats/paired.h"
#include "hk/stats/quantile.h"
#include "hk/stats/ratio.h"
#include "hk/stats/score.h"
#include "hk/stats/summary.h"
#include "support.h"

#define N 600
#define KINDS 14

static double hostile(struct hk_rng *rng, int kind, size_t i)
{
    switch (kind) {
    case 0:
        return 0.0;
    case 1:
        return 7.25;
    case 2:
        return (double)(i % 2);
    case 3:
        return (double)(hk_rng_below(rng, 3) * 26); /* a clock that moves in steps */
    case 4:
        return i == 300 ? 1e12 : 1.0;
    case 5:
        return 1e300 * hk_rng_uniform(rng);
    case 6:
        return DBL_MIN * hk_rng_uniform(rng);
    case 7:
        return 4.9e-324 * (double)hk_rng_below(rng, 4);
    case 8:
        return (double)i;
    case 9:
        return exp(40.0 * hk_rng_normal(rng));
    case 10:
        return 1e15 + (double)hk_rng_below(rng, 2);
    case 11:
        return i < 300 ? 1.0 : 1e6;
    case 12:
        return pow(hk_rng_uniform(rng), -4.0);
    default:
        return hk_rng_below(rng, 100) == 0 ? INFINITY : 1.0;
    }
}

static int finite_all(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return 0;
        }
    }
    return 1;
}

static double ratio_of_means(const double *means, const void *context)
{
    (void)context;
    return means[0] / means[1];
}

static const struct hk_moment_statistic just_ratio = {ratio_of_means, NULL};

/* On HK_OK the listed values are finite. */
#define assert_sane(kind, call, ...)                                                          \
    do {                                                                                      \
        const enum hk_status sane_status = (call);                                            \
        if (sane_status == HK_OK) {                                                           \
            const double sane_values[] = {__VA_ARGS__};                                       \
            if (!finite_all(sane_values, sizeof sane_values / sizeof sane_values[0])) {       \
                fail_msg("kind %d: %s", (kind), #call);                                       \
            }                                                                                 \
        }                                                                                     \
    } while (0)

static void statistics_stay_finite(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(170);
    static double x[N];
    static double y[N];
    static double scratch[N];
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = hostile(rng, kind, i);
            y[i] = hostile(rng, (kind + 5) % (KINDS - 1), i);
        }
        struct hk_summary s;
        struct hk_wilcoxon w;
        struct hk_paired p;
        struct hk_equivalence e;
        struct hk_error_summary es;
        struct hk_ljung_box lb;
        struct hk_line line;
        struct hk_bootstrap b;
        double value;
        size_t length;
        const struct hk_paired_options options[] = {{0.05, 0.03, HK_PAIRED_T},
                                                    {0.05, 0.03, HK_PAIRED_WILCOXON},
                                                    {0.05, 0.03, HK_PAIRED_SIGN}};
        const double *columns[] = {x, y};
        const struct hk_moment_data data = {columns, 2, N};
        assert_sane(kind, hk_summary_compute(x, N, scratch, &s), s.mean, s.sd, s.median, s.mad,
                    s.trimmed_mean);
        assert_sane(kind, hk_wilcoxon_test(x, 40, 0.95, &w), w.p_two_sided, w.location,
                    w.interval.lower, w.interval.upper);
        for (int t = 0; t < 3; t++) {
            assert_sane(kind, hk_paired_compare(x, 60, &options[t], &p), p.log_ratio,
                        p.p_two_sided, p.detectable_log_ratio, p.interval.lower,
                        p.interval.upper);
        }
        assert_sane(kind, hk_equivalence_test(x, N, 0.03, 0.05, &e), e.value, e.p_equivalence,
                    e.interval.lower, e.interval.upper);
        assert_sane(kind, hk_error_summarise(x, y, N, &es), es.signed_median, es.absolute_p95,
                    es.log_ratio_mean, es.log_ratio_sd);
        assert_sane(kind, hk_ljung_box_test(x, N, 10, 0, &lb), lb.statistic, lb.p_value);
        assert_sane(kind, hk_autocorrelation_lag1(x, N, &value), value);
        assert_sane(kind, hk_kendall_tau_b(x, y, 50, &value), value);
        assert_sane(kind, hk_line_fit(x, y, NULL, N, &line), line.slope, line.intercept,
                    line.var_slope, line.residual_sd);
        assert_sane(kind, hk_block_length(x, N, &length), (double)length);
        assert_sane(kind, hk_conformal_half_width(x, N, 0.9, &value), value);
        const struct hk_bootstrap_options boot = {0, 100, 0.9};
        assert_sane(kind, hk_bootstrap_moments(&data, &just_ratio, 1, &boot, rng, &b), b.value,
                    b.standard_error, b.interval.lower, b.interval.upper);
    }
    hk_rng_destroy(rng);
}

static void fits_stay_finite(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(171);
    static double x[N];
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = hostile(rng, kind, i);
        }
        const struct hk_bootstrap_options boot = {0, 100, 0.9};
        const struct hk_tail_options options = {.confidence_ratio = 0.9, .extremal_index = 1.0};
        struct hk_lateness l;
        struct hk_jitter j;
        struct hk_tail tail;
        struct hk_tail_probability p;
        struct hk_fit_test fit;
        struct hk_coefficient c;
        struct hk_hop_model hop;
        double index;
        assert_sane(kind, hk_lateness_analyse(x, N, &boot, rng, &l), l.cv, l.sigma_ns, l.rho1,
                    l.textbook_ns, l.dependent_ns, l.cv_interval.lower, l.cv_interval.upper,
                    l.rho1_interval.lower, l.dependent_interval_ns.upper);
        assert_sane(kind, hk_jitter_analyse(x, N, 3.5, &boot, rng, &j), j.rms_ns,
                    j.trimmed_rms_ns, j.top_share_ratio, j.cycle_ratio, j.relative_error_se,
                    j.rms_interval_ns.lower, j.rms_interval_ns.upper, j.rho1);
        assert_sane(kind, hk_coefficient_test(x, NULL, 20, 4.0, 0.95, &c), c.value,
                    c.neighbour_distance_se, c.interval.lower, c.interval.upper);
        assert_sane(kind, hk_hop_fit(x, x + 100, 50, &hop), hop.hop_ns, hop.launch_sd_ns);
        assert_sane(kind, hk_extremal_index(x, N, 1.0, 2, &index), index);
        if (hk_sample_sort(x, N) != HK_OK) {
            continue;
        }
        for (int law = HK_FIT_EXPONENTIAL; law <= HK_FIT_LOGNORMAL; law++) {
            assert_sane(kind, hk_fit_test_run(x, N, (enum hk_fit_law)law, &fit), fit.ks,
                        fit.cramer, fit.anderson, fit.p_anderson, fit.scale);
        }
        if (hk_tail_fit(x, N, &options, &tail) != HK_OK) {
            continue;
        }
        assert_true(isfinite(tail.gpd.xi) && tail.gpd.sigma_ns > 0.0);
        for (double q = 0.5; q > 1e-9; q *= 0.1) {
            struct hk_interval interval;
            double at;
            assert_sane(kind, hk_tail_quantile(&tail, q, 0.9, &at, &interval), at,
                        interval.lower, interval.upper);
            assert_sane(kind, hk_tail_probability(&tail, x[N - 1] * (1.0 + q), 0.9, &p),
                        p.probability, p.interval.lower, p.interval.upper);
        }
    }
    hk_rng_destroy(rng);
}

static void curves_stay_finite(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(172);
    double bytes[16];
    double cost[16];
    for (int size_kind = 0; size_kind < KINDS; size_kind++) {
        for (int kind = 0; kind < KINDS; kind++) {
            for (size_t i = 0; i < 16; i++) {
                bytes[i] = hostile(rng, size_kind, i);
                cost[i] = hostile(rng, kind, i);
            }
            struct hk_copy_curve curve;
            if (hk_copy_curve_fit(bytes, cost, 16, 3, &curve) != HK_OK) {
                continue;
            }
            struct hk_estimate mean;
            struct hk_interval interval;
            const double middle = curve.min_bytes / 2.0 + curve.max_bytes / 2.0;
            assert_sane(kind, hk_copy_curve_predict(&curve, middle, 0.95, &mean, &interval),
                        mean.value, mean.standard_error, interval.lower, interval.upper);
        }
    }
    hk_rng_destroy(rng);
}

static const double numbers[] = {0.0,      1.0,  -1.0, 5e-324, 1.7e308,
                                 INFINITY, NAN, 1e-9, 1e15,   0.5};

#define VALUES (sizeof numbers / sizeof numbers[0])

static double value_at(size_t i)
{
    return numbers[i % VALUES];
}

/* Every combination of hostile numbers for laws of up to four arguments. */
static void closed_forms_stay_finite(void **state)
{
    (void)state;
    for (size_t i = 0; i < VALUES * VALUES * VALUES * VALUES; i++) {
        const double a = value_at(i);
        const double b = value_at(i / VALUES);
        const double c = value_at(i / VALUES / VALUES);
        const double d = value_at(i / VALUES / VALUES / VALUES);
        const int kind = (int)i;
        const struct hk_estimate ea = {a, fabs(b), 9};
        const struct hk_estimate eb = {b, fabs(c), 9};
        const struct hk_estimate ec = {c, fabs(d), 9};
        const struct hk_estimate ed = {d, fabs(a), 9};
        struct hk_estimate out;
        struct hk_interval interval;
        double x;
        double y;
        struct hk_throughput t;
        const struct hk_throughput_costs costs = {ea, eb, ec, ed};
        assert_sane(kind, hk_throughput_textbook(&ea, &eb, c, &out), out.value,
                    out.standard_error);
        assert_sane(kind, hk_throughput_general(a, b, c, &x), x);
        assert_sane(kind, hk_throughput_predict(&costs, &t), t.beta, t.copy_share_ratio,
                    t.ratio.value, t.ratio.standard_error, t.adaptive.value,
                    t.adaptive.standard_error);
        const struct hk_extension_costs extension = {ea, eb, ec};
        struct hk_ski_rental ski;
        assert_sane(kind, hk_extension_cost(&extension, d, &out), out.value, out.standard_error);
        assert_sane(kind, hk_extension_break_even(&extension, &out), out.value,
                    out.standard_error);
        assert_sane(kind, hk_extension_ski_rental(&extension, &ski), ski.competitive_ratio);
        const struct hk_fast_path path = {ea, eb, ec, ed};
        const struct hk_stale_harm harm = {ed, a, b};
        assert_sane(kind, hk_fast_path_latency(&path, &out), out.value, out.standard_error);
        assert_sane(kind, hk_fast_path_gain(&path, &out), out.value, out.standard_error);
        assert_sane(kind, hk_fast_path_cost(&path, &harm, &out), out.value, out.standard_error);
        assert_sane(kind, hk_fast_path_break_even_loss(&path, &harm, &out), out.value,
                    out.standard_error);
        const struct hk_ttl_costs ttl = {a, b, c, d};
        assert_sane(kind, hk_ttl_optimal(&ttl, &x, &y), x, y);
        assert_sane(kind, hk_stale_ttl(a, b, &x), x);
        const struct hk_queue_load load = {ea, eb, c, d};
        assert_sane(kind, hk_queue_wait_poisson(&load, &out), out.value, out.standard_error);
        assert_sane(kind, hk_queue_wait_general(&load, &out), out.value, out.standard_error);
        assert_sane(kind, hk_queue_rate_for_wait(&load, a, &x), x);
        struct hk_bulk bulk;
        assert_sane(kind, hk_bulk_exponential(a, b, 3, &bulk), bulk.response_ns);
        const struct hk_station stations[] = {{a, false}, {b, true}, {c, false}};
        struct hk_closed_load closed;
        struct hk_closed_bounds bounds;
        assert_sane(kind, hk_closed_bounds(stations, 3, 7, &bounds), bounds.upper_per_s,
                    bounds.lower_per_s, bounds.knee_clients);
        assert_sane(kind, hk_closed_solve(stations, 3, 7, &closed), closed.throughput_per_s,
                    closed.response_ns, closed.queue_mean[0]);
        const struct hk_overlap overlap = {ea, eb, ec, ed, fabs(a), fabs(c)};
        assert_sane(kind, hk_overlap_hop(&overlap, &out), out.value, out.standard_error);
        assert_sane(kind, hk_ratio_estimate(&ea, &eb, c, 0.95, &out, &interval), out.value,
                    out.standard_error, interval.lower, interval.upper);
        for (int law = HK_UNDERRUN_DEVICE; law <= HK_UNDERRUN_QUEUE; law++) {
            assert_sane(kind, hk_underrun_propagate((enum hk_underrun_law)law, &ea, c, d, 0.9,
                                                    &x, &interval),
                        x, interval.lower, interval.upper);
        }
        assert_sane(kind, hk_jitter_cycle_law(a, b, &x), x);
        assert_sane(kind, hk_jitter_relative(a, b, &x), x);
    }
}

static void samples_stay_finite(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(173);
    static double x[N];
    static double y[N];
    static double out[N];
    for (int kind = 0; kind < KINDS * KINDS; kind++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = hostile(rng, kind % KINDS, i);
            y[i] = hostile(rng, kind / KINDS, i);
        }
        struct hk_scalability law;
        struct hk_estimate peak;
        struct hk_line line;
        struct hk_slack slack;
        struct hk_calibration calibration;
        struct hk_decision decision;
        double value;
        if (hk_scalability_fit(x, y, 40, &law) == HK_OK) {
            assert_true(isfinite(law.gamma_per_s) && isfinite(law.sigma) && isfinite(law.kappa));
            assert_sane(kind, hk_scalability_peak(&law, &peak), peak.value, peak.standard_error);
        }
        assert_sane(kind, hk_extension_fit(x, y, N, &line), line.slope, line.intercept,
                    line.residual_sd);
        assert_sane(kind, hk_queue_replay(x, y, N, out), out[0], out[N - 1]);
        assert_sane(kind, hk_calibration_test(x, N, &calibration), calibration.statistic,
                    calibration.p_value, calibration.sd, calibration.rho1);
        assert_sane(kind, hk_pinball(x, y, N, 0.9, &value), value);
        const struct hk_decision_table table = {x, N / 4, 4};
        double regret[4];
        assert_sane(kind, hk_decision_analyse(&table, NULL, regret, &decision),
                    decision.value_mean, decision.value_of_information, regret[0], regret[3]);
        assert_sane(kind, hk_decision_information(&table, y, 10, &value), value);
        if (hk_sample_sort(x, N) == HK_OK) {
            assert_sane(kind, hk_overlap_slack(x, y, 60, &slack), slack.slack_ns, slack.slope,
                        slack.residual_sd_ns);
            assert_sane(kind, hk_crps(x, N, y[3], &value), value);
            const struct hk_sum_part part = {x, N, 3};
            struct hk_sum *sum;
            if (hk_sum_create(&part, 1, 1024, &sum) == HK_OK) {
                struct hk_sum_quantile q;
                double sd;
                assert_sane(kind, hk_sum_quantile(sum, 0.99, &q), q.independent_ns,
                            q.comonotone_ns);
                assert_sane(kind, hk_sum_moments(sum, &value, &sd), value, sd);
                hk_sum_destroy(sum);
            }
        }
    }
    hk_rng_destroy(rng);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_stay_finite),
        cmocka_unit_test(fits_stay_finite),
        cmocka_unit_test(curves_stay_finite),
        cmocka_unit_test(closed_forms_stay_finite),
        cmocka_unit_test(samples_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
