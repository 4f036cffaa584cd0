/* SPDX-License-Identifier: MIT */
#include "validate_figures.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "hk/base/units.h"
#include "hk/stats/proportion.h"
#include "hk/trial/trial.h"
#include "program.h"
#include "progress.h"

enum { RUNS_MAX = 20, PATH_BYTES = 4096, TEXT_BYTES = 1 << 17 };

static const uint64_t mutants_limit_ns = 300ull * HK_NS_PER_S;

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct figures {
    struct hk_reached *all;
    size_t count;
};

static void add_share(struct figures *f, const char *id, uint64_t hits, uint64_t n)
{
    struct hk_reached *out = &f->all[f->count];
    struct hk_interval interval;

    if (f->count == HK_FIGURES_MAX || hk_proportion_interval(hits, n, 0.95, &interval) != HK_OK)
        return;
    *out = (struct hk_reached){.value = (double)hits / (double)n, .lower = interval.lower,
                              .upper = interval.upper, .count = n,
                              .confidence_ratio = interval.confidence_ratio};
    snprintf(out->id, sizeof out->id, "%s", id);
    f->count++;
}

/* --- mutants ------------------------------------------------------------------------- */

static enum hk_status own_folder(char folder[PATH_BYTES])
{
    const ssize_t n = readlink("/proc/self/exe", folder, PATH_BYTES - 1);

    if (n <= 0)
        return HK_ENOENT;
    folder[n] = '\0';
    *strrchr(folder, '/') = '\0';
    return HK_OK;
}

/* Mutants count only where all right formulas got their verdicts on the same data. */
static void read_mutants(const char *text, struct figures *f)
{
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_int_t mutants = json_integer_value(json_object_get(root, "mutants"));
    const json_int_t killed = json_integer_value(json_object_get(root, "killed"));
    const json_int_t controls = json_integer_value(json_object_get(root, "controls"));
    const json_int_t met = json_integer_value(json_object_get(root, "met"));

    if (mutants > 0 && killed >= 0 && killed <= mutants && met == controls)
        add_share(f, "mutants_killed", (uint64_t)killed, (uint64_t)mutants);
    else
        hk_cli_error("validate", "hkbench-mutants: %lld of %lld right formulas got their verdict; "
                     "run it to see which", (long long)met, (long long)controls);
    json_decref(root);
}

static enum hk_status run_mutants(uint64_t seed, struct figures *f)
{
    char folder[PATH_BYTES], number[24];
    const char *const argv[] = {"hkbench-mutants", "--json", number, NULL};
    const struct hk_program program = {.argv = argv, .folder = folder,
                                       .limit_ns = mutants_limit_ns, .stop = &stopped};
    char *text = malloc(TEXT_BYTES);

    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    enum hk_status status = text == NULL ? HK_ENOMEM : own_folder(folder);
    if (status == HK_OK)
        status = hk_program_run(&program, text, TEXT_BYTES);
    /* Status 1 is a survivor too many: the figures are there all the same. */
    if (status == HK_OK || (status == HK_EIO && text[0] == '{'))
        read_mutants(text, f);
    else if (status != HK_EINTR && status != HK_ENOMEM)
        hk_cli_error("validate", "hkbench-mutants, beside hkbench, does not run: %s",
                     hk_status_text(status));
    free(text);
    return status == HK_EINTR || status == HK_ENOMEM ? status : HK_OK;
}

/* --- other runs ------------------------------------------------------------------------ */

/* Judges of runs that were asked for in the same way; the run in hand first, not owned. */
struct reruns {
    size_t count;
    const struct hk_judge *judges[RUNS_MAX];
    struct hk_judge others[RUNS_MAX];
};

/* Equal but for the seed, which ends a run's arguments. */
static bool asked_alike(const struct hk_run *a, const struct hk_run *b)
{
    static const char seed[] = " --seed ";
    const char *at = strstr(a->arguments, seed);
    const size_t length = at == NULL ? strlen(a->arguments) : (size_t)(at - a->arguments);

    if (strncmp(a->arguments, b->arguments, length) != 0)
        return false; /* it may be shorter than that */
    const char *rest = b->arguments + length;
    return *rest == '\0' || strncmp(rest, seed, sizeof seed - 1) == 0;
}

static enum hk_status judge_other(const struct hk_figure_request *q, const char *path,
                                  struct reruns *r)
{
    char error[HK_TEXT_BYTES];
    struct hk_judge *judge = &r->others[r->count];
    struct hk_run run;

    if (hk_run_read(path, &run, error) != HK_OK)
        return HK_OK; /* not a run, or one being written */
    enum hk_status status = HK_OK;
    if (strcmp(run.started, q->run->started) != 0 && asked_alike(q->run, &run) &&
        hk_run_mixable(q->run, &run, error) == HK_OK) {
        hk_judge_init(judge);
        status = hk_judge_validate(&run, &run, q->seed, judge, error);
        r->judges[r->count++] = judge;
    }
    hk_run_fini(&run);
    return status;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name); /* names begin with their time */
}

static enum hk_status judge_others(const struct hk_figure_request *q, struct reruns *r)
{
    char folder[PATH_BYTES], path[PATH_BYTES + 256];
    struct dirent **names = NULL;
    enum hk_status status = HK_OK;

    snprintf(folder, sizeof folder, "%s/..", q->run->path);
    const int n = scandir(folder, &names, NULL, newest_first);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && r->count < RUNS_MAX && status == HK_OK && !stopped)
            status = judge_other(q, path, r);
        free(names[i]);
    }
    free(names);
    return stopped ? HK_EINTR : status;
}

/* Runs of those that were asked, and how many said what most of them said. */
struct agreement {
    uint64_t agree;
    uint64_t count;
};

/* Of the verdicts as they stand, with what holds instead. */
static void count_agreement(const struct reruns *r, const struct hk_judgement *like,
                            struct agreement *a)
{
    const struct hk_judgement *found[RUNS_MAX];
    uint64_t count = 0, most = 0;

    for (size_t i = 0; i < r->count; i++) {
        found[count] = hk_judge_verdict(r->judges[i], like->formula, like->regime);
        count += found[count] != NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t same = 0;
        for (uint64_t k = 0; k < count; k++)
            same += found[i]->kind == found[k]->kind &&
                    strcmp(found[i]->replacement, found[k]->replacement) == 0;
        most = same > most ? same : most;
    }
    a->agree += count >= 2 ? most : 0;
    a->count += count >= 2 ? count : 0;
}

/* Of the textbook alone, by the runs that decide: two of them must not contradict each other. */
static void count_decided(const struct reruns *r, const struct hk_judgement *like,
                          struct agreement *a)
{
    uint64_t holds = 0, fails = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct hk_judgement *j = hk_judge_verdict(r->judges[i], like->formula, like->regime);
        if (j == NULL || j->kind == HK_VERDICT_INCONCLUSIVE)
            continue;
        holds += j->kind == HK_VERDICT_HOLDS;
        fails += j->kind != HK_VERDICT_HOLDS;
    }
    a->agree += holds + fails < 2 ? 0 : holds > fails ? holds : fails;
    a->count += holds + fails < 2 ? 0 : holds + fails;
}

static enum hk_status compare_runs(const struct hk_figure_request *q, struct figures *f)
{
    struct reruns *r = calloc(1, sizeof *r);
    struct agreement verdicts = {0, 0}, decided = {0, 0};

    if (r == NULL)
        return HK_ENOMEM;
    r->judges[r->count++] = q->judge;
    const enum hk_status status = judge_others(q, r);
    for (size_t i = 0; i < q->judge->judgement_count && status == HK_OK; i++) {
        count_agreement(r, &q->judge->judgements[i], &verdicts);
        count_decided(r, &q->judge->judgements[i], &decided);
    }
    for (size_t i = 1; i < r->count; i++)
        hk_judge_fini(&r->others[i]);
    free(r);
    if (status == HK_OK) {
        add_share(f, "same_verdict_runs", verdicts.agree, verdicts.count);
        add_share(f, "same_decision_runs", decided.agree, decided.count);
    }
    return status;
}

/* --- guard --------------------------------------------------------------------------- */

/* Blocks of one kind, and those of them that the guard dropped, over all launches. */
static void add_flagged(const struct hk_run *run, const char *blocks, const char *flagged,
                        const char *id, struct figures *f)
{
    double all = 0, dropped = 0, a, b;

    for (size_t i = 0; i < run->launch_count; i++) {
        const struct hk_launch *l = &run->launches[i];
        if (l->state == HK_LAUNCH_OK && hk_launch_counter(l, blocks, &a) &&
            hk_launch_counter(l, flagged, &b) && b <= a) {
            all += a;
            dropped += b;
        }
    }
    add_share(f, id, (uint64_t)dropped, (uint64_t)all);
}

/* A guard that drops everything sees every neighbour: what it leaves alone counts as well. */
static void read_guard(const struct hk_run *run, struct figures *f)
{
    add_flagged(run, "hk_neighbour_blocks", "hk_neighbour_flagged", "guard_flagged", f);
    add_flagged(run, "hk_quiet_blocks", "hk_quiet_flagged", "guard_quiet_flagged", f);
}

static void show(void *context, uint64_t done, uint64_t total)
{
    hk_progress_show(context, done < total ? done : total, total, "trying the judge and methods");
}

enum hk_status hk_validate_figures(const struct hk_figure_request *q, struct hk_reached *figures,
                                   size_t *count)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct hk_progress progress;
    struct figures f = {figures, 0};
    const struct hk_trial_plan plan = {.seed = q->seed, .thread_count = q->thread_count,
                                       .quick = q->quick, .stop = &stopped, .progress = show,
                                       .context = &progress};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    hk_progress_init(&progress);
    enum hk_status status = hk_trial_run(&plan, f.all, &f.count);
    hk_progress_fini(&progress);
    if (status == HK_OK && !q->quick)
        status = run_mutants(q->seed, &f);
    if (status == HK_OK && !q->quick)
        status = compare_runs(q, &f);
    if (status == HK_OK) {
        read_guard(q->run, &f);
        *count = f.count;
    }
    return status;
}
