/* SPDX-License-Identifier: MIT */
/*
 * Prediction intervals by what the same model was off by elsewhere.
 *
 * A fit knows how its launches scatter. It does not know how far its law is from the machine's, so
 * intervals made of scatter alone hold less than they say (docs/decisions/0453). How far a model
 * was off in the other regimes, never in the one that it speaks of, says how far it may be here:
 * split conformal prediction, a regime at a time. An error counts against the interval's own width
 * and the model's usual error together, so what was known well keeps the narrower interval.
 */
#include "calibrate.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/error.h"
#include "hk/stats/quantile.h"

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

static double error_of(const struct hk_comparison *c)
{
    return fabs(log(c->predicted / c->measured));
}

/* Half the width on a scale of logarithms; a lower end of nothing leaves the upper one. */
static double half_width(const struct hk_comparison *c)
{
    return c->lower > 0 ? log(c->upper / c->lower) / 2 : log(c->upper / c->predicted);
}

static bool together(const struct hk_comparison *a, const struct hk_comparison *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->regime, b->regime) == 0;
}

/* Room for a number of each comparison. */
struct work {
    double *errors;
    double *scores;
    double *halves;
};

/* What a model was off by in the regimes beside one. */
struct elsewhere {
    double middle; /* its usual error */
    double factor; /* by how much an interval is too narrow that knows of both */
};

/* HK_ENOISE where too little is known of other regimes; HK_ENOMEM. */
static enum hk_status look_elsewhere(const struct hk_judge *judge, const struct family *f,
                                     const struct hk_comparison *here, struct work *w,
                                     struct elsewhere *out)
{
    size_t n = 0, i = 0;

    for (size_t k = 0; k < judge->comparison_count; k++) {
        const struct hk_comparison *c = &judge->comparisons[k];
        if (belongs(f, c) && strcmp(c->model, here->model) == 0 &&
            strcmp(c->regime, here->regime) != 0)
            w->errors[n++] = error_of(c);
    }
    if (n == 0)
        return HK_ENOISE;
    enum hk_status status = hk_sample_sort(w->errors, n);
    if (status == HK_OK)
        status = hk_quantile(w->errors, n, 0.5, &out->middle);
    if (status == HK_OK && !(out->middle > 0))
        status = HK_ENOISE; /* it is exact there */
    for (size_t k = 0; k < judge->comparison_count && status == HK_OK; k++) {
        const struct hk_comparison *c = &judge->comparisons[k];
        if (belongs(f, c) && strcmp(c->model, here->model) == 0 &&
            strcmp(c->regime, here->regime) != 0)
            w->scores[i++] = error_of(c) / hypot(half_width(c), out->middle);
    }
    return status == HK_OK ? hk_conformal_half_width(w->scores, n, confidence, &out->factor)
                           : status;
}

/* All of a family's new half widths come from the old ones; < 0: the interval stays as it is. */
static enum hk_status widen_family(const struct hk_judge *judge, const struct family *f,
                                   struct work *w)
{
    for (size_t i = 0; i < judge->comparison_count; i++)
        w->halves[i] = -1;
    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        struct elsewhere e;
        if (w->halves[i] >= 0 || !belongs(f, c))
            continue;
        const enum hk_status status = look_elsewhere(judge, f, c, w, &e);
        if (status == HK_ENOISE)
            continue;
        if (status != HK_OK)
            return status;
        for (size_t k = i; k < judge->comparison_count; k++)
            if (belongs(f, &judge->comparisons[k]) && together(c, &judge->comparisons[k]))
                w->halves[k] = e.factor * hypot(half_width(&judge->comparisons[k]), e.middle);
    }
    return HK_OK;
}

static void set_intervals(struct hk_judge *judge, const struct family *f, const double *halves)
{
    for (size_t i = 0; i < judge->comparison_count; i++) {
        struct hk_comparison *c = &judge->comparisons[i];
        if (halves[i] < 0 || !isfinite(c->predicted * exp(halves[i])))
            continue;
        c->lower = c->predicted * exp(-halves[i]);
        c->upper = fmax(c->predicted, fmin(c->predicted * exp(halves[i]), f->upper_max));
    }
}

enum hk_status hk_judge_calibrate(struct hk_judge *judge)
{
    const size_t n = judge->comparison_count + 1; /* malloc(0) may be NULL */
    struct work w = {malloc(n * sizeof(double)), malloc(n * sizeof(double)),
                     malloc(n * sizeof(double))};
    enum hk_status status =
        w.errors == NULL || w.scores == NULL || w.halves == NULL ? HK_ENOMEM : HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(families) && status == HK_OK; i++) {
        status = widen_family(judge, &families[i], &w);
        if (status == HK_OK)
            set_intervals(judge, &families[i], w.halves);
    }
    free(w.errors);
    free(w.scores);
    free(w.halves);
    return status;
}
