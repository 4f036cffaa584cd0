/* SPDX-License-Identifier: MIT */
#include "cells.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/summary.h"

/* The values of the first of the counters that a launch has. */
static enum hk_status read_values(const struct hk_run *run, const char *const *counters,
                                  size_t counter_count, struct hk_cell_values *out)
{
    const struct hk_launch *first = NULL;
    size_t launches = 0;
    size_t n = 0;

    out->count = 0;
    out->exact = true;
    if (hk_run_cell(run, out->cell, &first, &launches) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < launches && n < HK_LAUNCHES_MAX; i++) {
        const char *found = NULL;
        for (size_t c = 0; c < counter_count && found == NULL; c++)
            if (hk_launch_counter(&first[i], counters[c], &out->values[n]))
                found = counters[c];
        if (first[i].state != HK_LAUNCH_OK || hk_launch_disturbed(&first[i]) || found == NULL)
            continue;
        if (strcmp(found, "cost_ns") == 0 && hk_launch_slow(&first[i]))
            continue;
        out->exact = out->exact && first[i].exactness == HK_EXACT;
        out->index[n++] = first[i].index;
    }
    out->count = n;
    return n > 0 ? HK_OK : HK_ENOENT;
}

enum hk_status hk_cell_read(const struct hk_run *run, const char *counter,
                            struct hk_cell_values *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(out->cell, sizeof out->cell, format, args);
    va_end(args);
    return read_values(run, &counter, 1, out);
}

/* The values of a cell that is named already. HK_ENOENT, HK_EPARSE. */
static enum hk_status divide_values(const struct hk_run *run, const char *per,
                                    struct hk_cell_values *out)
{
    struct hk_cell_values divisor;

    memcpy(divisor.cell, out->cell, sizeof divisor.cell);
    if (read_values(run, &per, 1, &divisor) != HK_OK || divisor.count != out->count)
        return HK_ENOENT;
    for (size_t i = 0; i < out->count; i++) {
        if (!(divisor.values[i] > 0))
            return HK_EPARSE;
        out->values[i] /= divisor.values[i];
    }
    return HK_OK;
}

enum hk_status hk_cell_read_ratio(const struct hk_run *run, const char *counter, const char *per,
                                  struct hk_cell_values *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(out->cell, sizeof out->cell, format, args);
    va_end(args);
    const enum hk_status status = read_values(run, &counter, 1, out);
    return status == HK_OK ? divide_values(run, per, out) : status;
}

enum hk_status hk_cell_read_cost(const struct hk_run *run, struct hk_cell_values *out,
                                 const char *format, ...)
{
    static const char *const costs[] = {"cost_ns", "hk_instructions_clock"};
    va_list args;

    va_start(args, format);
    vsnprintf(out->cell, sizeof out->cell, format, args);
    va_end(args);
    return read_values(run, costs, HK_ARRAY_COUNT(costs), out);
}

enum hk_status hk_cell_mean(const struct hk_cell_values *cell, struct hk_estimate *mean)
{
    return hk_mean_estimate(cell->values, cell->count, mean);
}

struct hk_interval hk_interval_95(const struct hk_estimate *e)
{
    struct hk_interval interval = {e->value, e->value, 0.95};

    /* An exact value has no spread, and its interval is itself. */
    if (e->standard_error > 0)
        (void)hk_mean_interval(e, 0.95, &interval);
    return interval;
}

enum hk_status hk_judge_add_estimate(struct hk_judge *judge, const char *name,
                                     const struct hk_estimate *e, const char *source)
{
    const struct hk_interval interval = hk_interval_95(e);
    struct hk_parameter p = {
        .value = e->value,
        .lower = interval.lower,
        .upper = interval.upper,
        .launches = e->count,
    };

    snprintf(p.name, sizeof p.name, "%s", name);
    snprintf(p.source, sizeof p.source, "%s", source);
    return hk_judge_add_parameter(judge, &p);
}

enum hk_status hk_judge_add_exact(struct hk_judge *judge, const char *name, double value,
                                  uint64_t launches, const char *source)
{
    struct hk_parameter p = {.value = value, .lower = value, .upper = value,
                             .launches = launches};

    snprintf(p.name, sizeof p.name, "%s", name);
    snprintf(p.source, sizeof p.source, "%s", source);
    return hk_judge_add_parameter(judge, &p);
}

enum hk_status hk_errors_add(struct hk_errors *errors, struct hk_judge *judge,
                             const struct hk_comparison *c)
{
    if (errors->count == HK_LAUNCHES_MAX)
        return HK_ETOOBIG;
    if (!(c->predicted > 0) || !(c->measured > 0))
        return HK_EINVAL;
    const enum hk_status status = hk_judge_add_comparison(judge, c);
    if (status != HK_OK)
        return status;
    const double unit = errors->scale == HK_ERROR_LOG10 ? M_LN10 : 1;
    const double predicted = (c->upper - c->lower) / (2 * HK_Z_95) / c->predicted / unit;
    const double measured =
        (c->measured_upper - c->measured_lower) / (2 * HK_Z_95) / c->measured / unit;
    errors->values[errors->count++] = log(c->predicted / c->measured) / unit;
    errors->known_count++;
    errors->predicted_error_sum += predicted;
    errors->measured_error_squares += measured * measured;
    return HK_OK;
}

enum hk_status hk_errors_test(const struct hk_errors *errors, double margin,
                              struct hk_equivalence *out)
{
    double sizes[HK_LAUNCHES_MAX], sum = 0;
    const double n = (double)errors->count;
    struct hk_equivalence sampled, fixed;

    for (size_t i = 0; i < errors->count; i++)
        sum += errors->values[i];
    for (size_t i = 0; i < errors->count; i++)
        sizes[i] = copysign(errors->values[i], sum);
    enum hk_status status = hk_equivalence_test(sizes, errors->count, margin, 0.05, &sampled);
    if (status == HK_OK && sampled.outcome == HK_EQUIVALENCE_UNDECIDED &&
        errors->known_count == errors->count) {
        /* Predictions share their parameters, so their errors add; measurements are apart. */
        const double half =
            HK_Z_90 * hypot(errors->predicted_error_sum, sqrt(errors->measured_error_squares)) / n;
        const struct hk_interval interval = {sampled.value - half, sampled.value + half, 0.90};
        status = hk_equivalence_from_interval(sampled.value, &interval, margin, &fixed);
        if (status == HK_OK && fixed.outcome == HK_EQUIVALENCE_DIFFERENT)
            sampled = fixed;
    }
    if (status == HK_OK)
        *out = sampled;
    return status;
}

enum hk_status hk_errors_test_worst(const struct hk_errors *errors, double margin,
                                    struct hk_equivalence *out)
{
    double worst = errors->values[0];

    for (size_t i = 1; i < errors->count; i++)
        if (fabs(errors->values[i]) > fabs(worst))
            worst = errors->values[i];
    const struct hk_interval point = {worst, worst, 1};
    return hk_equivalence_from_interval(worst, &point, margin, out);
}

enum hk_status hk_cell_test_errors(const struct hk_cell_values *cell, const double *values,
                                   double margin, struct hk_equivalence *out)
{
    static const double alpha = 0.05;

    if (!cell->exact)
        return hk_equivalence_test(values, cell->count, margin, alpha, out);
    const struct hk_interval point = {values[0], values[0], 1 - 2 * alpha};
    return hk_equivalence_from_interval(values[0], &point, margin, out);
}

/* Adds one launch's values at the end of joined. */
static enum hk_status join(struct hk_cell_series *joined, const struct hk_series *series)
{
    double *larger =
        realloc(joined->values, (joined->count + series->count) * sizeof *joined->values);

    if (larger == NULL)
        return HK_ENOMEM;
    memcpy(larger + joined->count, series->values, series->count * sizeof *larger);
    joined->values = larger;
    joined->count += series->count;
    return HK_OK;
}

enum hk_status hk_cell_series_read(const struct hk_run *run, const char *cell, const char *name,
                                   struct hk_cell_series *out)
{
    const struct hk_launch *first = NULL;
    struct hk_cell_series joined = {0};
    size_t launches = 0;
    enum hk_status status = hk_run_cell(run, cell, &first, &launches);

    for (size_t i = 0; i < launches && status == HK_OK; i++) {
        const struct hk_series *series = hk_launch_series(&first[i], name);
        if (first[i].state == HK_LAUNCH_OK && series != NULL && series->count > 0)
            status = join(&joined, series);
    }
    if (status == HK_OK && joined.count == 0)
        status = HK_ENOENT;
    if (status != HK_OK) {
        free(joined.values);
        return status;
    }
    *out = joined;
    return HK_OK;
}

enum hk_status hk_cells_visit(const struct hk_run *run, const char *prefix,
                              hk_cell_visitor *visit, void *context)
{
    const char *last = "";
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < run->launch_count && status == HK_OK; i++) {
        const struct hk_launch *launch = &run->launches[i];
        if (launch->state != HK_LAUNCH_OK || strcmp(launch->name, last) == 0 ||
            strncmp(launch->name, prefix, strlen(prefix)) != 0)
            continue;
        last = launch->name;
        status = visit(launch->name, context);
    }
    return status;
}
