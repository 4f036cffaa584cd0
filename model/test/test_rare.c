/* SPDX-License-Identifier: MIT */
/*
 * Every estimator against a closed form at 1e-9 and 1e-12, with the variance that theory gives it;
 * methods against counting where both can be done; a liar that must be caught.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "hk/model/rare.h"
#include "rare_cases.h"
#include "support.h"

static const struct case_row {
    enum rare_case problem;
    const char *method;
    double probability;
    uint64_t batches;
    double error_max;    /* relative */
    double variance;     /* relative, of one draw, as theory or MODELS' table has it; 0: none */
    double variance_tol; /* relative */
    double reduction_min;
} rows[] = {
    /* 28.0 and 37.1: e^(ay) / (y (2 - y)) - 1 */
    {CASE_EXPONENTIAL, "tilt", 1e-9, 250, 0.03, 27.85, 0.05, 1e7},
    {CASE_EXPONENTIAL, "tilt", 1e-12, 250, 0.03, 37.24, 0.05, 1e10},
    {CASE_ERLANG, "tilt", 1e-9, 250, 0.03, 16.1, 0.05, 1e7},
    {CASE_ERLANG, "tilt", 1e-12, 250, 0.03, 21.1, 0.05, 1e10},
    {CASE_ERLANG, "conditional-tilt", 1e-9, 500, 0.01, 1.18, 0.05, 1e7},
    {CASE_ERLANG, "conditional-tilt", 1e-12, 500, 0.01, 1.22, 0.05, 1e10},
    {CASE_ABSOLUTE, "conditional", 1e-9, 500, 0.01, 1.0 / 3.0, 0.02, 1e7},
    {CASE_ABSOLUTE, "conditional", 1e-12, 500, 0.01, 1.0 / 3.0, 0.02, 1e10},
    {CASE_ABSOLUTE_ERLANG, "conditional", 1e-9, 500, 0.01, 0, 0, 1e7},
    {CASE_D_M_1, "siegmund", 1e-9, 200, 0.01, 0.397, 0.05, 1e7},
    {CASE_D_M_1, "siegmund", 1e-12, 200, 0.01, 0.397, 0.05, 1e10},
    {CASE_M_M_1, "siegmund", 1e-9, 100, 0.01, 0.0989, 0.05, 1e7},
    {CASE_M_M_1, "siegmund", 1e-12, 100, 0.01, 0.0989, 0.05, 1e10},
    {CASE_M_ERLANG_1, "siegmund", 1e-9, 200, 0.01, 0, 0, 1e7},
    {CASE_D_ERLANG_1, "siegmund", 1e-12, 200, 0.01, 0, 0, 1e10},
    {CASE_M_HYPER_1, "siegmund", 1e-9, 200, 0.02, 0, 0, 1e7},
    {CASE_D_HYPER_1, "siegmund", 1e-12, 200, 0.02, 0, 0, 1e10},
    {CASE_HYPER_SUM, "conditional-tilt", 1e-9, 1000, 0.03, 0, 0, 1e7},
    {CASE_LOMAX_SUM, "asmussen-kroese", 1e-9, 50, 0.0001, 0, 0, 1e12},
    {CASE_LOMAX_SUM, "asmussen-kroese", 1e-12, 50, 0.00001, 0, 0, 1e12},
    {CASE_LOMAX_HEAVIER_SUM, "asmussen-kroese", 1e-9, 50, 0.0001, 0, 0, 1e12},
    {CASE_WEIBULL_LIGHTER_SUM, "asmussen-kroese", 1e-9, 100, 0.01, 0, 0, 1e7},
    {CASE_WEIBULL_SUM, "asmussen-kroese", 1e-9, 100, 0.01, 0, 0, 1e7},
    {CASE_WEIBULL_SUM, "asmussen-kroese", 1e-12, 100, 0.01, 0, 0, 1e10},
    {CASE_ERLANG, "last-particle", 1e-9, 25, 0.15, 0, 0, 1e6},
    {CASE_ERLANG, "last-particle", 1e-12, 25, 0.15, 0, 0, 5e8},
    {CASE_ERLANG, "fixed-levels", 1e-9, 25, 0.15, 0, 0, 1e5},
    {CASE_ERLANG, "fixed-levels", 1e-12, 25, 0.15, 0, 0, 1e7},
    {CASE_LOMAX_SUM, "last-particle", 1e-9, 20, 0.15, 0, 0, 1e5},
    {CASE_HYPER_SUM, "fixed-levels", 1e-12, 15, 0.15, 0, 0, 1e7},
    {CASE_D_M_1, "recursion", 1e-9, 10, 0.15, 0, 0, 1e4},
};

static void estimators_reach_the_closed_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct case_row *row = &rows[i];
        const struct hk_rare_problem p = rare_case_at(row->problem, row->probability);
        struct hk_rare_estimate e;
        assert_int_equal(hk_rare_run(&p, hk_rare_method_find(row->method), 20261130, row->batches,
                                     0.95, &e), HK_OK);
        const double error = e.probability / row->probability - 1.0;
        print_message("%-16s %-16s %.0e  error %+8.4f %%  claimed %.4f %%  variance %-9.4g  "
                      "reduction %.2g\n", rare_case_name(row->problem), row->method,
                      row->probability, 100 * error, 100 * e.relative_error, e.relative_variance,
                      e.variance_reduction);
        if (fabs(error) > row->error_max || fabs(error) > 4.0 * e.relative_error) {
            fail_msg("%s by %s at %g: off by %g, claimed %g", rare_case_name(row->problem),
                     row->method, row->probability, error, e.relative_error);
        }
        if (row->variance > 0.0) {
            assert_near(e.relative_variance / row->variance, 1.0, row->variance_tol);
        }
        assert_true(e.reliable);
        assert_true(e.variance_reduction >= row->reduction_min);
        /* what counting would have taken for the same error */
        assert_near(e.naive_count * row->probability * e.relative_error * e.relative_error, 1.0,
                    0.4);
    }
}

/*
 * Integrating the last stage without tilting. On Erlang stages it is far off, mostly from below,
 * with an error bar that denies it; its own draws still betray it, because one of them carries the
 * variance. On Lomax stages it loses exactly the factor of the stages, and nothing in its draws
 * shows that: only the closed form does.
 */
static void the_liar_is_caught(void **state)
{
    (void)state;
    enum { REPLICATES = 40 };
    const struct hk_rare_method *liar = hk_rare_method_find("conditional-untilted");
    static const double targets[] = {1e-9, 1e-12};
    assert_false(hk_rare_method_is_sound(liar));
    for (size_t t = 0; t < HK_ARRAY_COUNT(targets); t++) {
        const struct hk_rare_problem p = rare_case_at(CASE_ERLANG, targets[t]);
        int covered = 0;
        int halved = 0;
        for (uint64_t r = 0; r < REPLICATES; r++) {
            struct hk_rare_estimate e;
            assert_int_equal(hk_rare_run(&p, liar, r, 8, 0.95, &e), HK_OK);
            covered += e.interval.lower <= targets[t] && targets[t] <= e.interval.upper;
            halved += e.probability < targets[t] / 2.0;
            assert_false(e.reliable);
            assert_true(e.dominance_ratio > 0.1);
        }
        assert_true(covered < REPLICATES / 2);
        assert_true(halved > REPLICATES / 2);
    }
    const struct hk_rare_problem heavy = rare_case_at(CASE_LOMAX_SUM, 1e-9);
    struct hk_rare_estimate e;
    assert_int_equal(hk_rare_run(&heavy, liar, 1, 8, 0.95, &e), HK_OK);
    assert_near(e.probability / 1e-9, 1.0 / 3.0, 1e-4);
    assert_true(e.relative_error < 1e-4 && e.reliable);
    /* Nobody gets it unless by name. */
    struct hk_rare_plan plan;
    assert_int_equal(hk_rare_plan_init(&heavy, NULL, 1, &plan), HK_OK);
    assert_true(hk_rare_method_is_sound(plan.method));
}

/* Where counting works, it must agree: the methods solve the problem that was asked. */
static void methods_agree_with_counting(void **state)
{
    (void)state;
    for (int c = 0; c < CASE_COUNT; c++) {
        const struct hk_rare_problem p = rare_case_at((enum rare_case)c, 3e-3);
        struct hk_rare_estimate counted;
        const bool queue = p.reading == HK_UNDERRUN_QUEUE;
        const struct hk_rare_method *counting =
            hk_rare_method_find(queue ? "counting-cycles" : "counting");
        assert_int_equal(hk_rare_run(&p, counting, 11, 60, 0.95, &counted), HK_OK);
        assert_true(fabs(counted.probability / 3e-3 - 1.0) < 4.5 * counted.relative_error);
        for (size_t m = 0; m < hk_rare_method_count; m++) {
            const struct hk_rare_method *method = hk_rare_methods[m];
            struct hk_rare_estimate e;
            if (!hk_rare_method_applies(method, &p) || !hk_rare_method_is_sound(method) ||
                method == counting) {
                continue;
            }
            const bool splits = strcmp(hk_rare_method_name(method), "recursion") == 0;
            assert_int_equal(hk_rare_run(&p, method, 12, splits ? 3 : 6, 0.95, &e), HK_OK);
            const double gap = e.probability / counted.probability - 1.0;
            if (fabs(gap) > 4.5 * hypot(e.relative_error, counted.relative_error)) {
                fail_msg("%s by %s: %g apart, claimed %g and %g", rare_case_name((enum rare_case)c),
                         hk_rare_method_name(method), gap, e.relative_error,
                         counted.relative_error);
            }
        }
    }
}

/* A ring drops backlog; no closed form, so counting is the judge, and the unlimited queue. */
static void a_ring_drops_backlog(void **state)
{
    (void)state;
    struct hk_rare_problem p = rare_case_at(CASE_D_M_1, 1e-3);
    struct hk_rare_estimate split;
    struct hk_rare_estimate counted;
    double exact;
    p.ring_ns = 0.3 * p.headroom_ns;
    assert_int_equal(hk_rare_exact(&p, &exact, NULL), HK_ENOTSUP);
    assert_false(hk_rare_method_applies(hk_rare_method_find("siegmund"), &p));
    assert_int_equal(hk_rare_run(&p, NULL, 3, 6, 0.95, &split), HK_OK);
    assert_int_equal(hk_rare_run(&p, hk_rare_method_find("counting-cycles"), 4, 400, 0.95,
                                 &counted), HK_OK);
    assert_true(counted.probability < 0.8e-3);
    assert_true(fabs(split.probability / counted.probability - 1.0) <
                4.5 * hypot(split.relative_error, counted.relative_error));
    p.ring_ns = 1e3 * p.headroom_ns; /* never full */
    assert_int_equal(hk_rare_run(&p, NULL, 3, 6, 0.95, &split), HK_OK);
    assert_true(fabs(split.probability / 1e-3 - 1.0) < 4.5 * split.relative_error);
}

static void closed_forms_agree_with_each_other(void **state)
{
    (void)state;
    double p;
    const char *formula;
    /* quadrature against the gamma function: a Weibull law of shape 1 is exponential */
    struct hk_rare_problem q = {
        HK_UNDERRUN_DEVICE, {HK_DELAY_WEIBULL, 2.5, 1.0, 0}, 3, 60.0, 0, false, 0};
    assert_int_equal(hk_rare_exact(&q, &p, &formula), HK_OK);
    assert_string_equal(formula, "convolution by quadrature");
    assert_near(p / gsl_cdf_gamma_Q(60.0, 3.0, 2.5), 1.0, 1e-8);
    q.reading = HK_UNDERRUN_ABSOLUTE;
    q.stage_count = 1;
    assert_int_equal(hk_rare_exact(&q, &p, NULL), HK_OK);
    assert_near(p / (0.5 * exp(-24.0)), 1.0, 1e-8);
    /* textbook: rho = .7, h = 6: 1.04e-2 */
    q = (struct hk_rare_problem){
        HK_UNDERRUN_QUEUE, {HK_DELAY_EXPONENTIAL, 0.7, 0, 0}, 1, 6.0, 1.0, false, 0};
    assert_int_equal(hk_rare_exact(&q, &p, NULL), HK_OK);
    assert_near(p, 1.04e-2, 5e-5);
    q.poisson = true;
    assert_int_equal(hk_rare_exact(&q, &p, NULL), HK_OK);
    assert_near(p / exp(-(1.0 / 0.7 - 1.0) * 6.0), 1.0, 1e-9);
    /* far out, where p underflows */
    q.headroom_ns = 4000.0;
    struct hk_rare_estimate e;
    assert_int_equal(hk_rare_run(&q, NULL, 1, 1, 0.95, &e), HK_OK);
    assert_near(e.log10_probability, -(1.0 / 0.7 - 1.0) * 4000.0 / M_LN10, 1e-4);
}

/* The same bits, however batches are grouped; and other bits for another seed. */
static void batches_may_be_split(void **state)
{
    (void)state;
    const struct hk_rare_problem p = rare_case_at(CASE_ERLANG, 1e-9);
    struct hk_rare_plan plan;
    struct hk_rare_total batches[7];
    struct hk_rare_total forward = {0};
    struct hk_rare_total again = {0};
    assert_int_equal(hk_rare_plan_init(&p, NULL, 5, &plan), HK_OK);
    for (int i = 6; i >= 0; i--) {
        assert_int_equal(hk_rare_batch(&plan, 5, (uint64_t)i, &batches[i]), HK_OK);
    }
    for (uint64_t i = 0; i < 7; i++) {
        struct hk_rare_total batch;
        assert_int_equal(hk_rare_batch(&plan, 5, i, &batch), HK_OK);
        hk_rare_merge(&again, &batch);
        hk_rare_merge(&forward, &batches[i]);
    }
    assert_memory_equal(&forward, &again, sizeof forward);
    assert_int_equal(hk_rare_batch(&plan, 6, 0, &batches[0]), HK_OK);
    assert_true(batches[0].mean != batches[1].mean);
    assert_int_equal((int)again.draw_count, 7 * (int)hk_rare_batch_draws(&plan));
}

static void bad_problems_are_refused(void **state)
{
    (void)state;
    const struct hk_rare_problem good = rare_case_at(CASE_D_M_1, 1e-6);
    struct hk_rare_problem p;
    struct hk_rare_plan plan;
    struct hk_rare_estimate e;
    double exact = 7.0;
#define REFUSED(change, status)                                                                   \
    p = good;                                                                                     \
    change;                                                                                       \
    assert_int_equal(hk_rare_problem_check(&p), status);                                          \
    assert_refused(hk_rare_plan_init(&p, NULL, 1, &plan), status, &plan);                         \
    assert_refused(hk_rare_exact(&p, &exact, NULL), status, &exact);                              \
    assert_refused(hk_rare_run(&p, NULL, 1, 1, 0.95, &e), status, &e)
    REFUSED(p.headroom_ns = 0.0, HK_EINVAL);
    REFUSED(p.headroom_ns = NAN, HK_EINVAL);
    REFUSED(p.headroom_ns = INFINITY, HK_EINVAL);
    REFUSED(p.stage_count = 0, HK_EINVAL);
    REFUSED(p.stage_count = HK_RARE_STAGES_MAX + 1, HK_EINVAL);
    REFUSED(p.law.scale_ns = -1.0, HK_EINVAL);
    REFUSED(p.law.kind = (enum hk_delay_kind)9, HK_EINVAL);
    REFUSED(p.reading = (enum hk_underrun_law)9, HK_EINVAL);
    REFUSED(p.period_ns = 0.0, HK_EINVAL);
    REFUSED(p.ring_ns = -1.0, HK_EINVAL);
    REFUSED(p.period_ns = p.law.scale_ns, HK_ERANGE);
    REFUSED((p.law = (struct hk_delay_law){HK_DELAY_LOMAX, 1.0, 1.0, 0}), HK_ERANGE); /* no mean */
    REFUSED((p.law = (struct hk_delay_law){HK_DELAY_HYPEREXPONENTIAL, 1.0, 1.0, 2.0}), HK_EINVAL);
#undef REFUSED
    assert_int_equal(hk_rare_problem_check(NULL), HK_EINVAL);
    assert_refused(hk_rare_plan_init(&good, hk_rare_method_find("tilt"), 1, &plan), HK_ENOTSUP,
                   &plan);
    assert_null(hk_rare_method_find("no such"));
    /* never hit: no estimate instead of 0 */
    p = rare_case_at(CASE_EXPONENTIAL, 1e-12);
    assert_refused(hk_rare_run(&p, hk_rare_method_find("counting"), 1, 1, 0.95, &e), HK_ENOISE, &e);
    assert_refused(hk_rare_run(&p, NULL, 1, 0, 0.95, &e), HK_ENOISE, &e);
    assert_refused(hk_rare_run(&p, NULL, 1, 1, 1.0, &e), HK_EINVAL, &e);
    p = rare_case_at(CASE_LOMAX_SUM, 1e-6);
    p.stage_count = 4;
    assert_refused(hk_rare_exact(&p, &exact, NULL), HK_ENOTSUP, &exact);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimators_reach_the_closed_form),
        cmocka_unit_test(the_liar_is_caught),
        cmocka_unit_test(methods_agree_with_counting),
        cmocka_unit_test(a_ring_drops_backlog),
        cmocka_unit_test(closed_forms_agree_with_each_other),
        cmocka_unit_test(batches_may_be_split),
        cmocka_unit_test(bad_problems_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
