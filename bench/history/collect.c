/* SPDX-License-Identifier: MIT */
/* From a run to points. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hk/history/history.h"
#include "hk/stats/quantile.h"

static enum hk_status add_point(struct hk_history_points *points,
                                const struct hk_history_point *point)
{
    if (points->count == points->capacity) {
        const size_t capacity = points->capacity ? points->capacity * 2 : 64;
        struct hk_history_point *grown = realloc(points->points, capacity * sizeof(*grown));
        if (!grown)
            return HK_ENOMEM;
        points->points = grown;
        points->capacity = capacity;
    }
    struct hk_history_point copy = *point;
    copy.name = strdup(point->name);
    copy.metric = strdup(point->metric);
    copy.basis = strdup(point->basis);
    points->points[points->count++] = copy;
    return copy.name && copy.metric && copy.basis ? HK_OK : HK_ENOMEM;
}

void hk_history_points_fini(struct hk_history_points *points)
{
    for (size_t i = 0; i < points->count; i++) {
        free(points->points[i].name);
        free(points->points[i].metric);
        free(points->points[i].basis);
    }
    free(points->points);
    *points = (struct hk_history_points){0};
}

/* A count's basis: the first parenthesis of the run's note names QEMU and the compiler. */
static void counter_basis(const struct hk_run *run, char *basis, size_t capacity)
{
    const char *open = strchr(run->note, '(');
    const char *close = open ? strchr(open, ')') : NULL;
    if (close)
        snprintf(basis, capacity, "%.*s", (int)(close - open - 1), open + 1);
    else
        snprintf(basis, capacity, "unknown counter");
}

static void machine_basis(const struct hk_run *run, char *basis, size_t capacity)
{
    json_t *machine = json_loads(run->machine_json, 0, NULL);
    const char *kernel = json_string_value(json_object_get(machine, "kernel"));
    snprintf(basis, capacity, "%s, Linux %s", run->machine_id, kernel ? kernel : "unknown");
    json_decref(machine);
}

static bool metric_of(const struct hk_launch *launch, const char *metric, double *value)
{
    if (launch->state != HK_LAUNCH_OK)
        return false;
    if (metric)
        return hk_launch_counter(launch, metric, value);
    return launch->exactness == HK_TIMED ? hk_launch_time_ns(launch, value)
                                         : hk_launch_instructions(launch, value);
}

/* Median over the launches of one cell; also whether they are all counted and equal. */
struct cell_value {
    double value;
    uint32_t count;
    enum hk_exactness exactness;
};

static enum hk_status value_of_cell(const struct hk_launch *first, size_t count,
                                    const char *metric, struct cell_value *out)
{
    double *values = malloc((count + 1) * sizeof(*values));
    size_t n = 0;
    if (!values)
        return HK_ENOMEM;
    out->exactness = first->exactness;
    for (size_t i = 0; i < count; i++)
        n += metric_of(&first[i], metric, &values[n]);
    enum hk_status status = n ? hk_sample_sort(values, n) : HK_EEMPTY;
    if (status == HK_OK)
        status = hk_quantile(values, n, 0.5, &out->value);
    if (status == HK_OK && out->exactness == HK_EXACT && values[0] != values[n - 1])
        out->exactness = HK_NEAR;
    out->count = (uint32_t)n;
    free(values);
    return status;
}

static void leave_out(struct hk_history_points *points, const char *cell, const char *why)
{
    if (points->left_out_count++ == 0)
        snprintf(points->left_out, sizeof(points->left_out), "%.200s: %.200s", cell, why);
}

/* The ratio's point, when the reference has the cell too. */
static enum hk_status add_ratio(const struct hk_history_source *source,
                                struct hk_history_point *point, struct hk_history_points *points)
{
    const struct hk_launch *first = NULL;
    size_t count = 0;
    struct cell_value reference;
    enum hk_status status = hk_run_cell(source->reference, point->name, &first, &count);
    if (status == HK_OK)
        status = value_of_cell(first, count, source->metric, &reference);
    if (status == HK_OK && !(reference.value > 0))
        status = HK_EEMPTY;
    if (status == HK_ENOENT || status == HK_EEMPTY) {
        leave_out(points, point->name, "the reference has no value of it");
        return HK_OK;
    }
    if (status != HK_OK)
        return status;
    char pin[128];
    snprintf(pin, sizeof(pin), "%s", source->pin);
    point->kind = HK_SERIES_RATIO;
    point->basis = pin;
    point->reference = reference.value;
    return add_point(points, point);
}

static enum hk_status add_cell(const struct hk_history_source *source,
                               const struct hk_launch *first, size_t count,
                               struct hk_history_points *points)
{
    struct cell_value cell;
    char basis[512], metric[64];
    enum hk_status status = value_of_cell(first, count, source->metric, &cell);
    if (status == HK_EEMPTY) {
        leave_out(points, first->name, first->reason ? first->reason : "it has not that metric");
        return HK_OK;
    }
    if (status != HK_OK)
        return status;
    const bool timed = cell.exactness == HK_TIMED;
    if (timed && !(cell.value > 0)) {
        leave_out(points, first->name, "its value is not positive");
        return HK_OK;
    }
    snprintf(metric, sizeof(metric), "%s",
             source->metric ? source->metric : timed ? "time_ns" : "instructions");
    if (timed)
        machine_basis(source->run, basis, sizeof(basis));
    else
        counter_basis(source->run, basis, sizeof(basis));
    struct hk_history_point point = {
        .name = first->name,
        .metric = metric,
        .kind = timed ? HK_SERIES_ABSOLUTE
                      : cell.exactness == HK_EXACT ? HK_SERIES_EXACT : HK_SERIES_NEAR,
        .basis = basis,
        .value = cell.value,
        .count = cell.count,
    };
    status = add_point(points, &point);
    return status == HK_OK && timed && source->reference ? add_ratio(source, &point, points)
                                                         : status;
}

static enum hk_status collect(const struct hk_history_source *source,
                              struct hk_history_points *points)
{
    const struct hk_run *run = source->run;
    enum hk_status status = HK_OK;
    for (size_t from = 0, to; from < run->launch_count && status == HK_OK; from = to) {
        for (to = from + 1; to < run->launch_count &&
                            strcmp(run->launches[to].name, run->launches[from].name) == 0;)
            to++;
        status = add_cell(source, &run->launches[from], to - from, points);
    }
    return status;
}

enum hk_status hk_history_collect(const struct hk_history_source *source,
                                  struct hk_history_points *points, char error[HK_TEXT_BYTES])
{
    struct hk_history_points made = {0};
    enum hk_status status = HK_OK;
    if (source->reference)
        status = hk_run_mixable(source->run, source->reference, error);
    if (status != HK_OK)
        return status;
    status = collect(source, &made);
    if (status == HK_OK && made.count == 0) {
        status = HK_EEMPTY;
        snprintf(error, HK_TEXT_BYTES, "%.200s: nothing to keep%s%.200s", source->run->path,
                 made.left_out_count ? "; " : "", made.left_out);
    } else if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%.200s: %s", source->run->path, hk_status_text(status));
    }
    if (status == HK_OK)
        *points = made;
    else
        hk_history_points_fini(&made);
    return status;
}
