/* SPDX-License-Identifier: MIT */
/*
 * F5: E[C] = t_copy sum_i w_i k_i (1 - alpha_i p_i). The shares come from the
 * logs of training traces; predicted are bytes and time copied on traces of
 * other seeds. With bytes as the cost, t_copy is the mean length of a buffer and
 * the prediction has no free parameter. With time as the cost, t_copy is the yardstick's of the
 * launch: a third trace, delivered in turns with the one that is predicted. This suite's own kernel
 * (guest/...) counts instructions, and t_copy is the training trace's.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/copy_expected.h"

enum { CLASSES_MAX = 8 };

static const double bytes_margin = 0.01; /* counted, not timed */
static const double time_margin = 0.05;
static const double exact_margin = 0.005; /* of both in the guest, whose traces have no chance */

/* Mean over the training launches of one mix. */
struct f5_fit {
    size_t class_count;
    struct hk_copy_class classes[CLASSES_MAX];
    double length_bytes[CLASSES_MAX];
    size_t launches;
    bool exact; /* all of these were counted, and repeat */
    double buffers_per_message;
    double mean_length_bytes; /* t_copy when bytes are the cost */
    double copied_buffers;    /* per message, with the measured joint share */
    double copy_ns;           /* t_copy: per copied buffer */
    char source[HK_NAME_BYTES];
};

/* One quantity of one mix: what the textbook predicts and what may replace it. */
struct f5_case {
    const char *world;   /* "linux", "guest": counted, a nanosecond is an instruction */
    const char *mix;
    const char *keys;    /* after the trace in the cell's name */
    const char *regime;
    const char *counter; /* the measured quantity, per message; in the guest, of all messages */
    bool time;           /* t_copy in ns instead of bytes */
    uint64_t grain_bytes; /* > 0: the stronger model is the partial mapping law, on this grain */
};

static const struct f5_case cases[] = {
    {"native", "independent", "", "native/independent/bytes", "copied_bytes_per_message", false, 0},
    {"native", "independent", "", "native/independent/time", "copy_ns_per_message", true, 0},
    {"native", "dependent", "", "native/dependent/bytes", "copied_bytes_per_message", false, 0},
    {"native", "dependent", "", "native/dependent/time", "copy_ns_per_message", true, 0},
    {"native", "uniform", "/partial:1", "native/partial mapping/bytes", "copied_bytes_per_message",
     false, 1},
    {"linux", "independent", "", "linux/independent/bytes", "copied_bytes_per_message", false, 0},
    {"linux", "independent", "", "linux/independent/instructions", "copy_ns_per_message", true, 0},
    {"linux", "dependent", "", "linux/dependent/bytes", "copied_bytes_per_message", false, 0},
    {"linux", "dependent", "", "linux/dependent/instructions", "copy_ns_per_message", true, 0},
    {"linux", "uniform", "/partial:1", "linux/partial mapping/bytes", "copied_bytes_per_message",
     false, 1},
    {"guest", "independent", "", "guest/independent/bytes", "hk_copied_bytes", false, 0},
    {"guest", "independent", "", "guest/independent/instructions", "hk_copy_instructions", true, 0},
    {"guest", "dependent", "", "guest/dependent/bytes", "hk_copied_bytes", false, 0},
    {"guest", "dependent", "", "guest/dependent/instructions", "hk_copy_instructions", true, 0},
    {"guest", "grain", "", "guest/partial mapping/bytes", "hk_copied_bytes", false, 16},
};

static bool in_guest(const struct f5_case *c)
{
    return strcmp(c->world, "guest") == 0;
}

/* Adds one launch's series to the field of each class. */
static bool add_series(const struct hk_launch *launch, const char *name, double *fields[],
                       size_t *class_count)
{
    const struct hk_series *s = hk_launch_series(launch, name);

    if (s == NULL || s->count == 0 || s->count > CLASSES_MAX)
        return false;
    for (size_t i = 0; i < s->count; i++)
        *fields[i] += s->values[i];
    *class_count = s->count;
    return true;
}

static bool add_launch(const struct hk_launch *launch, struct f5_fit *fit)
{
    double *weight[CLASSES_MAX];
    double *buffers[CLASSES_MAX];
    double *aligned[CLASSES_MAX];
    double *sized[CLASSES_MAX];
    double *mappable[CLASSES_MAX];
    double *length[CLASSES_MAX];

    for (size_t i = 0; i < CLASSES_MAX; i++) {
        struct hk_copy_class *c = &fit->classes[i];
        weight[i] = &c->weight_ratio;
        buffers[i] = &c->buffer_count;
        aligned[i] = &c->aligned_ratio;
        sized[i] = &c->right_size_ratio;
        mappable[i] = &c->mappable_ratio;
        length[i] = &fit->length_bytes[i];
    }
    return add_series(launch, "class_weight_ratio", weight, &fit->class_count) &&
           add_series(launch, "class_buffers_mean", buffers, &fit->class_count) &&
           add_series(launch, "class_aligned_ratio", aligned, &fit->class_count) &&
           add_series(launch, "class_sized_ratio", sized, &fit->class_count) &&
           add_series(launch, "class_mappable_ratio", mappable, &fit->class_count) &&
           add_series(launch, "class_length_bytes", length, &fit->class_count);
}

/* A class's figure of one launch in the guest, where what a row says is whole numbers. */
static bool class_counter(const struct hk_launch *launch, size_t class_index, const char *what,
                          double *value)
{
    char name[HK_NAME_BYTES];

    snprintf(name, sizeof name, "hk_class_%zu_%s", class_index, what);
    return hk_launch_counter(launch, name, value);
}

static bool add_counters(const struct hk_launch *launch, struct f5_fit *fit)
{
    double messages, of_class, buffers, aligned, sized, mappable, bytes;

    fit->class_count = 0;
    if (!hk_launch_counter(launch, "hk_messages", &messages) || !(messages > 0))
        return false;
    for (size_t i = 0; i < CLASSES_MAX && class_counter(launch, i, "messages", &of_class); i++) {
        struct hk_copy_class *c = &fit->classes[i];
        if (!class_counter(launch, i, "buffers", &buffers) ||
            !class_counter(launch, i, "aligned", &aligned) ||
            !class_counter(launch, i, "sized", &sized) ||
            !class_counter(launch, i, "mappable", &mappable) ||
            !class_counter(launch, i, "bytes", &bytes))
            return false;
        if (!(of_class > 0) || !(buffers > 0))
            break; /* what comes after is empty as well */
        c->weight_ratio += of_class / messages;
        c->buffer_count += buffers / of_class;
        c->aligned_ratio += aligned / buffers;
        c->right_size_ratio += sized / buffers;
        c->mappable_ratio += mappable / buffers;
        fit->length_bytes[i] += bytes / buffers;
        fit->class_count = i + 1;
    }
    return fit->class_count > 0;
}

/* What a launch says of its classes, and of the time of its copies per message. */
static bool read_launch(const struct hk_launch *launch, const struct f5_case *c,
                        struct f5_fit *fit, double *copy_ns)
{
    double messages = 1;

    if (!in_guest(c))
        return hk_launch_counter(launch, "copy_ns_per_message", copy_ns) &&
               add_launch(launch, fit);
    if (!add_counters(launch, fit) || !hk_launch_counter(launch, "hk_messages", &messages) ||
        !hk_launch_counter(launch, "hk_copy_instructions", copy_ns))
        return false;
    *copy_ns /= messages;
    return true;
}

/* Sums to means, and the two meanings of t_copy. */
static void finish_fit(struct f5_fit *fit, double copy_ns_per_message)
{
    double weights = 0;

    for (size_t i = 0; i < fit->class_count; i++) {
        struct hk_copy_class *c = &fit->classes[i];
        c->weight_ratio /= (double)fit->launches;
        c->buffer_count /= (double)fit->launches;
        c->aligned_ratio /= (double)fit->launches;
        c->right_size_ratio /= (double)fit->launches;
        c->mappable_ratio /= (double)fit->launches;
        fit->length_bytes[i] /= (double)fit->launches;
        weights += c->weight_ratio;
    }
    for (size_t i = 0; i < fit->class_count; i++) {
        struct hk_copy_class *c = &fit->classes[i];
        c->weight_ratio /= weights; /* rounding only */
        const double buffers = c->weight_ratio * c->buffer_count;
        fit->buffers_per_message += buffers;
        fit->mean_length_bytes += buffers * fit->length_bytes[i];
        fit->copied_buffers += buffers * (1 - c->mappable_ratio);
        /* A mean of joint shares may leave the bounds of the mean shares by rounding. */
        c->mappable_ratio = fmin(c->mappable_ratio, fmin(c->aligned_ratio, c->right_size_ratio));
    }
    fit->mean_length_bytes /= fit->buffers_per_message;
    fit->copy_ns = fit->copied_buffers > 0 ? copy_ns_per_message / fit->copied_buffers : 0;
}

static enum hk_status fit_mix(const struct hk_run *run, const struct f5_case *c,
                              struct f5_fit *fit)
{
    const struct hk_launch *first = NULL;
    size_t count = 0;
    double copy_ns = 0;

    *fit = (struct f5_fit){.exact = true};
    snprintf(fit->source, sizeof fit->source, "%s/fallback/mix:%s/trace:train%s", c->world, c->mix,
             c->keys);
    if (hk_run_cell(run, fit->source, &first, &count) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < count; i++) {
        double ns = 0;
        if (first[i].state != HK_LAUNCH_OK)
            continue;
        if (!read_launch(&first[i], c, fit, &ns))
            return HK_EPARSE;
        copy_ns += ns;
        fit->exact = fit->exact && first[i].exactness == HK_EXACT;
        fit->launches++;
    }
    if (fit->launches == 0)
        return HK_ENOENT;
    finish_fit(fit, copy_ns / (double)fit->launches);
    return HK_OK;
}

static enum hk_status add_exact(struct hk_judge *judge, const struct f5_case *c,
                                const char *symbol, double value, const struct f5_fit *fit)
{
    const bool native = strcmp(c->world, "native") == 0;
    char name[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F5/%s%s%s/%s", native ? "" : c->world, native ? "" : "_", c->mix,
             symbol);
    return hk_judge_add_exact(judge, name, value, fit->launches, fit->source);
}

enum hk_status hk_f5_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        const struct f5_case *c = &cases[i];
        struct f5_fit fit;
        char symbol[48];
        if (c->time)
            continue; /* the same training cell as for bytes */
        enum hk_status status = fit_mix(training, c, &fit);
        if (status == HK_ENOENT)
            continue;
        if (status == HK_OK)
            status = add_exact(judge, c, "mean_length_bytes", fit.mean_length_bytes, &fit);
        if (status == HK_OK)
            status = add_exact(judge, c, "t_copy_ns", fit.copy_ns, &fit);
        for (size_t k = 0; k < fit.class_count && status == HK_OK; k++) {
            snprintf(symbol, sizeof symbol, "class_%zu_mappable_ratio", k);
            status = add_exact(judge, c, symbol, fit.classes[k].mappable_ratio, &fit);
        }
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* The textbook, its bounds, and the model that may replace it; in the case's unit. */
struct f5_prediction {
    double textbook;
    struct hk_interval bounds;
    double stronger;
    const char *stronger_name;
};

static enum hk_status predict(const struct f5_case *c, const struct f5_fit *fit,
                              struct f5_prediction *out)
{
    const double t_copy = c->time ? fit->copy_ns : fit->mean_length_bytes;
    enum hk_status status =
        hk_copy_expected(fit->classes, fit->class_count, t_copy, &out->textbook);

    if (status == HK_OK)
        status = hk_copy_bounds(fit->classes, fit->class_count, t_copy, &out->bounds);
    if (status == HK_OK && c->grain_bytes > 0) {
        /* Lengths are multiples of the grain; their mean need not be. */
        const uint64_t grains = (uint64_t)fit->mean_length_bytes / c->grain_bytes;
        out->stronger_name = "partial mapping law";
        status = hk_copied_bytes_mean(grains * c->grain_bytes, HK_PAGE_BYTES, c->grain_bytes,
                                      &out->stronger);
        out->stronger *= fit->buffers_per_message;
    } else if (status == HK_OK) {
        out->stronger_name = "corrected for covariance";
        status = hk_copy_corrected(fit->classes, fit->class_count, t_copy, &out->stronger);
    }
    return status;
}

/* The largest correlation of alignment and size within a class. */
static struct hk_assumption independence(const struct f5_fit *fit)
{
    double worst = 0;

    for (size_t i = 0; i < fit->class_count; i++) {
        const struct hk_copy_class *c = &fit->classes[i];
        const double spread = sqrt(c->aligned_ratio * (1 - c->aligned_ratio) *
                                   c->right_size_ratio * (1 - c->right_size_ratio));
        if (spread <= 0)
            continue; /* a constant depends on nothing */
        const double rho =
            (c->mappable_ratio - c->aligned_ratio * c->right_size_ratio) / spread;
        if (fabs(rho) > fabs(worst))
            worst = rho;
    }
    /* A correlation of n buffers is known to about 1 / sqrt(n); the rarest class has hundreds. */
    static const double half = 0.05;
    return (struct hk_assumption){"correlation of alignment and size", "", 0, worst,
                                  {worst - half, worst + half, 0.95}, 0.05};
}

/*
 * The bounds are of the training traces' shares, which have an error: as far as the traces differ
 * among themselves. Of the mean of all of them, over its value.
 */
static double chance_ratio(const struct hk_run *training, const struct f5_case *c,
                           const struct f5_fit *fit)
{
    struct hk_cell_values cell;
    struct hk_estimate mean;

    if (in_guest(c) ||
        hk_cell_read(training, "copied_bytes_per_message", &cell, "%s", fit->source) != HK_OK ||
        hk_cell_mean(&cell, &mean) != HK_OK || !(mean.value > 0))
        return 0; /* no chance in it */
    return hk_interval_95(&mean).upper / mean.value - 1;
}

static enum hk_status add_comparisons(struct hk_judge *judge, const struct f5_case *c,
                                      const struct f5_prediction *p, double chance,
                                      const struct hk_cell_values *cell)
{
    struct hk_comparison row = {.formula = "F5"};
    struct hk_estimate mean;
    enum hk_status status = hk_cell_mean(cell, &mean);

    if (status != HK_OK)
        return status;
    const struct hk_interval interval = hk_interval_95(&mean);
    snprintf(row.regime, sizeof row.regime, "%s", c->regime);
    snprintf(row.cell, sizeof row.cell, "%s", cell->cell);
    snprintf(row.quantity, sizeof row.quantity, "%s", c->counter);
    row.measured = mean.value;
    row.measured_lower = interval.lower;
    row.measured_upper = interval.upper;
    snprintf(row.model, sizeof row.model, "textbook");
    row.predicted = p->textbook;
    row.lower = fmin(p->bounds.lower * (1 - chance), p->textbook);
    row.upper = fmax(p->bounds.upper * (1 + chance), p->textbook);
    status = hk_judge_add_comparison(judge, &row);
    if (status != HK_OK)
        return status;
    snprintf(row.model, sizeof row.model, "%s", p->stronger_name);
    row.predicted = row.lower = row.upper = p->stronger;
    return hk_judge_add_comparison(judge, &row);
}

static enum hk_status test_error(double predicted, const struct hk_cell_values *cell,
                                 double margin, struct hk_equivalence *out)
{
    double errors[HK_LAUNCHES_MAX];

    if (!(predicted > 0))
        return HK_ENOISE;
    for (size_t i = 0; i < cell->count; i++) {
        if (!(cell->values[i] > 0))
            return HK_ENOISE;
        errors[i] = log(predicted / cell->values[i]);
    }
    return hk_cell_test_errors(cell, errors, margin, out);
}

static enum hk_status decide(struct hk_judge *judge, const struct f5_case *c,
                             const struct f5_fit *fit, const struct f5_prediction *p,
                             const struct hk_cell_values *cell)
{
    const double margin = in_guest(c) ? exact_margin : c->time ? time_margin : bytes_margin;
    const struct hk_assumption assumption = independence(fit);
    struct hk_model_result stronger = {.name = p->stronger_name};
    struct hk_evidence evidence = {
        .formula = "F5",
        .regime = c->regime,
        .scale = HK_ERROR_LN_RATIO,
        .assumptions = &assumption,
        /* All or nothing is what partial mapping violates, and that is no number. */
        .assumption_count = c->grain_bytes > 0 ? 0 : 1,
        .replacements = &stronger,
        .replacement_count = 1,
        .sample_count = cell->count,
        .exact = cell->exact && fit->exact,
    };
    struct hk_verdict verdict;

    enum hk_status status = test_error(p->textbook, cell, margin, &evidence.error);
    if (status == HK_OK)
        status = test_error(p->stronger, cell, margin, &stronger.error);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F5", c->regime, "fewer than 3 test launches");
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

/*
 * The measured quantity per message in each launch. Time is told as if t_copy had been the same in
 * all launches: their mean, *t_copy_ns, which is left alone where it is not needed.
 */
static enum hk_status read_measured(const struct hk_run *target, const struct f5_case *c,
                                    struct hk_cell_values *cell, double *t_copy_ns)
{
    static const char name[] = "%s/fallback/mix:%s/trace:test%s";
    const char *const unit = in_guest(c) ? "hk_messages" : "yardstick_copy_ns";
    struct hk_cell_values units;
    struct hk_estimate mean;

    if (!in_guest(c) && !c->time)
        return hk_cell_read(target, c->counter, cell, name, c->world, c->mix, c->keys);
    enum hk_status status =
        hk_cell_read_ratio(target, c->counter, unit, cell, name, c->world, c->mix, c->keys);
    if (status != HK_OK || in_guest(c))
        return status;
    status = hk_cell_read(target, unit, &units, name, c->world, c->mix, c->keys);
    if (status == HK_OK)
        status = hk_cell_mean(&units, &mean);
    for (size_t i = 0; i < cell->count && status == HK_OK; i++)
        cell->values[i] *= mean.value;
    if (status == HK_OK)
        *t_copy_ns = mean.value;
    return status;
}

static enum hk_status judge_case(const struct hk_run *training, const struct hk_run *target,
                                 const struct f5_case *c, struct hk_judge *judge)
{
    struct f5_fit fit;
    struct f5_prediction prediction;
    struct hk_cell_values cell;
    enum hk_status status = fit_mix(training, c, &fit);

    if (status == HK_OK)
        status = read_measured(target, c, &cell, &fit.copy_ns);
    if (status == HK_ENOENT)
        return HK_OK; /* not in this run */
    if (status == HK_OK)
        status = predict(c, &fit, &prediction);
    if (status == HK_OK)
        status = add_comparisons(judge, c, &prediction, chance_ratio(training, c, &fit), &cell);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F5", c->regime, "fewer than 2 test launches");
    return status == HK_OK ? decide(judge, c, &fit, &prediction, &cell) : status;
}

enum hk_status hk_f5_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases) && status == HK_OK; i++)
        status = judge_case(training, target, &cases[i], judge);
    return status;
}
