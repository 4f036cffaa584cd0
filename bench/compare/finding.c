/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/multiple.h"
#include "hk/stats/quantile.h"
#include "internal.h"

static const char *const basis_names[] = {
    [HK_BASIS_PAIRED] = "paired", [HK_BASIS_APART] = "apart", [HK_BASIS_EXACT] = "exact",
    [HK_BASIS_NEAR] = "near",     [HK_BASIS_EVENTS] = "events",
};

const char *hk_basis_name(enum hk_basis basis)
{
    return (size_t)basis < HK_ARRAY_COUNT(basis_names) ? basis_names[basis] : "?";
}

const struct quantile quantiles[] = {
    {"p50", "hk_latency_ns_p50"},
    {"p90", "hk_latency_ns_p90"},
    {"p99", "hk_latency_ns_p99"},
    {"p999", "hk_latency_ns_p999"},
};
const size_t quantile_count = HK_ARRAY_COUNT(quantiles);

struct hk_finding finding_make(const char *cell, const char *quantity, enum hk_basis basis)
{
    struct hk_finding f = {
        .basis = basis, .verdict = HK_PAIRED_UNKNOWN, .a = NAN, .b = NAN, .ratio = NAN,
        .interval = {NAN, NAN, NAN}, .detectable_ratio = NAN, .p = NAN, .p_bound = NAN,
        .p_same = NAN, .p_holm = NAN, .q_value = NAN, .sd_between = NAN, .sd_within = NAN};

    snprintf(f.cell, sizeof f.cell, "%s", cell);
    snprintf(f.quantity, sizeof f.quantity, "%s", quantity);
    return f;
}

enum hk_status finding_add(struct hk_comparison *c, const struct hk_finding *finding)
{
    /* Doubled at powers of two. */
    if ((c->finding_count & (c->finding_count - 1)) == 0) {
        const size_t capacity = c->finding_count == 0 ? 1 : 2 * c->finding_count;
        struct hk_finding *grown = realloc(c->findings, capacity * sizeof *grown);
        if (grown == NULL)
            return HK_ENOMEM;
        c->findings = grown;
    }
    c->findings[c->finding_count++] = *finding;
    return HK_OK;
}

void finding_say(struct hk_finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding->reason, sizeof finding->reason, format, arguments);
    va_end(arguments);
}

void finding_say_more(struct hk_finding *finding, const char *format, ...)
{
    const size_t used = strlen(finding->reason);
    va_list arguments;

    va_start(arguments, format);
    if (used > 0 && used + 2 < sizeof finding->reason)
        memcpy(finding->reason + used, "; ", 3);
    const size_t from = strlen(finding->reason);
    vsnprintf(finding->reason + from, sizeof finding->reason - from, format, arguments);
    va_end(arguments);
}

void cause_add(struct hk_finding *finding, double a, double b, const char *format, ...)
{
    va_list arguments;

    if (finding->cause_count == HK_CAUSES_MAX || a == b)
        return;
    struct hk_cause *cause = &finding->causes[finding->cause_count++];
    va_start(arguments, format);
    vsnprintf(cause->what, sizeof cause->what, format, arguments);
    va_end(arguments);
    cause->a = a;
    cause->b = b;
}

double median_of(double *values, size_t n)
{
    double median = NAN;

    if (hk_sample_sort(values, n) == HK_OK)
        (void)hk_quantile(values, n, 0.5, &median);
    return median;
}

static bool value_of(const struct hk_launch *launch, const char *counter, double *value)
{
    return launch->state == HK_LAUNCH_OK &&
           (counter == NULL ? hk_launch_time_ns(launch, value)
                            : hk_launch_counter(launch, counter, value)) &&
           *value > 0;
}

size_t values_of(const struct hk_launch *launches, size_t count, const char *counter,
                 double *values)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (value_of(&launches[i], counter, &values[n]))
            n++;
    return n;
}

size_t pairs_of(const struct cell *cell, const char *counter, double *a, double *b)
{
    size_t n = 0;

    for (size_t i = 0, j = 0; i < cell->count_a && j < cell->count_b;) {
        const struct hk_launch *x = &cell->a[i], *y = &cell->b[j];
        if (x->index == y->index && value_of(x, counter, &a[n]) && value_of(y, counter, &b[n]))
            n++;
        i += x->index <= y->index;
        j += y->index <= x->index;
    }
    return n;
}

/* --- verdicts -------------------------------------------------------------------- */

static enum hk_status adjust(struct hk_comparison *c, size_t n, double *p, const size_t *which)
{
    for (size_t i = 0; i < n; i++)
        p[i] = c->findings[which[i]].p_bound;
    enum hk_status status = hk_adjust_holm(p, n, p);
    for (size_t i = 0; i < n && status == HK_OK; i++)
        c->findings[which[i]].p_holm = p[i];
    for (size_t i = 0; i < n; i++)
        p[i] = c->findings[which[i]].p;
    if (status == HK_OK)
        status = hk_adjust_benjamini_hochberg(p, n, p);
    for (size_t i = 0; i < n && status == HK_OK; i++)
        c->findings[which[i]].q_value = p[i];
    return status;
}

static enum hk_paired_verdict judge(const struct hk_finding *f, double alpha)
{
    if (f->p_holm <= alpha)
        return f->ratio > 1 ? HK_PAIRED_SLOWER : HK_PAIRED_FASTER;
    return f->p_same <= alpha ? HK_PAIRED_SAME : HK_PAIRED_UNKNOWN;
}

size_t count_tested(const struct hk_comparison *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->finding_count; i++)
        n += isnan(c->findings[i].p_bound) ? 0 : 1;
    return n;
}

/* Adjusts what was tested; *which gets its places, to be freed. */
static enum hk_status adjust_family(struct hk_comparison *c, size_t **which, size_t *count)
{
    double *p = malloc((c->finding_count + 1) * sizeof *p);
    size_t *places = malloc((c->finding_count + 1) * sizeof *places);
    enum hk_status status = p != NULL && places != NULL ? HK_OK : HK_ENOMEM;
    size_t n = 0;

    for (size_t i = 0; i < c->finding_count && status == HK_OK; i++)
        if (!isnan(c->findings[i].p_bound))
            places[n++] = i;
    if (status == HK_OK && n > 0)
        status = adjust(c, n, p, places);
    free(p);
    if (status != HK_OK)
        free(places);
    else
        *which = places;
    *count = n;
    return status;
}

void count_verdicts(struct hk_comparison *c)
{
    for (size_t i = 0; i < c->finding_count; i++)
        c->verdict_count[c->findings[i].verdict]++;
}

enum hk_status hk_comparison_make(const struct hk_finding *findings, size_t count,
                                  struct hk_comparison *out)
{
    struct hk_comparison c = {0};
    enum hk_status status = count > 0 ? HK_OK : HK_EEMPTY;
    size_t *which = NULL, n;

    for (size_t i = 0; i < count && status == HK_OK; i++)
        status = finding_add(&c, &findings[i]);
    if (status == HK_OK)
        status = adjust_family(&c, &which, &n);
    free(which);
    if (status != HK_OK) {
        hk_comparison_fini(&c);
        return status;
    }
    count_verdicts(&c);
    note_bands(&c);
    *out = c;
    return HK_OK;
}

void note_bands(struct hk_comparison *c)
{
    bool any = false;

    for (size_t i = 0; i < c->finding_count; i++)
        any = any || (c->findings[i].basis == HK_BASIS_PAIRED &&
                      strcmp(c->findings[i].quantity, "time") != 0);
    if (any)
        hk_comparison_say(c, "the intervals of a cell's quantiles are one band: all of them hold "
                          "together");
}

void hk_comparison_say(struct hk_comparison *c, const char *format, ...)
{
    va_list arguments;

    if (c->caveat_count == HK_CAVEATS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(c->caveats[c->caveat_count++], HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
}

enum hk_status decide_family(struct hk_comparison *c, const struct hk_rule *rule)
{
    size_t *which = NULL, n = 0;
    const enum hk_status status = adjust_family(c, &which, &n);

    for (size_t i = 0; i < n && status == HK_OK; i++) {
        struct hk_finding *f = &c->findings[which[i]];
        f->verdict = judge(f, rule->alpha);
    }
    free(which);
    return status;
}

enum hk_paired_verdict hk_comparison_verdict(const struct hk_comparison *c)
{
    bool unknown = false, faster = false;

    for (size_t i = 0; i < c->finding_count; i++) {
        const struct hk_finding *f = &c->findings[i];
        if (f->verdict == HK_PAIRED_SLOWER)
            return HK_PAIRED_SLOWER;
        unknown = unknown || (f->verdict == HK_PAIRED_UNKNOWN && f->gates);
        faster = faster || f->verdict == HK_PAIRED_FASTER;
    }
    return unknown ? HK_PAIRED_UNKNOWN : faster ? HK_PAIRED_FASTER : HK_PAIRED_SAME;
}

void hk_comparison_fini(struct hk_comparison *c)
{
    free(c->findings);
    *c = (struct hk_comparison){0};
}
