/* SPDX-License-Identifier: MIT */
/* Numbers of underruns: exact, as long as they come one by one. */
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "hk/stats/rate.h"
#include "internal.h"

/* Launches whose counts scatter this improbably did not see independent events. */
#define BURST_P 0.01

struct tally {
    struct hk_event_count total;
    double chi_square; /* of the launches' counts about their common rate */
    size_t launches;
    double headroom_ns;
};

/* What is counted: elements of series, or a pair of counters. */
struct counted {
    const char *quantity; /* NULL: element i of underruns_count, by its head-room */
    const char *events;
    const char *exposure;
    const char *unit; /* of the exposure */
    size_t i;
};

static const struct counted pairs[] = {
    {"underruns", "hk_underruns", "hk_wakeups", "period", 0},
    {"stale looks", "hk_stale", "hk_looks", "look", 0},
    {"errors", "hk_errors", "hk_faults", "fault", 0},
    {"lost", "hk_lost", "hk_faults", "fault", 0},
};

static bool element_of(const struct hk_launch *launch, const char *name, size_t i, double *value)
{
    const struct hk_series *series = hk_launch_series(launch, name);

    if (series == NULL || i >= series->count)
        return false;
    *value = series->values[i];
    return true;
}

static bool counts_of(const struct hk_launch *launch, const struct counted *what, double *events,
                      double *exposure, double *headroom_ns)
{
    if (launch->state != HK_LAUNCH_OK)
        return false;
    const bool known = what->quantity == NULL
                           ? element_of(launch, "underruns_count", what->i, events) &&
                                 element_of(launch, "periods_count", what->i, exposure) &&
                                 element_of(launch, "headroom_ns", what->i, headroom_ns)
                           : hk_launch_counter(launch, what->events, events) &&
                                 hk_launch_counter(launch, what->exposure, exposure);
    return known && *events >= 0 && *events < 1e15 && *exposure > 0;
}

static struct tally tally_of(const struct hk_launch *launches, size_t count,
                             const struct counted *what)
{
    struct tally t = {.headroom_ns = 0};
    double events, exposure;

    for (size_t l = 0; l < count; l++) {
        if (!counts_of(&launches[l], what, &events, &exposure, &t.headroom_ns))
            continue;
        t.total.events += (uint64_t)events;
        t.total.exposure += exposure;
        t.launches++;
        /* Boots that repeat each other to the last instruction are one witness, not two. */
        if (launches[l].exactness == HK_EXACT)
            break;
    }
    for (size_t l = 0; l < count && t.launches > 1 && t.total.events > 0; l++) {
        if (!counts_of(&launches[l], what, &events, &exposure, &t.headroom_ns))
            continue;
        const double expected = (double)t.total.events * exposure / t.total.exposure;
        t.chi_square += (events - expected) * (events - expected) / expected;
    }
    return t;
}

static bool in_bursts(const struct tally *t)
{
    return t->launches > 1 && gsl_cdf_chisq_Q(t->chi_square, (double)t->launches - 1) < BURST_P;
}

/* The exact test's binomial takes no more. */
static bool is_testable(const struct tally *a, const struct tally *b)
{
    return a->total.events + b->total.events <= UINT_MAX && isfinite(a->total.exposure) &&
           isfinite(b->total.exposure);
}

static void judge_counts(struct hk_finding *f, const struct judging *judging, const struct tally *a,
                         const struct tally *b, const char *unit, const struct hk_rate_test *test)
{
    if (in_bursts(a) || in_bursts(b)) {
        finding_say(f, "they come in bursts: launches scatter more than single events would");
    } else if (a->total.events + b->total.events > 0) {
        f->p = f->p_bound = test->p_two_sided;
        f->p_same = 1; /* equal rates cannot be shown by rare events */
        (void)hk_rate_detectable(&a->total, &b->total,
                                 judging->rule->alpha / (double)judging->tests, POWER,
                                 &f->detectable_ratio);
    } else {
        finding_say(f, "none: at most %.2g and %.2g per %s", 3 / a->total.exposure,
                    3 / b->total.exposure, unit);
    }
}

static enum hk_status add_counts(struct hk_comparison *c, const struct cell *cell,
                                 const struct judging *judging, const struct counted *what)
{
    const struct tally a = tally_of(cell->a, cell->count_a, what);
    const struct tally b = tally_of(cell->b, cell->count_b, what);
    char quantity[48];
    struct hk_rate_test test;
    enum hk_status status = HK_OK;

    if (a.launches == 0 || b.launches == 0 || a.headroom_ns != b.headroom_ns)
        return HK_OK;
    snprintf(quantity, sizeof quantity, "underruns at %.0f ns", a.headroom_ns);
    struct hk_finding f = finding_make(
        cell->name, what->quantity != NULL ? what->quantity : quantity, HK_BASIS_EVENTS);
    f.a = (double)a.total.events / a.total.exposure;
    f.b = (double)b.total.events / b.total.exposure;
    f.count_a = a.launches;
    f.count_b = b.launches;
    if (!is_testable(&a, &b)) {
        finding_say(&f, "%.3g and %.3g events are more than the exact test takes",
                    (double)a.total.events, (double)b.total.events);
        return finding_add(c, &f);
    }
    status = hk_rate_compare(&a.total, &b.total, 1 - judging->rule->alpha, &test);
    if (status != HK_OK)
        return status;
    f.ratio = test.ratio;
    f.interval = test.interval;
    judge_counts(&f, judging, &a, &b, what->unit, &test);
    return finding_add(c, &f);
}

/* Of the first launch that has any: one that failed has none, and the others still count. */
static size_t count_sizes(const struct cell *cell)
{
    for (size_t l = 0; l < cell->count_a; l++) {
        const struct hk_series *sizes = hk_launch_series(&cell->a[l], "underruns_count");
        if (cell->a[l].state == HK_LAUNCH_OK && sizes != NULL)
            return sizes->count;
    }
    return 0;
}

enum hk_status compare_events(struct hk_comparison *c, const struct cell *cell,
                              const struct judging *judging)
{
    const size_t sizes = count_sizes(cell);
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < sizes && status == HK_OK; i++) {
        const struct counted element = {.unit = "period", .i = i};
        status = add_counts(c, cell, judging, &element);
    }
    for (size_t p = 0; p < HK_ARRAY_COUNT(pairs) && status == HK_OK; p++)
        status = add_counts(c, cell, judging, &pairs[p]);
    return status;
}
