/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

/*
 * The judge on trial: formulas that hold by construction must get HOLDS, formulas
 * broken by a known amount must be refuted with the right cause and replacement,
 * and every mutant of a formula must be caught.
 */
#include <stdlib.h>

#include "hk/model/jitter.h"
#include "hk/model/latency.h"
#include "hk/model/tail.h"
#include "hk/model/underrun.h"
#include "hk/model/verdict.h"
#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"
#include "support.h"
#include "delays.h"

#define LAUNCHES_MAX 30
#define MEAN_NS 200000.0
#define NOMINAL_NS 2000000.0
#define D0_NS 13000.0

static struct hk_verdict decide(const struct hk_evidence *evidence)
{
    struct hk_verdict verdict;
    assert_int_equal(hk_verdict_decide(evidence, &verdict), HK_OK);
    return verdict;
}

static struct hk_equivalence tost(const double *log_ratios, size_t n, double margin)
{
    struct hk_equivalence e;
    assert_int_equal(hk_equivalence_test(log_ratios, n, margin, 0.05, &e), HK_OK);
    return e;
}

/* An assumption measured once per launch. */
static struct hk_assumption assume(const char *name, double expected, double tolerance,
                                   const double *values, size_t n)
{
    struct hk_assumption a = {
        .name = name,
        .unit = "",
        .expected = expected,
        .tolerance = tolerance,
    };
    struct hk_estimate mean;
    assert_int_equal(hk_mean_estimate(values, n, &mean), HK_OK);
    assert_int_equal(hk_mean_interval(&mean, 0.95, &a.interval), HK_OK);
    a.value = mean.value;
    return a;
}

/* F6 over launches: lateness from runs A, jitter from runs B, factor a mutation of sqrt 2. */
static struct hk_verdict judge_f6(struct hk_rng *rng, enum delay_law law, size_t launches,
                                  size_t n, double factor)
{
    const struct hk_bootstrap_options options = {0, 100, 0.95};
    double *delay = malloc(n * sizeof *delay);
    double *period = malloc(n * sizeof *period);
    double textbook[LAUNCHES_MAX];
    double dependent[LAUNCHES_MAX];
    double cv[LAUNCHES_MAX];
    double rho1[LAUNCHES_MAX];
    for (size_t l = 0; l < launches; l++) {
        struct hk_lateness a;
        struct hk_jitter b;
        fill_delays(rng, law, MEAN_NS, delay, n);
        for (size_t i = 0; i < n; i++) {
            delay[i] += D0_NS;
        }
        assert_int_equal(hk_lateness_analyse(delay, n, &options, rng, &a), HK_OK);
        fill_delays(rng, law, MEAN_NS, delay, n);
        fill_periods(delay, n, NOMINAL_NS, period);
        assert_int_equal(hk_jitter_analyse(period, n - 1, NOMINAL_NS, &options, rng, &b), HK_OK);
        textbook[l] = log(factor * a.textbook_ns / b.rms_ns);
        dependent[l] = log(a.dependent_ns / b.rms_ns);
        cv[l] = a.cv;
        rho1[l] = a.rho1;
    }
    free(delay);
    free(period);
    const struct hk_assumption assumptions[] = {
        assume("CV of lateness", 1.0, 0.1, cv, launches),
        assume("lag-1 autocorrelation of lateness", 0.0, 0.1, rho1, launches),
    };
    const struct hk_model_result replacement = {"sigma sqrt(2 (1 - rho_1))",
                                                tost(dependent, launches, 0.05)};
    const struct hk_evidence evidence = {
        .formula = "F6",
        .regime = "simulated",
        .scale = HK_ERROR_LN_RATIO,
        .error = tost(textbook, launches, 0.05),
        .assumptions = assumptions,
        .assumption_count = 2,
        .replacements = &replacement,
        .replacement_count = 1,
        .sample_count = launches * n,
    };
    return decide(&evidence);
}

static void jitter_controls(void **state)
{
    (void)state;
    static const struct {
        enum delay_law law;
        enum hk_verdict_kind kind;
        const char *cause;
    } cases[] = {
        {DELAY_EXPONENTIAL, HK_VERDICT_HOLDS, NULL},
        {DELAY_GAMMA4, HK_VERDICT_REFUTED_REPLACED, "CV of lateness"},
        {DELAY_WEIBULL, HK_VERDICT_REFUTED_REPLACED, "CV of lateness"},
        {DELAY_LOGNORMAL1, HK_VERDICT_REFUTED_REPLACED, "CV of lateness"},
        {DELAY_EAR, HK_VERDICT_REFUTED_REPLACED, "lag-1 autocorrelation of lateness"},
    };
    struct hk_rng *rng = test_rng(160);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hk_verdict v = judge_f6(rng, cases[i].law, 30, 6000, 1.0);
        char text[512];
        assert_int_equal(hk_verdict_format(&v, text, sizeof text), HK_OK);
        if (v.kind != cases[i].kind) {
            fail_msg("%s", text);
        }
        assert_int_equal(v.has_cause, cases[i].cause != NULL);
        if (cases[i].cause) {
            assert_string_equal(v.cause.name, cases[i].cause);
        }
    }
    hk_rng_destroy(rng);
}

static void jitter_mutants_are_killed(void **state)
{
    (void)state;
    /* sqrt 2 -> 1, sqrt 3, 2, 1/sqrt 2 */
    static const double factors[] = {0.70710678, 1.22474487, 1.41421356, 0.5};
    struct hk_rng *rng = test_rng(161);
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        const struct hk_verdict v = judge_f6(rng, DELAY_EXPONENTIAL, 20, 2000, factors[i]);
        assert_int_equal(v.kind, HK_VERDICT_REFUTED_REPLACED);
    }
    hk_rng_destroy(rng);
}

static void a_true_formula_is_rarely_refuted(void **state)
{
    (void)state;
    enum { REPLICATES = 60 };
    struct hk_rng *rng = test_rng(162);
    int refuted = 0;
    for (int r = 0; r < REPLICATES; r++) {
        const struct hk_verdict v = judge_f6(rng, DELAY_EXPONENTIAL, 10, 1000, 1.0);
        refuted += v.kind == HK_VERDICT_REFUTED || v.kind == HK_VERDICT_REFUTED_REPLACED;
    }
    assert_in_range(refuted, 0, 3);
    hk_rng_destroy(rng);
}

/* What F7 predicts from: the fit of run A. */
struct f7_model {
    enum hk_underrun_law law; /* of the formula on trial */
    double probability_factor;
    double headroom_extra; /* in mean delays: e^(-lambda B/r) forgets the period */
};

static double predict_f7(const struct f7_model *model, double delta_ns, double headroom_ns)
{
    double p;
    assert_int_equal(hk_underrun_probability(model->law, delta_ns,
                                             headroom_ns + model->headroom_extra * delta_ns,
                                             NOMINAL_NS, &p), HK_OK);
    return model->probability_factor * p;
}

/* F7 over launches, at P near 1e-1 and 1e-2: law says how runs B are counted. */
static struct hk_verdict judge_f7(struct hk_rng *rng, enum delay_law delays,
                                  enum hk_underrun_law law, const struct f7_model *model)
{
    enum { LAUNCHES = 20, N = 10000 };
    const struct hk_tail_options options = {.confidence_ratio = 0.95, .extremal_index = 1.0};
    static const double targets[] = {0.1, 0.01};
    double *a = malloc(N * sizeof *a);
    double *b = malloc(N * sizeof *b);
    double textbook[LAUNCHES];
    double other[LAUNCHES];
    double cv[LAUNCHES];
    for (size_t l = 0; l < LAUNCHES; l++) {
        fill_delays(rng, delays, MEAN_NS, a, N);
        fill_delays(rng, delays, MEAN_NS, b, N);
        struct hk_tail tail;
        struct hk_summary summary;
        double *sorted = malloc(N * sizeof *sorted);
        assert_int_equal(hk_summary_compute(a, N, sorted, &summary), HK_OK);
        memcpy(sorted, a, N * sizeof *sorted);
        assert_int_equal(hk_sample_sort(sorted, N), HK_OK);
        assert_int_equal(hk_tail_fit(sorted, N, &options, &tail), HK_OK);
        const double delta_ns = summary.mean - summary.min;
        cv[l] = summary.sd / delta_ns;
        textbook[l] = 0.0;
        other[l] = 0.0;
        for (int t = 0; t < 2; t++) {
            double headroom_ns;
            uint64_t events;
            uint64_t trials;
            struct hk_tail_probability p;
            assert_int_equal(hk_tail_quantile(&tail, targets[t], 0.95, &headroom_ns, NULL), HK_OK);
            assert_int_equal(hk_underrun_replay(law, b, N, headroom_ns, NOMINAL_NS, &events,
                                                &trials), HK_OK);
            assert_int_equal(hk_tail_probability(&tail, headroom_ns, 0.95, &p), HK_OK);
            const double seen = (double)events / (double)trials;
            textbook[l] += log10(predict_f7(model, delta_ns, headroom_ns) / seen) / 2.0;
            other[l] += log10(p.probability / seen) / 2.0;
        }
        free(sorted);
    }
    free(a);
    free(b);
    const struct hk_assumption cv_is_one = assume("CV of lateness", 1.0, 0.1, cv, LAUNCHES);
    const struct hk_model_result replacement = {"GPD tail", tost(other, LAUNCHES, 0.05)};
    const struct hk_evidence evidence = {
        .formula = "F7",
        .regime = "simulated",
        .scale = HK_ERROR_LOG10,
        .error = tost(textbook, LAUNCHES, 0.05),
        .assumptions = &cv_is_one,
        .assumption_count = 1,
        .replacements = &replacement,
        .replacement_count = 1,
        .sample_count = LAUNCHES * N,
    };
    return decide(&evidence);
}

static void underrun_controls(void **state)
{
    (void)state;
    const struct f7_model device = {HK_UNDERRUN_DEVICE, 1.0, 0.0};
    const struct f7_model absolute = {HK_UNDERRUN_ABSOLUTE, 1.0, 0.0};
    struct hk_rng *rng = test_rng(163);
    struct hk_verdict v = judge_f7(rng, DELAY_EXPONENTIAL, HK_UNDERRUN_DEVICE, &device);
    assert_int_equal(v.kind, HK_VERDICT_HOLDS);
    v = judge_f7(rng, DELAY_EXPONENTIAL, HK_UNDERRUN_ABSOLUTE, &absolute);
    assert_int_equal(v.kind, HK_VERDICT_HOLDS);
    static const enum delay_law wrong[] = {DELAY_LOGNORMAL, DELAY_WEIBULL, DELAY_GAMMA4};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        v = judge_f7(rng, wrong[i], HK_UNDERRUN_DEVICE, &device);
        assert_int_equal(v.kind, HK_VERDICT_REFUTED_REPLACED);
        assert_string_equal(v.replacement.name, "GPD tail");
        assert_true(v.has_cause);
    }
    hk_rng_destroy(rng);
}

static void underrun_mutants_are_killed(void **state)
{
    (void)state;
    static const struct {
        enum hk_underrun_law counted;
        struct f7_model mutant;
    } mutants[] = {
        {HK_UNDERRUN_ABSOLUTE, {HK_UNDERRUN_DEVICE, 1.0, 0.0}},   /* the 1/2 dropped */
        {HK_UNDERRUN_DEVICE, {HK_UNDERRUN_ABSOLUTE, 1.0, 0.0}},   /* the 1/2 added */
        {HK_UNDERRUN_DEVICE, {HK_UNDERRUN_DEVICE, 1.0, 10.0}},    /* e^(-lambda B/r) */
        {HK_UNDERRUN_DEVICE, {HK_UNDERRUN_DEVICE, 1.0, -0.5}},    /* half a delay lost */
        {HK_UNDERRUN_DEVICE, {HK_UNDERRUN_DEVICE, 1.5, 0.0}},
    };
    struct hk_rng *rng = test_rng(164);
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
        const struct hk_verdict v =
            judge_f7(rng, DELAY_EXPONENTIAL, mutants[i].counted, &mutants[i].mutant);
        assert_true(v.kind == HK_VERDICT_REFUTED || v.kind == HK_VERDICT_REFUTED_REPLACED);
    }
    hk_rng_destroy(rng);
}

/* F3 over launches; extra is what a hop costs more in chains of two servers and up. */
static struct hk_verdict judge_f3(struct hk_rng *rng, const struct hk_latency_law *law,
                                  double extra)
{
    enum { LAUNCHES = 24, SERVERS = 4 };
    double one[LAUNCHES];
    double two[LAUNCHES];
    double naive[LAUNCHES];
    double incremental[LAUNCHES];
    double measured[LAUNCHES];
    for (int l = 0; l < LAUNCHES; l++) {
        const double ipc = 4150.0 * (1.0 + 0.01 * hk_rng_normal(rng));
        const double copy = 830.0 * (1.0 + 0.01 * hk_rng_normal(rng));
        const double noise = 1.0 + 0.01 * hk_rng_normal(rng);
        one[l] = noise * (2.0 * ipc + 2.0 * copy + 350.0);
        two[l] = noise * (4.0 * ipc + 4.0 * copy + 350.0) + extra;
        measured[l] = noise * (8.0 * ipc + 8.0 * copy + 350.0) + 3.0 * extra;
        const struct hk_latency_costs costs = {
            .c_ipc_ns = {ipc, 0.0, 1},
            .c_copy_ns = {copy, 0.0, 1},
            .t_user_ns = {350.0, 0.0, 1},
        };
        struct hk_estimate predicted;
        struct hk_latency_law chain;
        assert_int_equal(hk_latency_chain_law(SERVERS, &chain), HK_OK);
        /* the law on trial, scaled from the textbook's two servers to four */
        chain.user_transfers *= law->user_transfers / hk_latency_textbook.user_transfers;
        chain.user_copies *= law->user_copies / hk_latency_textbook.user_copies;
        assert_int_equal(hk_latency_user(&chain, &costs, &predicted), HK_OK);
        naive[l] = log(predicted.value / measured[l]);
    }
    for (int l = 0; l < LAUNCHES; l++) {
        incremental[l] = log((two[l] + (SERVERS - 2) * (two[l] - one[l])) / measured[l]);
    }
    const struct hk_model_result replacement = {"incremental hop",
                                                tost(incremental, LAUNCHES, 0.05)};
    const struct hk_evidence evidence = {
        .formula = "F3",
        .regime = "simulated",
        .scale = HK_ERROR_LN_RATIO,
        .error = tost(naive, LAUNCHES, 0.05),
        .replacements = &replacement,
        .replacement_count = 1,
        .sample_count = LAUNCHES,
    };
    return decide(&evidence);
}

static void latency_controls_and_mutants(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(165);
    struct hk_verdict v = judge_f3(rng, &hk_latency_textbook, 0.0);
    assert_int_equal(v.kind, HK_VERDICT_HOLDS);
    /* a context that costs 2.5 us more from the second server on */
    v = judge_f3(rng, &hk_latency_textbook, 2500.0);
    assert_int_equal(v.kind, HK_VERDICT_REFUTED_REPLACED);
    assert_string_equal(v.replacement.name, "incremental hop");
    static const struct hk_latency_law mutants[] = {
        {2.0, 2.0, 3.0, 4.0}, {2.0, 2.0, 5.0, 4.0}, {2.0, 2.0, 2.0, 4.0},
        {2.0, 2.0, 4.0, 2.0}, {2.0, 2.0, 4.0, 8.0}, {2.0, 2.0, 8.0, 4.0},
    };
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
        v = judge_f3(rng, &mutants[i], 0.0);
        assert_int_equal(v.kind, HK_VERDICT_REFUTED_REPLACED);
    }
    hk_rng_destroy(rng);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jitter_controls),
        cmocka_unit_test(jitter_mutants_are_killed),
        cmocka_unit_test(a_true_formula_is_rarely_refuted),
        cmocka_unit_test(underrun_controls),
        cmocka_unit_test(underrun_mutants_are_killed),
        cmocka_unit_test(latency_controls_and_mutants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
