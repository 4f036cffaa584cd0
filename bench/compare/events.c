/* SPDX-License-Identifier: MIT */
/* Numbers of underruns: exact, as long as they come one by one. */
#include <math.h>
#include <stdio.h>

#include <gsl/gsl_cdf.h>

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

static bool counts_of(const struct hk_launch *launch, size_t i, double *events, double *exposure,
                      double *headroom_ns)
{
    const struct hk_series *underruns = hk_launch_series(launch, "underruns_count");
    const struct hk_series *periods = hk_launch_series(launch, "periods_count");
    const struct hk_series *headroom = hk_launch_series(launch, "headroom_ns");

    if (launch->state != HK_LAUNCH_OK || underruns == NULL || periods == NULL ||
        headroom == NULL || i >= underruns->count || i >= periods->count || i >= headroom->count ||
        !(underruns->values[i] >= 0) || !(periods->values[i] > 0))
        return false;
    *events = underruns->values[i];
    *exposure = periods->values[i];
    *headroom_ns = headroom->values[i];
    return true;
}

static struct tally tally_of(const struct hk_launch *launches, size_t count, size_t i)
{
    struct tally t = {.headroom_ns = NAN};
    double events, exposure;

    for (size_t l = 0; l < count; l++) {
        if (!counts_of(&launches[l], i, &events, &exposure, &t.headroom_ns))
            continue;
        t.total.events += (uint64_t)events;
        t.total.exposure += exposure;
        t.launches++;
    }
    for (size_t l = 0; l < count && t.total.events > 0; l++) {
        if (!counts_of(&launches[l], i, &events, &exposure, &t.headroom_ns))
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

static enum hk_status add_headroom(struct hk_comparison *c, const struct cell *cell,
                                   const struct hk_rule *rule, const struct tally *a,
                                   const struct tally *b)
{
    char quantity[48];
    struct hk_rate_test test;
    enum hk_status status = hk_rate_compare(&a->total, &b->total, 1 - rule->alpha, &test);

    if (status != HK_OK)
        return status;
    snprintf(quantity, sizeof quantity, "underruns at %.0f ns", a->headroom_ns);
    struct hk_finding f = finding_make(cell->name, quantity, HK_BASIS_EVENTS);
    f.a = (double)a->total.events / a->total.exposure;
    f.b = (double)b->total.events / b->total.exposure;
    f.ratio = test.ratio;
    f.interval = test.interval;
    f.count_a = a->launches;
    f.count_b = b->launches;
    if (in_bursts(a) || in_bursts(b)) {
        finding_say(&f, "they come in bursts: launches scatter more than single events would");
    } else if (a->total.events + b->total.events > 0) {
        f.p = f.p_bound = test.p_two_sided;
        f.p_same = 1; /* equal rates cannot be shown by rare events */
    } else {
        finding_say(&f, "none: at most %.2g and %.2g per period", 3 / a->total.exposure,
                    3 / b->total.exposure);
    }
    return finding_add(c, &f);
}

enum hk_status compare_events(struct hk_comparison *c, const struct cell *cell,
                              const struct hk_rule *rule)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; status == HK_OK; i++) {
        const struct tally a = tally_of(cell->a, cell->count_a, i);
        const struct tally b = tally_of(cell->b, cell->count_b, i);
        if (a.launches == 0 || b.launches == 0)
            return HK_OK;
        if (a.headroom_ns == b.headroom_ns)
            status = add_headroom(c, cell, rule, &a, &b);
    }
    return status;
}
