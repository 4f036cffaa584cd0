/* SPDX-License-Identifier: MIT */
/*
 * Prediction intervals by what predictions were off by elsewhere.
 *
 * A fit knows how its launches scatter. It does not know how far its law is from the machine's, so
 * intervals made of scatter alone hold less than they say (docs/decisions/0453). How far a model
 * was off in the other regimes, never in the one that it speaks of, says how far it may be here:
 * split conformal prediction, a regime at a time. What stands in a regime is compared with what
 * stands in others, which may have another name; any other model with itself. An error counts
 * against the interval's own width and the model's usual error together, so what was known well
 * keeps the narrower interval.
 */
#include "calibrate.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/error.h"
#include "hk/stats/quantile.h"
#include "standing.h"

static const double confidence = 0.95;

/* Whose intervals: predictions of times on this machine, not those of injected delays. */
static const struct family {
    const char *formula;
    const char *regimes; /* pattern of the shell's kind */
    const char *but;
    const char *quantity;
    double upper_max; /* what the quantity cannot exceed */
} families[] = {
    {"F3", "native/*/same_core*", "", "cost_ns", INFINITY},
    {"F6", "native/*", "*injected*", "block_jitter_rms_ns", INFINITY},
    {"F7", "native/*", "*injected*", "underrun_ratio", 1},
};

static bool belongs(const struct family *f, const struct hk_comparison *c)
{
    return strcmp(f->formula, c->formula) == 0 && strcmp(f->quantity, c->quantity) == 0 &&
           fnmatch(f->regimes, c->regime, 0) == 0 && fnmatch(f->but, c->regime, 0) != 0 &&
           c->predicted > 0 && c->measured > 0;
}

/* A comparison of a family, with what is asked of it over and over. */
struct member {
    const struct hk_comparison *c;
    bool stands; /* its model is the one that stands in its regime */
};

static double error_of(const struct hk_comparison *c)
{
    return fabs(log(c->predicted / c->measured));
}

/* Half the width on a scale of logarithms; a lower end of nothing leaves the upper one. */
static double half_width(const struct hk_comparison *c)
{
    return c->lower > 0 ? log(c->upper / c->lower) / 2 : log(c->upper / c->predicted);
}

static bool same_regime(const struct member *a, const struct member *b)
{
    return strcmp(a->c->regime, b->c->regime) == 0;
}

static bool same_model(const struct member *a, const struct member *b)
{
    return a->stands == b->stands && (a->stands || strcmp(a->c->model, b->c->model) == 0);
}

/* Room for something of each comparison. */
struct work {
    size_t member_count;
    struct member *members;
    double *errors;
    double *scores;
    double *halves;
};

/* What a model was off by in the regimes beside one. */
struct elsewhere {
    double middle; /* its usual error */
    double factor; /* by how much an interval is too narrow that knows of both */
};

static void find_members(const struct hk_judge *judge, const struct family *f, struct work *w)
{
    w->member_count = 0;
    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        if (belongs(f, c))
            w->members[w->member_count++] =
                (struct member){c, strcmp(c->model, hk_judge_standing(judge, c)) == 0};
    }
}

/* HK_ENOISE where too little is known of other regimes; HK_ENOMEM. */
static enum hk_status look_elsewhere(const struct member *here, struct work *w,
                                     struct elsewhere *out)
{
    size_t n = 0, i = 0;

    for (size_t k = 0; k < w->member_count; k++)
        if (same_model(&w->members[k], here) && !same_regime(&w->members[k], here))
            w->errors[n++] = error_of(w->members[k].c);
    if (n == 0)
        return HK_ENOISE;
    enum hk_status status = hk_sample_sort(w->errors, n);
    if (status == HK_OK)
        status = hk_quantile(w->errors, n, 0.5, &out->middle);
    if (status == HK_OK && !(out->middle > 0))
        status = HK_ENOISE; /* it is exact there */
    for (size_t k = 0; k < w->member_count && status == HK_OK; k++) {
        const struct hk_comparison *c = w->members[k].c;
        if (same_model(&w->members[k], here) && !same_regime(&w->members[k], here))
            w->scores[i++] = error_of(c) / hypot(half_width(c), out->middle);
    }
    return status == HK_OK ? hk_conformal_half_width(w->scores, n, confidence, &out->factor)
                           : status;
}

/* All of a family's new half widths come from the old ones; < 0: the interval stays as it is. */
static enum hk_status widen_family(struct work *w)
{
    for (size_t i = 0; i < w->member_count; i++)
        w->halves[i] = -1;
    for (size_t i = 0; i < w->member_count; i++) {
        const struct member *m = &w->members[i];
        struct elsewhere e;
        if (w->halves[i] >= 0)
            continue;
        const enum hk_status status = look_elsewhere(m, w, &e);
        if (status == HK_ENOISE)
            continue;
        if (status != HK_OK)
            return status;
        for (size_t k = i; k < w->member_count; k++)
            if (same_regime(&w->members[k], m) && same_model(&w->members[k], m))
                w->halves[k] = e.factor * hypot(half_width(w->members[k].c), e.middle);
    }
    return HK_OK;
}

static void set_intervals(struct hk_judge *judge, const struct family *f, const struct work *w)
{
    for (size_t i = 0; i < w->member_count; i++) {
        struct hk_comparison *c = &judge->comparisons[w->members[i].c - judge->comparisons];
        if (w->halves[i] < 0 || !isfinite(c->predicted * exp(w->halves[i])))
            continue;
        c->lower = c->predicted * exp(-w->halves[i]);
        c->upper = fmax(c->predicted, fmin(c->predicted * exp(w->halves[i]), f->upper_max));
    }
}

enum hk_status hk_judge_calibrate(struct hk_judge *judge)
{
    const size_t n = judge->comparison_count + 1; /* malloc(0) may be NULL */
    struct work w = {0, malloc(n * sizeof *w.members), malloc(n * sizeof(double)),
                     malloc(n * sizeof(double)), malloc(n * sizeof(double))};
    enum hk_status status =
        w.members == NULL || w.errors == NULL || w.scores == NULL || w.halves == NULL ? HK_ENOMEM
                                                                                       : HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(families) && status == HK_OK; i++) {
        find_members(judge, &families[i], &w);
        status = widen_family(&w);
        if (status == HK_OK)
            set_intervals(judge, &families[i], &w);
    }
    free(w.members);
    free(w.errors);
    free(w.scores);
    free(w.halves);
    return status;
}
