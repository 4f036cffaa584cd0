/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "commands.h"
#include "compare_now.h"
#include "compare_print.h"
#include "compare_side.h"
#include "hk/base/units.h"
#include "hk/run/run.h"
#include "hk/stats/sequential.h"

struct compare_options {
    const char *a;
    const char *b;
    const char *filter;
    const char *bound;
    const char *drift;
    const char *out;
    uint64_t floor;
    uint64_t launches;
    uint64_t looks;
    uint64_t rounds;
    uint64_t seed;
    bool guest;
    bool paired;
    bool accept;
    bool shared;
    bool json;
    bool markdown;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct compare_options, f)
    {"a", 0, HK_OPTION_TEXT, "WHAT", "measure side A now: an hkbench, a kernel (*.elf), or a command", AT(a),
     0, 0},
    {"b", 0, HK_OPTION_TEXT, "WHAT", "the same for side B", AT(b), 0, 0},
    {"guest", 0, HK_OPTION_FLAG, NULL, "B is this build's kernel, counted now", AT(guest), 0, 0},
    {"accept", 0, HK_OPTION_FLAG, NULL, "make B's counts the new baseline in the folder A",
     AT(accept), 0, 0},
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only cells whose name matches", AT(filter), 0, 0},
    {"bound", 0, HK_OPTION_TEXT, "PERCENT", "change of a time that matters (3)", AT(bound), 0, 0},
    {"floor", 0, HK_OPTION_UINT, "N", "instructions that a count may change by (5)", AT(floor), 0,
     1000000000},
    {"drift", 0, HK_OPTION_TEXT, "PERCENT", "known drift between two jobs, when not interleaved",
     AT(drift), 0, 0},
    {"paired", 0, HK_OPTION_FLAG, NULL, "launch i of A ran beside launch i of B", AT(paired), 0, 0},
    {"launches", 0, HK_OPTION_UINT, "N", "of both sides at most, when measured now (30)",
     AT(launches), 6, 1000},
    {"looks", 0, HK_OPTION_UINT, "N", "how often to look meanwhile, declared beforehand (3)",
     AT(looks), 1, HK_LOOKS_MAX},
    {"rounds", 0, HK_OPTION_UINT, "N", "epochs of A and B in a launch of two builds (100)",
     AT(rounds), 6, 1000},
    {"seed", 0, HK_OPTION_UINT, "N", "of order and resampling (1)", AT(seed), 1, UINT64_MAX},
    {"shared", 0, HK_OPTION_FLAG, NULL, "measure although another run does: both are disturbed",
     AT(shared), 0, 0},
    {"out", 'o', HK_OPTION_TEXT, "FOLDER", "where hkbench calibrate left its findings (results)",
     AT(out), 0, 0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print the comparison as JSON", AT(json), 0, 0},
    {"markdown", 0, HK_OPTION_FLAG, NULL, "print it as Markdown, for a pull request", AT(markdown),
     0, 0},
#undef AT
};
static const struct compare_options defaults = {.out = "results", .floor = 5, .launches = 30,
                                               .looks = 3, .rounds = 100, .seed = 1};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = 1;
    signal(number, SIG_DFL);
}

/* A percentage from 0 to 1000, as a ratio. */
static enum hk_status parse_percent(const char *option, const char *text, double *ratio)
{
    char *end;

    if (text == NULL)
        return HK_OK;
    const double percent = strtod(text, &end);
    if (end == text || *end != '\0' || !(percent >= 0 && percent <= 1000)) {
        hk_cli_error("compare", "--%s takes percent from 0 to 1000, not '%s'", option, text);
        return HK_EINVAL;
    }
    *ratio = percent / 100;
    return HK_OK;
}

static bool is_kernel(const char *what)
{
    const char *dot = strrchr(what, '.');

    return dot != NULL && strcmp(dot, ".elf") == 0;
}

/* One side of the command line: a path, or something to measure now. */
struct source {
    const char *path;
    const char *now;
    bool guest;
};

static const char *source_name(const struct source *s)
{
    return s->path != NULL ? s->path : s->now != NULL ? s->now : "this build's kernel";
}

/* What the command line says of the two sides. */
static enum hk_status find_sources(const struct compare_options *o, int argc, char **argv,
                                   struct source sources[2])
{
    int used = 0;

    sources[0] = (struct source){.now = o->a};
    sources[1] = (struct source){.now = o->b, .guest = o->guest};
    if (o->b != NULL && o->guest) {
        hk_cli_error("compare", "--b and --guest both say what B is");
        return HK_EINVAL;
    }
    for (int side = 0; side < 2; side++) {
        if (sources[side].now != NULL || sources[side].guest)
            continue;
        if (used == argc) {
            hk_cli_error("compare", "side %c is missing: name two runs or files, or what to "
                         "measure now; see hkbench compare --help", "AB"[side]);
            return HK_EINVAL;
        }
        sources[side].path = argv[used++];
    }
    if (used < argc) {
        hk_cli_error("compare", "'%s' is one side too many", argv[used]);
        return HK_EINVAL;
    }
    return HK_OK;
}

static enum hk_exit exit_of(enum hk_status status)
{
    return status == HK_EPEER || status == HK_ETIMEOUT || status == HK_EINTR ||
                   status == HK_ENOTSUP || status == HK_EROW || status == HK_EEMPTY ||
                   status == HK_ENOMEM
               ? HK_EXIT_UNMEASURED
               : HK_EXIT_USAGE;
}

static enum hk_status load_side(const struct source *s, const regex_t *filter,
                                struct hk_side *side)
{
    const struct hk_side_guest guest = {.kernel = s->now, .filter = filter, .stop = &stopped};
    char error[HK_TEXT_BYTES];
    enum hk_status status;

    if (s->guest || (s->now != NULL && is_kernel(s->now))) {
        status = hk_side_count(&guest, side, error);
    } else if (s->now != NULL) {
        snprintf(error, sizeof error, "builds and commands are measured in turns: name both with "
                 "--a and --b, not '%.200s' alone", s->now);
        status = HK_EINVAL;
    } else {
        status = hk_side_read(s->path, side, error);
        if (status == HK_OK)
            hk_side_filter(side, filter);
    }
    if (status != HK_OK)
        hk_cli_error("compare", "%s", error);
    return status;
}

/* --- the filter of a baseline ---------------------------------------------------------- */

/* The expression that a baseline's folder keeps, or NULL; to be freed. */
static char *baseline_filter(const struct source *a)
{
    char path[4096];
    char *text = NULL;
    size_t bytes;

    if (a->path == NULL || snprintf(path, sizeof path, "%s/filter", a->path) >= (int)sizeof path ||
        hk_file_read(path, 4096, &text, &bytes) != HK_OK)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static enum hk_status compile_filter(const char *text, regex_t *regex)
{
    if (regcomp(regex, text, REG_EXTENDED | REG_NOSUB) == 0)
        return HK_OK;
    hk_cli_error("compare", "'%s' is no extended regular expression", text);
    return HK_EINVAL;
}

/* --- the comparison -------------------------------------------------------------------- */

static enum hk_exit accept_baseline(const struct compare_options *o, const struct source *a,
                                    const struct hk_side *b)
{
    if (b->run.launch_count == 0) {
        hk_cli_error("compare", "no cell matches: nothing to accept");
        return HK_EXIT_UNMEASURED;
    }
    const enum hk_status status = hk_side_write_baseline(b, a->path, o->filter);
    if (status != HK_OK) {
        hk_cli_error("compare", "cannot write %s: %s", a->path, hk_status_text(status));
        return HK_EXIT_USAGE;
    }
    printf("%s now holds %zu launches; commit it with the change that it accepts\n", a->path,
           b->run.launch_count);
    return HK_EXIT_OK;
}

static enum hk_exit show(const struct compare_options *o, const struct source sources[2],
                         struct hk_comparison *comparison)
{
    const enum hk_compare_format format = o->json       ? HK_COMPARE_JSON
                                          : o->markdown ? HK_COMPARE_MARKDOWN
                                                        : HK_COMPARE_TABLE;
    const enum hk_status status = hk_compare_print(comparison, source_name(&sources[0]),
                                                   source_name(&sources[1]), format);
    const enum hk_exit code = hk_compare_exit(comparison);

    hk_comparison_fini(comparison);
    if (status != HK_OK)
        hk_cli_error("compare", "a name is no valid UTF-8: leave out --json");
    return status == HK_OK ? code : HK_EXIT_USAGE;
}

/* Nothing but the machine's own noise may run beside two builds that are compared. */
static enum hk_exit compare_now(const struct compare_options *o, const struct hk_rule *rule,
                                const struct source sources[2])
{
    const bool builds = hk_now_is_build(o->a) && hk_now_is_build(o->b);
    struct hk_now_plan plan = {
        .now = {.programs = {o->a, o->b}, .filter = o->filter, .rounds = (uint32_t)o->rounds,
                .seed = o->seed, .stop = &stopped},
        .source = builds ? &hk_now_builds : &hk_now_commands,
        .rule = rule,
        .launches_max = (uint32_t)o->launches,
        .looks = (uint32_t)o->looks,
    };
    struct hk_run_lock lock = {.fd = -1};
    struct hk_comparison comparison;
    char error[HK_TEXT_BYTES];
    pid_t holder = 0;

    if (!o->shared && hk_run_lock_acquire(&lock, &holder) == HK_EBUSY) {
        hk_cli_error("compare", "process %d is measuring on this machine; wait for it, or use "
                     "--shared and distrust the times", (int)holder);
        return HK_EXIT_UNMEASURED;
    }
    const enum hk_status status = hk_now_compare(&plan, &comparison, error);
    if (!o->shared)
        hk_run_lock_release(&lock);
    if (status != HK_OK) {
        hk_cli_error("compare", "%s", error);
        return exit_of(status);
    }
    hk_cli_advise(&comparison, o->out, NULL, builds ? HK_PATH_PAIRED : HK_PATH_INTERLEAVED);
    for (size_t i = 0; i < comparison.finding_count; i++)
        if (comparison.findings[i].count_a > 0)
            return show(o, sources, &comparison);
    hk_cli_error("compare", "no cell could be measured: %s", comparison.findings[0].reason);
    hk_comparison_fini(&comparison);
    return HK_EXIT_UNMEASURED;
}

static enum hk_exit compare_sides(const struct compare_options *o, const struct hk_rule *rule,
                                  const struct source sources[2], const struct hk_side sides[2])
{
    struct hk_comparison comparison;
    char error[HK_TEXT_BYTES];
    const enum hk_status status =
        hk_compare_runs(&sides[0].run, &sides[1].run, rule, &comparison, error);

    if (status != HK_OK) {
        hk_cli_error("compare", "%s", error);
        return exit_of(status);
    }
    hk_compare_functions(&comparison, sides[0].functions, sides[1].functions);
    (void)hk_compare_explain(&comparison, &sides[0].run, &sides[1].run);
    hk_cli_advise(&comparison, o->out, sides[1].run.machine_id,
                  o->paired ? HK_PATH_INTERLEAVED : HK_PATH_APART);
    return show(o, sources, &comparison);
}

static enum hk_exit run_sources(const struct compare_options *o, const struct hk_rule *rule,
                                const struct source sources[2], const regex_t *filter)
{
    struct hk_side sides[2] = {0};
    enum hk_status status = HK_OK;
    enum hk_exit code;

    for (size_t i = o->accept ? 1 : 0; i < 2 && status == HK_OK; i++)
        status = load_side(&sources[i], filter, &sides[i]);
    if (status != HK_OK)
        code = exit_of(status);
    else if (o->accept)
        code = accept_baseline(o, &sources[0], &sides[1]);
    else
        code = compare_sides(o, rule, sources, sides);
    hk_side_fini(&sides[0]);
    hk_side_fini(&sides[1]);
    return code;
}

static enum hk_exit run_compare(const void *values, int argc, char **argv)
{
    const struct compare_options *o = values;
    struct hk_rule rule = {.alpha = 0.05, .bound_ratio = 0.03, .floor_count = (double)o->floor,
                           .paired = o->paired, .seed = o->seed};
    struct source sources[2];
    regex_t regex;

    if (parse_percent("bound", o->bound, &rule.bound_ratio) != HK_OK ||
        parse_percent("drift", o->drift, &rule.drift_ratio) != HK_OK ||
        find_sources(o, argc, argv, sources) != HK_OK)
        return HK_EXIT_USAGE;
    const bool counts_b = sources[1].guest || (sources[1].now != NULL && is_kernel(sources[1].now));
    if (o->accept && (sources[0].path == NULL || !counts_b)) {
        hk_cli_error("compare", "--accept writes counts of a kernel (--guest) to the folder A");
        return HK_EXIT_USAGE;
    }
    if (o->json && o->markdown) {
        hk_cli_error("compare", "--json and --markdown exclude each other");
        return HK_EXIT_USAGE;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (o->a != NULL && o->b != NULL && !is_kernel(o->a) && !is_kernel(o->b))
        return compare_now(o, &rule, sources);
    rule.complete = counts_b; /* it was asked for all cells of A */
    char *kept = counts_b && o->filter == NULL ? baseline_filter(&sources[0]) : NULL;
    const char *text = o->filter != NULL ? o->filter : kept;
    enum hk_exit code = HK_EXIT_USAGE;
    if (text == NULL) {
        code = run_sources(o, &rule, sources, NULL);
    } else if (compile_filter(text, &regex) == HK_OK) {
        code = run_sources(o, &rule, sources, &regex);
        regfree(&regex);
    }
    free(kept);
    return code;
}

const struct hk_command hk_cmd_compare = {
    .name = "compare",
    .arguments = "[A] [B]",
    .summary = "is B slower than A: times, tails, counts, and what a change comes from",
    .details = "A and B are folders of runs, files of Google Benchmark, or folders of such files,\n"
               "one for each launch; or --a and --b name what to measure now, in turns: two\n"
               "hkbench programs, two kernels, or two shell commands (Google Benchmark's programs,\n"
               "or anything, by its wall time). Times are judged at looks declared beforehand;\n"
               "quantiles (commands: counters hk_latency_ns_p50, _p90, _p99, _p999) and underruns\n"
               "(hk_underruns of hk_wakeups) once, of all launches; what is slower is measured again.\n"
               "A changed time is explained by switches, faults and system calls, where ten cells of A\n"
               "have them counted: of two builds, more cells of A are measured for that. Exit status: 0\n"
               "same or faster, 1 slower, 2 usage, 3 nothing could be measured, 4 undecided.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .positional_max = 2,
    .run = run_compare,
};
