/* SPDX-License-Identifier: MIT */
#include "hk/history/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "database.h"
#include "hk/base/units.h"
#include "hk/history/import.h"

enum { VALUES_MAX = 100000 };

/* --- values of one series ------------------------------------------------------- */

/* The newest value; HK_ENOENT for a series without any. */
static enum hk_status newest_value(struct hk_history *h, const struct hk_history_series *s,
                                   struct hk_history_value *value)
{
    size_t count = 0;
    const enum hk_status status = hk_history_values(h, s->id, 0, 1, value, &count);
    return status == HK_OK && count == 0 ? HK_ENOENT : status;
}

/* What a series stands for, as one number: a ratio where there is a reference. */
static double number_of(const struct hk_history_series *s, const struct hk_history_value *v)
{
    return s->kind == HK_SERIES_RATIO ? v->value / v->reference : v->value;
}

static bool is_count(const struct hk_history_series *s)
{
    return s->kind == HK_SERIES_EXACT || s->kind == HK_SERIES_NEAR;
}

static enum hk_status dump(json_t *json, FILE *out)
{
    const int code = json ? json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : -1;
    json_decref(json);
    return code == 0 && fputc('\n', out) != EOF ? HK_OK : HK_EIO;
}

/* --- Google Benchmark: the newest job's times; counts go under a label of their own ---- */

static json_t *google_row(const struct hk_history_series *s, const struct hk_history_value *v,
                          size_t index)
{
    json_t *row = json_pack(
        "{s:s, s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:I, s:f, s:f, s:s}", "name", s->name,
        "family_index", (int)index, "per_family_instance_index", 0, "run_name", s->name,
        "run_type", "iteration", "repetitions", 1, "repetition_index", 0, "threads", 1,
        "iterations", (json_int_t)v->count, "real_time", v->value, "cpu_time", v->value,
        "time_unit", "ns");
    if (row && is_count(s))
        json_object_set_new(row, "label",
                            json_string(s->kind == HK_SERIES_EXACT
                                            ? "EXACT: the time is a number of instructions"
                                            : "NEAR: the time is a number of instructions"));
    return row;
}

static enum hk_status write_google(struct hk_history *h, const struct hk_history_list *list,
                                   FILE *out)
{
    struct hk_history_entry entry = {0};
    struct hk_history_value value;
    json_t *rows = json_array();
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < list->count && status == HK_OK; i++) {
        const struct hk_history_series *s = &list->series[i];
        if (s->kind == HK_SERIES_RATIO)
            continue; /* the same time is in the absolute series */
        status = newest_value(h, s, &value);
        if (status == HK_OK)
            status = hk_history_job_read(h, value.job, &entry);
        if (status == HK_OK)
            json_array_append_new(rows, google_row(s, &value, i));
    }
    if (status != HK_OK)
        return json_decref(rows), status;
    return dump(json_pack("{s:{s:s, s:s, s:s, s:s}, s:o}", "context", "date", entry.time,
                          "executable", "hkbench", "hk_machine", entry.machine, "hk_schema", "1",
                          "benchmarks", rows),
                out);
}

/* --- Bencher metric format: {"name": {"measure": {"value": v}}} -------------------------- */

static enum hk_status write_bencher(struct hk_history *h, const struct hk_history_list *list,
                                    FILE *out)
{
    struct hk_history_value value;
    json_t *root = json_object();
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < list->count && status == HK_OK; i++) {
        const struct hk_history_series *s = &list->series[i];
        status = newest_value(h, s, &value);
        if (status != HK_OK)
            break;
        json_t *measures = json_object_get(root, s->name);
        if (!measures) {
            json_object_set_new(root, s->name, json_object());
            measures = json_object_get(root, s->name);
        }
        const char *measure = is_count(s) ? "instructions"
                              : s->kind == HK_SERIES_RATIO ? "ratio" : "latency";
        json_object_set_new(measures, measure,
                            json_pack("{s:f}", "value", number_of(s, &value)));
    }
    if (status != HK_OK)
        return json_decref(root), status;
    return dump(root, out);
}

/* --- CSV: all jobs, a column per series; import.c reads it ------------------------------------ */

static void put_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

/* Room for one more behind n. */
static bool grow(int64_t **jobs, size_t n)
{
    if ((n & (n - 1)) != 0) /* doubled at powers of two */
        return true;
    int64_t *grown = realloc(*jobs, (n ? 2 * n : 1) * sizeof(**jobs));
    if (grown)
        *jobs = grown;
    return grown != NULL;
}

static enum hk_status take_jobs(struct hk_history *h, sqlite3_stmt *statement, int64_t **jobs,
                                size_t *count)
{
    enum hk_status status;
    while ((status = hk_database_step(h, statement)) == HK_OK) {
        const int64_t number = sqlite3_column_int64(statement, 0);
        if (*count > 0 && number <= (*jobs)[*count - 1]) { /* this would not end */
            snprintf(h->error, sizeof(h->error), "%s: it is damaged; restore a copy", h->path);
            return HK_EPARSE;
        }
        if (!grow(jobs, *count))
            return HK_ENOMEM;
        (*jobs)[(*count)++] = number;
    }
    return status == HK_EEMPTY ? HK_OK : status;
}

/* The numbers of all jobs, ascending; to be freed. */
static enum hk_status all_jobs(struct hk_history *h, int64_t **numbers, size_t *count)
{
    int64_t *jobs = NULL;
    size_t n = 0;
    sqlite3_stmt *statement = hk_database_prepare(h, "SELECT number FROM job ORDER BY number");
    const enum hk_status status = statement ? take_jobs(h, statement, &jobs, &n) : HK_EPARSE;
    sqlite3_finalize(statement);
    if (status != HK_OK) {
        free(jobs);
        return status;
    }
    *numbers = jobs;
    *count = n;
    return HK_OK;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A table of all values, jobs down and series across; NaN where there is none. */
struct table {
    const struct hk_history_list *list;
    int64_t *jobs;
    size_t job_count;
    double *cells;
};

static enum hk_status fill_table(struct hk_history *h, const struct table *t)
{
    struct hk_history_value *values = malloc(VALUES_MAX * sizeof(*values));
    enum hk_status status = values ? HK_OK : HK_ENOMEM;
    for (size_t i = 0; i < t->job_count * t->list->count; i++)
        t->cells[i] = (double)NAN;
    for (size_t s = 0; s < t->list->count && status == HK_OK; s++) {
        const struct hk_history_series *series = &t->list->series[s];
        size_t count = 0;
        status = hk_history_values(h, series->id, 0, VALUES_MAX, values, &count);
        for (size_t i = 0; i < count && status == HK_OK; i++) {
            const int64_t *at = bsearch(&values[i].job, t->jobs, t->job_count, sizeof(*t->jobs),
                                        by_number);
            if (at)
                t->cells[(size_t)(at - t->jobs) * t->list->count + s] =
                    number_of(series, &values[i]);
        }
    }
    free(values);
    return status;
}

static void write_header(const struct hk_history_list *list, FILE *out)
{
    char name[1024];
    fputs(HK_HISTORY_CSV_START, out);
    for (size_t s = 0; s < list->count; s++) {
        snprintf(name, sizeof(name), "%.255s %.63s %s %.511s", list->series[s].name,
                 list->series[s].metric, hk_series_kind_name(list->series[s].kind),
                 list->series[s].basis);
        fputc(',', out);
        put_quoted(name, out);
    }
    fputc('\n', out);
}

static enum hk_status write_rows(struct hk_history *h, const struct table *t, FILE *out)
{
    for (size_t job = 0; job < t->job_count; job++) {
        struct hk_history_entry entry;
        const enum hk_status status = hk_history_job_read(h, t->jobs[job], &entry);
        if (status != HK_OK)
            return status;
        put_quoted(entry.time, out);
        fputc(',', out);
        put_quoted(entry.commit, out);
        fputc(',', out);
        put_quoted(entry.machine, out);
        for (size_t s = 0; s < t->list->count; s++) {
            const double value = t->cells[job * t->list->count + s];
            fprintf(out, isfinite(value) ? ",%.17g" : ",", value);
        }
        fputc('\n', out);
    }
    return ferror(out) ? HK_EIO : HK_OK;
}

static enum hk_status write_csv(struct hk_history *h, const struct hk_history_list *list, FILE *out)
{
    struct table t = {.list = list};
    enum hk_status status = all_jobs(h, &t.jobs, &t.job_count);
    if (status != HK_OK)
        return status;
    if (list->count == 0 || t.job_count < SIZE_MAX / sizeof(*t.cells) / list->count)
        t.cells = malloc((t.job_count * list->count + 1) * sizeof(*t.cells));
    status = t.cells ? fill_table(h, &t) : HK_ENOMEM;
    if (status == HK_OK) {
        write_header(list, out);
        status = write_rows(h, &t, out);
    }
    free(t.cells);
    free(t.jobs);
    return status;
}

/* --- OpenMetrics: the newest values as gauges ------------------------------------------------ */

/* In a label, backslash, quote and line break are escaped. */
static void put_label(const char *key, const char *text, FILE *out)
{
    fprintf(out, "%s=\"", key);
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    fputc('"', out);
}

static const struct {
    const char *name;
    const char *unit; /* the name ends in it, as the format demands */
    const char *help;
} gauges[] = {
    [HK_SERIES_RATIO] = {"hkbench_cost_ratio", "ratio", "Cost against the pinned reference."},
    [HK_SERIES_ABSOLUTE] = {"hkbench_cost_seconds", "seconds", "Cost of an operation."},
    [HK_SERIES_EXACT] = {"hkbench_exact_instructions", "instructions", "Exact instructions."},
    [HK_SERIES_NEAR] = {"hkbench_near_instructions", "instructions", "Instructions, nearly."},
};

static enum hk_status write_gauge(struct hk_history *h, const struct hk_history_list *list,
                                  enum hk_series_kind kind, FILE *out)
{
    bool headed = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct hk_history_series *s = &list->series[i];
        struct hk_history_value value;
        if (s->kind != kind)
            continue;
        const enum hk_status status = newest_value(h, s, &value);
        if (status != HK_OK)
            return status;
        if (!headed)
            fprintf(out, "# TYPE %s gauge\n# UNIT %s %s\n# HELP %s %s\n", gauges[kind].name,
                    gauges[kind].name, gauges[kind].unit, gauges[kind].name, gauges[kind].help);
        headed = true;
        fprintf(out, "%s{", gauges[kind].name);
        put_label("benchmark", s->name, out);
        fputc(',', out);
        put_label("metric", s->metric, out);
        fputc(',', out);
        put_label("basis", s->basis, out);
        fprintf(out, "} %.17g\n",
                kind == HK_SERIES_ABSOLUTE ? number_of(s, &value) / 1e9 : number_of(s, &value));
    }
    return HK_OK;
}

static enum hk_status write_openmetrics(struct hk_history *h, const struct hk_history_list *list,
                                        FILE *out)
{
    enum hk_status status = HK_OK;
    for (size_t kind = 0; kind < HK_ARRAY_COUNT(gauges) && status == HK_OK; kind++)
        status = write_gauge(h, list, (enum hk_series_kind)kind, out);
    fputs("# EOF\n", out);
    return status == HK_OK && ferror(out) ? HK_EIO : status;
}

/* --- the table -------------------------------------------------------------------------------- */

const struct hk_export_format hk_export_formats[] = {
    {"google", "Google Benchmark's JSON: compare.py, github-action-benchmark", write_google},
    {"bencher", "Bencher metric format", write_bencher},
    {"csv", "all jobs, a column per series: otava, spreadsheets", write_csv},
    {"openmetrics", "gauges of the newest values: Prometheus", write_openmetrics},
};
const size_t hk_export_format_count = HK_ARRAY_COUNT(hk_export_formats);

const struct hk_export_format *hk_export_find(const char *name)
{
    for (size_t i = 0; i < hk_export_format_count; i++)
        if (strcmp(hk_export_formats[i].name, name) == 0)
            return &hk_export_formats[i];
    return NULL;
}
