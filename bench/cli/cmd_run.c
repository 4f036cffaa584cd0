/* SPDX-License-Identifier: MIT */
/* Measures, and the hidden command that leads one launch of a measurement. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "hk/machine/record.h"
#include "hk/run/run.h"
#include "progress.h"
#include "run_guest.h"
#include "run_linux.h"

struct run_options {
    const char *filter;
    const char *out;
    const char *perf;
    const char *kernel;
    const char *append;
    uint64_t budget_s;
    uint64_t seed;
    bool quick;
    bool full;
    bool guest;
    bool placements;
    const char *workload;
    bool linux_guest;
    bool json;
    bool shared;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct run_options, f)
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only cells whose name matches", AT(filter), 0, 0},
    {"quick", 0, HK_OPTION_FLAG, NULL, "what the models need, in 180 s (the default)", AT(quick), 0,
     0},
    {"full", 0, HK_OPTION_FLAG, NULL, "every transport, place and size, in an hour", AT(full), 0,
     0},
    {"guest", 0, HK_OPTION_FLAG, NULL, "count the kernel core's experiments in QEMU instead",
     AT(guest), 0, 0},
    {"placements", 0, HK_OPTION_FLAG, NULL, "count workloads in all 256 placements of the services",
     AT(placements), 0, 0},
    {"workload", 0, HK_OPTION_TEXT, "LIST", "with --placements: NAME or FILE.ini,... (all), or primitives, what predict needs",
     AT(workload), 0, 0},
    {"linux", 0, HK_OPTION_FLAG, NULL, "count the native experiments on a Linux kernel in QEMU",
     AT(linux_guest), 0, 0},
    {"kernel", 0, HK_OPTION_TEXT, "BZIMAGE", "of --linux (the newest of Debian's cloud kernels)",
     AT(kernel), 0, 0},
    {"append", 0, HK_OPTION_TEXT, "TEXT", "of --linux: more for the kernel's command line",
     AT(append), 0, 0},
    {"budget", 'b', HK_OPTION_UINT, "SECONDS", "stop measuring after this long", AT(budget_s), 1,
     86400},
    {"out", 'o', HK_OPTION_TEXT, "FOLDER", "where results go (results)", AT(out), 0, 0},
    {"seed", 0, HK_OPTION_UINT, "N", "of order, contents and injected delays (from the clock)",
     AT(seed), 1, UINT64_MAX},
    {"shared", 0, HK_OPTION_FLAG, NULL, "measure although another run does: both are disturbed",
     AT(shared), 0, 0},
    {"perf", 0, HK_OPTION_TEXT, "stat|record", "run launches under linux-perf, output in RUN/perf/",
     AT(perf), 0, 0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print the outcome as JSON", AT(json), 0, 0},
#undef AT
};
static const struct run_options defaults = {.out = "results"};

/* The program itself, whatever its path is by now. */
static const char *const launch_command[] = {"/proc/self/exe", "launch", NULL};

/* The same without /proc/self, which would be perf; filled in before use. */
static char self_path[PATH_MAX];
static const char *const wrapped_command[] = {self_path, "launch", NULL};

/* linux-perf by its path, since launches are executed without a search. */
static const char perf_path[] = "/usr/bin/perf";
static const char *const perf_stat[] = {perf_path, "stat", "-o", "%", "--", NULL};
static const char *const perf_record[] = {perf_path, "record", "-q", "-g", "-o", "%", "--", NULL};

static volatile sig_atomic_t stopped;

/* The second Ctrl-C ends the program at once; its launches die with it. */
static void on_signal(int number)
{
    stopped = 1;
    signal(number, SIG_DFL);
}

static void show_progress(void *context, const struct hk_run_progress *p)
{
    uint64_t done = p->launches_done, total = p->launches_planned;

    /* Whichever ends the run first: the budget or the plan. */
    if (p->elapsed_ns * total > p->budget_ns * done) {
        done = p->elapsed_ns;
        total = p->budget_ns;
    }
    hk_progress_show(context, done < total ? done : total, total, p->cell);
}

static void print_json(const struct hk_run_outcome *o)
{
    /* Paths with a quote or a backslash are the user's own choice; they are escaped. */
    printf("{\"path\":\"");
    for (const char *c = o->path; *c != '\0'; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : (unsigned char)*c < ' ' ? "?" : "%c", *c);
    printf("\",\"partial\":%s,\"interrupted\":%s,\"cells\":%zu,\"cells_narrow\":%zu,"
           "\"cells_unavailable\":%zu,\"cells_broken\":%zu,\"launches_ok\":%zu}\n",
           o->partial ? "true" : "false", o->interrupted ? "true" : "false", o->cells,
           o->cells_narrow, o->cells_unavailable, o->cells_broken, o->launches_ok);
}

static void print_outcome(const struct run_options *o, const struct hk_run_outcome *outcome)
{
    if (o->json) {
        print_json(outcome);
        return;
    }
    printf("%s%s\n%s\n", outcome->path, outcome->partial ? " (partial)" : "", outcome->note);
}

/* NULL for no perf. */
static const char *const *perf_wrapper(const char *mode)
{
    if (mode == NULL)
        return NULL;
    return strcmp(mode, "stat") == 0 ? perf_stat : perf_record;
}

/* Whether launches can run under perf as asked; prints why not. */
static bool perf_ready(const struct run_options *o)
{
    if (o->perf == NULL)
        return true;
    if (strcmp(o->perf, "stat") != 0 && strcmp(o->perf, "record") != 0) {
        hk_cli_error("run", "--perf takes stat or record, not '%s'", o->perf);
        return false;
    }
    if (o->filter == NULL) {
        hk_cli_error("run", "--perf is for chosen experiments: name them with --filter");
        return false;
    }
    const ssize_t n = readlink("/proc/self/exe", self_path, sizeof self_path - 1);
    if (n > 0)
        self_path[n] = '\0';
    if (n <= 0 || access(perf_path, X_OK) != 0) {
        hk_cli_error("run", "no %s; install the package linux-perf", perf_path);
        return false;
    }
    return true;
}

static enum hk_exit measure(const struct run_options *o, const char *machine_json,
                            const char *remark)
{
    char arguments[HK_TEXT_BYTES], error[HK_TEXT_BYTES];
    struct hk_run_outcome outcome;
    struct hk_progress bar;
    const struct hk_run_plan plan = {
        .mode = o->full ? HK_RUN_FULL : HK_RUN_QUICK,
        .filter = o->filter,
        .budget_ns = o->budget_s * HK_NS_PER_S,
        .seed = o->seed != 0 ? o->seed : hk_clock_raw_ns(),
        .out_root = o->out,
        .machine_json = machine_json,
        .arguments = arguments,
        .remark = remark,
        .launch_command = o->perf != NULL ? wrapped_command : launch_command,
        .wrapper = perf_wrapper(o->perf),
        .stop = &stopped,
        .progress = show_progress,
        .progress_context = &bar,
    };

    snprintf(arguments, sizeof arguments, "run --%s%s%s%s%s --budget %llu --seed %llu",
             o->full ? "full" : "quick", o->filter != NULL ? " --filter " : "",
             o->filter != NULL ? o->filter : "", o->perf != NULL ? " --perf " : "",
             o->perf != NULL ? o->perf : "", (unsigned long long)o->budget_s,
             (unsigned long long)plan.seed);
    hk_progress_init(&bar);
    const enum hk_status status = hk_run_execute(&plan, &outcome, error);
    hk_progress_fini(&bar);
    if (status != HK_OK) {
        hk_cli_error("run", "%s", error);
        return hk_exit_of(status);
    }
    print_outcome(o, &outcome);
    return outcome.launches_ok > 0 && !outcome.interrupted ? HK_EXIT_OK : HK_EXIT_UNMEASURED;
}

/* Whether the options make sense together; prints why not. */
static bool options_agree(const struct run_options *o)
{
    const bool counted = o->guest || o->linux_guest || o->placements;
    const char *wrong = NULL;

    if (o->quick && o->full)
        wrong = "--quick and --full exclude each other";
    else if ((int)o->guest + (int)o->linux_guest + (int)o->placements > 1)
        wrong = "--guest, --linux and --placements exclude each other";
    else if ((o->guest || o->placements) && (o->quick || o->full))
        wrong = "--guest and --placements count everything: leave out --quick and --full";
    else if (counted && (o->budget_s != 0 || o->seed != 0 || o->perf != NULL))
        wrong = "what is counted needs no clock and no chance: leave out --budget, --seed and "
                "--perf";
    else if (!o->linux_guest && (o->kernel != NULL || o->append != NULL))
        wrong = "--kernel and --append are for --linux";
    else if (o->workload != NULL && !o->placements)
        wrong = "--workload is for --placements";
    if (wrong != NULL)
        hk_cli_error("run", "%s", wrong);
    return wrong == NULL;
}

/* A guest instead of this machine. */
static enum hk_exit count(const struct run_options *o, const char *machine_json)
{
    const struct hk_run_linux_options counted = {
        .guest = {.filter = o->filter, .out = o->out, .workloads = o->workload,
                  .machine_json = machine_json, .json = o->json, .stop = &stopped},
        .mode = o->full ? HK_RUN_FULL : HK_RUN_QUICK,
        .kernel = o->kernel,
        .append = o->append,
    };

    if (o->placements)
        return hk_cli_run_placements(&counted.guest);
    return o->guest ? hk_cli_run_guest(&counted.guest, NULL) : hk_cli_run_linux(&counted);
}

static enum hk_exit run(const void *values, int argc, char **argv)
{
    const struct run_options *o = values;
    struct hk_run_lock lock = {.fd = -1};
    char who[32] = "", remark[64] = "";
    char *machine_json;
    pid_t holder = 0;

    (void)argc, (void)argv;
    if (!options_agree(o) || !perf_ready(o))
        return HK_EXIT_USAGE;
    const enum hk_status locked = hk_run_lock_acquire(&lock, &holder);
    if (locked == HK_EBUSY)
        snprintf(who, sizeof who, holder != 0 ? "process %d" : "another process", (int)holder);
    if (locked == HK_EBUSY && !o->shared) {
        hk_cli_error("run", "%s is measuring on this machine; wait for it, or use --shared and "
                     "distrust the times", who);
        return HK_EXIT_UNMEASURED;
    }
    if (locked == HK_EBUSY)
        snprintf(remark, sizeof remark, "%s was measuring too", who);
    if (hk_machine_record("", &machine_json) != HK_OK) {
        hk_run_lock_release(&lock);
        hk_cli_error("run", "out of memory");
        return HK_EXIT_UNMEASURED;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    const enum hk_exit code = o->guest || o->linux_guest || o->placements ? count(o, machine_json)
        : measure(o, machine_json, remark[0] != '\0' ? remark : NULL);
    free(machine_json);
    hk_run_lock_release(&lock);
    return code;
}

const struct hk_command hk_cmd_run = {
    .name = "run",
    .summary = "measure this machine",
    .details = "Every launch of a cell is a fresh process tree; launches are interleaved in\n"
               "random order until each cell's interval is narrow enough or the budget is\n"
               "spent. Ctrl-C ends the run with what there is.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .run = run,
};

static enum hk_exit lead(const void *values, int argc, char **argv)
{
    (void)values, (void)argc, (void)argv;
    const enum hk_status status = hk_launch_lead(HK_LAUNCH_FD);
    if (status == HK_EPARSE) {
        hk_cli_error("launch", "hkbench run starts this by itself, with a request on descriptor %d",
                     HK_LAUNCH_FD);
        return HK_EXIT_USAGE;
    }
    return status == HK_OK ? HK_EXIT_OK : HK_EXIT_UNMEASURED;
}

const struct hk_command hk_cmd_launch = {
    .name = "launch",
    .summary = "lead one launch of a run",
    .hidden = true,
    .run = lead,
};

static enum hk_exit serve_epochs(const void *values, int argc, char **argv)
{
    (void)values;
    const enum hk_status status =
        argc == 2 ? hk_epochs_lead(HK_LAUNCH_FD, argv[0], strtoull(argv[1], NULL, 10)) : HK_EPARSE;
    if (status == HK_EPARSE) {
        hk_cli_error("epochs", "hkbench compare starts this by itself, with a socket on "
                     "descriptor %d", HK_LAUNCH_FD);
        return HK_EXIT_USAGE;
    }
    return status == HK_OK ? HK_EXIT_OK : HK_EXIT_UNMEASURED;
}

const struct hk_command hk_cmd_epochs = {
    .name = "epochs",
    .arguments = "CELL SEED",
    .summary = "run epochs of a cell for a comparison of two builds",
    .hidden = true,
    .positional_max = 2,
    .run = serve_epochs,
};
