/* SPDX-License-Identifier: MIT */
/*
 * F7 where the delays are known by construction: underruns of buffers that are drained on this
 * suite's own kernel under virtual time, with delays of a seeded law. Lambda and d0 come from a
 * lateness log, underruns are counted on another trace with another seed.
 *
 * Three laws compete: the textbook's exponential; its reading for this clock; and, for that clock,
 * the law that the delays were drawn from, whose numbers are stated and not fitted.
 */
#include <math.h>
#include <stdio.h>

#include "contest.h"
#include "delayed.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/core/delay_law.h"
#include "hk/model/underrun.h"

/* 4000 periods: at the fewest events that are judged, one seed differs from its law by 0.06. */
static const double margin_decades = 0.15;
static const double events_min = 50;
static const double cv_tolerance = 0.10;

static const struct hk_delay_law laws[] = HK_DELAY_LAWS; /* those that are good for underruns */

static const struct clock {
    const char *name;
    enum hk_underrun_law reading;
} clocks[] = {{"device", HK_UNDERRUN_DEVICE}, {"absolute", HK_UNDERRUN_ABSOLUTE}};

struct delay_case {
    const struct hk_delay_law *law;
    const struct clock *clock;
};

enum { TEXTBOOK, READING, DRAWN };

static enum hk_status add_rate(struct hk_judge *judge, const char *law,
                               const struct hk_delayed *fit)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F7/guest_%s/lambda_per_s", law);
    snprintf(source, sizeof source, "guest/wakeup/delayed/law:%s/record:lateness", law);
    return hk_judge_add_exact(judge, name, HK_NS_PER_S / fit->delta_ns, fit->launches, source);
}

enum hk_status hk_f7_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(laws) && status == HK_OK; i++) {
        struct hk_delayed fit;
        if (laws[i].underruns && hk_delayed_read(training, laws[i].name, &fit) == HK_OK)
            status = add_rate(judge, laws[i].name, &fit);
    }
    return status;
}

/*
 * P of the law that delays were drawn from. A device's buffer runs dry when the delay exceeds the
 * headroom; that of a free-running timer when the delay exceeds the last one by that much: of two
 * exponential delays with means a and b the first does with a / (a + b) e^(-h / a).
 */
static double drawn_law(const struct delay_case *c, double headroom_ns)
{
    const struct {
        double share;
        double mean_ns;
    } parts[] = {
        {(HK_DELAY_RARE_IN - 1) / (double)HK_DELAY_RARE_IN, (double)c->law->mean_ns},
        {1 / (double)HK_DELAY_RARE_IN, (double)c->law->rare_ns},
    };
    double p = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(parts); i++) {
        const double a = parts[i].mean_ns;
        double first = 0;
        for (size_t k = 0; k < HK_ARRAY_COUNT(parts); k++)
            first += parts[k].share * a / (a + parts[k].mean_ns);
        p += parts[i].share * (c->clock->reading == HK_UNDERRUN_ABSOLUTE ? first : 1) *
             exp(-headroom_ns / a);
    }
    return p;
}

/* Underruns of all periods in each launch, at so many steps of headroom. */
static enum hk_status read_share(const struct hk_run *run, const struct delay_case *c,
                                 size_t steps, struct hk_cell_values *share, double *events,
                                 double *headroom_ns)
{
    static const char name[] = "guest/underrun/delayed/law:%s/clock:%s";
    struct hk_cell_values counted, step;
    char counter[32];

    snprintf(counter, sizeof counter, "hk_underruns_%zu", steps);
    if (hk_cell_read_ratio(run, counter, "hk_periods", share, name, c->law->name,
                           c->clock->name) != HK_OK ||
        hk_cell_read(run, counter, &counted, name, c->law->name, c->clock->name) != HK_OK ||
        hk_cell_read(run, "hk_headroom_ns", &step, name, c->law->name, c->clock->name) != HK_OK)
        return HK_ENOENT;
    *events = counted.values[0];
    *headroom_ns = (double)steps * step.values[0];
    return HK_OK;
}

static enum hk_status compare_headroom(const struct hk_run *target, const struct delay_case *c,
                                       const struct hk_delayed *fit, size_t steps,
                                       struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_estimate p[HK_MODELS_MAX];
    struct hk_cell_values share;
    struct hk_comparison row;
    double events = 0, headroom_ns = 0;

    if (read_share(target, c, steps, &share, &events, &headroom_ns) != HK_OK ||
        events < events_min || headroom_ns <= fit->d0_ns ||
        hk_contest_measure(contest, &share, &row) != HK_OK)
        return HK_OK; /* not in this run, or too rare */
    headroom_ns -= c->clock->reading == HK_UNDERRUN_ABSOLUTE ? 0 : fit->d0_ns;
    snprintf(row.quantity, sizeof row.quantity, "underrun_ratio");
    for (size_t m = 0; m < HK_MODELS_MAX; m++)
        p[m] = (struct hk_estimate){.count = fit->count};
    p[DRAWN].value = drawn_law(c, headroom_ns);
    enum hk_status status = hk_underrun_probability(HK_UNDERRUN_DEVICE, fit->delta_ns, headroom_ns,
                                                    0, &p[TEXTBOOK].value);
    if (status == HK_OK)
        status = hk_underrun_probability(c->clock->reading, fit->delta_ns, headroom_ns, 0,
                                         &p[READING].value);
    for (size_t m = 0; m < contest->model_count && status == HK_OK; m++)
        status = hk_contest_predict(contest, m, judge, &row, &p[m]);
    return status;
}

static enum hk_status judge_case(const struct hk_run *training, const struct hk_run *target,
                                 const struct delay_case *c, struct hk_judge *judge)
{
    char regime[64];
    struct hk_contest contest = {
        .formula = "F7", .regime = regime, .margin = margin_decades, .scale = HK_ERROR_LOG10,
        .model_count = HK_MODELS_MAX,
        .models = {"textbook", "reading of this clock", "law of the seeded delays"}};
    struct hk_delayed fit;
    enum hk_status status = HK_OK;

    if (hk_delayed_read(training, c->law->name, &fit) != HK_OK)
        return HK_OK; /* not in this run */
    const double cv = fit.sigma_ns / fit.delta_ns;
    const struct hk_assumption assumption = {"CV of lateness beyond its minimum", "", 1, cv,
                                             {cv, cv, 1}, cv_tolerance};
    snprintf(regime, sizeof regime, "guest/delayed/%s/%s", c->law->name, c->clock->name);
    contest.assumption = &assumption;
    contest.timed |= !fit.exact;
    for (size_t h = 1; h <= HK_DELAY_HEADROOMS && status == HK_OK; h++)
        status = compare_headroom(target, c, &fit, h, &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

enum hk_status hk_f7_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(laws); i++)
        for (size_t k = 0; k < HK_ARRAY_COUNT(clocks) && status == HK_OK; k++)
            if (laws[i].underruns)
                status = judge_case(training, target,
                                    &(struct delay_case){&laws[i], &clocks[k]}, judge);
    return status;
}
