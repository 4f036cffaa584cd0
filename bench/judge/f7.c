/* SPDX-License-Identifier: MIT */
/*
 * F7: P_u = exp(-lambda h). Lambda, d0 and the tail come from lateness logs; P_u
 * is counted in other launches by a buffer that is really drained. Which of the
 * formula's readings applies follows from the clock; the reading, and the
 * measured law of the delays with a generalised Pareto tail, compete with the
 * textbook's exponential. From that law and its extremal index also follows how
 * many underruns a launch will count, which are in clusters.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/extremal.h"
#include "hk/model/tail.h"
#include "hk/model/underrun.h"
#include "hk/stats/proportion.h"
#include "hk/stats/summary.h"
#include "regime.h"
#include "scatter.h"

static const double control_margin_decades = 0.15;
static const double wild_margin_decades = 0.30;
/* A hundred events are known to +- 0.07 decades; fewer say nothing within a margin. */
static const double events_min = 100;
/* A launch's count says something of its interval from about so many on. */
static const double stretch_events_min = 10;
/* One-sided 5 % shared among up to a hundred buffer sizes. */
static const double z_any = 3.290527;
/* An exponential can underflow; a probability of 0 has no logarithm. */
static const double probability_floor = 1e-300;
static const double cv_tolerance = 0.10;

/* What lateness says about delays beyond their minimum, in one clock's terms. */
struct f7_fit {
    double d0_ns;
    double delta_ns; /* 1 / lambda */
    double cv;       /* 1 for the exponential law */
    size_t count;
    double *deficits_ns; /* delays as the clock turns them into underruns, in time order */
    double *sorted_ns;   /* the same, ascending */
    size_t sorted_count;
    struct hk_tail tail; /* refers to sorted_ns */
    bool has_tail;
    struct hk_scatter scatter; /* of delta over the launches; none: 0 launches */
};

static const struct {
    const char *clock;
    enum hk_underrun_law law;
} clock_laws[] = {
    {"device", HK_UNDERRUN_DEVICE},
    {"absolute", HK_UNDERRUN_ABSOLUTE},
    {"queued", HK_UNDERRUN_QUEUE},
};

static enum hk_underrun_law law_of_clock(const char *clock)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(clock_laws); i++)
        if (strcmp(clock, clock_laws[i].clock) == 0)
            return clock_laws[i].law;
    return HK_UNDERRUN_DEVICE;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/*
 * Turns delays into what must exceed the headroom for an underrun, in place:
 * the delay itself, its growth since the last wake-up, or the queue's backlog.
 */
static size_t to_deficit(enum hk_underrun_law law, double period_ns, double *x, size_t n)
{
    double previous = x[0];
    double backlog = 0;

    if (law == HK_UNDERRUN_DEVICE)
        return n;
    for (size_t i = 1; i < n; i++) {
        const double delay = x[i];
        if (law == HK_UNDERRUN_ABSOLUTE) {
            x[i - 1] = delay - previous;
        } else {
            backlog = fmax(0, backlog - period_ns) + delay;
            x[i - 1] = backlog;
        }
        previous = delay;
    }
    return n - 1;
}

static void fit_release(struct f7_fit *fit)
{
    free(fit->deficits_ns);
    free(fit->sorted_ns);
    fit->deficits_ns = fit->sorted_ns = NULL;
}

/* values becomes the fit's own. */
static enum hk_status fit_delays(double *values, size_t n, const struct hk_regime *regime,
                                 struct f7_fit *fit)
{
    const struct hk_tail_options options = {.confidence_ratio = 0.95, .extremal_index = 1};
    struct hk_summary summary;

    fit->deficits_ns = values;
    fit->sorted_ns = malloc(n * sizeof *fit->sorted_ns);
    if (fit->sorted_ns == NULL)
        return HK_ENOMEM;
    enum hk_status status = hk_summary_compute(values, n, fit->sorted_ns, &summary);
    if (status != HK_OK)
        return status;
    fit->d0_ns = summary.min;
    fit->delta_ns = summary.mean - summary.min;
    fit->count = n;
    if (!(fit->delta_ns > 0))
        return HK_ENOISE;
    fit->cv = summary.sd / fit->delta_ns;
    for (size_t i = 0; i < n; i++)
        values[i] -= summary.min;
    fit->sorted_count = to_deficit(law_of_clock(regime->clock), regime->period_ns, values, n);
    memcpy(fit->sorted_ns, values, fit->sorted_count * sizeof *values);
    qsort(fit->sorted_ns, fit->sorted_count, sizeof *values, ascending);
    status = hk_tail_fit(fit->sorted_ns, fit->sorted_count, &options, &fit->tail);
    fit->has_tail = status == HK_OK;
    return status == HK_ENOISE ? HK_OK : status;
}

static enum hk_status fit_regime(const struct hk_run *run, const struct hk_regime *regime,
                                 struct f7_fit *fit)
{
    struct hk_cell_series series;

    *fit = (struct f7_fit){0};
    enum hk_status status =
        hk_cell_series_read(run, regime->lateness_cell, "lateness_ns", &series);
    if (status != HK_OK)
        return status;
    status = fit_delays(series.values, series.count, regime, fit);
    if (status != HK_OK) {
        fit_release(fit);
        return status;
    }
    (void)hk_cell_scatter(run, regime->lateness_cell, "lateness_ns", hk_statistic_mean_beyond,
                          &fit->d0_ns, &fit->scatter); /* too few: the series is all there is */
    return HK_OK;
}

/* A headroom that launches are asked how often they exceed it. */
struct f7_question {
    const struct hk_regime *regime;
    double d0_ns;
    double headroom_ns;
};

static double exceed_ratio(const double *values, size_t n, const void *context)
{
    const struct f7_question *q = context;
    double *x = malloc(n * sizeof *x);
    size_t exceeding = 0;

    if (x == NULL)
        return NAN;
    for (size_t i = 0; i < n; i++)
        x[i] = values[i] - q->d0_ns;
    const size_t count = to_deficit(law_of_clock(q->regime->clock), q->regime->period_ns, x, n);
    for (size_t i = 0; i < count; i++)
        exceeding += x[i] > q->headroom_ns ? 1 : 0;
    free(x);
    return count > 0 ? (double)exceeding / (double)count : NAN;
}

/*
 * How much launches differ in what is beyond a headroom; far out, where hardly any of them has
 * something, as much as where all of them together have enough to count.
 */
static void scatter_beyond(const struct hk_run *run, const struct hk_regime *regime,
                           const struct f7_fit *fit, double headroom_ns, struct hk_scatter *out)
{
    const size_t last = (size_t)fmax(0, (double)fit->sorted_count - 1 - events_min);
    const struct f7_question question = {regime, fit->d0_ns,
                                         fmin(headroom_ns, fit->sorted_ns[last])};

    *out = (struct hk_scatter){0, 0};
    (void)hk_cell_scatter(run, regime->lateness_cell, "lateness_ns", exceed_ratio, &question, out);
}

struct f7_step {
    const struct hk_run *training;
    const struct hk_run *target;
    struct hk_judge *judge;
};

static enum hk_status add_parameter(struct hk_judge *judge, const struct hk_regime *regime,
                                    const char *symbol, double value,
                                    const struct hk_interval *interval, size_t n)
{
    struct hk_parameter p = {.value = value,
                             .lower = fmin(value, interval->lower),
                             .upper = fmax(value, interval->upper),
                             .launches = n};

    snprintf(p.name, sizeof p.name, "F7/%s/%s", symbol, regime->text);
    snprintf(p.source, sizeof p.source, "%s", regime->lateness_cell);
    return hk_judge_add_parameter(judge, &p);
}

static enum hk_status fit_cell(const char *cell, void *context)
{
    const struct f7_step *step = context;
    struct hk_regime regime;
    struct f7_fit fit;

    if (hk_regime_read(cell, &regime) != HK_OK)
        return HK_OK;
    enum hk_status status = fit_regime(step->training, &regime, &fit);
    if (status == HK_ENOENT || status == HK_ENOISE)
        return HK_OK; /* validate says so */
    if (status == HK_OK && fit.has_tail) {
        const struct hk_tail *t = &fit.tail;
        const struct hk_interval exact = {t->threshold_ns, t->threshold_ns, 1};
        status = add_parameter(step->judge, &regime, "tail_threshold_ns", t->threshold_ns, &exact,
                               t->count);
        if (status == HK_OK)
            status = add_parameter(step->judge, &regime, "tail_shape", t->gpd.xi,
                                   &t->gpd.xi_interval, t->exceed_count);
        const struct hk_interval scale = {t->gpd.sigma_ns, t->gpd.sigma_ns, 1};
        if (status == HK_OK)
            status = add_parameter(step->judge, &regime, "tail_scale_ns", t->gpd.sigma_ns, &scale,
                                   t->exceed_count);
        const struct hk_interval share = {t->exceed_ratio, t->exceed_ratio, 1};
        if (status == HK_OK)
            status = add_parameter(step->judge, &regime, "tail_ratio", t->exceed_ratio, &share,
                                   t->exceed_count);
    }
    fit_release(&fit);
    return status;
}

enum hk_status hk_f7_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    struct f7_step step = {.training = training, .judge = judge};

    (void)rng; /* likelihoods only */
    return hk_cells_visit(training, "native/underrun/", fit_cell, &step);
}

/* The competing laws; the textbook first. */
enum { MODEL_TEXTBOOK, MODEL_READING, MODEL_TAIL, MODELS };
static const char *const model_names[MODELS] = {"textbook", "reading of this clock",
                                                "measured law with GPD tail"};

/* What a model says of one headroom: the probability, and the standard error of its logarithm. */
struct f7_prediction {
    double probability;
    double log_error;
};

static enum hk_status predict_tail(const struct f7_fit *fit, const struct hk_scatter *scatter,
                                   double headroom_ns, struct f7_prediction *out)
{
    struct hk_tail_probability p;

    if (!fit->has_tail)
        return HK_ENOISE;
    const enum hk_status status = hk_tail_probability(&fit->tail, headroom_ns, 0.95, &p);
    if (status != HK_OK)
        return status;
    out->probability = fmax(p.probability, probability_floor);
    /* A lower end of 0 has no logarithm: the upper one speaks for both. */
    const double own = log(fmax(p.interval.upper, out->probability) / out->probability) / HK_Z_95;
    out->log_error = hk_scatter_error(scatter, own);
    return HK_OK;
}

/* The error of 1 / lambda alone: var(ln P) = (lambda h)^2 / n. The law's own error is the point. */
static enum hk_status predict_exponential(const struct f7_fit *fit, const struct hk_regime *regime,
                                          enum hk_underrun_law law, double headroom_ns,
                                          struct f7_prediction *out)
{
    double p = 0;
    const enum hk_status status =
        hk_underrun_probability(law, fit->delta_ns, headroom_ns, regime->period_ns, &p);

    if (status != HK_OK)
        return status;
    out->probability = fmax(p, probability_floor);
    out->log_error = headroom_ns / fit->delta_ns *
                     hk_scatter_error(&fit->scatter, 1 / sqrt((double)fit->count));
    return HK_OK;
}

static enum hk_status predict(int model, const struct f7_fit *fit, const struct hk_regime *regime,
                              const struct hk_scatter *scatter, double headroom_ns,
                              struct f7_prediction *out)
{
    if (model == MODEL_TAIL)
        return predict_tail(fit, scatter, headroom_ns, out);
    return predict_exponential(
        fit, regime, model == MODEL_TEXTBOOK ? HK_UNDERRUN_DEVICE : law_of_clock(regime->clock),
        headroom_ns, out);
}

/* One buffer size over all launches. */
struct f7_count {
    double headroom_ns;
    double underruns;
    double periods;
    double launches;
    double sum_ratio;         /* of the launches' underrun ratios, and of their squares */
    double sum_ratio_squared;
};

static void count_launch(struct f7_count *c, double underruns, double periods)
{
    const double ratio = underruns / periods;

    c->underruns += underruns;
    c->periods += periods;
    c->launches += 1;
    c->sum_ratio += ratio;
    c->sum_ratio_squared += ratio * ratio;
}

enum { SIZES_MAX = 64 };

struct f7_counts {
    size_t count;
    struct f7_count sizes[SIZES_MAX];
};

static enum hk_status add_size(struct f7_counts *counts, double headroom_ns, double underruns,
                               double periods)
{
    size_t i = 0;

    if (!(periods > 0) || underruns < 0 || underruns > periods)
        return HK_EPARSE;
    while (i < counts->count && counts->sizes[i].headroom_ns != headroom_ns)
        i++;
    if (i == SIZES_MAX)
        return HK_ETOOBIG;
    if (i == counts->count)
        counts->sizes[counts->count++] = (struct f7_count){.headroom_ns = headroom_ns};
    count_launch(&counts->sizes[i], underruns, periods);
    return HK_OK;
}

/* What one launch's buffers drained: sizes, and the underruns of each in so many periods. */
struct f7_drained {
    const struct hk_series *headroom_ns;
    const struct hk_series *underruns;
    const struct hk_series *periods;
};

static bool drained_read(const struct hk_launch *launch, struct f7_drained *d)
{
    *d = (struct f7_drained){hk_launch_series(launch, "headroom_ns"),
                             hk_launch_series(launch, "underruns_count"),
                             hk_launch_series(launch, "periods_count")};
    return d->headroom_ns != NULL && d->underruns != NULL && d->periods != NULL &&
           d->underruns->count == d->headroom_ns->count &&
           d->periods->count == d->headroom_ns->count;
}

static enum hk_status counts_read(const struct hk_run *run, const char *cell,
                                  struct f7_counts *out)
{
    const struct hk_launch *first = NULL;
    size_t launches = 0;
    enum hk_status status = hk_run_cell(run, cell, &first, &launches);

    *out = (struct f7_counts){0};
    for (size_t i = 0; i < launches && status == HK_OK; i++) {
        struct f7_drained d;
        if (first[i].state != HK_LAUNCH_OK)
            continue;
        if (!drained_read(&first[i], &d))
            return HK_EPARSE;
        for (size_t k = 0; k < d.headroom_ns->count && status == HK_OK; k++)
            status = add_size(out, d.headroom_ns->values[k], d.underruns->values[k],
                              d.periods->values[k]);
    }
    return status;
}

/*
 * Standard error of the measured probability in decades: the larger of what
 * independent periods and what the launches' own scatter give, because
 * underruns come in clusters.
 */
static double count_error_decades(const struct f7_count *c)
{
    const double p = c->underruns / c->periods;
    const double binomial = sqrt((1 - p) / c->underruns);
    double clustered = 0;

    if (c->launches >= 2) {
        const double mean = c->sum_ratio / c->launches;
        const double variance =
            fmax(0, c->sum_ratio_squared / c->launches - mean * mean) / (c->launches - 1);
        clustered = sqrt(variance) / mean;
    }
    return fmax(binomial, clustered) / M_LN10;
}

/* log10(predicted / measured) at one buffer size, with its standard error. */
struct f7_errors {
    size_t count;
    double values[SIZES_MAX];
    double standard_errors[SIZES_MAX];
};

/*
 * The interval beside a prediction is for what will be counted in so many other launches: it holds
 * their scatter as well, as the training's launches have it, and the chance of so many periods.
 */
static void set_prediction(struct hk_comparison *c, const struct f7_prediction *p,
                           const struct hk_scatter *scatter, const struct f7_count *size)
{
    const double expected = fmax(p->probability * size->periods, 1); /* rarer: once or not at all */
    const double chance = sqrt((1 - fmin(p->probability, 1)) / expected);
    const double apart = hk_scatter_error(scatter, 0) *
                         sqrt((double)scatter->launches / fmax(size->launches, 1));
    const double half = HK_Z_95 * hypot(p->log_error, fmax(chance, apart));

    c->predicted = p->probability;
    c->lower = fmin(c->predicted, c->predicted * exp(-half));
    c->upper = fmax(c->predicted, fmin(c->predicted * exp(half), 1));
}

static enum hk_status errors_add(struct f7_errors *errors, struct hk_judge *judge,
                                 const struct hk_comparison *c, double predicted_error,
                                 double measured_error)
{
    const enum hk_status status = hk_judge_add_comparison(judge, c);

    if (status != HK_OK)
        return status;
    errors->values[errors->count] = log10(c->predicted) - log10(c->measured);
    errors->standard_errors[errors->count++] = hypot(measured_error, predicted_error);
    return HK_OK;
}

/* Both ends of an absolute timer's interval carry d0; elsewhere the head-room loses it. */
static double effective_headroom(const struct f7_fit *fit, const struct hk_regime *regime,
                                 double headroom_ns)
{
    const bool cancels = law_of_clock(regime->clock) == HK_UNDERRUN_ABSOLUTE;

    return headroom_ns - (cancels ? 0 : fit->d0_ns);
}

/* One buffer size against every model; too rare events are left out, by their count alone. */
static enum hk_status compare_size(const struct f7_step *step, const struct hk_regime *regime,
                                   const char *cell, const struct f7_fit *fit,
                                   const struct f7_count *size, struct f7_errors errors[MODELS])
{
    struct hk_comparison c = {.formula = "F7", .quantity = "underrun_ratio"};
    struct hk_interval interval;
    struct hk_scatter scatter;
    const double effective_ns = effective_headroom(fit, regime, size->headroom_ns);

    if (size->underruns < events_min || size->underruns > size->periods - events_min ||
        effective_ns <= 0)
        return HK_OK;
    enum hk_status status = hk_proportion_interval((uint64_t)size->underruns,
                                                   (uint64_t)size->periods, 0.95, &interval);
    if (status != HK_OK)
        return status;
    const double measured_error = count_error_decades(size);
    c.measured = size->underruns / size->periods;
    c.measured_lower = fmin(interval.lower, c.measured * pow(10, -HK_Z_95 * measured_error));
    c.measured_upper =
        fmax(interval.upper, fmin(1, c.measured * pow(10, HK_Z_95 * measured_error)));
    snprintf(c.regime, sizeof c.regime, "%s", regime->text);
    snprintf(c.cell, sizeof c.cell, "%.*s/headroom_ns:%.0f", (int)(sizeof c.cell - 40), cell,
             size->headroom_ns);
    scatter_beyond(step->training, regime, fit, effective_ns, &scatter);
    for (int m = 0; m < MODELS; m++) {
        struct f7_prediction p;
        status = predict(m, fit, regime, &scatter, effective_ns, &p);
        if (status == HK_ENOISE || status == HK_ERANGE)
            continue; /* this model has nothing defensible to say here */
        if (status == HK_OK) {
            snprintf(c.model, sizeof c.model, "%s", model_names[m]);
            set_prediction(&c, &p, &scatter, size);
            status = errors_add(&errors[m], step->judge, &c, p.log_error / M_LN10, measured_error);
        }
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* The largest buffer that is foretold to run empty often enough in a launch; by that alone. */
static bool choose_size(const struct f7_fit *fit, const struct hk_regime *regime,
                        const struct f7_drained *d, size_t *chosen)
{
    bool found = false;

    for (size_t k = 0; k < d->headroom_ns->count; k++) {
        struct hk_tail_probability p;
        const double headroom_ns = d->headroom_ns->values[k];
        if (effective_headroom(fit, regime, headroom_ns) <= 0 ||
            (found && headroom_ns < d->headroom_ns->values[*chosen]) ||
            hk_tail_probability(&fit->tail, effective_headroom(fit, regime, headroom_ns), 0.95,
                                &p) != HK_OK ||
            p.probability * d->periods->values[k] < stretch_events_min)
            continue;
        *chosen = k;
        found = true;
    }
    return found;
}

/* How many underruns this launch has of the buffer, and how many are foretold. */
static enum hk_status compare_stretch(const struct f7_step *step, const struct hk_regime *regime,
                                      const struct hk_launch *launch, const struct hk_tail *tail,
                                      double effective_ns, double spread_ratio,
                                      const struct f7_drained *d, size_t k)
{
    struct hk_comparison c = {.formula = "F7", .quantity = "underruns_count"};
    struct hk_stretch foretold;
    const enum hk_status status = hk_tail_stretch(tail, effective_ns, d->periods->values[k],
                                                  spread_ratio, 0.95, &foretold);

    if (status != HK_OK)
        return status == HK_ERANGE ? HK_OK : status; /* no end to what may come */
    c.predicted = foretold.expected_count;
    c.lower = fmin(foretold.interval.lower, c.predicted);
    c.upper = fmax(foretold.interval.upper, c.predicted);
    c.measured = c.measured_lower = c.measured_upper = d->underruns->values[k];
    snprintf(c.regime, sizeof c.regime, "%s", regime->text);
    snprintf(c.model, sizeof c.model, "%s", model_names[MODEL_TAIL]);
    snprintf(c.cell, sizeof c.cell, "%.*s/headroom_ns:%.0f/launch:%u", (int)(sizeof c.cell - 56),
             launch->name, d->headroom_ns->values[k], launch->index);
    return hk_judge_add_comparison(step->judge, &c);
}

/*
 * Every launch is a stretch of its own: one buffer size, chosen by the first one's sizes and the
 * fit, in each of them. Clusters are what the delays that were fitted have at that head-room, and
 * so is how launches differ.
 */
static enum hk_status compare_stretches(const struct f7_step *step,
                                        const struct hk_regime *regime, const char *cell,
                                        const struct f7_fit *fit)
{
    const struct hk_launch *first = NULL;
    struct hk_tail tail = fit->tail;
    struct hk_scatter scatter;
    double headroom_ns = 0, effective_ns = 0, spread_ratio = 0;
    size_t launches = 0, k = 0;
    enum hk_status status = hk_run_cell(step->target, cell, &first, &launches);

    for (size_t i = 0; i < launches && status == HK_OK; i++) {
        struct f7_drained d;
        if (first[i].state != HK_LAUNCH_OK || !drained_read(&first[i], &d))
            continue;
        if (headroom_ns == 0) {
            if (!choose_size(fit, regime, &d, &k))
                return HK_OK; /* too rare in a launch */
            headroom_ns = d.headroom_ns->values[k];
            effective_ns = effective_headroom(fit, regime, headroom_ns);
            if (hk_extremal_intervals(fit->deficits_ns, fit->sorted_count, effective_ns,
                                      &tail.extremal_index) != HK_OK)
                return HK_OK; /* too rare in the delays: nothing is known of clusters */
            scatter_beyond(step->training, regime, fit, effective_ns, &scatter);
            spread_ratio = hk_scatter_error(&scatter, 0) * sqrt((double)scatter.launches);
        }
        if (k < d.headroom_ns->count && d.headroom_ns->values[k] == headroom_ns)
            status = compare_stretch(step, regime, &first[i], &tail, effective_ns, spread_ratio,
                                     &d, k);
    }
    return status;
}

/* Interval of the CV for the cause: normal theory is enough for an effect of this size. */
static struct hk_assumption cv_assumption(const struct f7_fit *fit)
{
    const double half = HK_Z_95 * fit->cv * sqrt((0.5 + fit->cv * fit->cv) / (double)fit->count);

    return (struct hk_assumption){"CV of lateness beyond its minimum", "", 1, fit->cv,
                                  {fit->cv - half, fit->cv + half, 0.95}, cv_tolerance};
}

/*
 * A law holds if it is right at every buffer size, and fails if it is surely
 * wrong at any: a wrong one promises too much at one headroom and too little at
 * another, and a mean over sizes would call that right.
 */
static enum hk_status test_worst(const struct f7_errors *errors, double margin,
                                 struct hk_equivalence *out)
{
    size_t surely = 0;
    size_t possibly = 0;
    double surely_off = -INFINITY;
    double possibly_off = -INFINITY;

    if (errors->count < 3)
        return HK_ENOISE;
    for (size_t i = 0; i < errors->count; i++) {
        const double size = fabs(errors->values[i]);
        if (size - z_any * errors->standard_errors[i] > surely_off) {
            surely_off = size - z_any * errors->standard_errors[i];
            surely = i;
        }
        if (size + HK_Z_90 * errors->standard_errors[i] > possibly_off) {
            possibly_off = size + HK_Z_90 * errors->standard_errors[i];
            possibly = i;
        }
    }
    const bool different = surely_off > margin;
    const size_t worst = different ? surely : possibly;
    const double half = (different ? z_any : HK_Z_90) * errors->standard_errors[worst];
    const struct hk_interval interval = {errors->values[worst] - half,
                                         errors->values[worst] + half, 0.90};
    return hk_equivalence_from_interval(errors->values[worst], &interval, margin, out);
}

static enum hk_status decide(struct hk_judge *judge, const struct hk_regime *regime,
                             const struct f7_fit *fit, const struct f7_errors errors[MODELS])
{
    const double margin = regime->control ? control_margin_decades : wild_margin_decades;
    const struct hk_assumption assumption = cv_assumption(fit);
    struct hk_model_result others[MODELS - 1];
    struct hk_evidence evidence = {
        .formula = "F7",
        .regime = regime->text,
        .scale = HK_ERROR_LOG10,
        .assumptions = &assumption,
        .assumption_count = 1,
        .replacements = others,
        .sample_count = errors[MODEL_TEXTBOOK].count,
    };
    struct hk_verdict verdict;

    enum hk_status status = test_worst(&errors[MODEL_TEXTBOOK], margin, &evidence.error);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F7", regime->text,
                                      "fewer than 3 buffer sizes saw enough underruns to count");
    for (int m = MODEL_READING; m < MODELS && status == HK_OK; m++) {
        struct hk_model_result *other = &others[evidence.replacement_count];
        if (errors[m].count != errors[MODEL_TEXTBOOK].count)
            continue; /* judged on the same observations or not at all */
        other->name = model_names[m];
        status = test_worst(&errors[m], margin, &other->error);
        evidence.replacement_count++;
    }
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

static enum hk_status judge_counts(const struct f7_step *step, const struct hk_regime *regime,
                                   const char *cell, const struct f7_fit *fit)
{
    struct f7_errors errors[MODELS] = {0};
    struct f7_counts counts;
    enum hk_status status = counts_read(step->target, cell, &counts);

    for (size_t i = 0; i < counts.count && status == HK_OK; i++)
        status = compare_size(step, regime, cell, fit, &counts.sizes[i], errors);
    if (status == HK_OK && fit->has_tail && !regime->control)
        status = compare_stretches(step, regime, cell, fit);
    return status == HK_OK ? decide(step->judge, regime, fit, errors) : status;
}

static enum hk_status judge_cell(const char *cell, void *context)
{
    const struct f7_step *step = context;
    struct hk_regime regime;
    struct f7_fit fit;

    if (hk_regime_read(cell, &regime) != HK_OK)
        return HK_OK;
    enum hk_status status = fit_regime(step->training, &regime, &fit);
    if (status == HK_ENOENT)
        return hk_judge_add_undecided(step->judge, "F7", regime.text,
                                      "no lateness was recorded in this regime");
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(step->judge, "F7", regime.text,
                                      "too few wake-ups to fit a law");
    if (status == HK_OK)
        status = judge_counts(step, &regime, cell, &fit);
    fit_release(&fit);
    return status;
}

enum hk_status hk_f7_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    struct f7_step step = {training, target, judge};

    (void)rng; /* likelihoods only */
    return hk_cells_visit(target, "native/underrun/", judge_cell, &step);
}
