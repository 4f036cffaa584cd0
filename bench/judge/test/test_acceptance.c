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
        assert_int_equal(naive->outcome, PASS); /* only to be reported */
        hk_judge_fini(&judge);
    }
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
        {"mutants", {"mutants_killed", 0.96, 0.90, 0.99, 40, ""}, PASS},
        {"mutants", {"mutants_killed", 0.94, 0.89, 0.97, 88, ""}, MISSED},
        {"mutants", {"mutants_killed", 1.0, 0.80, 1.0, 12, ""}, OPEN},
        {"A/A", {"false_verdicts", 0.01, 0.005, 0.02, 900, ""}, PASS},
        {"A/A", {"false_verdicts", 0.04, 0.03, 0.06, 900, ""}, OPEN},
        {"A/A", {"false_verdicts", 0.09, 0.07, 0.11, 900, ""}, MISSED},
        {"A/A", {"false_verdicts", NAN, 0, 1, 900, ""}, OPEN},
        {"neighbour", {"guard_flagged", 0.998, 0.995, 1, 2000, ""}, PASS},
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
        cmocka_unit_test(few_cells_are_no_pass),
        cmocka_unit_test(figures_from_elsewhere_are_held_against_what_is_required),
        cmocka_unit_test(the_table_is_written_with_the_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
