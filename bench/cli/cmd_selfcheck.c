/* SPDX-License-Identifier: MIT */
/* Proves what the tool says of itself, side by side in one run, with figures. */
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "hk/run/run.h"
#include "progress.h"
#include "selfcheck.h"

enum { CHECKS_MAX = 32, COMPARISONS = 200, LAUNCHES = 12, QUICK_COMPARISONS = 40 };

struct selfcheck_options {
    const char *filter;
    const char *peers;
    uint64_t launches;
    uint64_t comparisons;
    uint64_t seed;
    bool quick;
    bool json;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct selfcheck_options, f)
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only checks whose name matches", AT(filter), 0, 0},
    {"peers", 0, HK_OPTION_TEXT, "FOLDER", "look here first for the programs of others", AT(peers),
     0, 0},
    {"launches", 0, HK_OPTION_UINT, "N", "per comparison of two things (12)", AT(launches), 6, 1000},
    {"comparisons", 0, HK_OPTION_UINT, "N", "of a transport against itself (200; --quick 40)",
     AT(comparisons), 1, 100000},
    {"quick", 0, HK_OPTION_FLAG, NULL, "fewer comparisons: a wider band", AT(quick), 0, 0},
    {"seed", 0, HK_OPTION_UINT, "N", "of order and contents (from the clock)", AT(seed), 1,
     UINT64_MAX},
    {"json", 0, HK_OPTION_FLAG, NULL, "print the checks as JSON", AT(json), 0, 0},
#undef AT
};
static const struct selfcheck_options defaults = {.launches = LAUNCHES};

/* The program itself, whatever its path is by now. */
static const char *const launch_command[] = {"/proc/self/exe", "launch", NULL};

static const char *const verdict_names[] = {"met", "MISSED", "undecided", "absent"};

static volatile sig_atomic_t stopped;

/* The second Ctrl-C ends the program at once; its launches die with it. */
static void on_signal(int number)
{
    stopped = 1;
    signal(number, SIG_DFL);
}

struct selection {
    const struct hk_check *checks[CHECKS_MAX];
    struct hk_check_result results[CHECKS_MAX];
    size_t count;
    size_t done; /* checks measured */
};

static enum hk_status select_from(const struct hk_check *checks, size_t count, const regex_t *regex,
                                  struct selection *s)
{
    for (size_t i = 0; i < count; i++) {
        if (regex != NULL && regexec(regex, checks[i].name, 0, NULL, 0) != 0)
            continue;
        if (s->count == CHECKS_MAX)
            return HK_EFULL;
        s->checks[s->count++] = &checks[i];
    }
    return HK_OK;
}

static enum hk_status select_checks(const char *filter, struct selection *s)
{
    regex_t regex;

    if (filter != NULL && regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB) != 0) {
        hk_cli_error("selfcheck", "'%s' is not an extended regular expression", filter);
        return HK_EPARSE;
    }
    const regex_t *wanted = filter != NULL ? &regex : NULL;
    enum hk_status status = select_from(hk_checks_own, hk_checks_own_count, wanted, s);
    if (status == HK_OK)
        status = select_from(hk_checks_peers, hk_checks_peers_count, wanted, s);
    if (filter != NULL)
        regfree(&regex);
    if (status == HK_OK && s->count == 0) {
        fprintf(stderr, "hkbench selfcheck: no check matches '%s'; there are:", filter);
        for (size_t i = 0; i < hk_checks_own_count; i++)
            fprintf(stderr, " %s", hk_checks_own[i].name);
        for (size_t i = 0; i < hk_checks_peers_count; i++)
            fprintf(stderr, " %s", hk_checks_peers[i].name);
        fputc('\n', stderr);
        return HK_ENOENT;
    }
    return status;
}

struct bar {
    struct hk_progress progress;
    uint64_t done;
    uint64_t total;
    const char *name;
};

static void step(void *context)
{
    struct bar *bar = context;

    bar->done++;
    hk_progress_show(&bar->progress, bar->done < bar->total ? bar->done : bar->total, bar->total,
                     bar->name);
}

static uint64_t steps_of(const struct hk_check *check, const struct hk_check_session *session)
{
    return check->compares_often ? session->comparisons : session->launches;
}

static enum hk_check_verdict verdict_of(const struct hk_check_result *r)
{
    if (r->lower >= r->bound_low && r->upper <= r->bound_high)
        return HK_CHECK_MET;
    return r->upper < r->bound_low || r->lower > r->bound_high ? HK_CHECK_MISSED
                                                               : HK_CHECK_UNDECIDED;
}

static void measure_all(struct hk_check_session *session, struct selection *s)
{
    struct bar bar = {0};

    hk_progress_init(&bar.progress);
    session->step = step;
    session->step_context = &bar;
    for (size_t i = 0; i < s->count; i++)
        bar.total += steps_of(s->checks[i], session);
    for (; s->done < s->count && !stopped; s->done++) {
        const struct hk_check *check = s->checks[s->done];
        struct hk_check_result *r = &s->results[s->done];
        const uint64_t before = bar.done;
        bar.name = check->name;
        *r = (struct hk_check_result){.bound_low = check->bound_low,
                                      .bound_high = check->bound_high};
        const enum hk_status status = check->measure(session, check, r);
        if (status == HK_EINTR)
            break;
        r->verdict = status == HK_OK ? verdict_of(r) : HK_CHECK_ABSENT;
        if (status != HK_OK && r->reason[0] == '\0')
            snprintf(r->reason, sizeof r->reason, "%s", hk_status_text(status));
        bar.done = before + steps_of(check, session);
    }
    hk_progress_fini(&bar.progress);
}

static void format_bound(const struct hk_check_result *r, char *text, size_t capacity)
{
    if (isinf(r->bound_low) && isinf(r->bound_high))
        snprintf(text, capacity, "-");
    else if (isinf(r->bound_low))
        snprintf(text, capacity, "<= %g", r->bound_high);
    else
        snprintf(text, capacity, "%g to %g", r->bound_low, r->bound_high);
}

static void print_row(const struct hk_check *check, const struct hk_check_result *r)
{
    char bound[32], figure[64];

    if (r->verdict == HK_CHECK_ABSENT) {
        printf("%-17s %-9s %s\n%-17s %-9s %s\n", check->name, "absent", check->what, "", "",
               r->reason);
        return;
    }
    format_bound(r, bound, sizeof bound);
    if (check->compares_often)
        snprintf(figure, sizeof figure, "%.0f of %zu", r->value, r->count);
    else
        snprintf(figure, sizeof figure, "%.3f [%.3f, %.3f] %s, %zu launches", r->value, r->lower,
                 r->upper, check->unit, r->count);
    printf("%-17s %-9s %s\n%-17s %-9s %s, bound %s\n", check->name,
           isinf(r->bound_low) && isinf(r->bound_high) ? "-" : verdict_names[r->verdict],
           check->what, "", "", figure, bound);
}

static void set_number(json_t *object, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(object, key, json_real(value));
}

static void print_json(const struct selection *s)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < s->done; i++) {
        const struct hk_check_result *r = &s->results[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "name", s->checks[i]->name, "what",
                                s->checks[i]->what, "unit", s->checks[i]->unit, "verdict",
                                verdict_names[r->verdict]);
        if (r->verdict == HK_CHECK_ABSENT) {
            json_object_set_new(row, "reason", json_string(r->reason));
        } else {
            set_number(row, "value", r->value);
            set_number(row, "lower", r->lower);
            set_number(row, "upper", r->upper);
            set_number(row, "bound_low", r->bound_low);
            set_number(row, "bound_high", r->bound_high);
            json_object_set_new(row, "count", json_integer((json_int_t)r->count));
        }
        json_array_append_new(rows, row);
    }
    json_t *root = json_pack("{s:o, s:b}", "checks", rows, "interrupted", stopped != 0);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

/* An absent peer decides nothing; nothing measured at all is a failure of its own. */
static enum hk_exit exit_code(const struct selection *s)
{
    size_t counts[HK_CHECK_ABSENT + 1] = {0};

    for (size_t i = 0; i < s->done; i++)
        counts[s->results[i].verdict]++;
    if (counts[HK_CHECK_MISSED] > 0)
        return HK_EXIT_REFUTED;
    if (stopped || counts[HK_CHECK_MET] + counts[HK_CHECK_UNDECIDED] == 0)
        return HK_EXIT_UNMEASURED;
    return counts[HK_CHECK_UNDECIDED] > 0 ? HK_EXIT_UNDECIDED : HK_EXIT_OK;
}

static void find_own_folder(char *folder, size_t capacity)
{
    const ssize_t n = readlink("/proc/self/exe", folder, capacity - 1);

    folder[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
}

static enum hk_exit run(const void *values, int argc, char **argv)
{
    const struct selfcheck_options *o = values;
    const uint64_t comparisons = o->quick ? QUICK_COMPARISONS : COMPARISONS;
    struct hk_run_lock lock = {.fd = -1};
    struct selection s = {0};
    char own[4096];
    pid_t holder = 0;

    (void)argc, (void)argv;
    const enum hk_status selected = select_checks(o->filter, &s);
    if (selected != HK_OK)
        return HK_EXIT_USAGE;
    if (hk_run_lock_acquire(&lock, &holder) == HK_EBUSY) {
        hk_cli_error("selfcheck", "process %d is measuring on this machine; wait for it",
                     (int)holder);
        return HK_EXIT_UNMEASURED;
    }
    find_own_folder(own, sizeof own);
    struct hk_check_session session = {
        .launch_command = launch_command,
        .stop = &stopped,
        .peers = o->peers,
        .own = own,
        .launches = o->launches,
        .comparisons = o->comparisons != 0 ? o->comparisons : comparisons,
        .seed = o->seed != 0 ? o->seed : hk_clock_raw_ns(),
    };
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    measure_all(&session, &s);
    hk_run_lock_release(&lock);
    if (o->json)
        print_json(&s);
    else
        for (size_t i = 0; i < s.done; i++)
            print_row(s.checks[i], &s.results[i]);
    if (stopped)
        hk_cli_error("selfcheck", "interrupted after %zu of %zu checks", s.done, s.count);
    return exit_code(&s);
}

const struct hk_command hk_cmd_selfcheck = {
    .name = "selfcheck",
    .summary = "prove what hkbench says of itself on this machine",
    .details =
        "Holds the spinning ring against a bare cache line, the harness against empty loops, a\n"
        "transport against itself, and transports against programs of others that measure the\n"
        "same path, interleaved. Exit status: 0 every bound is met, 1 one is surely missed,\n"
        "4 undecided, 3 nothing could be measured. A check that is absent decides nothing.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof defaults,
    .run = run,
};
