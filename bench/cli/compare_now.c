/* SPDX-License-Identifier: MIT */
/* The plan of a comparison measured now: looks, verdicts, confirmation. */
#include "compare_now.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/sequential.h"
#include "progress.h"

/* A cell that never gave a value in so many launches is given up. */
enum { FAILURES_MAX = 3 };

/* Of alpha, what the times get; quantiles and counts get the rest. */
#define TIME_SHARE 0.8

/* Seeds of the second set of launches: other layouts, other orders. */
static const uint64_t confirm_seed = 0x636f6e6669726dull;

struct hk_now_series *hk_now_find(struct hk_now *now, const char *cell)
{
    for (size_t i = 0; i < now->series_count; i++)
        if (strcmp(now->series[i].pairs.cell, cell) == 0)
            return &now->series[i];
    struct hk_now_series *grown =
        realloc(now->series, (now->series_count + 1) * sizeof *now->series);
    if (grown == NULL)
        return NULL;
    now->series = grown;
    struct hk_now_series *s = &grown[now->series_count++];
    *s = (struct hk_now_series){0};
    snprintf(s->pairs.cell, sizeof s->pairs.cell, "%s", cell);
    return s;
}

static enum hk_status grow(double **values, size_t capacity)
{
    double *grown = realloc(*values, capacity * sizeof *grown);

    if (grown == NULL)
        return HK_ENOMEM;
    *values = grown;
    return HK_OK;
}

enum hk_status hk_now_add(struct hk_now_series *s, const struct hk_pairs *one)
{
    struct hk_pairs *p = &s->pairs;
    double **columns[] = {&p->log_ratio, &p->a_ns, &p->b_ns, &p->sd_within};
    const double *values[] = {one->log_ratio, one->a_ns, one->b_ns, one->sd_within};

    if (p->count == s->capacity) {
        for (size_t c = 0; c < HK_ARRAY_COUNT(columns); c++)
            if (grow(columns[c], s->capacity + 16) != HK_OK)
                return HK_ENOMEM;
        s->capacity += 16;
    }
    for (size_t c = 0; c < HK_ARRAY_COUNT(columns); c++)
        (*columns[c])[p->count] = values[c] != NULL ? *values[c] : NAN;
    p->count++;
    return HK_OK;
}

static void run_clear(struct hk_run *run)
{
    for (size_t i = 0; i < run->launch_count; i++)
        hk_launch_fini(&run->launches[i]);
    free(run->launches);
    *run = (struct hk_run){0};
}

enum hk_status hk_now_append(struct hk_run *run, struct hk_launch *launch)
{
    /* Doubled at powers of two. */
    if ((run->launch_count & (run->launch_count - 1)) == 0) {
        const size_t capacity = run->launch_count == 0 ? 1 : 2 * run->launch_count;
        struct hk_launch *grown = realloc(run->launches, capacity * sizeof *grown);
        if (grown == NULL) {
            hk_launch_fini(launch);
            return HK_ENOMEM;
        }
        run->launches = grown;
    }
    run->launches[run->launch_count++] = *launch;
    *launch = (struct hk_launch){0};
    return HK_OK;
}

enum hk_status hk_now_keep(struct hk_now *now, struct hk_launch *a, struct hk_launch *b)
{
    a->index = b->index = (uint32_t)now->runs[0].launch_count; /* what makes them a pair */
    enum hk_status status = hk_now_append(&now->runs[0], a);

    if (status == HK_OK)
        status = hk_now_append(&now->runs[1], b);
    else
        hk_launch_fini(b);
    return status;
}

static int by_cell(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static void run_sort(struct hk_run *run)
{
    if (run->launch_count > 0)
        qsort(run->launches, run->launch_count, sizeof *run->launches, by_cell);
}

static void forget(struct hk_now_series *s)
{
    s->pairs.count = 0;
    s->disturbed_count = s->failure_count = 0;
}

static void now_fini(struct hk_now *now)
{
    for (size_t i = 0; i < now->series_count; i++) {
        struct hk_pairs *p = &now->series[i].pairs;
        free(p->log_ratio);
        free(p->a_ns);
        free(p->b_ns);
        free(p->sd_within);
    }
    free(now->series);
    now->series = NULL;
    now->series_count = 0;
    run_clear(&now->runs[0]);
    run_clear(&now->runs[1]);
}

/* --- looks -------------------------------------------------------------------------- */

struct looks {
    uint32_t count;
    uint32_t launches[HK_LOOKS_MAX];
    double information[HK_LOOKS_MAX];
};

static struct looks declare_looks(const struct hk_now_plan *plan)
{
    struct looks l = {.count = plan->looks};

    for (uint32_t k = 0; k < l.count; k++) {
        l.launches[k] = (plan->launches_max * (k + 1) + l.count - 1) / l.count;
        l.information[k] = (double)l.launches[k] / (double)plan->launches_max;
    }
    return l;
}

static enum hk_status level_at(const struct looks *l, uint32_t k, double alpha, double *level)
{
    double levels[HK_LOOKS_MAX];
    const enum hk_status status = hk_look_levels(l->information, l->count, alpha, levels);

    if (status == HK_OK)
        *level = levels[k];
    return status;
}

/*
 * Where the scatter comes from, and so what would lessen it. The median of n rounds has pi / 2
 * times the variance of their mean.
 */
static void say_scatter(const struct hk_now *now, struct hk_finding *f)
{
    const double within = M_PI / 2 * f->sd_within * f->sd_within / now->rounds;
    const double all = f->sd_between * f->sd_between;

    if (f->verdict == HK_PAIRED_UNKNOWN && within > 0 && all > 0)
        snprintf(f->reason, sizeof f->reason,
                 "launches scatter by %.2g %%, rounds within them by %.2g %%: more --%s would help",
                 100 * f->sd_between, 100 * f->sd_within, within > all / 2 ? "rounds" : "launches");
}

/* What to know of the launches themselves, the gravest first. */
static void say_failures(struct hk_now_series *s)
{
    char *reason = s->finding.reason;
    const size_t capacity = sizeof s->finding.reason;

    if (s->pairs.count == 0)
        snprintf(reason, capacity, "%s", s->failure);
    else if (s->breach[0] != '\0')
        snprintf(reason, capacity, "%s", s->breach);
    else if (s->failure_count > 0)
        snprintf(reason, capacity, "%zu launches gave no value, the last: %.400s",
                 s->failure_count, s->failure);
    else if (s->disturbed_count > 0)
        snprintf(reason, capacity,
                 "%zu of %zu launches had fewer than 5 undisturbed rounds; all of theirs count",
                 s->disturbed_count, s->pairs.count);
}

static enum hk_status judge_series(const struct hk_now_plan *plan, struct hk_now_series *s,
                                   const struct hk_levels *levels, size_t tests)
{
    const enum hk_status status =
        hk_compare_pairs(&s->pairs, plan->rule, levels, tests, &s->finding);

    if (status == HK_OK && s->finding.reason[0] == '\0')
        say_scatter(&plan->now, &s->finding);
    if (status == HK_OK)
        say_failures(s);
    return status;
}

/* Holm's procedure at one look: each rejection leaves more of alpha to the others. */
static enum hk_status look(const struct hk_now_plan *plan, const struct looks *l, uint32_t k,
                           size_t *rejected)
{
    const struct hk_now *now = &plan->now;
    const size_t tests = now->series_count;
    struct hk_levels levels;
    enum hk_status status = level_at(l, k, 2 * plan->rule->alpha, &levels.equivalence);
    bool again = true;

    while (status == HK_OK && again) {
        again = false;
        const size_t left = tests > *rejected ? tests - *rejected : 1;
        status = level_at(l, k, TIME_SHARE * plan->rule->alpha / (double)left, &levels.difference);
        for (size_t i = 0; i < now->series_count && status == HK_OK; i++) {
            struct hk_now_series *s = &now->series[i];
            if (s->closed && s->finding.cell[0] != '\0') /* given up cells need a finding too */
                continue;
            status = judge_series(plan, s, &levels, 1);
            const bool changed = s->finding.verdict == HK_PAIRED_SLOWER ||
                                 s->finding.verdict == HK_PAIRED_FASTER;
            s->closed = s->closed || changed;
            *rejected += changed;
            again = again || changed;
        }
    }
    for (size_t i = 0; i < now->series_count; i++)
        now->series[i].closed =
            now->series[i].closed || now->series[i].finding.verdict == HK_PAIRED_SAME;
    return status;
}

static bool any_open(const struct hk_now *now)
{
    for (size_t i = 0; i < now->series_count; i++)
        if (!now->series[i].closed)
            return true;
    return now->series_count == 0; /* commands say what they measure when they have run */
}

static void give_up_broken(struct hk_now *now)
{
    for (size_t i = 0; i < now->series_count; i++) {
        struct hk_now_series *s = &now->series[i];
        if (s->pairs.count == 0 && s->failure_count >= FAILURES_MAX)
            s->closed = true;
    }
}

static enum hk_status measure_until(struct hk_now_plan *plan, uint64_t seed, uint32_t from,
                                    uint32_t until, struct hk_progress *bar,
                                    char error[HK_TEXT_BYTES])
{
    struct hk_now *now = &plan->now;
    enum hk_status status = HK_OK;

    for (uint32_t i = from; i < until && status == HK_OK && any_open(now); i++) {
        hk_progress_show(bar, i, plan->launches_max,
                         seed == now->seed ? "launches of A and B in turns" : "confirming");
        status = plan->source->measure(now, seed, i, error);
        if (status != HK_OK)
            break;
        error[0] = '\0'; /* readers use it for their own purposes */
        if (now->series_count == 0)
            status = HK_EEMPTY;
        if (now->stop != NULL && *now->stop)
            status = HK_EINTR;
        give_up_broken(now);
    }
    return status;
}

/* --- confirmation ------------------------------------------------------------------------ */

/*
 * The first finding stands if the second, from fresh launches alone, says the same; NULL: none.
 * What a side did that the cell does not claim is said with it.
 */
static void settle(struct hk_finding *first, const struct hk_finding *second, const char *breach)
{
    char again[128] = "nothing";

    if (second != NULL && !isnan(second->ratio))
        snprintf(again, sizeof again, "%+.2f %% [%+.2f, %+.2f]", 100 * (second->ratio - 1),
                 100 * (second->interval.lower - 1), 100 * (second->interval.upper - 1));
    if (second != NULL && second->verdict == HK_PAIRED_SLOWER) {
        snprintf(first->reason, sizeof first->reason, "confirmed by %zu fresh launches: %s%s%.200s",
                 second->count_a, again, breach[0] != '\0' ? "; " : "", breach);
        return;
    }
    first->verdict = HK_PAIRED_UNKNOWN;
    snprintf(first->reason, sizeof first->reason,
             "%+.2f %% at first, but %zu fresh launches say %s: not confirmed",
             100 * (first->ratio - 1), second != NULL ? second->count_a : 0, again);
}

/* Of one set of launches: quantiles and counts. */
static enum hk_status judge_beside(struct hk_now *now, const struct hk_rule *rule, double alpha,
                                   struct hk_comparison *out)
{
    struct hk_rule own = *rule;

    own.alpha = alpha;
    run_sort(&now->runs[0]);
    run_sort(&now->runs[1]);
    return hk_compare_beside(&now->runs[0], &now->runs[1], &own, out);
}

static const struct hk_finding *find_in(const struct hk_comparison *c, const struct hk_finding *f)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (strcmp(c->findings[i].cell, f->cell) == 0 &&
            strcmp(c->findings[i].quantity, f->quantity) == 0)
            return &c->findings[i];
    return NULL;
}

/* Launches that a cell's slowdown was found with; 0: it is not slower. */
static size_t slower_in(const struct hk_now_series *s, const struct hk_comparison *beside)
{
    size_t launches = s->finding.verdict == HK_PAIRED_SLOWER ? s->finding.count_a : 0;

    for (size_t i = 0; i < beside->finding_count; i++) {
        const struct hk_finding *f = &beside->findings[i];
        if (f->verdict == HK_PAIRED_SLOWER && strcmp(f->cell, s->pairs.cell) == 0)
            launches = f->count_a > launches ? f->count_a : launches;
    }
    return launches;
}

static enum hk_status settle_all(struct hk_now_plan *plan, struct hk_comparison *beside)
{
    const struct hk_levels levels = {plan->rule->alpha, 2 * plan->rule->alpha};
    struct hk_comparison second;
    enum hk_status status = judge_beside(&plan->now, plan->rule, plan->rule->alpha, &second);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < beside->finding_count; i++) {
        if (beside->findings[i].verdict == HK_PAIRED_SLOWER)
            settle(&beside->findings[i], find_in(&second, &beside->findings[i]), "");
    }
    hk_comparison_fini(&second);
    for (size_t i = 0; i < plan->now.series_count && status == HK_OK; i++) {
        struct hk_now_series *s = &plan->now.series[i];
        struct hk_finding time;
        if (s->finding.verdict != HK_PAIRED_SLOWER)
            continue;
        status = hk_compare_pairs(&s->pairs, plan->rule, &levels, 1, &time);
        if (status == HK_OK)
            settle(&s->finding, &time, s->breach);
    }
    return status;
}

/* Leaves the first set of launches in runs. */
static enum hk_status confirm(struct hk_now_plan *plan, struct hk_progress *bar,
                              struct hk_comparison *beside, char error[HK_TEXT_BYTES])
{
    struct hk_now *now = &plan->now;
    struct hk_run first[2] = {now->runs[0], now->runs[1]};
    size_t launches = 0;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < now->series_count; i++) {
        struct hk_now_series *s = &now->series[i];
        const size_t in = slower_in(s, beside);
        s->closed = in == 0;
        if (s->closed)
            continue;
        launches = in > launches ? in : launches;
        forget(s);
    }
    if (launches == 0)
        return HK_OK;
    now->runs[0] = now->runs[1] = (struct hk_run){0};
    status = measure_until(plan, now->seed ^ confirm_seed, 0, (uint32_t)launches, bar, error);
    if (status == HK_OK)
        status = settle_all(plan, beside);
    for (size_t side = 0; side < 2; side++) {
        run_clear(&now->runs[side]);
        now->runs[side] = first[side];
    }
    return status;
}

/* --- the whole ------------------------------------------------------------------------------ */

static enum hk_status add_findings(const struct hk_now *now, const struct hk_comparison *beside,
                                   struct hk_comparison *out)
{
    const size_t count = now->series_count + beside->finding_count;
    struct hk_finding *findings = malloc((count + 1) * sizeof *findings);
    size_t n = 0;

    if (findings == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < now->series_count; i++) {
        const struct hk_now_series *s = &now->series[i];
        const size_t place = n++;
        findings[place] = s->finding;
        for (size_t k = 0; k < beside->finding_count; k++)
            if (strcmp(beside->findings[k].cell, s->pairs.cell) == 0)
                findings[n++] = beside->findings[k];
        if (s->finding.count_a == 0 && n > place + 1) /* it has counts, and no time at all */
            memmove(&findings[place], &findings[place + 1], (--n - place) * sizeof *findings);
    }
    const enum hk_status status = hk_comparison_make(findings, n, out);
    free(findings);
    return status;
}

static bool time_changed(const struct hk_comparison *c)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (strcmp(c->findings[i].quantity, "time") == 0 &&
            (c->findings[i].verdict == HK_PAIRED_SLOWER ||
             c->findings[i].verdict == HK_PAIRED_FASTER))
            return true;
    return false;
}

/* What events a changed time comes from: costs are fitted over cells of A, as many as it takes. */
static enum hk_status explain(struct hk_now_plan *plan, struct hk_comparison *c)
{
    struct hk_run *runs = plan->now.runs;
    enum hk_status status = HK_OK;

    if (!time_changed(c))
        return HK_OK;
    if (plan->source->measure_others != NULL && plan->now.series_count < HK_EXPLAIN_CELLS_MIN)
        status = plan->source->measure_others(&plan->now, &runs[0]);
    run_sort(&runs[0]);
    if (status == HK_OK && !hk_compare_explain(c, &runs[0], &runs[1]))
        hk_comparison_say(c, "what a changed time comes from is not known: fewer than %u cells of A "
                          "had their switches, faults and system calls counted; hkbench doctor says "
                          "whether they can be", HK_EXPLAIN_CELLS_MIN);
    return status;
}

static enum hk_status collect(struct hk_now_plan *plan, const struct looks *l,
                              const struct hk_comparison *beside, struct hk_comparison *out)
{
    struct hk_comparison c;
    enum hk_status status = add_findings(&plan->now, beside, &c);

    if (status != HK_OK)
        return status;
    hk_comparison_say(&c, "%s in turns, order and layout random; %u looks declared, the last at %u "
                      "launches; a slowdown is confirmed on as many fresh ones", plan->source->name,
                      l->count, plan->launches_max);
    status = explain(plan, &c);
    if (status == HK_OK)
        *out = c;
    else
        hk_comparison_fini(&c);
    return status;
}

static enum hk_status compare(struct hk_now_plan *plan, struct hk_progress *bar,
                              struct hk_comparison *out, char error[HK_TEXT_BYTES])
{
    const struct looks looks = declare_looks(plan);
    struct hk_comparison beside = {0};
    enum hk_status status = plan->source->open(&plan->now, error);
    size_t rejected = 0;

    for (uint32_t k = 0; k < looks.count && status == HK_OK && any_open(&plan->now); k++) {
        status = measure_until(plan, plan->now.seed, k == 0 ? 0 : looks.launches[k - 1],
                               looks.launches[k], bar, error);
        if (status == HK_OK)
            status = look(plan, &looks, k, &rejected);
    }
    if (status == HK_OK)
        status = judge_beside(&plan->now, plan->rule, (1 - TIME_SHARE) * plan->rule->alpha,
                              &beside);
    if (status == HK_OK)
        status = confirm(plan, bar, &beside, error);
    if (status == HK_OK)
        status = collect(plan, &looks, &beside, out);
    hk_comparison_fini(&beside);
    return status;
}

enum hk_status hk_now_compare(struct hk_now_plan *plan, struct hk_comparison *out,
                              char error[HK_TEXT_BYTES])
{
    struct hk_progress bar;

    error[0] = '\0';
    hk_progress_init(&bar);
    const enum hk_status status = compare(plan, &bar, out, error);
    hk_progress_fini(&bar);
    now_fini(&plan->now);
    if (status != HK_OK && error[0] == '\0')
        snprintf(error, HK_TEXT_BYTES, "%s",
                 status == HK_EEMPTY ? "neither side measured anything" : hk_status_text(status));
    return status;
}
