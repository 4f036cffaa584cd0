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

static enum hk_status judge_series(const struct hk_now_plan *plan, struct hk_now_series *s,
                                   const struct hk_levels *levels, size_t tests)
{
    const enum hk_status status =
        hk_compare_pairs(&s->pairs, plan->rule, levels, tests, &s->finding);

    if (status == HK_OK && s->finding.reason[0] == '\0')
        say_scatter(&plan->now, &s->finding);
    if (status == HK_OK && s->pairs.count == 0)
        snprintf(s->finding.reason, sizeof s->finding.reason, "%s", s->failure);
    else if (status == HK_OK && s->disturbed_count > 0)
        snprintf(s->finding.reason, sizeof s->finding.reason,
                 "%zu of %zu launches had fewer than 5 undisturbed rounds; all of theirs count",
                 s->disturbed_count, s->pairs.count);
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
        status = level_at(l, k, plan->rule->alpha / (double)left, &levels.difference);
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

/* The first finding stands if the second, from fresh launches alone, says the same. */
static void settle(struct hk_finding *first, const struct hk_finding *second)
{
    if (second->verdict == HK_PAIRED_SLOWER) {
        snprintf(first->reason, sizeof first->reason,
                 "confirmed by %zu fresh launches: %+.2f %% [%+.2f, %+.2f]", second->count_a,
                 100 * (second->ratio - 1), 100 * (second->interval.lower - 1),
                 100 * (second->interval.upper - 1));
        return;
    }
    first->verdict = HK_PAIRED_UNKNOWN;
    snprintf(first->reason, sizeof first->reason,
             "%+.2f %% at first, but %zu fresh launches say %+.2f %% [%+.2f, %+.2f]: not "
             "confirmed", 100 * (first->ratio - 1), second->count_a, 100 * (second->ratio - 1),
             100 * (second->interval.lower - 1), 100 * (second->interval.upper - 1));
}

static enum hk_status confirm(struct hk_now_plan *plan, struct hk_progress *bar,
                              char error[HK_TEXT_BYTES])
{
    const struct hk_levels levels = {plan->rule->alpha, 2 * plan->rule->alpha};
    struct hk_now *now = &plan->now;
    uint32_t launches = 0;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < now->series_count; i++) {
        struct hk_now_series *s = &now->series[i];
        s->closed = s->finding.verdict != HK_PAIRED_SLOWER;
        if (s->closed)
            continue;
        launches = s->pairs.count > launches ? (uint32_t)s->pairs.count : launches;
        forget(s);
    }
    if (launches > 0)
        status = measure_until(plan, now->seed ^ confirm_seed, 0, launches, bar, error);
    for (size_t i = 0; i < now->series_count && status == HK_OK; i++) {
        struct hk_now_series *s = &now->series[i];
        struct hk_finding second;
        if (s->finding.verdict != HK_PAIRED_SLOWER)
            continue;
        status = hk_compare_pairs(&s->pairs, plan->rule, &levels, 1, &second);
        if (status == HK_OK)
            settle(&s->finding, &second);
    }
    return status;
}

/* --- the whole ------------------------------------------------------------------------------ */

static enum hk_status collect(const struct hk_now_plan *plan, const struct looks *l,
                              struct hk_comparison *out)
{
    const struct hk_now *now = &plan->now;
    struct hk_finding *findings = malloc((now->series_count + 1) * sizeof *findings);

    if (findings == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < now->series_count; i++)
        findings[i] = now->series[i].finding;
    const enum hk_status status = hk_comparison_make(findings, now->series_count, out);
    free(findings);
    if (status == HK_OK)
        hk_comparison_say(out, "%s in turns, order and layout random; %u looks declared, the last "
                          "at %u launches; a slowdown is confirmed on as many fresh ones",
                          plan->source->name, l->count, plan->launches_max);
    return status;
}

static enum hk_status compare(struct hk_now_plan *plan, struct hk_progress *bar,
                              struct hk_comparison *out, char error[HK_TEXT_BYTES])
{
    const struct looks looks = declare_looks(plan);
    enum hk_status status = plan->source->open(&plan->now, error);
    size_t rejected = 0;

    for (uint32_t k = 0; k < looks.count && status == HK_OK && any_open(&plan->now); k++) {
        status = measure_until(plan, plan->now.seed, k == 0 ? 0 : looks.launches[k - 1],
                               looks.launches[k], bar, error);
        if (status == HK_OK)
            status = look(plan, &looks, k, &rejected);
    }
    if (status == HK_OK)
        status = confirm(plan, bar, error);
    return status == HK_OK ? collect(plan, &looks, out) : status;
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
