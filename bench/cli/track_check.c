/* SPDX-License-Identifier: MIT */
/* track check: the gate; track accept: what it found is the new normal. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/history/calibration.h"
#include "track.h"

struct check_options {
    const char *history;
    const char *out;
    const char *filter;
    uint64_t bound_percent;
    uint64_t floor;
    bool all;
    bool json;
    bool markdown;
};

static const struct hk_option check_table[] = {
#define AT(f) offsetof(struct check_options, f)
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only series whose name matches", AT(filter), 0, 0},
    {"bound", 0, HK_OPTION_UINT, "PERCENT", "times may change by so much (3)", AT(bound_percent), 0,
     1000},
    {"floor", 0, HK_OPTION_UINT, "N", "exact counts may change by so many instructions (5)",
     AT(floor), 0, 1000000000},
    {"all", 0, HK_OPTION_FLAG, NULL, "also series that the newest commit did not measure", AT(all),
     0, 0},
    {"out", 'o', HK_OPTION_TEXT, "FOLDER", "where hkbench calibrate left its findings (results)",
     AT(out), 0, 0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print as JSON", AT(json), 0, 0},
    {"markdown", 0, HK_OPTION_FLAG, NULL, "print for a pull request", AT(markdown), 0, 0},
#undef AT
};
static const struct check_options check_defaults = {
    .history = HK_TRACK_HISTORY, .out = "results", .bound_percent = 3, .floor = 5};

/* Everything that is said about a check. */
struct report {
    struct hk_history *history;
    struct hk_track_check check;
    bool advisory;
    char calibration[HK_TEXT_BYTES]; /* one line */
};

static bool is_timed(const struct hk_track_row *row)
{
    return row->series->kind == HK_SERIES_RATIO || row->series->kind == HK_SERIES_ABSOLUTE;
}

/* --- words ---------------------------------------------------------------------------- */

static void between(struct report *r, const struct hk_track_row *row, char *text, size_t capacity)
{
    struct hk_history_entry before, after;
    snprintf(text, capacity, "-");
    if (row->job_after != 0 && hk_history_job_read(r->history, row->job_before, &before) == HK_OK &&
        hk_history_job_read(r->history, row->job_after, &after) == HK_OK)
        snprintf(text, capacity, "%.12s..%.12s", before.commit, after.commit);
}

static void coverage(const struct hk_track_check *c, char *text, size_t capacity)
{
    snprintf(text, capacity,
             "judged %zu of %zu series: %zu steady, %zu faster, %zu slower, %zu suspect; %zu not "
             "judged, %zu not measured in the newest commit",
             c->judged_count, c->count + c->elsewhere_count, c->verdicts[HK_TRACK_STEADY],
             c->verdicts[HK_TRACK_FASTER], c->verdicts[HK_TRACK_SLOWER],
             c->verdicts[HK_TRACK_SUSPECT], c->verdicts[HK_TRACK_UNJUDGED], c->elsewhere_count);
}

static void print_row(struct report *r, const struct hk_track_row *row, bool markdown)
{
    char kind[300], before[32] = "-", after[32] = "-", where[64];
    hk_track_series_text(row->series, kind, sizeof kind);
    if (row->before != 0 || row->after != 0) {
        hk_track_value_text(row->series, row->before, before, sizeof before);
        hk_track_value_text(row->series, row->after, after, sizeof after);
    }
    between(r, row, where, sizeof where);
    if (markdown)
        printf("| %s | `%s` | %s | %s | %s | %s | %s |\n", hk_track_verdict_name(row->verdict),
               row->series->name, kind, before, after, where, row->reason);
    else
        printf("%-10s  %s\n            %s: %s -> %s; %s%s%s\n", hk_track_verdict_name(row->verdict),
               row->series->name, kind, before, after, row->reason,
               where[0] != '-' ? "; commits " : "", where[0] != '-' ? where : "");
}

/* What needs attention first; the steady ones are a number in the last line. */
static const enum hk_track_verdict order[] = {HK_TRACK_SLOWER, HK_TRACK_SUSPECT, HK_TRACK_FASTER};

static void print_rows(struct report *r, bool markdown)
{
    for (size_t v = 0; v < HK_ARRAY_COUNT(order); v++)
        for (size_t i = 0; i < r->check.count; i++)
            if (r->check.rows[i].verdict == order[v])
                print_row(r, &r->check.rows[i], markdown);
}

static void print_text(struct report *r)
{
    char line[400];
    print_rows(r, false);
    coverage(&r->check, line, sizeof line);
    printf("%s\n%s\n", line, r->calibration);
}

static void print_markdown(struct report *r)
{
    char line[400];
    const struct hk_track_check *c = &r->check;
    coverage(c, line, sizeof line);
    printf("### hkbench: %s\n\n", c->verdicts[HK_TRACK_SLOWER] > 0 ? "slower"
                                  : c->verdicts[HK_TRACK_SUSPECT] > 0 ? "undecided" : "no regression");
    if (c->count - c->verdicts[HK_TRACK_STEADY] - c->verdicts[HK_TRACK_UNJUDGED] > 0) {
        puts("| verdict | benchmark | series | before | now | commits | why |\n"
             "|---|---|---|---:|---:|---|---|");
        print_rows(r, true);
        putchar('\n');
    }
    printf("%s.\n\n%s.\n", line, r->calibration);
}

static json_t *row_json(struct report *r, const struct hk_track_row *row)
{
    char where[64];
    between(r, row, where, sizeof where);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:s}", "verdict",
                             hk_track_verdict_name(row->verdict), "name", row->series->name,
                             "metric", row->series->metric, "kind",
                             hk_series_kind_name(row->series->kind), "basis", row->series->basis,
                             "values_count", (json_int_t)row->count, "before", row->before, "after",
                             row->after, "p_adjusted", row->p_adjusted, "reason", row->reason);
    if (where[0] != '-')
        json_object_set_new(json, "commits", json_string(where));
    return json;
}

static void print_json(struct report *r, enum hk_exit code)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < r->check.count; i++)
        json_array_append_new(rows, row_json(r, &r->check.rows[i]));
    json_t *root = json_pack("{s:i, s:b, s:s, s:I, s:I, s:I, s:o}", "exit_status", (int)code,
                             "advisory", (int)r->advisory, "calibration", r->calibration,
                             "series_count", (json_int_t)(r->check.count + r->check.elsewhere_count),
                             "judged_count", (json_int_t)r->check.judged_count, "elsewhere_count",
                             (json_int_t)r->check.elsewhere_count, "series", rows);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

/* --- the gate --------------------------------------------------------------------------- */

/* Is this machine's rate of false alarms known, and is it what it is meant to be? */
static void ask_calibration(struct report *r, const char *root)
{
    struct hk_history_entry newest;
    struct hk_calibration calibration;
    char ignored[HK_TEXT_BYTES];
    int64_t number = 0;

    snprintf(r->calibration, sizeof r->calibration,
             "false alarms are not measured on this machine; hkbench calibrate does");
    if (hk_history_newest(r->history, &number) != HK_OK ||
        hk_history_job_read(r->history, number, &newest) != HK_OK ||
        hk_calibration_read(root, newest.machine, &calibration, ignored) != HK_OK)
        return;
    const struct hk_calibration_path *path = &calibration.paths[HK_PATH_HISTORY];
    r->advisory = hk_calibration_advisory(&calibration, HK_PATH_HISTORY, r->calibration);
    if (!r->advisory && path->trials > 0)
        snprintf(r->calibration, sizeof r->calibration,
                 "false alarms on this machine: %llu of %llu [%.1f %%, %.1f %%]",
                 (unsigned long long)path->rejections, (unsigned long long)path->trials,
                 100 * path->lower_ratio, 100 * path->upper_ratio);
}

static enum hk_exit gate(const struct report *r)
{
    bool undecided = r->check.verdicts[HK_TRACK_SUSPECT] > 0 || r->check.judged_count == 0;
    if (r->check.count == 0)
        return HK_EXIT_UNMEASURED;
    for (size_t i = 0; i < r->check.count; i++) {
        const struct hk_track_row *row = &r->check.rows[i];
        if (row->verdict != HK_TRACK_SLOWER)
            continue;
        if (!is_timed(row) || !r->advisory)
            return HK_EXIT_REFUTED;
        undecided = true;
    }
    return undecided ? HK_EXIT_UNDECIDED : HK_EXIT_OK;
}

static struct hk_track_options judging_options(const char *filter, uint64_t bound_percent,
                                               uint64_t floor, bool all)
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct hk_track_options options = hk_track_defaults;
    options.filter = filter;
    options.difference_ratio = (double)bound_percent / 100;
    options.floor_instructions = (double)floor;
    options.thread_count = cpus > 0 ? (size_t)cpus : 1;
    options.every_series = all;
    return options;
}

static enum hk_exit run_check(const void *values, int argc, char **argv)
{
    const struct check_options *o = values;
    const struct hk_track_options options =
        judging_options(o->filter, o->bound_percent, o->floor, o->all);
    struct report r = {0};

    (void)argc, (void)argv;
    enum hk_exit code = hk_track_open("track check", o->history, false, &r.history);
    if (code != HK_EXIT_OK)
        return code;
    const enum hk_status status = hk_track_check(r.history, &options, &r.check);
    if (status != HK_OK) {
        code = hk_track_failed("track check", r.history, status);
        hk_history_close(r.history);
        return code;
    }
    ask_calibration(&r, o->out);
    code = gate(&r);
    if (code == HK_EXIT_UNMEASURED)
        hk_cli_error("track check", "%s: no series to judge; add one with: hkbench track add",
                     o->history);
    else if (o->json)
        print_json(&r, code);
    else if (o->markdown)
        print_markdown(&r);
    else
        print_text(&r);
    hk_track_check_fini(&r.check);
    hk_history_close(r.history);
    return code;
}

/* --- accept ---------------------------------------------------------------------------------- */

struct accept_options {
    const char *history;
    const char *reason;
    uint64_t bound_percent;
    uint64_t floor;
};

static const struct hk_option accept_table[] = {
#define AT(f) offsetof(struct accept_options, f)
    {"history", 0, HK_OPTION_TEXT, "FILE", "the history (" HK_TRACK_HISTORY ")", AT(history), 0, 0},
    {"reason", 'm', HK_OPTION_TEXT, "TEXT", "why it is right that it changed", AT(reason), 0, 0},
    {"bound", 0, HK_OPTION_UINT, "PERCENT", "as given to track check (3)", AT(bound_percent), 0,
     1000},
    {"floor", 0, HK_OPTION_UINT, "N", "as given to track check (5)", AT(floor), 0, 1000000000},
#undef AT
};
static const struct accept_options accept_defaults = {
    .history = HK_TRACK_HISTORY, .bound_percent = 3, .floor = 5};

/* The job from which on a row's level is normal; 0 when there is nothing to accept. */
static int64_t accepted_from(struct hk_history *history, const struct hk_track_row *row)
{
    struct hk_history_value first;
    if (row->verdict == HK_TRACK_SLOWER || row->verdict == HK_TRACK_FASTER)
        return row->job_after;
    /* A suspect time is one value: it is measured again. A suspect count is another counter. */
    if (row->verdict == HK_TRACK_SUSPECT && !is_timed(row) &&
        hk_history_first(history, row->series->id, 0, &first) == HK_OK)
        return first.job;
    return 0;
}

static enum hk_exit accept_all(const struct accept_options *o, struct hk_history *history,
                               const struct hk_track_check *check)
{
    char now[40];
    size_t accepted = 0;
    hk_track_now(now);
    for (size_t i = 0; i < check->count; i++) {
        const struct hk_track_row *row = &check->rows[i];
        const int64_t job = accepted_from(history, row);
        if (job == 0)
            continue;
        const enum hk_status status =
            hk_history_accept(history, row->series->id, job, now, o->reason);
        if (status != HK_OK)
            return hk_track_failed("track accept", history, status);
        printf("accepted from job %lld on: %s %s\n", (long long)job, row->series->name,
               row->series->metric);
        accepted++;
    }
    if (accepted > 0)
        return HK_EXIT_OK;
    hk_cli_error("track accept", "nothing to accept: no series that matches has changed");
    return HK_EXIT_USAGE;
}

static enum hk_exit run_accept(const void *values, int argc, char **argv)
{
    const struct accept_options *o = values;
    struct hk_history *history = NULL;
    struct hk_track_check check = {0};

    if (argc == 0 || o->reason == NULL || o->reason[strspn(o->reason, " \t\n")] == '\0') {
        hk_cli_error("track accept", "name the series and why: hkbench track accept REGEX --reason "
                                     "TEXT");
        return HK_EXIT_USAGE;
    }
    const struct hk_track_options options =
        judging_options(argv[0], o->bound_percent, o->floor, false);
    enum hk_exit code = hk_track_open("track accept", o->history, false, &history);
    if (code != HK_EXIT_OK)
        return code;
    const enum hk_status status = hk_track_check(history, &options, &check);
    code = status == HK_OK ? accept_all(o, history, &check)
                           : hk_track_failed("track accept", history, status);
    hk_track_check_fini(&check);
    hk_history_close(history);
    return code;
}

const struct hk_command hk_cmd_track_check = {
    .name = "track check",
    .summary = "say what the newest commit changed",
    .details =
        "Exact counts are compared with the accepted level as integers. Times are searched for\n"
        "steps and drifts over the last 60 jobs since the accepted level, all series together:\n"
        "one finding in a hundred is false. A single value that stands out is a suspect, to be\n"
        "measured again. Exit status: 0 nothing is slower, 1 something is, 2 usage, 3 there is\n"
        "nothing to judge, 4 undecided: suspects, too few jobs yet, or a machine whose false\n"
        "alarms are too many.",
    .options = check_table,
    .option_count = HK_ARRAY_COUNT(check_table),
    .defaults = &check_defaults,
    .options_bytes = sizeof check_defaults,
    .run = run_check,
};

const struct hk_command hk_cmd_track_accept = {
    .name = "track accept",
    .arguments = "REGEX",
    .summary = "a change is right: its level is the new normal",
    .details = "Accepts what track check finds in the series whose name matches. Once is enough;\n"
               "the reason stands in track log.",
    .options = accept_table,
    .option_count = HK_ARRAY_COUNT(accept_table),
    .defaults = &accept_defaults,
    .options_bytes = sizeof accept_defaults,
    .positional_max = 1,
    .run = run_accept,
};
