/* SPDX-License-Identifier: MIT */
/*
 * F6: J = delta sqrt 2. Delta comes from lateness logs, J from other launches
 * that record only intervals. Where the delays are injected from an exponential
 * law the formula must hold; elsewhere J = sigma sqrt(2 (1 - rho_1)) competes.
 * There each lateness log is also cut into blocks, and the J of each foretold
 * from the blocks before it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/jitter.h"
#include "regime.h"
#include "scatter.h"

static const double control_margin = 0.05;
static const double wild_margin = 0.15; /* what a stationary block repeats to on a shared machine */
static const double cv_tolerance = 0.10;
static const double rho_tolerance = 0.05;

/* Blocks of a launch's log: few enough to be long. From one alone its J is hardly known. */
enum { BLOCKS = 5, BLOCKS_BEFORE = 2 };

static const char *const model_names[] = {"textbook", "sigma sqrt(2 (1 - rho1))"};

static const struct hk_bootstrap_options bootstrap = {.confidence_ratio = 0.95};
/* Of each block: there are hundreds of them, and a block's own error is most of the interval. */
static const struct hk_bootstrap_options block_bootstrap = {.replicate_count = 500,
                                                            .confidence_ratio = 0.95};

static enum hk_status analyse_lateness(const struct hk_run *run, const char *cell,
                                       struct hk_rng *rng, struct hk_lateness *out)
{
    struct hk_cell_series series;
    enum hk_status status = hk_cell_series_read(run, cell, "lateness_ns", &series);

    if (status != HK_OK)
        return status;
    status = hk_lateness_analyse(series.values, series.count, &bootstrap, rng, out);
    free(series.values);
    return status;
}

static enum hk_status analyse_intervals(const struct hk_run *run, const struct hk_regime *regime,
                                        struct hk_rng *rng, struct hk_jitter *out)
{
    struct hk_cell_series series;
    enum hk_status status = hk_cell_series_read(run, regime->interval_cell, "interval_ns", &series);

    if (status != HK_OK)
        return status;
    status = hk_jitter_analyse(series.values, series.count, regime->period_ns, &bootstrap, rng,
                               out);
    free(series.values);
    return status;
}

struct f6_step {
    const struct hk_run *training;
    const struct hk_run *target;
    struct hk_rng *rng;
    struct hk_judge *judge;
};

static enum hk_status add_parameter(struct hk_judge *judge, const char *cell, const char *symbol,
                                    double value, const struct hk_interval *interval, size_t n)
{
    struct hk_parameter p = {.value = value,
                             .lower = fmin(value, interval->lower),
                             .upper = fmax(value, interval->upper),
                             .launches = n};

    snprintf(p.name, sizeof p.name, "F6/%s/%.*s", symbol, (int)(sizeof p.name - 32), cell);
    snprintf(p.source, sizeof p.source, "%s", cell);
    return hk_judge_add_parameter(judge, &p);
}

static enum hk_status fit_cell(const char *cell, void *context)
{
    const struct f6_step *step = context;
    struct hk_lateness l;
    char kind[24];

    if (hk_name_text(cell, "record", kind, sizeof kind) != HK_OK || kind[0] != 'l')
        return HK_OK;
    enum hk_status status = analyse_lateness(step->training, cell, step->rng, &l);
    if (status == HK_ENOISE)
        return HK_OK; /* validate says so */
    if (status != HK_OK)
        return status;
    const struct hk_interval exact = {l.d0_ns, l.d0_ns, 1};
    status = add_parameter(step->judge, cell, "d0_ns", l.d0_ns, &exact, l.count);
    if (status == HK_OK)
        status = add_parameter(step->judge, cell, "delta_ns", l.delta_ns,
                               &(struct hk_interval){l.textbook_interval_ns.lower / M_SQRT2,
                                                     l.textbook_interval_ns.upper / M_SQRT2, 0.95},
                               l.count);
    if (status == HK_OK)
        status = add_parameter(step->judge, cell, "cv", l.cv, &l.cv_interval, l.count);
    if (status == HK_OK)
        status = add_parameter(step->judge, cell, "rho1", l.rho1, &l.rho1_interval, l.count);
    return status;
}

enum hk_status hk_f6_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    struct f6_step step = {.training = training, .rng = rng, .judge = judge};

    return hk_cells_visit(training, "native/wakeup/", fit_cell, &step);
}

/* Mean squared distance from `context`, ns: J^2 of intervals, by their period. */
static double mean_square(const double *values, size_t n, const void *context)
{
    const double *center = context;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (values[i] - *center) * (values[i] - *center);
    return sum / (double)n;
}

/* (sigma sqrt(2 (1 - rho_1)))^2 of one launch, from its differences. */
static double mean_step_square(const double *values, size_t n, const void *context)
{
    double sum = 0;

    (void)context;
    for (size_t i = 1; i < n; i++)
        sum += (values[i] - values[i - 1]) * (values[i] - values[i - 1]);
    return n > 1 ? sum / (double)(n - 1) : NAN;
}

/*
 * Bootstraps know one series; launches differ by more. What they differ by widens the errors of
 * both predictions and of J, which were measured in different launches.
 */
static void widen(const struct f6_step *step, const struct hk_regime *regime,
                  struct hk_lateness *l, struct hk_jitter *jitter)
{
    const struct {
        const struct hk_run *run;
        const char *cell;
        const char *series;
        hk_launch_statistic *statistic;
        const void *context;
        double power; /* of the statistic that J goes with */
        double value;
        struct hk_interval *interval;
    } rows[] = {
        {step->training, regime->lateness_cell, "lateness_ns", hk_statistic_mean_beyond,
         &l->d0_ns, 1, l->textbook_ns, &l->textbook_interval_ns},
        {step->training, regime->lateness_cell, "lateness_ns", mean_step_square, NULL, 0.5,
         l->dependent_ns, &l->dependent_interval_ns},
        {step->target, regime->interval_cell, "interval_ns", mean_square, &regime->period_ns, 0.5,
         jitter->rms_ns, &jitter->rms_interval_ns},
    };

    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        struct hk_scatter scatter;
        if (hk_cell_scatter(rows[i].run, rows[i].cell, rows[i].series, rows[i].statistic,
                            rows[i].context, &scatter) != HK_OK)
            continue; /* the series is all there is */
        const double error = rows[i].power * hk_scatter_error(&scatter, 0);
        rows[i].interval->lower =
            fmin(rows[i].interval->lower, rows[i].value * exp(-HK_Z_95 * error));
        rows[i].interval->upper =
            fmax(rows[i].interval->upper, rows[i].value * exp(HK_Z_95 * error));
        if (rows[i].interval == &jitter->rms_interval_ns)
            jitter->relative_error_se = fmax(jitter->relative_error_se, error);
    }
}

/* ln(predicted / J) with the error of both, on independent runs. */
static enum hk_status jitter_error(double predicted_ns, const struct hk_interval *interval_ns,
                                   const struct hk_jitter *jitter, double margin,
                                   struct hk_equivalence *out)
{
    if (!(predicted_ns > 0) || !(interval_ns->lower > 0) || !(jitter->rms_ns > 0))
        return HK_ENOISE;
    const double se_predicted = log(interval_ns->upper / interval_ns->lower) / (2 * HK_Z_95);
    const double se = hypot(se_predicted, jitter->relative_error_se);
    const double value = log(predicted_ns / jitter->rms_ns);
    const struct hk_interval interval = {value - HK_Z_90 * se, value + HK_Z_90 * se, 0.90};
    return hk_equivalence_from_interval(value, &interval, margin, out);
}

static enum hk_status add_comparison(struct hk_judge *judge, const struct hk_regime *regime,
                                     const char *model, double predicted,
                                     const struct hk_interval *interval,
                                     const struct hk_jitter *jitter)
{
    struct hk_comparison c = {
        .formula = "F6",
        .quantity = "jitter_rms_ns",
        .predicted = predicted,
        .lower = fmin(interval->lower, predicted),
        .upper = fmax(interval->upper, predicted),
        .measured = jitter->rms_ns,
        .measured_lower = fmin(jitter->rms_interval_ns.lower, jitter->rms_ns),
        .measured_upper = fmax(jitter->rms_interval_ns.upper, jitter->rms_ns),
    };

    snprintf(c.regime, sizeof c.regime, "%s", regime->text);
    snprintf(c.model, sizeof c.model, "%s", model);
    snprintf(c.cell, sizeof c.cell, "%s", regime->interval_cell);
    return hk_judge_add_comparison(judge, &c);
}

/* What independent delays do to periods, whatever their law. */
static enum hk_status add_independence(struct hk_judge *judge, const struct hk_regime *regime,
                                       const struct hk_jitter *j)
{
    const struct {
        const char *quantity;
        double predicted;
        double measured;
        struct hk_interval interval;
    } rows[] = {{"cycle_ratio", sqrt(3), j->cycle_ratio, j->cycle_ratio_interval},
                {"period_rho1", -0.5, j->rho1, j->rho1_interval}};
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(rows) && status == HK_OK; i++) {
        struct hk_comparison c = {.formula = "F6",
                                  .model = "textbook",
                                  .predicted = rows[i].predicted,
                                  .lower = rows[i].predicted,
                                  .upper = rows[i].predicted,
                                  .measured = rows[i].measured,
                                  .measured_lower = fmin(rows[i].interval.lower, rows[i].measured),
                                  .measured_upper = fmax(rows[i].interval.upper, rows[i].measured)};
        snprintf(c.regime, sizeof c.regime, "%s", regime->text);
        snprintf(c.cell, sizeof c.cell, "%s", regime->interval_cell);
        snprintf(c.quantity, sizeof c.quantity, "%s", rows[i].quantity);
        status = hk_judge_add_comparison(judge, &c);
    }
    return status;
}

static enum hk_status decide(struct hk_judge *judge, const struct hk_regime *regime,
                             const struct hk_lateness *l, const struct hk_jitter *jitter)
{
    const double margin = regime->control ? control_margin : wild_margin;
    const struct hk_assumption assumptions[] = {
        {"CV of lateness beyond its minimum", "", 1, l->cv, l->cv_interval, cv_tolerance},
        {"lag-1 correlation of lateness", "", 0, l->rho1, l->rho1_interval, rho_tolerance},
    };
    struct hk_model_result dependent = {.name = model_names[1]};
    struct hk_evidence evidence = {
        .formula = "F6",
        .regime = regime->text,
        .scale = HK_ERROR_LN_RATIO,
        .assumptions = assumptions,
        .assumption_count = HK_ARRAY_COUNT(assumptions),
        .replacements = &dependent,
        .replacement_count = 1,
        .sample_count = jitter->count,
    };
    struct hk_verdict verdict;

    enum hk_status status = jitter_error(l->textbook_ns, &l->textbook_interval_ns, jitter, margin,
                                         &evidence.error);
    if (status == HK_OK)
        status = jitter_error(l->dependent_ns, &l->dependent_interval_ns, jitter, margin,
                              &dependent.error);
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F6", regime->text, hk_status_text(status));
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

static enum hk_status judge_cell(const char *cell, void *context)
{
    const struct f6_step *step = context;
    struct hk_regime regime;
    struct hk_lateness lateness;
    struct hk_jitter jitter;
    char kind[24];

    if (hk_name_text(cell, "record", kind, sizeof kind) != HK_OK || kind[0] != 'i' ||
        hk_regime_read(cell, &regime) != HK_OK)
        return HK_OK;
    enum hk_status status =
        analyse_lateness(step->training, regime.lateness_cell, step->rng, &lateness);
    if (status == HK_OK)
        status = analyse_intervals(step->target, &regime, step->rng, &jitter);
    if (status == HK_ENOENT)
        return hk_judge_add_undecided(step->judge, "F6", regime.text,
                                      "no lateness was recorded in this regime");
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(step->judge, "F6", regime.text,
                                      "too few wake-ups to analyse");
    if (status == HK_OK)
        widen(step, &regime, &lateness, &jitter);
    if (status == HK_OK)
        status = add_comparison(step->judge, &regime, model_names[0], lateness.textbook_ns,
                                &lateness.textbook_interval_ns, &jitter);
    if (status == HK_OK)
        status = add_comparison(step->judge, &regime, model_names[1], lateness.dependent_ns,
                                &lateness.dependent_interval_ns, &jitter);
    if (status == HK_OK && regime.control)
        status = add_independence(step->judge, &regime, &jitter);
    return status == HK_OK ? decide(step->judge, &regime, &lateness, &jitter) : status;
}

/* J of periods between wake-ups whose lateness this is: what is nominal drops out. */
static double rms_of_steps(const double *lateness_ns, size_t n)
{
    return sqrt(mean_step_square(lateness_ns, n, NULL));
}

/* A block of n values against what the values before it foretell. */
static enum hk_status compare_block(const struct f6_step *step, const struct hk_regime *regime,
                                    const char *cell, const double *lateness_ns, size_t before,
                                    size_t n)
{
    struct hk_comparison c = {.formula = "F6", .quantity = "block_jitter_rms_ns"};
    struct hk_jitter_forecast models[HK_ARRAY_COUNT(model_names)];
    enum hk_status status = hk_jitter_foretell(lateness_ns, before, n - 1, &block_bootstrap,
                                               step->rng, &models[0], &models[1]);

    if (status != HK_OK)
        return status == HK_ENOISE ? HK_OK : status; /* nothing can be foretold from these */
    c.measured = c.measured_lower = c.measured_upper = rms_of_steps(lateness_ns + before, n);
    snprintf(c.regime, sizeof c.regime, "%s", regime->text);
    snprintf(c.cell, sizeof c.cell, "%s", cell);
    for (size_t m = 0; m < HK_ARRAY_COUNT(models) && status == HK_OK; m++) {
        c.predicted = models[m].jitter_ns;
        c.lower = fmin(models[m].interval_ns.lower, c.predicted);
        c.upper = fmax(models[m].interval_ns.upper, c.predicted);
        snprintf(c.model, sizeof c.model, "%s", model_names[m]);
        status = hk_judge_add_comparison(step->judge, &c);
    }
    return status;
}

/* Every launch's log is foretold from itself alone: others lived through other minutes. */
static enum hk_status judge_blocks(const char *cell, void *context)
{
    const struct f6_step *step = context;
    const struct hk_launch *first = NULL;
    struct hk_regime regime;
    char kind[24], block[HK_NAME_BYTES];
    size_t launches = 0;

    if (hk_name_text(cell, "record", kind, sizeof kind) != HK_OK || kind[0] != 'l' ||
        hk_regime_read(cell, &regime) != HK_OK || regime.control)
        return HK_OK;
    enum hk_status status = hk_run_cell(step->target, cell, &first, &launches);
    for (size_t i = 0; i < launches && status == HK_OK; i++) {
        const struct hk_series *s = hk_launch_series(&first[i], "lateness_ns");
        const size_t n = s != NULL ? s->count / BLOCKS : 0;
        if (first[i].state != HK_LAUNCH_OK || n < 3)
            continue;
        for (size_t b = BLOCKS_BEFORE; b < BLOCKS && status == HK_OK; b++) {
            snprintf(block, sizeof block, "%.*s/launch:%u/block:%zu", (int)(sizeof block - 40),
                     cell, first[i].index, b);
            status = compare_block(step, &regime, block, s->values, b * n, n);
        }
    }
    return status;
}

enum hk_status hk_f6_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    struct f6_step step = {training, target, rng, judge};

    const enum hk_status status = hk_cells_visit(target, "native/wakeup/", judge_cell, &step);
    return status == HK_OK ? hk_cells_visit(target, "native/wakeup/", judge_blocks, &step)
                           : status;
}
