/* SPDX-License-Identifier: MIT */
/* Counts: equal or not where they repeat, a fence where they almost do. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* A near count must leave its range by three times as much, and by 0.2 % at least. */
#define FENCE_RANGES 3.0
#define FENCE_RATIO  0.002

struct range {
    size_t count;
    double min;
    double max;
    double median;
};

static bool range_of(const struct hk_launch *launches, size_t count, struct range *r)
{
    double *values = malloc((count + 1) * sizeof *values);

    *r = (struct range){0};
    for (size_t i = 0; values != NULL && i < count; i++)
        if (launches[i].state == HK_LAUNCH_OK &&
            hk_launch_instructions(&launches[i], &values[r->count]))
            r->count++;
    if (r->count > 0) {
        r->median = median_of(values, r->count);
        r->min = values[0]; /* sorted by now */
        r->max = values[r->count - 1];
    }
    free(values);
    return r->count > 0;
}

static bool all_exact(const struct hk_launch *launches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (launches[i].exactness != HK_EXACT && launches[i].state == HK_LAUNCH_OK)
            return false;
    return true;
}

/* The counter in which launches of a near cell differ, for the reason. */
static void say_why_near(struct hk_finding *f, const char *side, const struct hk_launch *launches,
                         size_t count)
{
    for (size_t c = 0; count > 0 && c < launches[0].counter_count; c++) {
        const struct hk_counter *first = &launches[0].counters[c];
        for (size_t i = 1; i < count; i++) {
            double other;
            if (!hk_launch_counter(&launches[i], first->name, &other) || other == first->value)
                continue;
            finding_say(f, "near: launches of %s differ, in %s (%.9g, %.9g)", side, first->name,
                        first->value, other);
            return;
        }
    }
    finding_say(f, "near: not all launches of %s were counted alike", side);
}

/* Which kinds of event changed, beside the instructions. */
static void add_events(struct hk_finding *f, const struct cell *cell)
{
    for (size_t c = 0; c < cell->a[0].counter_count; c++) {
        const struct hk_counter *counter = &cell->a[0].counters[c];
        double b;
        if (strcmp(counter->name, "hk_instructions_clock") != 0 &&
            strncmp(counter->name, "hk_", 3) == 0 &&
            hk_launch_counter(&cell->b[0], counter->name, &b))
            cause_add(f, counter->value, b, "event %.200s", counter->name);
    }
}

static void judge_exact(struct hk_finding *f, const struct hk_rule *rule, const char *other_tool)
{
    const double change = f->b - f->a;

    /* Per operation, so not always whole: equal but for the rounding of a division. */
    if (fabs(change) <= DBL_EPSILON * fmax(fabs(f->a), fabs(f->b))) {
        f->verdict = HK_PAIRED_SAME;
    } else if (fabs(change) <= rule->floor_count) {
        f->verdict = HK_PAIRED_SAME;
        finding_say(f, "changed by %+.9g, within the floor of %.9g", change, rule->floor_count);
    } else if (other_tool[0] != '\0') {
        finding_say(f, "%s", other_tool);
    } else {
        f->verdict = change > 0 ? HK_PAIRED_SLOWER : HK_PAIRED_FASTER;
        finding_say(f, "%+.9g instructions", change);
    }
}

static void judge_near(struct hk_finding *f, const struct range *a, const struct range *b,
                       const struct hk_rule *rule, const char *other_tool)
{
    const double spread = fmax(a->max - a->min, b->max - b->min);
    const double fence =
        fmax(fmax(FENCE_RANGES * spread, FENCE_RATIO * a->median), rule->floor_count);

    f->detectable_ratio = 1 + fence / a->median;
    if (fabs(f->b - f->a) <= fence)
        f->verdict = HK_PAIRED_SAME;
    else if (other_tool[0] != '\0')
        finding_say(f, "%s", other_tool);
    else
        f->verdict = f->b > f->a ? HK_PAIRED_SLOWER : HK_PAIRED_FASTER;
}

enum hk_status compare_counted(struct hk_comparison *c, const struct cell *cell,
                               const struct hk_rule *rule, const char *other_tool)
{
    const bool exact_a = all_exact(cell->a, cell->count_a);
    const bool exact_b = all_exact(cell->b, cell->count_b);
    struct hk_finding f = finding_make(cell->name, "instructions",
                                       exact_a && exact_b ? HK_BASIS_EXACT : HK_BASIS_NEAR);
    struct range a, b;

    if (!range_of(cell->a, cell->count_a, &a) || !range_of(cell->b, cell->count_b, &b))
        return HK_OK;
    f.gates = true;
    f.a = a.median;
    f.b = b.median;
    f.ratio = a.median > 0 ? b.median / a.median : NAN;
    f.count_a = a.count;
    f.count_b = b.count;
    if (f.basis == HK_BASIS_EXACT) {
        judge_exact(&f, rule, other_tool);
    } else {
        say_why_near(&f, exact_a ? "B" : "A", exact_a ? cell->b : cell->a,
                     exact_a ? cell->count_b : cell->count_a);
        judge_near(&f, &a, &b, rule, other_tool);
    }
    if (f.a != f.b)
        add_events(&f, cell);
    return finding_add(c, &f);
}
