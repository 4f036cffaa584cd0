/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hk/base/units.h"
#include "schedule.h"
#include "spawn.h"

static const uint64_t calibrate_ns = 100 * HK_NS_PER_MS;
/* 20 ppm: enough for one launch, and there are many. */
static const uint64_t single_calibrate_ns = 5 * HK_NS_PER_MS;

/* What a launch may take beyond its sessions before the watchdog ends it. */
static const uint64_t launch_slack_ns = 20ull * HK_NS_PER_S;

static const struct hk_effort efforts[] = {
    [HK_RUN_QUICK] = {
        .launches_min = 5,
        .launches_max = 10,
        .interval_ratio = 0.10,
        .warm_ns = 2 * HK_NS_PER_MS,
        .block_ns = 600 * HK_NS_PER_US,
        .block_count = 24,
        .blocks_ns_max = 24 * HK_NS_PER_MS,
        .latency_ns = 4 * HK_NS_PER_MS,
        .latency_count_max = 20000,
        .verify_count = 200,
        .floor_ns = 2 * HK_NS_PER_MS,
        /* Sessions are most of a pass, and launches_min passes have to fit into the budget. */
        .session_ns = 1800 * HK_NS_PER_MS,
        .sporadic_ns = 250 * HK_NS_PER_MS,
    },
    [HK_RUN_FULL] = {
        .launches_min = 10,
        .launches_max = 40,
        .interval_ratio = 0.02,
        .warm_ns = 10 * HK_NS_PER_MS,
        .block_ns = 600 * HK_NS_PER_US,
        .block_count = 250,
        .blocks_ns_max = 400 * HK_NS_PER_MS,
        .latency_ns = 200 * HK_NS_PER_MS,
        .latency_count_max = 200000,
        .verify_count = 1000,
        .floor_ns = 10 * HK_NS_PER_MS,
        .session_ns = 20ull * HK_NS_PER_S,
        .sporadic_ns = 4ull * HK_NS_PER_S,
    },
};

static const uint64_t budgets_ns[] = {
    [HK_RUN_QUICK] = 180ull * HK_NS_PER_S,
    [HK_RUN_FULL] = 3600ull * HK_NS_PER_S,
};

/* Sessions are most of a pass. With less time they get shorter, down to this, and not fewer. */
static const double session_ratio_min = 0.25;

const struct hk_effort *hk_run_effort(enum hk_run_mode mode)
{
    return &efforts[mode];
}

/* The effort of a mode that has this long. */
static struct hk_effort effort_within(enum hk_run_mode mode, uint64_t budget_ns)
{
    const double ratio = (double)budget_ns / (double)budgets_ns[mode];
    struct hk_effort effort = efforts[mode];

    if (ratio < 1)
        effort.session_ns =
            (uint64_t)((double)effort.session_ns * fmax(ratio, session_ratio_min));
    return effort;
}

struct run {
    const struct hk_run_plan *plan;
    const struct hk_effort *effort;
    struct hk_clock clock;
    struct hk_perf_access access;
    struct hk_places places;
    struct hk_schedule schedule;
    struct hk_run_writer *writer;
    struct hk_request *request;
    uint64_t start_ns;
    uint64_t budget_ns;
    size_t launches_done;
    size_t launches_ok;
};

static uint64_t launch_deadline_ns(const struct hk_effort *effort)
{
    return launch_slack_ns + 2 * (effort->session_ns + effort->sporadic_ns +
                                  effort->blocks_ns_max + effort->latency_ns);
}

/* One task per cell and copy; cell_of says which cell a task belongs to. */
static void fill_request(struct run *run, const struct hk_cell_group *g, size_t *cell_of)
{
    struct hk_request *r = run->request;

    r->task_count = 0;
    r->pair_rounds = 0;
    r->deadline_ns = launch_deadline_ns(run->effort);
    r->clock = run->clock;
    r->access = run->access;
    r->places = run->places;
    r->effort = *run->effort;
    for (size_t i = 0; i < g->count; i++) {
        const struct hk_cell *c = &run->schedule.cells[g->cells[i]];
        for (uint32_t copy = 0; copy < g->copies[i]; copy++) {
            struct hk_request_task *t = &r->tasks[r->task_count];
            snprintf(t->name, sizeof t->name, "%s", c->name);
            t->index = c->launches + copy;
            t->seed = hk_mix(hk_mix(run->plan->seed, g->cells[i]), t->index);
            t->count_syscalls = hk_schedule_counts(c);
            cell_of[r->task_count++] = g->cells[i];
        }
    }
}

static enum hk_status keep_launch(struct run *run, size_t cell, struct hk_launch *launch)
{
    enum hk_status status = hk_schedule_account(&run->schedule, cell, launch);

    if (status == HK_OK)
        status = hk_run_append(run->writer, launch);
    run->launches_done++;
    if (launch->state == HK_LAUNCH_OK)
        run->launches_ok++;
    return status;
}

enum { COMMAND_ARGS_MAX = 24 };

/* The launch's command behind its wrapper; file is what the wrapper's "%" becomes. */
static enum hk_status wrap_command(const struct run *run, const char *file,
                                   const char *command[COMMAND_ARGS_MAX])
{
    const char *const *parts[] = {run->plan->wrapper, run->plan->launch_command};
    size_t n = 0;

    for (size_t p = 0; p < HK_ARRAY_COUNT(parts); p++) {
        for (size_t i = 0; parts[p][i] != NULL; i++) {
            if (n + 1 == COMMAND_ARGS_MAX)
                return HK_ETOOBIG;
            command[n++] = strcmp(parts[p][i], "%") == 0 ? file : parts[p][i];
        }
    }
    command[n] = NULL;
    return HK_OK;
}

/* <run>/perf/<cell with _ for />-<launch> */
static enum hk_status wrapper_file(const struct run *run, const struct hk_cell *cell,
                                   char file[PATH_MAX])
{
    const int folder = snprintf(file, PATH_MAX, "%s/perf", hk_run_writer_path(run->writer));

    if (folder < 0 || folder >= PATH_MAX || (mkdir(file, 0777) != 0 && errno != EEXIST))
        return HK_EIO;
    const int all = snprintf(file + folder, (size_t)(PATH_MAX - folder), "/%s-%u", cell->name,
                             cell->launches);
    if (all < 0 || all >= PATH_MAX - folder)
        return HK_ETOOBIG;
    for (char *c = file + folder + 1; *c != '\0'; c++)
        *c = *c == '/' ? '_' : *c;
    return HK_OK;
}

static enum hk_status launch_group(struct run *run, const struct hk_cell_group *g)
{
    struct hk_launch launches[HK_TASKS_MAX];
    size_t cell_of[HK_TASKS_MAX];
    size_t count = 0;
    const char *wrapped[COMMAND_ARGS_MAX];
    char file[PATH_MAX];
    const bool wrap = run->plan->wrapper != NULL;

    fill_request(run, g, cell_of);
    if (wrap && (wrapper_file(run, &run->schedule.cells[cell_of[0]], file) != HK_OK ||
                 wrap_command(run, file, wrapped) != HK_OK))
        return HK_EIO;
    const struct hk_spawn_options options = {
        .wrapped = wrap,
        .command = wrap ? wrapped : run->plan->launch_command,
        .stop = run->plan->stop,
        .seed = run->request->tasks[0].seed,
    };
    enum hk_status status = hk_spawn_launch(&options, run->request, launches, &count);
    for (size_t i = 0; i < count; i++) {
        if (status == HK_OK)
            status = keep_launch(run, cell_of[i], &launches[i]);
        hk_launch_fini(&launches[i]);
    }
    return status;
}

static void show_progress(const struct run *run, const struct hk_cell_group *g)
{
    size_t planned = 0;

    if (run->plan->progress == NULL)
        return;
    for (size_t i = 0; i < run->schedule.cell_count; i++) {
        const struct hk_cell *c = &run->schedule.cells[i];
        planned += c->end == HK_CELL_RUNS && c->launches < run->effort->launches_min
                       ? run->effort->launches_min
                       : c->launches;
    }
    const struct hk_run_progress progress = {
        .elapsed_ns = hk_monotonic_ns() - run->start_ns,
        .budget_ns = run->budget_ns,
        .launches_done = run->launches_done,
        .launches_planned = planned,
        .cell = run->schedule.cells[g->cells[0]].name,
    };
    run->plan->progress(run->plan->progress_context, &progress);
}

enum run_end { END_DONE, END_BUDGET, END_STOPPED, END_BROKEN };

static enum run_end measure_all(struct run *run, enum hk_status *status)
{
    for (;;) {
        if (run->plan->stop != NULL && *run->plan->stop)
            return END_STOPPED;
        if (hk_monotonic_ns() - run->start_ns >= run->budget_ns)
            return END_BUDGET;
        const struct hk_cell_group *g = hk_schedule_next(&run->schedule);
        if (g == NULL)
            return END_DONE;
        show_progress(run, g);
        *status = launch_group(run, g);
        if (*status == HK_EINTR) {
            *status = HK_OK;
            return END_STOPPED;
        }
        if (*status != HK_OK)
            return END_BROKEN;
    }
}

/* A cell with fewer launches than the least number makes the run partial. */
static size_t count_short_cells(const struct run *run)
{
    size_t n = 0;

    for (size_t i = 0; i < run->schedule.cell_count; i++)
        if (run->schedule.cells[i].end == HK_CELL_RUNS &&
            run->schedule.cells[i].launches < run->effort->launches_min)
            n++;
    return n;
}

static void summarise(const struct run *run, enum run_end end, struct hk_run_outcome *outcome)
{
    static const char *const ends[] = {"all cells are done", "the budget is spent", "interrupted",
                                       "the results could not be written"};
    const size_t short_cells = count_short_cells(run);
    size_t enough = 0, open = 0, slow = 0;
    char slow_text[80] = "";

    outcome->cells = run->schedule.cell_count;
    outcome->launches_ok = run->launches_ok;
    outcome->interrupted = end == END_STOPPED;
    outcome->partial = end == END_STOPPED || end == END_BROKEN || short_cells > 0;
    for (size_t i = 0; i < run->schedule.cell_count; i++) {
        const enum hk_cell_end cell_end = run->schedule.cells[i].end;
        outcome->cells_narrow += cell_end == HK_CELL_NARROW;
        outcome->cells_unavailable += cell_end == HK_CELL_UNAVAILABLE;
        outcome->cells_broken += cell_end == HK_CELL_BROKEN;
        enough += cell_end == HK_CELL_ENOUGH;
        open += cell_end == HK_CELL_RUNS;
        slow += run->schedule.cells[i].slow;
    }
    /* Said because a run of them decides little, and the next one may be better. */
    if (slow > 0)
        snprintf(slow_text, sizeof slow_text, "; in %zu of %zu launches the core was slow", slow,
                 run->launches_ok);
    snprintf(outcome->note, sizeof outcome->note,
             "%s after %.0f s: of %zu cells %zu have a narrow interval, %zu enough launches, %zu "
             "were cut short (%zu with too few launches), %zu are not available, %zu broke%s%s%s",
             ends[end], (double)(hk_monotonic_ns() - run->start_ns) / 1e9, outcome->cells,
             outcome->cells_narrow, enough, open, short_cells, outcome->cells_unavailable,
             outcome->cells_broken, slow_text, run->plan->remark != NULL ? "; " : "",
             run->plan->remark != NULL ? run->plan->remark : "");
}

static enum hk_status conduct(struct run *run, struct hk_run_outcome *outcome,
                              char error[HK_TEXT_BYTES])
{
    enum hk_status status = HK_OK;
    uint32_t swept;

    *outcome = (struct hk_run_outcome){0};
    snprintf(outcome->path, sizeof outcome->path, "%s", hk_run_writer_path(run->writer));
    const enum run_end end = measure_all(run, &status);
    summarise(run, end, outcome);
    hk_transport_sweep(&swept); /* what killed launches may have left */
    const enum hk_status finished = hk_run_finish(run->writer, outcome->partial, outcome->note);
    status = status == HK_OK ? finished : status;
    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "%.400s: %s", outcome->path, hk_status_text(status));
    return status;
}

static enum hk_status prepare(struct run *run, const struct hk_cells *cells,
                              char error[HK_TEXT_BYTES])
{
    const struct hk_run_plan *plan = run->plan;
    enum hk_status status = hk_clock_init(&run->clock, calibrate_ns);

    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "no usable clock: %s", hk_status_text(status));
        return status;
    }
    status = hk_places_find(&run->places);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "the machine's topology cannot be read: %s",
                 hk_status_text(status));
        return status;
    }
    hk_perf_access_init(&run->access);
    run->request = calloc(1, sizeof *run->request);
    status = run->request == NULL ? HK_ENOMEM
                                  : hk_schedule_init(&run->schedule, cells, run->effort,
                                                     plan->seed);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
        return status;
    }
    status = hk_run_create(plan->out_root, plan->machine_json, plan->arguments, plan->seed,
                           &run->writer);
    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "cannot write results under '%.300s': %s; choose another "
                 "folder with --out", plan->out_root, hk_status_text(status));
    return status;
}

enum hk_status hk_run_execute(const struct hk_run_plan *plan, struct hk_run_outcome *outcome,
                              char error[HK_TEXT_BYTES])
{
    const uint64_t budget_ns = plan->budget_ns != 0 ? plan->budget_ns : budgets_ns[plan->mode];
    const struct hk_effort within = effort_within(plan->mode, budget_ns);
    struct run run = {
        .plan = plan,
        .effort = plan->effort != NULL ? plan->effort : &within,
        .budget_ns = budget_ns,
    };
    struct hk_cells cells;

    enum hk_status status = hk_cells_expand(plan->mode, plan->filter, &cells, error);
    if (status != HK_OK)
        return status;
    status = prepare(&run, &cells, error);
    run.start_ns = hk_monotonic_ns();
    if (status == HK_OK)
        status = conduct(&run, outcome, error);
    hk_schedule_fini(&run.schedule);
    free(run.request);
    hk_cells_fini(&cells);
    return status;
}

/* --- pairs ------------------------------------------------------------------------ */

static enum hk_status pair_launch(const struct hk_pair_plan *plan, struct hk_request *request,
                                  uint32_t index, double *log_ratio, char error[HK_TEXT_BYTES])
{
    /* Who is opened first lies elsewhere in memory, in every launch: neither side may always be. */
    const size_t first = hk_mix(plan->seed, index) & 1;
    struct hk_launch launch;
    size_t count = 0;

    for (size_t side = 0; side < 2; side++) {
        struct hk_request_task *t = &request->tasks[side ^ first];
        snprintf(t->name, sizeof t->name, "%s", side == 0 ? plan->a : plan->b);
        t->index = index;
        t->seed = hk_mix(hk_mix(plan->seed, side), index);
    }
    const struct hk_spawn_options options = {
        .command = plan->launch_command, .stop = plan->stop, .seed = request->tasks[0].seed};
    enum hk_status status = hk_spawn_launch(&options, request, &launch, &count);
    if (status != HK_OK)
        return status;
    if (launch.state != HK_LAUNCH_OK || !hk_launch_counter(&launch, "hk_log_ratio", log_ratio)) {
        status = launch.state == HK_LAUNCH_UNAVAILABLE ? HK_ENOTSUP : HK_EIO;
        snprintf(error, HK_TEXT_BYTES, "%s", launch.reason != NULL ? launch.reason : "no value");
    } else if (first == 1) {
        *log_ratio = -*log_ratio;
    }
    hk_launch_fini(&launch);
    return status;
}

enum hk_status hk_pair_run(const struct hk_pair_plan *plan, double *log_ratio, size_t *count,
                           char error[HK_TEXT_BYTES])
{
    enum hk_status status = HK_OK, last = HK_EIO;
    size_t n = 0;

    if (hk_experiment_find(plan->a) == NULL || hk_experiment_find(plan->b) == NULL ||
        plan->rounds == 0 || plan->launches == 0) {
        snprintf(error, HK_TEXT_BYTES, "no such cells; hkbench list shows them");
        return HK_EINVAL;
    }
    struct hk_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return HK_ENOMEM;
    request->effort = efforts[HK_RUN_QUICK];
    request->effort.block_ns = plan->block_ns;
    request->task_count = 2;
    request->pair_rounds = plan->rounds;
    request->deadline_ns = launch_slack_ns + 8 * plan->rounds * plan->block_ns;
    hk_perf_access_init(&request->access);
    status = hk_clock_init(&request->clock, calibrate_ns);
    if (status == HK_OK)
        status = hk_places_find(&request->places);
    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "no usable clock or topology: %s", hk_status_text(status));
    for (uint32_t i = 0; i < plan->launches && status == HK_OK; i++) {
        last = pair_launch(plan, request, i, &log_ratio[n], error);
        if (last == HK_OK)
            n++;
        else if (last == HK_EINTR || last == HK_ENOTSUP)
            break;
    }
    free(request);
    if (n == 0)
        return status != HK_OK ? status : last;
    *count = n;
    return HK_OK;
}

/* --- single launches --------------------------------------------------------------- */

enum hk_status hk_cell_launch(const struct hk_cell_plan *plan, struct hk_launch *launch)
{
    const struct hk_experiment *e = hk_experiment_find(plan->cell);
    size_t count = 0;

    if (e == NULL || strlen(plan->cell) >= HK_NAME_BYTES)
        return HK_EINVAL;
    struct hk_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return HK_ENOMEM;
    request->effort = efforts[HK_RUN_QUICK];
    request->task_count = 1;
    request->deadline_ns = launch_deadline_ns(&request->effort);
    snprintf(request->tasks[0].name, HK_NAME_BYTES, "%s", plan->cell);
    request->tasks[0].index = plan->index;
    request->tasks[0].seed = hk_mix(plan->seed, plan->index);
    hk_perf_access_init(&request->access);
    enum hk_status status = hk_clock_init(&request->clock, single_calibrate_ns);
    if (status == HK_OK)
        status = hk_places_find(&request->places);
    const struct hk_spawn_options options = {
        .command = plan->launch_command, .stop = plan->stop, .seed = request->tasks[0].seed};
    if (status == HK_OK)
        status = hk_spawn_launch(&options, request, launch, &count);
    free(request);
    return status;
}
