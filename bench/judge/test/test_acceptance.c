/* SPDX-License-Identifier: MIT */
/* What becomes of the acceptance table's lines, from comparisons and verdicts made up here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/judge/acceptance.h"

#define PASS HK_ACCEPTANCE_PASS
#define MISSED HK_ACCEPTANCE_MISSED
#define OPEN HK_ACCEPTANCE_INCONCLUSIVE

static void add_verdict(struct hk_judge *judge, const char *formula, const char *regime,
                        enum hk_verdict_kind kind, const char *replacement)
{
    const struct hk_equivalence error = {.value = 0.01, .margin = 0.05,
                                         .interval = {0.005, 0.015, 0.9}};
    const struct hk_verdict v = {
        .kind = kind, .formula = formula, .regime = regime, .margin = 0.05, .error = error,
        .has_replacement = replacement != NULL,
        .replacement = {replacement != NULL ? replacement : "", error}, .sample_count = 9};

    assert_int_equal(hk_judge_add_verdict(judge, &v), HK_OK);
}

/* n cells of a model, off by a factor each; intervals hold every fourth of them only if wide. */
static void add_comparisons(struct hk_judge *judge, const char *formula, const char *regime,
                            const char *model, const char *quantity, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++) {
        const double measured = 1000 + 7.3 * (double)i;
        struct hk_comparison c = {.predicted = factor * measured, .measured = measured,
                                  .lower = 0.98 * factor * measured,
                                  .upper = 1.02 * factor * measured,
                                  .measured_lower = 0.99 * measured,
                                  .measured_upper = 1.01 * measured};
        snprintf(c.formula, sizeof c.formula, "%s", formula);
        snprintf(c.regime, sizeof c.regime, "%s", regime);
        snprintf(c.model, sizeof c.model, "%s", model);
        snprintf(c.quantity, sizeof c.quantity, "%s", quantity);
        snprintf(c.cell, sizeof c.cell, "native/x/y/bytes:%zu", i);
        assert_int_equal(hk_judge_add_comparison(judge, &c), HK_OK);
    }
}

static const struct hk_acceptance *line(const struct hk_judge *judge, const char *row,
                                        const char *target)
{
    for (size_t i = 0; i < judge->acceptance_count; i++)
        if (strcmp(judge->acceptance[i].row, row) == 0 &&
            strstr(judge->acceptance[i].target, target) != NULL)
            return &judge->acceptance[i];
    fail_msg("no line of %s on %s", row, target);
    return NULL;
}

static void assess(struct hk_judge *judge, const struct hk_reached *figures, size_t n)
{
    const struct hk_run run = {0};

    assert_int_equal(hk_acceptance_assess(&run, figures, n, judge), HK_OK);
}

/* F3's chains: which model counts, and what its errors come to. */
static void errors_are_those_of_the_model_that_held(void **state)
{
    static const struct {
        enum hk_verdict_kind kind;
        const char *replacement;
        double textbook;
        double stronger;
        double median_percent;
        enum hk_acceptance_outcome outcome;
    } cases[] = {
        {HK_VERDICT_HOLDS, NULL, 1.02, 1.5, 2, PASS},
        {HK_VERDICT_REFUTED_REPLACED, "hop", 1.3, 0.97, 3, PASS},
        {HK_VERDICT_REFUTED, NULL, 1.3, 1.07, 7, MISSED}, /* the first stronger one */
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        static const char regime[] = "native/pipe/same_core";
        struct hk_judge judge;
        hk_judge_init(&judge);
        add_verdict(&judge, "F3", regime, cases[i].kind, cases[i].replacement);
        add_comparisons(&judge, "F3", regime, "textbook", "cost_ns", 12, cases[i].textbook);
        add_comparisons(&judge, "F3", regime, "hop", "cost_ns", 12, cases[i].stronger);
        assess(&judge, NULL, 0);
        const struct hk_acceptance *a = line(&judge, "F3 wall", "held, median");
        assert_true(fabs(a->value - cases[i].median_percent) < 1e-6);
        assert_int_equal(a->outcome, cases[i].outcome);
        assert_int_equal(a->sample_count, 12);
        assert_string_equal(a->required, "<= 5 %");
        const struct hk_acceptance *naive = line(&judge, "F3 wall", "textbook");
        assert_true(fabs(naive->value - 100 * (cases[i].textbook - 1)) < 1e-6);
        assert_int_equal(naive->outcome, HK_ACCEPTANCE_REPORTED); /* nothing is required */
        hk_judge_fini(&judge);
    }
}

/* Waits under load: constant services at low loads have a line of their own, and replays too. */
static void waits_are_held_against_what_their_cells_allow(void **state)
{
    static const char regime[] = "native/queue/fifo/deterministic";
    static const char replay[] = "native/queue/fifo/deterministic/replay";
    static const char *const models[] = {"textbook, no queue", "P-K", "Lindley replay"};
    static const double factors[] = {0.3, 1.08, 1.03};
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    add_verdict(&judge, "F3", regime, HK_VERDICT_REFUTED_REPLACED, "P-K");
    add_verdict(&judge, "F3", replay, HK_VERDICT_HOLDS, NULL);
    for (int rho_percent = 30; rho_percent <= 80; rho_percent += 10)
        for (size_t m = 0; m < HK_ARRAY_COUNT(models); m++) {
            /* of low loads P-K is further off */
            const double factor = m == 1 && rho_percent < 50 ? 1.2 : factors[m];
            struct hk_comparison c = {.formula = "F3", .quantity = "wait_ns",
                                      .predicted = factor * 1e5, .lower = factor * 1e5,
                                      .upper = factor * 1e5, .measured = 1e5,
                                      .measured_lower = 1e5, .measured_upper = 1e5};
            snprintf(c.regime, sizeof c.regime, "%s", m == 2 ? replay : regime);
            snprintf(c.model, sizeof c.model, "%s", models[m]);
            snprintf(c.cell, sizeof c.cell,
                     "native/queue/pipe/place:cross_core/policy:fifo/law:deterministic/"
                     "rho_percent:%d/service_us:200", rho_percent);
            assert_int_equal(hk_judge_add_comparison(&judge, &c), HK_OK);
        }
    assess(&judge, NULL, 0);
    const struct hk_acceptance *mean = line(&judge, "F3 load", "P-K or Kingman");
    const struct hk_acceptance *low = line(&judge, "F3 load", "below 0.5");
    const struct hk_acceptance *replayed = line(&judge, "F3 load", "replay");
    assert_int_equal(mean->sample_count, 4);
    assert_true(fabs(mean->value - 8) < 1e-6);
    assert_int_equal(mean->outcome, OPEN); /* of one law alone */
    assert_int_equal(low->sample_count, 2);
    assert_true(fabs(low->value - 20) < 1e-6);
    assert_int_equal(low->outcome, PASS);
    assert_int_equal(replayed->sample_count, 6);
    assert_true(fabs(replayed->value - 3) < 1e-6);
    hk_judge_fini(&judge);
}

/* Too few cells are no pass, but may be a miss; a figure that is not there is neither. */
static void few_cells_are_no_pass(void **state)
{
    static const struct {
        size_t n;
        double factor;
        enum hk_acceptance_outcome outcome;
    } cases[] = {{4, 1.01, OPEN}, {4, 1.2, MISSED}, {8, 1.01, PASS}, {0, 1, OPEN}};

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_judge judge;
        hk_judge_init(&judge);
        add_verdict(&judge, "F4", "native/file", HK_VERDICT_HOLDS, NULL);
        add_comparisons(&judge, "F4", "native/file", "textbook", "throughput_ratio", cases[i].n,
                        cases[i].factor);
        assess(&judge, NULL, 0);
        const struct hk_acceptance *a = line(&judge, "F4", "median");
        assert_int_equal(a->outcome, cases[i].outcome);
        assert_int_equal(a->sample_count, cases[i].n);
        assert_true(a->outcome != OPEN || strlen(a->why) > 0);
        hk_judge_fini(&judge);
    }
}

/* A share passes by its value, given the trials; other figures by their whole interval. */
static void figures_from_elsewhere_are_held_against_what_is_required(void **state)
{
    static const struct {
        const char *target;
        struct hk_reached figure;
        enum hk_acceptance_outcome outcome;
    } cases[] = {
        {"mutants", {"mutants_killed", 0.96, 0.90, 0.99, 40, "", 0.95}, PASS},
        {"mutants", {"mutants_killed", 0.94, 0.89, 0.97, 88, "", 0.95}, MISSED},
        {"mutants", {"mutants_killed", 1.0, 0.80, 1.0, 12, "", 0.95}, OPEN},
        {"false verdicts", {"false_verdicts", 0.01, 0.005, 0.02, 900, "", 0.95}, PASS},
        {"false verdicts", {"false_verdicts", 0.04, 0.03, 0.06, 900, "", 0.95}, OPEN},
        {"false verdicts", {"false_verdicts", 0.09, 0.07, 0.11, 900, "", 0.95}, MISSED},
        {"false verdicts", {"false_verdicts", NAN, 0, 1, 900, "", 0.95}, OPEN},
        {"right verdicts", {"controls_met", 0.97, 0.96, 0.98, 900, "", 0.95}, PASS},
        {"right verdicts", {"controls_met", 0.50, 0.47, 0.53, 900, "", 0.95}, MISSED},
        {"quiet", {"guard_quiet_flagged", 0.01, 0.001, 0.03, 200, "", 0.95}, PASS},
        {"quiet", {"guard_quiet_flagged", 0.2, 0.15, 0.25, 200, "", 0.95}, MISSED},
        {"neighbour", {"guard_flagged", 1, 0.99, 1, 367, "", 0.95}, OPEN},
        {"neighbour", {"guard_flagged", 0.998, 0.995, 1, 2000, "", 0.95}, PASS},
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_judge judge;
        hk_judge_init(&judge);
        assess(&judge, &cases[i].figure, 1);
        assert_int_equal(line(&judge, "Judge", cases[i].target)->outcome, cases[i].outcome);
        assert_int_equal(hk_acceptance_row(&judge, "Judge"),
                         cases[i].outcome == MISSED ? MISSED : OPEN);
        assert_int_equal(hk_acceptance_assess(&(struct hk_run){0}, NULL, 0, &judge), HK_EEXIST);
        hk_judge_fini(&judge);
    }
}

/* The worst of all cells is not known better than what was measured there. */
static void the_worst_error_has_an_interval(void **state)
{
    static const struct {
        double factor;
        double width; /* of the measured interval, either way */
        double lower_percent;
        double upper_percent;
        enum hk_acceptance_outcome outcome;
    } cases[] = {
        {1.05, 0, 5, 5, PASS}, /* exact */
        {1.05, 0.02, 2.9412, 7.1429, PASS},
        {1.09, 0.02, 6.8627, 11.2245, OPEN},
        {1.01, 0.02, 0, 3.0612, PASS}, /* holds the prediction: there may be no error at all */
        {1.15, 0.02, 12.7451, 17.3469, MISSED},
        {1.05, 1, 0, 0, OPEN}, /* what was measured may be nothing */
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_judge judge;
        struct hk_comparison c = {.formula = "F9", .regime = "native/break-even",
                                  .model = "textbook", .quantity = "calls",
                                  .predicted = 1000 * cases[i].factor, .measured = 1000};
        c.lower = c.upper = c.predicted;
        c.measured_lower = 1000 * (1 - cases[i].width);
        c.measured_upper = 1000 * (1 + cases[i].width);
        hk_judge_init(&judge);
        add_verdict(&judge, "F9", "native/break-even", HK_VERDICT_HOLDS, NULL);
        assert_int_equal(hk_judge_add_comparison(&judge, &c), HK_OK);
        assess(&judge, NULL, 0);
        const struct hk_acceptance *a = line(&judge, "F9", "break-even");
        assert_int_equal(a->outcome, cases[i].outcome);
        assert_true(fabs(a->lower - cases[i].lower_percent) < 1e-3);
        assert_true(fabs(a->upper - cases[i].upper_percent) < 1e-3);
        assert_true(a->confidence_ratio == (a->lower < a->upper ? 0.95 : 0));
        hk_judge_fini(&judge);
    }
}

/* Each interval says how often it holds: verdicts' 90 %, and what few cells allow of a quantile. */
static void intervals_say_their_level(void **state)
{
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    add_verdict(&judge, "F3", "native/x/coefficient", HK_VERDICT_HOLDS, NULL);
    add_verdict(&judge, "F4", "native/file", HK_VERDICT_HOLDS, NULL);
    for (size_t i = 0; i < 3; i++)
        add_comparisons(&judge, "F4", "native/file", "textbook", "throughput_ratio", 1,
                        1.01 + 0.01 * (double)i);
    assess(&judge, NULL, 0);
    assert_true(line(&judge, "F3 coeff", "slopes")->confidence_ratio == 0.90);
    assert_true(fabs(line(&judge, "F4", "median")->confidence_ratio - 0.75) < 1e-9);
    hk_judge_fini(&judge);
}

/* A workload that could not be decided is not one where all is kept. */
static void undecided_winners_are_no_pass(void **state)
{
    struct hk_judge judge;

    (void)state;
    for (size_t undecided = 0; undecided < 2; undecided++) {
        hk_judge_init(&judge);
        const struct hk_equivalence kept = {.value = -0.01, .margin = 0.05,
                                            .interval = {-0.01, -0.01, 1}};
        const struct hk_verdict v = {.kind = HK_VERDICT_HOLDS, .formula = "F1", .margin = 0.05,
                                     .regime = "guest/placement/moon/winner", .error = kept,
                                     .sample_count = 5, .exact = true};
        assert_int_equal(hk_judge_add_verdict(&judge, &v), HK_OK);
        if (undecided == 1)
            assert_int_equal(hk_judge_add_undecided(&judge, "F1", "guest/placement/sun/winner",
                                                    "no sum"), HK_OK);
        assess(&judge, NULL, 0);
        const struct hk_acceptance *a = line(&judge, "F1", "winner");
        assert_int_equal(a->outcome, undecided == 1 ? OPEN : PASS);
        assert_true(undecided == 0 || strstr(a->why, "guest/placement/sun") != NULL);
        hk_judge_fini(&judge);
    }
}

/* What one model alone foretells counts, whatever held; where T never is 1, the ratios say so. */
static void a_break_even_is_compared_or_told_why_not(void **state)
{
    static const char regime[] = "native/file read/reply of pages";
    static const struct {
        double size_factor; /* of L* predicted over measured; 0: nothing to compare */
        double ratios[2];   /* T at two sizes */
        enum hk_acceptance_outcome outcome;
        const char *why;
    } cases[] = {
        {1.06, {0.9, 1.2}, PASS, ""},
        {0.7, {0.9, 1.2}, MISSED, ""},
        {0, {0.31, 0.62}, OPEN, "no size measured has T >= 1: 0.62 at most"},
        {0, {1.07, 1.2}, OPEN, "no size measured has T < 1: 1.07 at least"},
        {0, {0.9, 1.2}, OPEN, "T passes 1 where no model says so"},
        {0, {0, 0}, OPEN, "the run has no such cells"},
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_judge judge;
        hk_judge_init(&judge);
        add_verdict(&judge, "F4", regime, HK_VERDICT_REFUTED_REPLACED, "own share");
        for (size_t k = 0; k < 2 && cases[i].ratios[k] > 0; k++) {
            struct hk_comparison c = {.formula = "F4", .model = "own share",
                                      .quantity = "throughput_ratio", .predicted = 1, .lower = 1,
                                      .upper = 1, .measured = cases[i].ratios[k]};
            c.measured_lower = c.measured_upper = c.measured;
            snprintf(c.regime, sizeof c.regime, "%s", regime);
            assert_int_equal(hk_judge_add_comparison(&judge, &c), HK_OK);
        }
        if (cases[i].size_factor > 0)
            add_comparisons(&judge, "F4", regime, "textbook", "break_even_bytes", 1,
                            cases[i].size_factor);
        assess(&judge, NULL, 0);
        const struct hk_acceptance *a = line(&judge, "F4", "L*");
        assert_int_equal(a->outcome, cases[i].outcome);
        assert_int_equal(strncmp(a->why, cases[i].why, strlen(cases[i].why)), 0);
        assert_int_equal(a->sample_count, cases[i].size_factor > 0);
        hk_judge_fini(&judge);
    }
}

static void a_row_passes_by_lines_that_require_something(void **state)
{
    struct hk_acceptance lines[] = {{.outcome = HK_ACCEPTANCE_REPORTED, .row = "a"},
                                    {.outcome = PASS, .row = "b"},
                                    {.outcome = HK_ACCEPTANCE_REPORTED, .row = "b"}};
    const struct hk_judge judge = {.acceptance = lines, .acceptance_count = 3};

    (void)state;
    assert_int_equal(hk_acceptance_row(&judge, "a"), OPEN);
    assert_int_equal(hk_acceptance_row(&judge, "b"), PASS);
    assert_int_equal(hk_acceptance_row(&judge, "no such row"), OPEN);
    lines[2].outcome = MISSED;
    assert_int_equal(hk_acceptance_row(&judge, "b"), MISSED);
}

static void the_table_is_written_with_the_verdicts(void **state)
{
    char root[] = "/tmp/hk-acceptance-XXXXXX", path[64], error[HK_TEXT_BYTES];
    static const char *const files[] = {"parameters.json", "verdicts.json"};
    struct hk_judge judge, again;

    (void)state;
    assert_non_null(mkdtemp(root));
    hk_judge_init(&judge);
    hk_judge_init(&again);
    add_verdict(&judge, "F4", "native/file", HK_VERDICT_HOLDS, NULL);
    add_comparisons(&judge, "F4", "native/file", "textbook", "throughput_ratio", 9, 1.013);
    assess(&judge, NULL, 0);
    assert_int_equal(hk_judge_write_parameters(&judge, root), HK_OK);
    assert_int_equal(hk_judge_write_verdicts(&judge, root), HK_OK);
    assert_int_equal(hk_judge_read(root, &again, error), HK_OK);
    assert_int_equal(again.acceptance_count, judge.acceptance_count);
    const struct hk_acceptance *a = line(&judge, "F4", "median"), *b = line(&again, "F4", "median");
    assert_int_equal(a->outcome, b->outcome);
    assert_true(a->value == b->value && a->upper == b->upper);
    assert_true(a->confidence_ratio == b->confidence_ratio);
    assert_string_equal(a->required, b->required);
    for (size_t i = 0; i < HK_ARRAY_COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i]);
        unlink(path);
    }
    rmdir(root);
    hk_judge_fini(&judge);
    hk_judge_fini(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_those_of_the_model_that_held),
        cmocka_unit_test(waits_are_held_against_what_their_cells_allow),
        cmocka_unit_test(few_cells_are_no_pass),
        cmocka_unit_test(figures_from_elsewhere_are_held_against_what_is_required),
        cmocka_unit_test(the_worst_error_has_an_interval),
        cmocka_unit_test(intervals_say_their_level),
        cmocka_unit_test(undecided_winners_are_no_pass),
        cmocka_unit_test(a_break_even_is_compared_or_told_why_not),
        cmocka_unit_test(a_row_passes_by_lines_that_require_something),
        cmocka_unit_test(the_table_is_written_with_the_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
