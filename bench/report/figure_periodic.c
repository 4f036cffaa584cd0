/* SPDX-License-Identifier: MIT */
/* Data of the figures about periodic tasks and of the predictions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "figure_data.h"
#include "hk/base/units.h"
#include "hk/stats/proportion.h"

/* --- lateness ---------------------------------------------------------------------- */

/* "native/wakeup/absolute/policy:fifo/load:idle/period_us:16000/inject_us:1600/..." for people */
static void regime_title(const char *name, char *title, size_t capacity)
{
    char clock[32] = "", policy[32] = "", load[32] = "";
    int64_t inject_us = 0;
    hk_name_part(name, 2, clock, sizeof(clock));
    hk_name_text(name, "policy", policy, sizeof(policy));
    hk_name_text(name, "load", load, sizeof(load));
    hk_name_int(name, "inject_us", &inject_us);
    int n = snprintf(title, capacity, "%s, %s, %s", clock, policy, load);
    if (inject_us > 0 && n > 0 && (size_t)n < capacity)
        snprintf(title + n, capacity - (size_t)n, ", + Exp %lld µs", (long long)inject_us);
}

/* A parameter whose name begins with prefix and that was fitted on the cell. */
static bool fitted(const struct hk_judge *judge, const char *prefix, const char *cell,
                   double *value)
{
    for (size_t i = 0; judge && i < judge->parameter_count; i++) {
        const struct hk_parameter *p = &judge->parameters[i];
        if (strncmp(p->name, prefix, strlen(prefix)) == 0 && strcmp(p->source, cell) == 0) {
            *value = p->value;
            return true;
        }
    }
    return false;
}

/* Points at which a curve over x in [low, high] is written, evenly on a logarithmic axis. */
#define CURVE_STEPS 80

static void write_empty(FILE *out, const char *title)
{
    fprintf(out, "\"%s\" share\n1 NaN NaN NaN\n\n\n", title);
}

static void write_exponential(FILE *out, const struct hk_judge *judge, const char *cell, double low,
                              double high)
{
    double delta_ns;
    if (!fitted(judge, "F6/delta_ns/", cell, &delta_ns) || !(delta_ns > 0)) {
        write_empty(out, "exponential");
        return;
    }
    fputs("exponential share\n", out);
    for (int i = 0; i <= CURVE_STEPS; i++) {
        double x = low * pow(high / low, (double)i / CURVE_STEPS);
        fprintf(out, "%.6g %.6g\n", x, exp(-x / delta_ns));
    }
    fputs("\n\n", out);
}

/* P(D > x) = share (1 + shape (x - u) / scale)^(-1 / shape), or its limit for shape 0. */
static void write_tail(FILE *out, const struct hk_judge *judge, const char *cell, double high)
{
    double u, shape, scale, share;
    if (!fitted(judge, "F7/tail_threshold_ns/native/device", cell, &u) ||
        !fitted(judge, "F7/tail_shape/native/device", cell, &shape) ||
        !fitted(judge, "F7/tail_scale_ns/native/device", cell, &scale) ||
        !fitted(judge, "F7/tail_ratio/native/device", cell, &share) || !(u > 0) || !(scale > 0)) {
        write_empty(out, "tail");
        return;
    }
    fputs("tail share\n", out);
    for (int i = 0; i <= CURVE_STEPS && high > u; i++) {
        double x = u * pow(high / u, (double)i / CURVE_STEPS);
        double z = 1 + shape * (x - u) / scale;
        if (z > 0)
            fprintf(out, "%.6g %.6g\n", x,
                    share * (fabs(shape) < 1e-9 ? exp(-(x - u) / scale) : pow(z, -1 / shape)));
    }
    fputs("\n\n", out);
}

/* Steps of the empirical law that a figure can show: few in the body, all in the tail. */
static size_t write_lateness(FILE *out, const char *title, const double *sorted, size_t n)
{
    size_t written = 0;
    double last_share = 2;
    fprintf(out, "\"%s\" share\n", title);
    for (size_t i = 0; i + 1 < n; i++) {
        double x = sorted[i] - sorted[0], share = (double)(n - 1 - i) / (double)n;
        if (!(x > 0) || (share > 0.98 * last_share && n - 1 - i > 50))
            continue;
        fprintf(out, "%.6g %.6g\n", x, share);
        last_share = share;
        written++;
    }
    fputs("\n\n", out);
    return written;
}

static enum hk_status write_lateness_panel(FILE *out, const struct hk_judge *judge,
                                           const struct cell *cell, size_t *points)
{
    double *values = NULL;
    size_t n = 0;
    char title[96];
    enum hk_status status = cell_series(cell, "lateness_ns", &values, &n);
    if (status != HK_OK || n < 100) {
        free(values);
        return status;
    }
    qsort(values, n, sizeof(*values), compare_doubles);
    double high = values[n - 1] - values[0], low = fmax(high / 1e4, 100);
    regime_title(cell->name, title, sizeof(title));
    *points += write_lateness(out, title, values, n);
    write_exponential(out, judge, cell->name, low, high > low ? high : 2 * low);
    write_tail(out, judge, cell->name, high);
    free(values);
    return HK_OK;
}

enum hk_status figure_lateness(const struct hk_report_source *source, FILE *out, size_t *points)
{
    enum hk_status status = HK_OK;
    struct cell cell;
    char record[16], clock[32];
    *points = 0;
    for (size_t next = 0; status == HK_OK && cell_next(source->run, &next, &cell);)
        if (strncmp(cell.name, "native/wakeup/", 14) == 0 &&
            hk_name_text(cell.name, "record", record, sizeof(record)) == HK_OK &&
            strcmp(record, "lateness") == 0 &&
            hk_name_part(cell.name, 2, clock, sizeof(clock)) == HK_OK &&
            strcmp(clock, "absolute") == 0)
            status = write_lateness_panel(out, source->judge, &cell, points);
    return status;
}

/* --- underruns ------------------------------------------------------------------------ */

struct drained {
    double headroom_ns;
    double underruns;
    double periods;
};

static int compare_drained(const void *a, const void *b)
{
    return compare_doubles(a, b); /* by the first member */
}

/* Launches of one cell folded together by head-room. */
static enum hk_status read_drained(const struct cell *cell, struct drained **out, size_t *count)
{
    double *h = NULL, *u = NULL, *n = NULL;
    size_t hs = 0, us = 0, ns = 0, kept = 0;
    struct drained *all = NULL;
    enum hk_status status = cell_series(cell, "headroom_ns", &h, &hs);
    if (status == HK_OK)
        status = cell_series(cell, "underruns_count", &u, &us);
    if (status == HK_OK)
        status = cell_series(cell, "periods_count", &n, &ns);
    if (status == HK_OK && (hs == 0 || us != hs || ns != hs))
        status = HK_EEMPTY;
    if (status == HK_OK && !(all = calloc(hs, sizeof(*all))))
        status = HK_ENOMEM;
    if (status != HK_OK)
        goto done;
    for (size_t i = 0; i < hs; i++)
        all[i] = (struct drained){ h[i], u[i], n[i] };
    qsort(all, hs, sizeof(*all), compare_drained);
    for (size_t i = 0; i < hs; i++) {
        if (kept > 0 && all[kept - 1].headroom_ns == all[i].headroom_ns) {
            all[kept - 1].underruns += all[i].underruns;
            all[kept - 1].periods += all[i].periods;
        } else {
            all[kept++] = all[i];
        }
    }
    *out = all;
    *count = kept;
done:
    free(h);
    free(u);
    free(n);
    return status;
}

static void write_counted(FILE *out, const char *title, const struct drained *all, size_t count)
{
    fprintf(out, "\"%s\" ratio lower upper\n", title);
    for (size_t i = 0; i < count; i++) {
        struct hk_interval interval;
        if (all[i].underruns < 1 ||
            hk_proportion_interval((uint64_t)all[i].underruns, (uint64_t)all[i].periods, 0.95,
                                   &interval) != HK_OK)
            continue;
        fprintf(out, "%.6g %.6g %.6g %.6g\n", all[i].headroom_ns,
                all[i].underruns / all[i].periods, interval.lower, interval.upper);
    }
    fputs("\n\n", out);
}

/* A law's predictions for one cell, in the order of the comparisons: by head-room. */
static void write_law(FILE *out, const struct hk_judge *judge, const char *cell, const char *model)
{
    size_t written = 0, length = strlen(cell);
    fprintf(out, "\"%s\" ratio\n", model);
    for (size_t i = 0; judge && i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        int64_t headroom_ns = 0;
        if (strcmp(c->formula, "F7") != 0 || strcmp(c->quantity, "underrun_ratio") != 0 ||
            strcmp(c->model, model) != 0 ||
            strncmp(c->cell, cell, length) != 0 || c->cell[length] != '/' ||
            hk_name_int(c->cell, "headroom_ns", &headroom_ns) != HK_OK)
            continue;
        fprintf(out, "%lld %.6g\n", (long long)headroom_ns, c->predicted);
        written++;
    }
    fputs(written ? "\n\n" : "1 NaN\n\n\n", out);
}

enum hk_status figure_underrun(const struct hk_report_source *source, FILE *out, size_t *points)
{
    static const char *const laws[] = { "textbook", "reading of this clock",
                                        "measured law with GPD tail" };
    struct cell cell;
    *points = 0;
    for (size_t next = 0; cell_next(source->run, &next, &cell);) {
        struct drained *all = NULL;
        size_t count = 0;
        char title[96];
        if (strncmp(cell.name, "native/underrun/", 16) != 0)
            continue;
        enum hk_status status = read_drained(&cell, &all, &count);
        if (status == HK_EEMPTY)
            continue;
        if (status != HK_OK)
            return status;
        regime_title(cell.name, title, sizeof(title));
        write_counted(out, title, all, count);
        for (size_t i = 0; i < HK_ARRAY_COUNT(laws); i++)
            write_law(out, source->judge, cell.name, laws[i]);
        free(all);
        *points += count;
    }
    return HK_OK;
}

/* --- prediction against measurement -------------------------------------------------------- */

static int panel_of(const char *quantity)
{
    static const char *const units[] = { "_ns", "_ratio" };
    size_t length = strlen(quantity);
    for (size_t i = 0; i < HK_ARRAY_COUNT(units); i++) {
        const char *at = strstr(quantity, units[i]);
        size_t end = at ? (size_t)(at - quantity) + strlen(units[i]) : 0;
        if (at && (end == length || quantity[end] == '_'))
            return (int)i;
    }
    return (int)HK_ARRAY_COUNT(units);
}

static size_t write_predictions(FILE *out, const struct hk_judge *judge, const char *formula,
                                bool textbook)
{
    size_t written = 0;
    fprintf(out, "\"%s %s\" ratio\n", formula, textbook ? "textbook" : "stronger model");
    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        if (strcmp(c->formula, formula) != 0 || (strcmp(c->model, "textbook") == 0) != textbook ||
            !(c->measured > 0) || !(c->predicted > 0))
            continue;
        fprintf(out, "%.6g %.6g %.6g %.6g %.6g %.6g %d\n", c->measured, c->measured_lower,
                c->measured_upper, c->predicted / c->measured, c->lower / c->measured,
                c->upper / c->measured, panel_of(c->quantity));
        written++;
    }
    fputs(written ? "\n\n" : "1 NaN NaN NaN NaN NaN 0\n\n\n", out);
    return written;
}

enum hk_status figure_prediction(const struct hk_report_source *source, FILE *out, size_t *points)
{
    const struct hk_judge *judge = source->judge;
    *points = 0;
    if (!judge || judge->comparison_count == 0)
        return HK_OK;
    for (size_t i = 0; i < hk_judge_formula_count; i++) {
        *points += write_predictions(out, judge, hk_judge_formulas[i].id, true);
        *points += write_predictions(out, judge, hk_judge_formulas[i].id, false);
    }
    return HK_OK;
}
