/* SPDX-License-Identifier: MIT */
/* The same thing against itself, many times: how often a verdict cries wolf on this machine. */
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "commands.h"
#include "hk/base/units.h"
#include "hk/compare/compare.h"
#include "hk/counters/clock.h"
#include "hk/run/run.h"
#include "hk/stats/change.h"
#include "hk/stats/paired.h"
#include "hk/stats/summary.h"
#include "progress.h"
#include "track.h"

enum { LAUNCHES_MAX = 100, PAIR_ROUNDS = 20, JOBS = 20 };

/* Sides that are measured apart: their drift shows in ten cells or more. */
enum { APART_CELLS_MIN = 10, APART_LAUNCHES = 3 };
static const char apart_cells[] =
    "^native/(syscall/getppid|round_trip/(pipe|vmsplice|unix_stream|unix_dgram|unix_seqpacket|udp|"
    "tcp|posix_mq|sysv_msg|eventfd_shm|sysv_sem_shm|futex_ring)/place:same_core/bytes:64$)";

static const double compare_alpha = 0.05;
static const double history_alpha = 0.01;
static const double power = 0.8;
static const uint64_t block_ns = HK_NS_PER_MS;

struct calibrate_options {
    const char *out;
    const char *cell;
    const char *path;
    uint64_t comparisons;
    uint64_t launches;
    uint64_t plan_percent;
    uint64_t seed;
    bool json;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct calibrate_options, f)
    {"cell", 0, HK_OPTION_TEXT, "NAME", "what is compared with itself (a pipe's round trip)",
     AT(cell), 0, 0},
    {"path", 0, HK_OPTION_TEXT, "NAME", "only one way to compare: paired, interleaved, history or "
     "apart (all)", AT(path), 0, 0},
    {"comparisons", 0, HK_OPTION_UINT, "N", "so many (40)", AT(comparisons), 1, 1000},
    {"launches", 0, HK_OPTION_UINT, "N", "per side of a comparison (10)", AT(launches), 6,
     LAUNCHES_MAX},
    {"plan", 0, HK_OPTION_UINT, "PERCENT", "measure nothing: say how many launches show a change "
     "of so much", AT(plan_percent), 1, 1000},
    {"out", 'o', HK_OPTION_TEXT, "FOLDER", "results folder; it is kept there (results)", AT(out), 0,
     0},
    {"seed", 0, HK_OPTION_UINT, "N", "of order and contents (from the clock)", AT(seed), 1,
     UINT64_MAX},
    {"json", 0, HK_OPTION_FLAG, NULL, "print as JSON", AT(json), 0, 0},
#undef AT
};
static const struct calibrate_options defaults = {
    .out = "results",
    .cell = "native/round_trip/pipe/place:same_core/bytes:64",
    .comparisons = 40,
    .launches = 10,
};

/* The program itself, whatever its path is by now. */
static const char *const launch_command[] = {"/proc/self/exe", "launch", NULL};

static volatile sig_atomic_t stopped;

/* The second Ctrl-C ends the program at once; its launches die with it. */
static void on_signal(int number)
{
    stopped = 1;
    signal(number, SIG_DFL);
}

struct session {
    const struct calibrate_options *options;
    uint64_t seed;
    struct hk_progress bar;
    uint64_t done;
    uint64_t total; /* of the path being measured */
    size_t count; /* differences so far, of the path being measured */
    double *differences_ln;
    char error[HK_TEXT_BYTES];
};

static void step(struct session *s, enum hk_verdict_path path)
{
    s->done++;
    hk_progress_show(&s->bar, s->done < s->total ? s->done : s->total, s->total,
                     hk_verdict_path_name(path));
}

/* --- one difference of each kind ------------------------------------------------------------- */

static enum hk_status pair_once(struct session *s, uint64_t index, double *difference_ln)
{
    const struct hk_pair_plan plan = {
        .a = s->options->cell, .b = s->options->cell, .launches = 1, .rounds = PAIR_ROUNDS,
        .block_ns = block_ns, .seed = s->seed + index, .launch_command = launch_command,
        .stop = &stopped};
    size_t count = 0;
    return hk_pair_run(&plan, difference_ln, &count, s->error);
}

static enum hk_status launch_once(struct session *s, uint64_t index, double *time_ns)
{
    const struct hk_cell_plan plan = {.cell = s->options->cell, .index = (uint32_t)index,
                                      .seed = s->seed, .launch_command = launch_command,
                                      .stop = &stopped};
    struct hk_launch launch;
    enum hk_status status = hk_cell_launch(&plan, &launch);
    if (status != HK_OK)
        return status;
    if (launch.state != HK_LAUNCH_OK || !hk_launch_time_ns(&launch, time_ns) || !(*time_ns > 0)) {
        status = launch.state == HK_LAUNCH_UNAVAILABLE ? HK_ENOTSUP : HK_EIO;
        snprintf(s->error, sizeof s->error, "%s",
                 launch.reason != NULL ? launch.reason : "a launch gave no time");
    }
    hk_launch_fini(&launch);
    return status;
}

static enum hk_status turn_once(struct session *s, uint64_t index, double *difference_ln)
{
    double first_ns = 0, second_ns = 0;
    enum hk_status status = launch_once(s, 2 * index, &first_ns);
    if (status == HK_OK)
        status = launch_once(s, 2 * index + 1, &second_ns);
    if (status == HK_OK) /* which of the two goes first changes, as it does in a comparison */
        *difference_ln = index % 2 == 0 ? log(second_ns / first_ns) : log(first_ns / second_ns);
    return status;
}

/* --- rates ------------------------------------------------------------------------------------- */

static enum hk_status measure(struct session *s, enum hk_verdict_path path)
{
    const uint64_t wanted = s->options->comparisons * s->options->launches;
    s->count = 0;
    s->done = 0;
    s->total = wanted;
    /* A launch that failed is replaced; a cell that fails every other time is not measured. */
    for (uint64_t i = 0; i < 2 * wanted && s->count < wanted; i++) {
        const enum hk_status status = path == HK_PATH_PAIRED
                                          ? pair_once(s, i, &s->differences_ln[s->count])
                                          : turn_once(s, i, &s->differences_ln[s->count]);
        if (status == HK_OK)
            step(s, path);
        if (stopped || status == HK_EINTR)
            return HK_EINTR;
        if (status == HK_ENOTSUP || status == HK_EINVAL)
            return status;
        s->count += status == HK_OK;
    }
    return s->count >= s->options->launches ? HK_OK : HK_EIO;
}

static enum hk_status spread(const struct session *s, struct hk_calibration_path *p)
{
    struct hk_summary summary;
    double *scratch = malloc(s->count * sizeof *scratch);
    const enum hk_status status =
        scratch == NULL ? HK_ENOMEM
                        : hk_summary_compute(s->differences_ln, s->count, scratch, &summary);
    if (status == HK_OK)
        p->difference_sd_ln = summary.sd;
    free(scratch);
    return status;
}

static enum hk_status count_comparisons(const struct session *s, struct hk_calibration_path *p)
{
    const size_t n = (size_t)s->options->launches;
    const struct hk_paired_options test = {.alpha = compare_alpha, .test = HK_PAIRED_WILCOXON};
    *p = (struct hk_calibration_path){.nominal_ratio = compare_alpha};
    for (size_t from = 0; from + n <= s->count; from += n) {
        struct hk_paired paired;
        const enum hk_status status =
            hk_paired_compare(s->differences_ln + from, n, &test, &paired);
        if (status != HK_OK)
            return status;
        p->trials++;
        p->rejections += paired.p_two_sided <= compare_alpha;
    }
    return spread(s, p);
}

/* The same differences, taken for a history: one a job. */
static enum hk_status count_changes(const struct session *s, struct hk_calibration_path *p)
{
    const struct hk_change_options test = {.permutations_max = 999, .seed = 1};
    *p = (struct hk_calibration_path){.nominal_ratio = history_alpha};
    for (size_t from = 0; from + JOBS <= s->count; from += JOBS) {
        struct hk_change change;
        const enum hk_status status =
            hk_change_test(s->differences_ln + from, JOBS, &test, &change);
        if (status != HK_OK)
            return status;
        p->trials++;
        p->rejections += change.p_value <= history_alpha;
    }
    return spread(s, p);
}

/* --- one side, then the other -------------------------------------------------------------------- */

/* One cell of a side. A launch that failed is replaced; what cannot be had here is left out. */
static enum hk_status measure_apart_cell(const char *cell, uint64_t seed, struct hk_run *run)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < 2 * APART_LAUNCHES && good < APART_LAUNCHES; i++) {
        const struct hk_cell_plan plan = {.cell = cell, .index = i, .seed = seed,
                                          .launch_command = launch_command, .stop = &stopped};
        struct hk_launch *launch = &run->launches[run->launch_count];
        const enum hk_status status = hk_cell_launch(&plan, launch);
        if (status != HK_OK)
            return stopped ? HK_EINTR : status;
        run->launch_count++;
        if (stopped)
            return HK_EINTR;
        good += launch->state == HK_LAUNCH_OK;
        if (launch->state == HK_LAUNCH_UNAVAILABLE)
            break;
    }
    return HK_OK;
}

/* A side: some launches of each cell, cell after cell. */
static enum hk_status measure_side(struct session *s, const struct hk_cells *cells, uint64_t seed,
                                   struct hk_run *run)
{
    enum hk_status status = HK_OK;

    run->launches = calloc(2 * cells->count * APART_LAUNCHES, sizeof *run->launches);
    if (run->launches == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < cells->count && status == HK_OK; i++) {
        status = measure_apart_cell(cells->names[i], seed, run);
        step(s, HK_PATH_APART);
    }
    return status;
}

/* Adds the differences of the cells, and whether any of them came out changed. */
static enum hk_status compare_apart(struct session *s, const struct hk_run sides[2],
                                    struct hk_calibration_path *p)
{
    const struct hk_rule rule = {.alpha = compare_alpha, .seed = 1};
    struct hk_comparison c;
    const enum hk_status status = hk_compare_runs(&sides[0], &sides[1], &rule, &c, s->error);
    size_t judged = 0;

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < c.finding_count; i++) {
        if (strcmp(c.findings[i].quantity, "time") != 0 || !(c.findings[i].p >= 0))
            continue;
        judged++;
        s->differences_ln[s->count++] = log(c.findings[i].ratio);
    }
    p->trials += judged >= APART_CELLS_MIN;
    p->rejections += judged >= APART_CELLS_MIN && c.verdict_count[HK_PAIRED_SLOWER] +
                                                          c.verdict_count[HK_PAIRED_FASTER] > 0;
    hk_comparison_fini(&c);
    return HK_OK;
}

static void side_fini(struct hk_run *run)
{
    for (size_t i = 0; i < run->launch_count; i++)
        hk_launch_fini(&run->launches[i]);
    free(run->launches);
}

static enum hk_status apart_once(struct session *s, const struct hk_cells *cells, uint64_t index,
                                 struct hk_calibration_path *p)
{
    static char machine[] = "this", record[] = "{}", none[] = "";
    struct hk_run sides[2];
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < 2; i++)
        sides[i] = (struct hk_run){.path = none, .machine_id = machine, .machine_json = record};
    for (size_t i = 0; i < 2 && status == HK_OK; i++)
        status = measure_side(s, cells, s->seed + 2 * index + i, &sides[i]);
    if (status == HK_OK)
        status = compare_apart(s, sides, p);
    side_fini(&sides[0]);
    side_fini(&sides[1]);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum hk_status measure_apart(struct session *s, struct hk_calibration_path *p)
{
    struct hk_cells cells;
    enum hk_status status = hk_cells_expand(HK_RUN_QUICK, apart_cells, &cells, s->error);

    if (status != HK_OK)
        return status;
    qsort(cells.names, cells.count, sizeof *cells.names, by_name); /* as a run is read */
    *p = (struct hk_calibration_path){.nominal_ratio = compare_alpha};
    s->count = 0;
    s->done = 0;
    s->total = 2 * s->options->comparisons * cells.count;
    free(s->differences_ln);
    s->differences_ln = calloc(s->options->comparisons * cells.count, sizeof *s->differences_ln);
    status = s->differences_ln != NULL ? HK_OK : HK_ENOMEM;
    for (uint64_t i = 0; i < s->options->comparisons && status == HK_OK; i++)
        status = apart_once(s, &cells, i, p);
    hk_cells_fini(&cells);
    if (status == HK_OK && p->trials == 0) {
        snprintf(s->error, sizeof s->error, "fewer than %d cells could be measured; see hkbench "
                 "doctor", APART_CELLS_MIN);
        return HK_EEMPTY;
    }
    return status == HK_OK ? spread(s, p) : status;
}

/* --- all ways ------------------------------------------------------------------------------------ */

static bool is_wanted(const struct session *s, enum hk_verdict_path path)
{
    return s->options->path == NULL || strcmp(s->options->path, hk_verdict_path_name(path)) == 0;
}

static enum hk_status calibrate_turns(struct session *s, struct hk_calibration *c)
{
    enum hk_status status = measure(s, HK_PATH_INTERLEAVED);
    if (status == HK_OK && is_wanted(s, HK_PATH_INTERLEAVED))
        status = count_comparisons(s, &c->paths[HK_PATH_INTERLEAVED]);
    if (status == HK_OK && is_wanted(s, HK_PATH_HISTORY))
        status = count_changes(s, &c->paths[HK_PATH_HISTORY]);
    return status;
}

/* The others stay as they were. */
static enum hk_status calibrate(struct session *s, struct hk_calibration *c)
{
    enum hk_status status = HK_OK;
    if (is_wanted(s, HK_PATH_PAIRED)) {
        status = measure(s, HK_PATH_PAIRED);
        if (status == HK_OK)
            status = count_comparisons(s, &c->paths[HK_PATH_PAIRED]);
    }
    if (status == HK_OK && (is_wanted(s, HK_PATH_INTERLEAVED) || is_wanted(s, HK_PATH_HISTORY)))
        status = calibrate_turns(s, c);
    if (status == HK_OK && is_wanted(s, HK_PATH_APART))
        status = measure_apart(s, &c->paths[HK_PATH_APART]);
    return status;
}

/* --- what is said ---------------------------------------------------------------------------------- */

static void print_text(const struct hk_calibration *c)
{
    char advice[HK_TEXT_BYTES];
    printf("the same against itself on %s, %s\n", c->machine, c->time);
    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        const struct hk_calibration_path *p = &c->paths[i];
        const char *name = hk_verdict_path_name((enum hk_verdict_path)i);
        if (p->trials == 0) {
            printf("%-12s not calibrated: more comparisons are needed\n", name);
            continue;
        }
        printf("%-12s %llu of %llu came out different [%.1f %%, %.1f %%], %.0f %% are meant to; "
               "spread between launches %.1f %%\n",
               name, (unsigned long long)p->rejections, (unsigned long long)p->trials,
               100 * p->lower_ratio, 100 * p->upper_ratio, 100 * p->nominal_ratio,
               100 * expm1(p->difference_sd_ln));
        if (hk_calibration_advisory(c, (enum hk_verdict_path)i, advice))
            printf("%-12s %s\n", "", advice);
    }
}

static void print_json(const struct hk_calibration *c)
{
    char advice[HK_TEXT_BYTES];
    json_t *paths = json_object();
    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        const struct hk_calibration_path *p = &c->paths[i];
        const enum hk_verdict_path path = (enum hk_verdict_path)i;
        if (p->trials > 0)
            json_object_set_new(
                paths, hk_verdict_path_name(path),
                json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:b}", "trials_count",
                          (json_int_t)p->trials, "rejections_count", (json_int_t)p->rejections,
                          "lower_ratio", p->lower_ratio, "upper_ratio", p->upper_ratio,
                          "nominal_ratio", p->nominal_ratio, "difference_sd_ln",
                          p->difference_sd_ln, "advisory",
                          (int)hk_calibration_advisory(c, path, advice)));
    }
    json_t *root = json_pack("{s:s, s:s, s:o}", "machine", c->machine, "time", c->time, "paths",
                             paths);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

/* How many launches a change of so many percent takes, by either way of comparing. */
static enum hk_exit plan(const struct calibrate_options *o, const struct hk_calibration *c)
{
    const double delta = log1p((double)o->plan_percent / 100);
    json_t *root = json_object();
    for (size_t i = 0; i < HK_PATH_HISTORY; i++) {
        const struct hk_calibration_path *p = &c->paths[i];
        const char *name = hk_verdict_path_name((enum hk_verdict_path)i);
        size_t n = 0;
        if (p->trials == 0)
            continue;
        /* Equal to the last bit: any number that a test can decide with will do. */
        enum hk_status status = HK_OK;
        if (p->difference_sd_ln > 0)
            status = hk_paired_count_needed(p->difference_sd_ln, delta, HK_PAIRED_WILCOXON,
                                            compare_alpha, power, &n);
        n = n < 6 ? 6 : n;
        if (o->json)
            json_object_set_new(root, name,
                                status == HK_OK ? json_integer((json_int_t)n) : json_null());
        else if (status == HK_OK)
            printf("%-12s %zu launches of each side show a change of %llu %% with power %.0f %%\n",
                   name, n, (unsigned long long)o->plan_percent, 100 * power);
        else
            printf("%-12s over %u launches of each side: not with this much noise\n", name,
                   HK_PAIRED_COUNT_MAX);
    }
    if (o->json) {
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(root);
    return HK_EXIT_OK;
}

/* --- the command -------------------------------------------------------------------------------------- */

static enum hk_exit measure_and_keep(const struct calibrate_options *o, struct hk_calibration *c)
{
    char error[HK_TEXT_BYTES];
    struct session s = {.options = o, .seed = o->seed != 0 ? o->seed : hk_clock_raw_ns()};

    s.differences_ln = calloc(o->comparisons * o->launches, sizeof *s.differences_ln);
    if (s.differences_ln == NULL) {
        hk_cli_error("calibrate", "out of memory");
        return HK_EXIT_UNMEASURED;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    hk_progress_init(&s.bar);
    enum hk_status status = calibrate(&s, c);
    hk_progress_fini(&s.bar);
    free(s.differences_ln);
    if (status != HK_OK) {
        hk_cli_error("calibrate", "%s",
                     status == HK_EINTR ? "interrupted; the earlier calibration stands"
                     : s.error[0] != '\0' ? s.error : hk_status_text(status));
        return status == HK_EINVAL ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
    }
    hk_track_now(c->time);
    status = hk_calibration_write(o->out, c);
    if (status == HK_OK)
        status = hk_calibration_read(o->out, c->machine, c, error);
    if (status != HK_OK) {
        hk_cli_error("calibrate", "cannot write under '%s': %s; choose another folder with --out",
                     o->out, hk_status_text(status));
        return HK_EXIT_USAGE;
    }
    if (o->json)
        print_json(c);
    else
        print_text(c);
    return HK_EXIT_OK;
}

static bool path_exists(const char *name)
{
    for (size_t i = 0; i < HK_PATH_COUNT; i++)
        if (strcmp(name, hk_verdict_path_name((enum hk_verdict_path)i)) == 0)
            return true;
    hk_cli_error("calibrate", "--path takes paired, interleaved, history or apart, not '%s'", name);
    return false;
}

static enum hk_exit run(const void *values, int argc, char **argv)
{
    const struct calibrate_options *o = values;
    struct hk_calibration c = {0}, kept;
    struct hk_run_lock lock = {.fd = -1};
    char error[HK_TEXT_BYTES];
    pid_t holder = 0;

    (void)argc, (void)argv;
    enum hk_status status = hk_cli_machine_id(c.machine, sizeof c.machine);
    if (status != HK_OK) {
        hk_cli_error("calibrate", "this machine cannot be described: %s", hk_status_text(status));
        return HK_EXIT_UNMEASURED;
    }
    if (o->path != NULL && !path_exists(o->path))
        return HK_EXIT_USAGE;
    if (o->plan_percent != 0) {
        status = hk_calibration_read(o->out, c.machine, &c, error);
        if (status != HK_OK)
            hk_cli_error("calibrate", "%s", error);
        return status == HK_OK ? plan(o, &c)
               : status == HK_ENOENT ? HK_EXIT_UNMEASURED : HK_EXIT_USAGE;
    }
    /* What this run leaves out stays as it was; what cannot be read is measured anew. */
    if (o->path != NULL && hk_calibration_read(o->out, c.machine, &kept, error) == HK_OK)
        c = kept;
    if (hk_run_lock_acquire(&lock, &holder) == HK_EBUSY) {
        hk_cli_error("calibrate", "process %d is measuring on this machine; wait for it",
                     (int)holder);
        return HK_EXIT_UNMEASURED;
    }
    const enum hk_exit code = measure_and_keep(o, &c);
    hk_run_lock_release(&lock);
    return code;
}

const struct hk_command hk_cmd_calibrate = {
    .name = "calibrate",
    .summary = "how often verdicts cry wolf on this machine, and what they can see",
    .details =
        "Compares one cell with itself, in turns within launches, in launches in turns, and as a\n"
        "history of jobs; and a dozen cells with themselves measured some seconds later (apart).\n"
        "Keeps the rates of false alarms in <out>/<machine>/calibration.json. Where a rate is surely\n"
        "above its level, compare and track check only advise: they end with 4 instead of 1. --path\n"
        "measures one way and leaves the others as they are. --plan uses the spread that was\n"
        "measured.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .run = run,
};
