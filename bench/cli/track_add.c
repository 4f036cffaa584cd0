/* SPDX-License-Identifier: MIT */
/* track add: one job of one commit; track import: what was measured before there was a history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/history/import.h"
#include "track.h"
#include "track_input.h"

enum { IMPORTS_MAX = 10000, EXPORT_BYTES_MAX = 256 << 20 };

struct add_options {
    const char *history;
    const char *out;
    const char *reference;
    const char *pin;
    const char *commit;
    const char *metric;
};

#define AT(f) offsetof(struct add_options, f)
static const struct hk_option add_table[] = {
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"out", 'o', HK_OPTION_TEXT, "FOLDER", "results folder to look for the newest run in (results)",
     AT(out), 0, 0},
    {"commit", 'c', HK_OPTION_TEXT, "ID", "what was measured ($GITHUB_SHA, $CI_COMMIT_SHA)",
     AT(commit), 0, 0},
    {"reference", 'r', HK_OPTION_TEXT, "RUN", "the pinned reference, measured in the same job",
     AT(reference), 0, 0},
    {"pin", 0, HK_OPTION_TEXT, "NAME", "name of that reference (\"reference\")", AT(pin), 0, 0},
    {"metric", 0, HK_OPTION_TEXT, "COUNTER_ns", "this counter instead of times and instructions",
     AT(metric), 0, 0},
};
static const struct hk_option import_table[] = {
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"metric", 0, HK_OPTION_TEXT, "COUNTER_ns", "this counter instead of times and instructions",
     AT(metric), 0, 0},
};
#undef AT
static const struct add_options defaults = {
    .history = HK_TRACK_HISTORY, .out = "results", .pin = "reference"};

/* A cost is judged on a logarithmic scale with a floor in ns; other counters are none. */
static bool metric_is_time(const char *command, const char *metric)
{
    const size_t n = metric != NULL ? strlen(metric) : 0;
    if (metric == NULL || (n > 3 && strcmp(metric + n - 3, "_ns") == 0))
        return true;
    hk_cli_error(command, "--metric takes a counter in ns such as hk_latency_ns or cost_ns, not "
                 "'%s'", metric);
    return false;
}

static enum hk_exit add_run(const char *command, struct hk_history *history,
                            const struct hk_history_source *source, const char *commit)
{
    struct hk_history_points points;
    char error[HK_TEXT_BYTES], now[40];
    int64_t number = 0;

    enum hk_status status = hk_history_collect(source, &points, error);
    if (status != HK_OK) {
        hk_cli_error(command, "%s", error);
        return status == HK_EMACHINE ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
    }
    hk_track_now(now);
    const struct hk_history_job job = {
        .commit = commit,
        .time = source->run->started[0] != '\0' ? source->run->started : now,
        .machine = source->run->machine_id,
        .source = source->run->path,
    };
    status = hk_history_add(history, &job, &points, &number);
    enum hk_exit code = HK_EXIT_OK;
    if (status != HK_OK) {
        code = hk_track_failed(command, history, status);
    } else {
        printf("job %lld: %zu values of commit %s on %s\n", (long long)number, points.count, commit,
               job.machine);
        if (points.left_out_count > 0)
            printf("%zu cells left out; the first: %s\n", points.left_out_count, points.left_out);
    }
    hk_history_points_fini(&points);
    return code;
}

/* --- add ---------------------------------------------------------------------------- */

static const char *commit_of(const struct add_options *o)
{
    static const char *const variables[] = {"GITHUB_SHA", "CI_COMMIT_SHA"};
    const char *commit = o->commit;
    for (size_t i = 0; commit == NULL && i < HK_ARRAY_COUNT(variables); i++)
        commit = getenv(variables[i]);
    if (commit == NULL || commit[0] == '\0')
        hk_cli_error("track add", "what was measured? give --commit ID");
    return commit != NULL && commit[0] != '\0' ? commit : NULL;
}

static enum hk_exit add_to(const struct add_options *o, const char *commit,
                           const struct hk_run *run, const struct hk_run *reference)
{
    struct hk_history *history = NULL;
    const struct hk_history_source source = {
        .run = run, .reference = reference, .pin = o->pin, .metric = o->metric};
    enum hk_exit code = hk_track_open("track add", o->history, true, &history);
    if (code == HK_EXIT_OK)
        code = add_run("track add", history, &source, commit);
    hk_history_close(history);
    return code;
}

static enum hk_exit run_add(const void *values, int argc, char **argv)
{
    const struct add_options *o = values;
    const char *path = argc > 0 ? argv[0] : NULL;
    char latest[4096];
    struct hk_run run, reference;
    enum hk_exit code = HK_EXIT_USAGE;

    const char *commit = commit_of(o);
    if (commit == NULL || !metric_is_time("track add", o->metric))
        return HK_EXIT_USAGE;
    if (path == NULL && hk_run_latest(o->out, NULL, latest, sizeof latest) != HK_OK) {
        hk_cli_error("track add", "no run under '%s'; measure one with: hkbench run", o->out);
        return HK_EXIT_USAGE;
    }
    if (hk_track_input("track add", path != NULL ? path : latest, &run) != HK_OK)
        return HK_EXIT_USAGE;
    if (o->reference == NULL) {
        code = add_to(o, commit, &run, NULL);
    } else if (hk_track_input("track add", o->reference, &reference) == HK_OK) {
        code = add_to(o, commit, &run, &reference);
        hk_run_fini(&reference);
    }
    hk_run_fini(&run);
    return code;
}

/* --- import ---------------------------------------------------------------------------- */

/* A file that a history was exported to holds many jobs, each with its own commit. */
static bool is_export(const char *path, char **text, size_t *bytes)
{
    static const char start[] = HK_HISTORY_CSV_START;
    char head[sizeof start] = "";
    FILE *file = fopen(path, "r");
    const bool found = file != NULL && fread(head, 1, sizeof start - 1, file) == sizeof start - 1 &&
                       strcmp(head, start) == 0;
    if (file != NULL)
        fclose(file);
    return found && hk_file_read(path, EXPORT_BYTES_MAX, text, bytes) == HK_OK;
}

static enum hk_exit import_export(struct hk_history *history, const char *path, char *text,
                                  size_t bytes)
{
    char error[HK_TEXT_BYTES];
    size_t added;
    const enum hk_status status =
        hk_history_import_csv(history, text, bytes, path, &added, error);
    if (status == HK_OK) {
        printf("%zu jobs of an exported history\n", added);
        return HK_EXIT_OK;
    }
    hk_cli_error("track import", "%s", error);
    return status == HK_EPARSE || status == HK_EEXIST ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
}

static enum hk_exit import_one(const struct add_options *o, struct hk_history *history,
                               const char *path)
{
    struct hk_run run;
    char name[4096], *text = NULL;
    size_t bytes = 0;

    if (is_export(path, &text, &bytes)) {
        const enum hk_exit code = import_export(history, path, text, bytes);
        free(text);
        return code;
    }
    if (hk_track_input("track import", path, &run) != HK_OK)
        return HK_EXIT_USAGE;
    /* The commit is what the file is called. */
    snprintf(name, sizeof name, "%s", path);
    for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
        name[n - 1] = '\0';
    char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
    char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base)
        *dot = '\0';
    const struct hk_history_source source = {.run = &run, .metric = o->metric};
    const enum hk_exit code = add_run("track import", history, &source, base);
    hk_run_fini(&run);
    return code;
}

static enum hk_exit run_import(const void *values, int argc, char **argv)
{
    const struct add_options *o = values;
    struct hk_history *history = NULL;

    if (argc == 0) {
        hk_cli_error("track import", "name the files or run folders, oldest first");
        return HK_EXIT_USAGE;
    }
    if (!metric_is_time("track import", o->metric))
        return HK_EXIT_USAGE;
    enum hk_exit code = hk_track_open("track import", o->history, true, &history);
    for (int i = 0; i < argc && code == HK_EXIT_OK; i++)
        code = import_one(o, history, argv[i]);
    hk_history_close(history);
    return code;
}

const struct hk_command hk_cmd_track_add = {
    .name = "track add",
    .arguments = "[RUN]",
    .summary = "add a run to the history",
    .details = "RUN is a run folder, JSON or CSV of Google Benchmark, or a folder of such files, one\n"
               "for each start of the program; without it, the newest run of the results folder.\n"
               "With --reference each time is also kept as a ratio to it: what the machine does to\n"
               "both cancels. Without it times are compared on one machine and kernel only. Exact\n"
               "counts need no reference.",
    .options = add_table,
    .option_count = HK_ARRAY_COUNT(add_table),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .positional_max = 1,
    .run = run_add,
};

const struct hk_command hk_cmd_track_import = {
    .name = "track import",
    .arguments = "FILE...",
    .summary = "add older results, oldest first",
    .details = "FILE is JSON or CSV of Google Benchmark, or a run folder: a job, whose commit is the\n"
               "name of the file without its ending. Or it is what track export --format csv wrote:\n"
               "all its jobs, in their order; what was accepted is not in it.",
    .options = import_table,
    .option_count = HK_ARRAY_COUNT(import_table),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .positional_max = IMPORTS_MAX,
    .run = run_import,
};
