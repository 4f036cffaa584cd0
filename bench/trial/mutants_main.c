/* SPDX-License-Identifier: MIT */
/*
 * hkbench-mutants: every wrong formula of the tables is judged where the truth is known. First
 * the right ones must get the verdict that their world was made for; then each mutant must lose it.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/gsl.h"
#include "mutants.h"

static const struct hk_mutant *const groups[] = {
    hk_mutants_utility, hk_mutants_placement, hk_mutants_latency,
    hk_mutants_throughput, hk_mutants_copy, hk_mutants_delay,
    hk_mutants_staleness, hk_mutants_extension, hk_mutants_rare,
};

/* A suite of mutants passes when this share is killed and every control is met. */
static const double killed_ratio_min = 0.95;
enum { MUTANTS_MIN = 30 };

struct score {
    size_t mutants;
    size_t killed;
    size_t controls;
    size_t met;
};

/* Each world has noise of another kind, so that no kind of it is what kills. */
static struct hk_world_plan plan_of(uint64_t seed, const struct hk_world_kind *kind)
{
    struct hk_world_plan plan = hk_world_plan_default;

    plan.seed = seed;
    plan.stream = (uint64_t)(kind - hk_world_kinds);
    plan.noise = (enum hk_noise)(plan.stream % HK_NOISE_COUNT);
    return plan;
}

/* A verdict in a few words: its kind, and by how much the formula is off. */
static void in_words(const struct hk_judgement *j, char *text, size_t bytes)
{
    const char *from = j == NULL ? NULL : strstr(j->line, ": ");
    const char *to = from == NULL ? NULL : strstr(from, " (margin");

    if (from == NULL)
        snprintf(text, bytes, "no verdict");
    else
        snprintf(text, bytes, "%.*s%s%s", to == NULL ? 100 : (int)(to - from - 2), from + 2,
                 j->replacement[0] != '\0' ? "; holds: " : "", j->replacement);
}

/* Surely refuted, and the model that is right no longer found. */
static bool is_killed(const struct hk_control *control, const struct hk_judgement *j)
{
    const bool refuted = j != NULL && (j->kind == HK_VERDICT_REFUTED ||
                                       j->kind == HK_VERDICT_REFUTED_REPLACED);

    return refuted && !hk_control_met(control, j);
}

/* The judge's word on a world, with a mutant's laws or, for NULL, the right ones. */
static enum hk_status judge_with(const struct hk_world_kind *kind, const struct hk_mutant *m,
                                 uint64_t seed, struct hk_judge *judge)
{
    const struct hk_world_plan plan = plan_of(seed, kind);
    struct hk_world_kind wrong = *kind;

    wrong.fill = m != NULL && m->fill != NULL ? m->fill : kind->fill;
    hk_laws_inject(m != NULL ? &m->laws : NULL);
    const enum hk_status status = hk_world_judge(&wrong, &plan, judge);
    hk_laws_inject(NULL);
    return status;
}

/* Do the right formulas get the verdicts that a world was made for? */
static enum hk_status try_controls(const struct hk_world_kind *kind, uint64_t seed,
                                   struct score *score, json_t *rows)
{
    struct hk_judge judge;
    char by[160];

    hk_judge_init(&judge);
    const enum hk_status status = judge_with(kind, NULL, seed, &judge);
    for (size_t i = 0; status == HK_OK && i < HK_CONTROLS_MAX; i++) {
        const struct hk_control *c = &kind->controls[i];
        if (c->formula == NULL)
            break;
        const struct hk_judgement *j = hk_control_judgement(c, &judge);
        const bool met = hk_control_met(c, j);
        score->controls++;
        score->met += met;
        in_words(j, by, sizeof by);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b, s:s}", "world", kind->name,
                                              "formula", c->formula, "regime", c->regime, "met",
                                              (int)met, "verdict", by));
    }
    hk_judge_fini(&judge);
    return status;
}

static enum hk_status try_mutant(const struct hk_mutant *m, uint64_t seed, struct score *score,
                                 json_t *rows)
{
    const struct hk_world_kind *kind = hk_world_find(m->world);
    const struct hk_control *control = &kind->controls[m->control];
    struct hk_judge judge;
    char by[160];

    hk_judge_init(&judge);
    const enum hk_status status = judge_with(kind, m, seed, &judge);
    if (status == HK_OK) {
        const struct hk_judgement *j = hk_control_judgement(control, &judge);
        const bool killed = is_killed(control, j);
        score->mutants++;
        score->killed += killed;
        in_words(j, by, sizeof by);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b, s:s}", "mutant", m->name,
                                              "formula", control->formula, "regime",
                                              control->regime, "killed", (int)killed, "by", by));
    }
    hk_judge_fini(&judge);
    return status;
}

static enum hk_status try_all(uint64_t seed, struct score *score, json_t *controls, json_t *rows)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < hk_world_kind_count && status == HK_OK; i++)
        status = try_controls(&hk_world_kinds[i], seed, score, controls);
    for (size_t g = 0; g < HK_ARRAY_COUNT(groups); g++) {
        for (const struct hk_mutant *m = groups[g]; m->name != NULL && status == HK_OK; m++) {
            status = try_mutant(m, seed, score, rows);
            if (status != HK_OK)
                fprintf(stderr, "hkbench-mutants: %s: %s\n", m->name, hk_status_text(status));
        }
    }
    return status;
}

static const char *text_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static void print_table(const json_t *controls, const json_t *rows, const struct score *score)
{
    size_t i;
    json_t *row;

    printf("%-7s  %-38s  %-8s  %s\n", "formula", "the right formula in", "", "verdict");
    json_array_foreach(controls, i, row)
        printf("%-7s  %-38s  %-8s  %s\n", text_of(row, "formula"), text_of(row, "world"),
               json_is_true(json_object_get(row, "met")) ? "met" : "NOT MET",
               text_of(row, "verdict"));
    printf("\n%-7s  %-38s  %-8s  %s\n", "formula", "mutant", "", "killed by");
    json_array_foreach(rows, i, row)
        printf("%-7s  %-38s  %-8s  %s\n", text_of(row, "formula"), text_of(row, "mutant"),
               json_is_true(json_object_get(row, "killed")) ? "killed" : "SURVIVED",
               text_of(row, "by"));
    printf("%zu of %zu mutants killed; the right formula got its verdict in %zu of %zu worlds\n",
           score->killed, score->mutants, score->met, score->controls);
}

static bool passes(const struct score *s)
{
    return s->mutants >= MUTANTS_MIN && s->met == s->controls &&
           (double)s->killed >= killed_ratio_min * (double)s->mutants;
}

int main(int argc, char **argv)
{
    const bool as_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    const char *number = argc > 1 + as_json ? argv[1 + as_json] : "1";
    char *end;
    const uint64_t seed = strtoull(number, &end, 10);
    struct score score = {0};

    if (argc > 2 + as_json || *number < '0' || *number > '9' || *end != '\0') {
        fprintf(stderr, "usage: hkbench-mutants [--json] [SEED]\n");
        return 2;
    }
    hk_gsl_init();
    json_t *controls = json_array();
    json_t *rows = json_array();
    const enum hk_status status = try_all(seed, &score, controls, rows);
    if (status == HK_OK && as_json) {
        json_t *root = json_pack("{s:I, s:I, s:I, s:I, s:O, s:O}", "mutants",
                                 (json_int_t)score.mutants,
                                 "killed", (json_int_t)score.killed, "controls",
                                 (json_int_t)score.controls, "met", (json_int_t)score.met,
                                 "controls_rows", controls, "rows", rows);
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    } else if (status == HK_OK) {
        print_table(controls, rows, &score);
    }
    json_decref(controls);
    json_decref(rows);
    return status != HK_OK || fflush(stdout) != 0 ? 2 : passes(&score) ? 0 : 1;
}
