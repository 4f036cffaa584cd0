/* SPDX-License-Identifier: MIT */
/* track show, track log, track export: the history for people and for other programs. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "hk/base/units.h"
#include "hk/history/export.h"
#include "hk/stats/change.h"
#include "hk/stats/quantile.h"
#include "track.h"

enum { SHOWN = HK_CHANGE_POINTS_MAX, SPARKS = 60 };

static const double alpha = 0.01;

/* --- values of a series as numbers ------------------------------------------------------ */

struct values {
    size_t n;
    struct hk_history_value raw[SHOWN];
    double number[SHOWN]; /* ns, instructions, or a ratio */
    size_t steps;
    size_t positions[HK_CHANGE_SEGMENTS_MAX];
};

static enum hk_status read_values(struct hk_history *history, const struct hk_history_series *s,
                                  struct values *v)
{
    const struct hk_change_options options = {
        .permutations_max = 999, .exceedances_max = 10, .seed = 1};
    double logarithms[SHOWN];
    enum hk_status status = hk_history_values(history, s->id, 0, SHOWN, v->raw, &v->n);
    v->steps = 0;
    for (size_t i = 0; status == HK_OK && i < v->n; i++) {
        v->number[i] = s->kind == HK_SERIES_RATIO ? v->raw[i].value / v->raw[i].reference
                                                  : v->raw[i].value;
        logarithms[i] = log(v->number[i]);
        /* Counts change where they differ. */
        if (s->kind == HK_SERIES_EXACT && i > 0 && v->number[i] != v->number[i - 1] &&
            v->steps < HK_CHANGE_SEGMENTS_MAX)
            v->positions[v->steps++] = i;
    }
    /* Too few values, or one that has no logarithm: no steps are shown. */
    if (status == HK_OK && s->kind != HK_SERIES_EXACT)
        (void)hk_change_segments(logarithms, v->n, alpha, &options, v->positions, &v->steps);
    return status;
}

/* --- a line per series -------------------------------------------------------------------- */

static void sparkline(const struct values *v, char *text)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t from = v->n > SPARKS ? v->n - SPARKS : 0;
    double low = INFINITY, high = -INFINITY;
    text[0] = '\0';
    for (size_t i = from; i < v->n; i++) {
        low = fmin(low, v->number[i]);
        high = fmax(high, v->number[i]);
    }
    for (size_t i = from; i < v->n; i++) {
        const double part = high > low ? (v->number[i] - low) / (high - low) : 0.5;
        const double share = part >= 0 && part <= 1 ? part : 0; /* a damaged file's infinity */
        strcat(text, levels[(size_t)(share * 7.999)]);
    }
}

static void print_series(const struct hk_history_series *s, const struct values *v)
{
    char kind[300], newest[32] = "-", sparks[SPARKS * 4 + 1];
    hk_track_series_text(s, kind, sizeof kind);
    sparkline(v, sparks);
    if (v->n > 0)
        hk_track_value_text(s, v->number[v->n - 1], newest, sizeof newest);
    printf("%s\n  %s\n  %s  %s, %zu values", s->name, kind, sparks, newest, v->n);
    for (size_t i = 0; i < v->steps; i++)
        printf("%s job %lld", i == 0 ? "; steps at" : ",",
               (long long)v->raw[v->positions[i]].job);
    putchar('\n');
}

static json_t *series_json(const struct hk_history_series *s, const struct values *v)
{
    json_t *values = json_array(), *steps = json_array();
    for (size_t i = 0; i < v->n; i++)
        json_array_append_new(values, json_pack("{s:I, s:f, s:I}", "job", (json_int_t)v->raw[i].job,
                                                "value", v->number[i], "launches_count",
                                                (json_int_t)v->raw[i].count));
    for (size_t i = 0; i < v->steps; i++)
        json_array_append_new(steps, json_integer((json_int_t)v->raw[v->positions[i]].job));
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "name", s->name, "metric", s->metric,
                     "kind", hk_series_kind_name(s->kind), "basis", s->basis, "accepted_job",
                     (json_int_t)s->accepted_job, "values", values, "step_jobs", steps);
}

/* --- the figure ------------------------------------------------------------------------------ */

static double median_of(const double *x, size_t n)
{
    double sorted[SHOWN], value = 0;
    memcpy(sorted, x, n * sizeof *x);
    if (hk_sample_sort(sorted, n) == HK_OK)
        (void)hk_quantile(sorted, n, 0.5, &value);
    return value;
}

/* Block 0: job, value; block 1: the levels between steps; block 2: the steps. */
static enum hk_status write_data(const struct values *v, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return HK_ENOMEM;
    fputs("values\n", out);
    for (size_t i = 0; i < v->n; i++)
        fprintf(out, "%lld %.17g\n", (long long)v->raw[i].job, v->number[i]);
    fputs("\n\nlevels\n", out);
    for (size_t i = 0, from = 0; i <= v->steps; i++) {
        const size_t to = i < v->steps ? v->positions[i] : v->n;
        const double level = median_of(v->number + from, to - from);
        fprintf(out, "%lld %.17g\n%lld %.17g\n\n", (long long)v->raw[from].job, level,
                (long long)v->raw[to - 1].job, level);
        from = to;
    }
    fputs("\nsteps\n", out);
    for (size_t i = 0; i < v->steps; i++)
        fprintf(out, "%lld %.17g\n", (long long)v->raw[v->positions[i]].job,
                v->number[v->positions[i]]);
    if (v->steps == 0)
        fputs("NaN NaN\n", out);
    const enum hk_status status =
        fclose(out) == 0 ? hk_file_write(path, text, bytes) : HK_ENOMEM;
    free(text);
    return status;
}

static enum hk_exit draw(const struct hk_history_series *s, const struct values *v,
                         const char *folder, enum hk_figure_format format)
{
    static const struct hk_figure figure = {.name = "series"};
    char scripts[HK_CLI_PATH_BYTES], path[HK_CLI_PATH_BYTES + 32], caption[HK_TEXT_BYTES];
    char kind[300], error[HK_TEXT_BYTES];

    if (hk_cli_scripts_find("track show", scripts) != HK_OK)
        return HK_EXIT_USAGE;
    enum hk_status status = hk_folder_make(folder);
    char *real = status == HK_OK ? realpath(folder, NULL) : NULL;
    snprintf(path, sizeof path, "%s/series.dat", real != NULL ? real : folder);
    if (status == HK_OK)
        status = write_data(v, path);
    if (status != HK_OK) {
        hk_cli_error("track show", "cannot write %s: %s", path, hk_status_text(status));
        free(real);
        return HK_EXIT_USAGE;
    }
    hk_track_series_text(s, kind, sizeof kind);
    snprintf(caption, sizeof caption, "%s, %s; %zu jobs", s->name, kind, v->n);
    status = hk_figure_draw(&figure, scripts, real, format, caption, error);
    if (status != HK_OK)
        hk_cli_error("track show", "%s", error);
    else if (format != HK_FIGURE_TERMINAL)
        printf("%s/series.%s\n", real, hk_figure_format_name(format));
    free(real);
    return status == HK_OK ? HK_EXIT_OK : HK_EXIT_UNMEASURED;
}

/* --- show --------------------------------------------------------------------------------------- */

struct show_options {
    const char *history;
    const char *kind;
    const char *plot;
    const char *format;
    bool terminal;
    bool json;
};

static const struct hk_option show_table[] = {
#define AT(f) offsetof(struct show_options, f)
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"kind", 0, HK_OPTION_TEXT, "NAME", "only ratio, absolute, exact or near series", AT(kind), 0, 0},
    {"plot", 0, HK_OPTION_TEXT, "FOLDER", "draw the one series that matches into FOLDER", AT(plot),
     0, 0},
    {"format", 0, HK_OPTION_TEXT, "NAME", "svg or png (svg)", AT(format), 0, 0},
    {"terminal", 0, HK_OPTION_FLAG, NULL, "draw it with characters, here; data go to --plot",
     AT(terminal), 0, 0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print as JSON", AT(json), 0, 0},
#undef AT
};
static const struct show_options show_defaults = {.history = HK_TRACK_HISTORY, .format = "svg"};

static enum hk_exit show_list(const struct show_options *o, struct hk_history *history,
                              const struct hk_history_list *list)
{
    static struct values values; /* half a kilobyte a point: not on the stack */
    json_t *rows = json_array();
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < list->count && status == HK_OK; i++) {
        status = read_values(history, &list->series[i], &values);
        if (status == HK_OK && o->json)
            json_array_append_new(rows, series_json(&list->series[i], &values));
        else if (status == HK_OK)
            print_series(&list->series[i], &values);
    }
    if (status == HK_OK && o->json) {
        json_dumpf(rows, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(rows);
    return status == HK_OK ? HK_EXIT_OK : hk_track_failed("track show", history, status);
}

static enum hk_exit show_figure(const struct show_options *o, struct hk_history *history,
                                const struct hk_history_list *list)
{
    static struct values values;
    enum hk_figure_format format = HK_FIGURE_TERMINAL;
    if (list->count != 1) {
        hk_cli_error("track show", "%zu series match; a figure is of one, see also --kind",
                     list->count);
        return HK_EXIT_USAGE;
    }
    if (!o->terminal && hk_figure_format_find(o->format, &format) != HK_OK) {
        hk_cli_error("track show", "unknown format '%s'; give svg or png, or --terminal", o->format);
        return HK_EXIT_USAGE;
    }
    const enum hk_status status = read_values(history, list->series, &values);
    return status == HK_OK ? draw(list->series, &values, o->plot, format)
                           : hk_track_failed("track show", history, status);
}

/* Leaves the series of one kind. */
static enum hk_exit keep_kind(struct hk_history_list *list, const char *name)
{
    for (int kind = HK_SERIES_RATIO; kind <= HK_SERIES_NEAR; kind++) {
        if (strcmp(hk_series_kind_name((enum hk_series_kind)kind), name) != 0)
            continue;
        hk_history_list_keep(list, (enum hk_series_kind)kind);
        return HK_EXIT_OK;
    }
    hk_cli_error("track show", "--kind takes ratio, absolute, exact or near, not '%s'", name);
    return HK_EXIT_USAGE;
}

static enum hk_exit run_show(const void *options, int argc, char **argv)
{
    const struct show_options *o = options;
    struct hk_history *history = NULL;
    struct hk_history_list list = {0};

    if (o->terminal && o->plot == NULL) {
        hk_cli_error("track show", "--terminal needs --plot FOLDER for the figure's data");
        return HK_EXIT_USAGE;
    }
    enum hk_exit code = hk_track_open("track show", o->history, false, &history);
    if (code != HK_EXIT_OK)
        return code;
    const enum hk_status status = hk_history_list(history, argc > 0 ? argv[0] : NULL, &list);
    if (status != HK_OK)
        code = hk_track_failed("track show", history, status);
    else if (o->kind != NULL)
        code = keep_kind(&list, o->kind);
    if (code == HK_EXIT_OK && list.count == 0) {
        hk_cli_error("track show", "no series matches");
        code = HK_EXIT_UNMEASURED;
    } else if (code == HK_EXIT_OK) {
        code = o->plot != NULL ? show_figure(o, history, &list) : show_list(o, history, &list);
    }
    hk_history_list_fini(&list);
    hk_history_close(history);
    return code;
}

/* --- log ------------------------------------------------------------------------------------------ */

struct log_options {
    const char *history;
    uint64_t count;
    bool json;
};

static const struct hk_option log_table[] = {
#define AT(f) offsetof(struct log_options, f)
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"count", 'n', HK_OPTION_UINT, "N", "so many lines (20)", AT(count), 1, 1000000},
    {"json", 0, HK_OPTION_FLAG, NULL, "print as JSON", AT(json), 0, 0},
#undef AT
};
static const struct log_options log_defaults = {.history = HK_TRACK_HISTORY, .count = 20};

static void log_line(void *context, const struct hk_history_line *line)
{
    json_t *rows = context;
    if (rows != NULL)
        json_array_append_new(rows, json_pack("{s:I, s:s, s:s, s:s, s:s}", "job",
                                              (json_int_t)line->job, "what", line->what, "subject",
                                              line->subject, "time", line->time, "detail",
                                              line->detail));
    else
        printf("%6lld  %-6s  %-20s  %s  (%s)\n", (long long)line->job, line->what, line->time,
               line->subject, line->detail);
}

static enum hk_exit run_log(const void *options, int argc, char **argv)
{
    const struct log_options *o = options;
    struct hk_history *history = NULL;

    (void)argc, (void)argv;
    enum hk_exit code = hk_track_open("track log", o->history, false, &history);
    if (code != HK_EXIT_OK)
        return code;
    json_t *rows = o->json ? json_array() : NULL;
    const enum hk_status status = hk_history_log(history, o->count, log_line, rows);
    if (status != HK_OK) {
        code = hk_track_failed("track log", history, status);
    } else if (rows != NULL) {
        json_dumpf(rows, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(rows);
    hk_history_close(history);
    return code;
}

/* --- export ------------------------------------------------------------------------------------------ */

struct export_options {
    const char *history;
    const char *format;
    const char *filter;
};

static const struct hk_option export_table[] = {
#define AT(f) offsetof(struct export_options, f)
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"format", 0, HK_OPTION_TEXT, "NAME", "google, bencher, csv or openmetrics", AT(format), 0, 0},
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only series whose name matches", AT(filter), 0, 0},
#undef AT
};
static const struct export_options export_defaults = {.history = HK_TRACK_HISTORY};

static enum hk_exit run_export(const void *options, int argc, char **argv)
{
    const struct export_options *o = options;
    const struct hk_export_format *format = o->format != NULL ? hk_export_find(o->format) : NULL;
    struct hk_history *history = NULL;
    struct hk_history_list list = {0};

    (void)argc, (void)argv;
    if (format == NULL) {
        hk_cli_error("track export", "give --format google, bencher, csv or openmetrics");
        return HK_EXIT_USAGE;
    }
    enum hk_exit code = hk_track_open("track export", o->history, false, &history);
    if (code != HK_EXIT_OK)
        return code;
    enum hk_status status = hk_history_list(history, o->filter, &list);
    if (status == HK_OK && list.count == 0) {
        hk_cli_error("track export", "no series matches");
        code = HK_EXIT_UNMEASURED;
    } else {
        if (status == HK_OK)
            status = format->write(history, &list, stdout);
        if (status != HK_OK)
            code = hk_track_failed("track export", history, status);
    }
    hk_history_list_fini(&list);
    hk_history_close(history);
    return code;
}

/* --- the commands ---------------------------------------------------------------------------------------- */

const struct hk_command hk_cmd_track_show = {
    .name = "track show",
    .arguments = "[REGEX]",
    .summary = "series with their values and steps",
    .details = "REGEX is searched in the names. Each series gets a sparkline of its last 60 values.",
    .options = show_table,
    .option_count = HK_ARRAY_COUNT(show_table),
    .defaults = &show_defaults,
    .options_bytes = sizeof show_defaults,
    .positional_max = 1,
    .run = run_show,
};

const struct hk_command hk_cmd_track_log = {
    .name = "track log",
    .summary = "jobs and acceptances, newest first",
    .options = log_table,
    .option_count = HK_ARRAY_COUNT(log_table),
    .defaults = &log_defaults,
    .options_bytes = sizeof log_defaults,
    .run = run_log,
};

const struct hk_command hk_cmd_track_export = {
    .name = "track export",
    .summary = "the history in another program's format, on standard output",
    .details = "google: Google Benchmark's JSON of the newest values; bencher: Bencher metric\n"
               "format; csv: all jobs, a column per series, as otava reads it; openmetrics: gauges\n"
               "of the newest values for Prometheus.",
    .options = export_table,
    .option_count = HK_ARRAY_COUNT(export_table),
    .defaults = &export_defaults,
    .options_bytes = sizeof export_defaults,
    .run = run_export,
};
