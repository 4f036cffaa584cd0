/* SPDX-License-Identifier: MIT */
/* Bring the cells of two runs together, and let each kind of evidence speak. */
#include "hk/compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

enum { TOOL_BYTES = 96 };

/* The text after a word in a run's note, up to , ; or ); empty when it is not there. */
static void note_word(const struct hk_run *run, const char *word, char text[TOOL_BYTES])
{
    const char *at = run->note != NULL ? strstr(run->note, word) : NULL;

    text[0] = '\0';
    if (at != NULL)
        snprintf(text, TOOL_BYTES, "%.*s", (int)strcspn(at + strlen(word), ",;)"),
                 at + strlen(word));
}

/* Why counts of the two do not compare as integers; "" when they do. */
static void compare_tools(const struct hk_run *a, const struct hk_run *b,
                          char other_tool[HK_TEXT_BYTES])
{
    static const struct {
        const char *word;
        const char *sentence;
    } tools[] = {{"QEMU ", "counted by QEMU"}, {"kernel built by ", "kernel built by"}};
    char of_a[TOOL_BYTES], of_b[TOOL_BYTES];

    other_tool[0] = '\0';
    for (size_t i = 0; i < sizeof tools / sizeof tools[0] && other_tool[0] == '\0'; i++) {
        note_word(a, tools[i].word, of_a);
        note_word(b, tools[i].word, of_b);
        if (of_a[0] != '\0' && of_b[0] != '\0' && strcmp(of_a, of_b) != 0)
            snprintf(other_tool, HK_TEXT_BYTES,
                     "A %s %s, B %s: a difference may be the tool's; count A again with B's",
                     tools[i].sentence, of_a, of_b);
    }
}

static bool is_counted(const struct hk_launch *launches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (launches[i].exactness != HK_TIMED)
            return true;
    return false;
}

static size_t held(const struct hk_launch *launches, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += launches[i].state == HK_LAUNCH_OK;
    return n;
}

struct context {
    struct judging judging;
    bool beside; /* times are judged elsewhere */
    char other_tool[HK_TEXT_BYTES];
    char other_machine[HK_TEXT_BYTES]; /* "" when times compare */
};

/* Times of two machines are listed, and not judged. */
static enum hk_status add_unjudged(struct hk_comparison *c, const struct cell *cell,
                                   const char *reason)
{
    struct hk_finding f = finding_make(cell->name, "time", HK_BASIS_APART);

    f.gates = true;
    f.count_a = held(cell->a, cell->count_a);
    f.count_b = held(cell->b, cell->count_b);
    finding_say(&f, "%s", reason);
    return finding_add(c, &f);
}

static enum hk_status compare_timed(struct hk_comparison *c, const struct cell *cell,
                                    const struct context *context)
{
    enum hk_status status;

    if (context->other_machine[0] != '\0')
        return add_unjudged(c, cell, context->other_machine);
    if (!context->judging.rule->paired) {
        status = compare_apart(c, cell);
    } else {
        status = context->beside ? HK_OK : compare_paired(c, cell, &context->judging);
        if (status == HK_OK)
            status = compare_quantiles(c, cell, &context->judging);
    }
    return status == HK_OK ? compare_events(c, cell, &context->judging) : status;
}

static enum hk_status compare_cell(struct hk_comparison *c, const struct cell *cell,
                                   const struct context *context)
{
    const bool counted_a = is_counted(cell->a, cell->count_a);
    const bool counted_b = is_counted(cell->b, cell->count_b);

    if (held(cell->a, cell->count_a) == 0) /* nothing to fall behind */
        return HK_OK;
    if (held(cell->b, cell->count_b) == 0)
        return add_unjudged(c, cell, "no launch of B holds: see its reasons in launches.jsonl");
    if (counted_a != counted_b)
        return add_unjudged(c, cell, "one side counted, the other took the time");
    if (!counted_a)
        return compare_timed(c, cell, context);
    const enum hk_status status =
        compare_counted(c, cell, context->judging.rule, context->other_tool);
    return status == HK_OK ? compare_events(c, cell, &context->judging) : status;
}

static enum hk_status miss_cell(struct hk_comparison *c, const struct hk_launch *launch,
                                const struct hk_rule *rule)
{
    struct hk_finding f = finding_make(launch->name, "cell", HK_BASIS_EXACT);

    c->only_a_count++;
    if (!rule->complete)
        return HK_OK;
    f.gates = true;
    finding_say(&f, "B has no such cell: it was renamed or is gone; accept that, or bring it back");
    return finding_add(c, &f);
}

static size_t cell_length(const struct hk_run *run, size_t at)
{
    size_t n = 0;

    while (at + n < run->launch_count &&
           strcmp(run->launches[at].name, run->launches[at + n].name) == 0)
        n++;
    return n;
}

static enum hk_status compare_cells(struct hk_comparison *c, const struct hk_run *a,
                                    const struct hk_run *b, const struct context *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0, j = 0; (i < a->launch_count || j < b->launch_count) && status == HK_OK;) {
        const size_t n = cell_length(a, i), m = cell_length(b, j);
        const int order = n == 0   ? 1
                          : m == 0 ? -1
                                   : strcmp(a->launches[i].name, b->launches[j].name);
        if (order < 0) {
            status = miss_cell(c, &a->launches[i], context->judging.rule);
        } else if (order > 0) {
            c->only_b_count++;
        } else {
            const struct cell cell = {a->launches[i].name, &a->launches[i], &b->launches[j], n, m};
            status = compare_cell(c, &cell, context);
        }
        i += order <= 0 ? n : 0;
        j += order >= 0 ? m : 0;
    }
    return status;
}

/* What was measured apart is judged by all cells, so after them. */
static enum hk_status compare_once(const struct hk_run *a, const struct hk_run *b,
                                   const struct context *context, struct hk_comparison *c)
{
    const enum hk_status status = compare_cells(c, a, b, context);

    return status == HK_OK ? judge_apart(c, &context->judging) : status;
}

/*
 * Twice: how large a change can be found depends on how many tests Holm's procedure has, and
 * that is known when they are made.
 */
static enum hk_status compare_twice(const struct hk_run *a, const struct hk_run *b,
                                    struct context *context, struct hk_comparison *c)
{
    context->judging.tests = 1;
    enum hk_status status = compare_once(a, b, context, c);
    const size_t tests = count_tested(c);

    if (status != HK_OK || tests < 2)
        return status;
    hk_comparison_fini(c);
    context->judging.tests = tests;
    return compare_once(a, b, context, c);
}

static void note_caveats(struct hk_comparison *c, const struct hk_run *a, const struct hk_run *b,
                         const struct context *context)
{
    bool apart = false;

    for (size_t i = 0; i < c->finding_count; i++)
        apart = apart || c->findings[i].basis == HK_BASIS_APART;
    if (apart && context->other_machine[0] != '\0')
        hk_comparison_say(c, "%s", context->other_machine);
    else if (apart)
        hk_comparison_say(c, "A and B were not measured in turns: what drifted between them "
                          "counts as error, so only larger changes are seen");
    note_bands(c);
    if (context->other_tool[0] != '\0')
        hk_comparison_say(c, "%s", context->other_tool);
    if (a->partial || b->partial)
        hk_comparison_say(c, "%s is partial: %s", a->partial ? "A" : "B",
                   "it was interrupted or ran out of its budget");
    if (c->only_a_count + c->only_b_count > 0)
        hk_comparison_say(c, "%zu cells are only in A, %zu only in B", c->only_a_count,
                          c->only_b_count);
}

static bool rule_valid(const struct hk_rule *rule)
{
    return rule->alpha > 0 && rule->alpha < 0.5 && rule->bound_ratio >= 0 &&
           isfinite(rule->bound_ratio) && rule->floor_count >= 0 && isfinite(rule->floor_count) &&
           rule->drift_ratio >= 0 && isfinite(rule->drift_ratio);
}

enum hk_status hk_compare_runs(const struct hk_run *a, const struct hk_run *b,
                               const struct hk_rule *rule, struct hk_comparison *out,
                               char error[HK_TEXT_BYTES])
{
    struct hk_comparison c = {0};
    struct context context = {.judging = {rule, 1}};
    enum hk_status status = HK_OK;

    if (!rule_valid(rule)) {
        snprintf(error, HK_TEXT_BYTES, "a level, a bound or a floor outside its range");
        return HK_EINVAL;
    }
    compare_tools(a, b, context.other_tool);
    if (hk_run_mixable(a, b, context.other_machine) == HK_OK)
        context.other_machine[0] = '\0';
    status = compare_twice(a, b, &context, &c);
    if (status == HK_OK)
        status = decide_family(&c, rule);
    if (status == HK_OK && c.finding_count == 0)
        status = HK_EEMPTY;
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%s",
                 status == HK_EEMPTY ? "A and B have no measured cell in common"
                                     : hk_status_text(status));
        hk_comparison_fini(&c);
        return status;
    }
    count_verdicts(&c);
    note_caveats(&c, a, b, &context);
    *out = c;
    return HK_OK;
}

enum hk_status hk_compare_beside(const struct hk_run *a, const struct hk_run *b,
                                 const struct hk_rule *rule, struct hk_comparison *out)
{
    struct hk_rule paired = *rule;
    struct context context = {.judging = {&paired, 1}, .beside = true};
    struct hk_comparison c = {0};

    if (!rule_valid(rule))
        return HK_EINVAL;
    paired.paired = true;
    enum hk_status status = compare_twice(a, b, &context, &c);
    if (status == HK_OK)
        status = decide_family(&c, rule);
    if (status != HK_OK) {
        hk_comparison_fini(&c);
        return status;
    }
    count_verdicts(&c);
    *out = c;
    return HK_OK;
}
