/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/judge/acceptance.h"
#include "hk/judge/judge.h"
#include "hk/trial/trial.h"
#include "run_argument.h"
#include "validate_figures.h"

struct validate_options {
    const char *out;
    const char *training;
    const char *require;
    uint64_t seed;
    uint64_t threads;
    bool full;
    bool quick;
    bool json;
};

static const struct hk_option options[] = {
    {"out", 0, HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in",
     offsetof(struct validate_options, out), 0, 0},
    {"training", 0, HK_OPTION_TEXT, "RUN", "fit on this run instead of the same one",
     offsetof(struct validate_options, training), 0, 0},
    {"require", 0, HK_OPTION_TEXT, "FORMULA", "exit with 1 if this formula is refuted (F3)",
     offsetof(struct validate_options, require), 0, 0},
    {"seed", 0, HK_OPTION_UINT, "N", "seed of the resampling (1)",
     offsetof(struct validate_options, seed), 0, UINT64_MAX},
    {"full", 0, HK_OPTION_FLAG, NULL, "print the acceptance table as well, with the figure reached",
     offsetof(struct validate_options, full), 0, 0},
    {"quick", 0, HK_OPTION_FLAG, NULL, "the same without mutants, coverage and other runs",
     offsetof(struct validate_options, quick), 0, 0},
    {"threads", 0, HK_OPTION_UINT, "N", "of --full; the result is the same (all CPUs)",
     offsetof(struct validate_options, threads), 1, HK_TRIAL_THREADS_MAX},
    {"json", 0, HK_OPTION_FLAG, NULL, "print RUN/verdicts.json instead of a table",
     offsetof(struct validate_options, json), 0, 0},
};
static const struct validate_options defaults = {.out = "results", .seed = 1};

/* The error of the textbook formula, in the words of its scale. */
static void format_error(const struct hk_judgement *j, char *text, size_t bytes)
{
    if (j->exact && strcmp(j->scale, "log10") == 0)
        snprintf(text, bytes, "EXACT, %+.3f decades at worst", j->error);
    else if (j->exact && strcmp(j->scale, "ln_ratio") == 0)
        snprintf(text, bytes, "EXACT, %+.2f %% at worst", 100 * expm1(j->error));
    else if (strcmp(j->scale, "log10") == 0)
        snprintf(text, bytes, "%+.2f decades [%+.2f, %+.2f]", j->error, j->error_lower,
                 j->error_upper);
    else if (strcmp(j->scale, "ln_ratio") == 0)
        snprintf(text, bytes, "%+.1f %% [%+.1f, %+.1f]", 100 * expm1(j->error),
                 100 * expm1(j->error_lower), 100 * expm1(j->error_upper));
    else
        snprintf(text, bytes, "-");
}

static void print_verdicts(const struct hk_judge *judge, const char *path)
{
    size_t counts[HK_VERDICT_REFUTED + 1] = {0};

    printf("%-7s  %-42s  %-17s  %-30s  %s\n", "formula", "regime", "verdict",
           "off by [90 % interval]", "held instead");
    for (size_t i = 0; i < judge->judgement_count; i++) {
        const struct hk_judgement *j = &judge->judgements[i];
        char error[64];
        format_error(j, error, sizeof error);
        printf("%-7s  %-42s  %-17s  %-30s  %s\n", j->formula, j->regime,
               hk_verdict_kind_name(j->kind), error, j->replacement);
        counts[j->kind]++;
    }
    printf("%zu held, %zu refuted and replaced, %zu refuted, %zu could not be decided here; "
           "causes: %s/verdicts.json\n", counts[HK_VERDICT_HOLDS],
           counts[HK_VERDICT_REFUTED_REPLACED], counts[HK_VERDICT_REFUTED],
           counts[HK_VERDICT_INCONCLUSIVE], path);
}

/* "3.1 % [2.9, 3.4] at 90 %, n=48" */
static void format_reached(const struct hk_acceptance *a, char *text, size_t bytes)
{
    const char *space = a->unit[0] != '\0' ? " " : "";
    char level[16] = "";

    if (a->confidence_ratio > 0)
        snprintf(level, sizeof level, " at %.0f %%", 100 * a->confidence_ratio);
    if (a->sample_count == 0)
        snprintf(text, bytes, "-");
    else if (a->lower == a->upper)
        snprintf(text, bytes, "%.3g%s%s, n=%llu", a->value, space, a->unit,
                 (unsigned long long)a->sample_count);
    else
        snprintf(text, bytes, "%.3g%s%s [%.3g, %.3g]%s, n=%llu", a->value, space, a->unit, a->lower,
                 a->upper, level, (unsigned long long)a->sample_count);
}

static void print_acceptance(const struct hk_judge *judge, bool quick)
{
    size_t counts[HK_ACCEPTANCE_REPORTED + 1] = {0};

    printf("\n%-10s  %-58s  %-15s  %-44s  %s\n", "row", "target on held-out data", "required",
           "reached", "");
    for (size_t i = 0; i < judge->acceptance_count; i++) {
        const struct hk_acceptance *a = &judge->acceptance[i];
        char reached[96];
        format_reached(a, reached, sizeof reached);
        printf("%-10s  %-58s  %-15s  %-44s  %s%s%s\n", a->row, a->target, a->required, reached,
               hk_acceptance_outcome_name(a->outcome), a->why[0] != '\0' ? ": " : "", a->why);
        const bool last = i + 1 == judge->acceptance_count ||
                          strcmp(judge->acceptance[i + 1].row, a->row) != 0;
        counts[hk_acceptance_row(judge, a->row)] += last;
    }
    printf("%zu rows pass, %zu are missed, %zu cannot be decided%s\n",
           counts[HK_ACCEPTANCE_PASS], counts[HK_ACCEPTANCE_MISSED],
           counts[HK_ACCEPTANCE_INCONCLUSIVE],
           quick ? "; --quick leaves out mutants, the coverage of rare-event intervals and other "
                   "runs: --full"
                 : "");
}

static enum hk_status assess(const struct validate_options *o, const struct hk_run *target,
                             struct hk_judge *judge)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t cpus = online < 1 ? 1 : (size_t)online;
    const struct hk_figure_request request = {
        .run = target,
        .judge = judge,
        .seed = o->seed,
        .thread_count = o->threads > 0             ? o->threads
                        : cpus < HK_TRIAL_THREADS_MAX ? cpus
                                                      : HK_TRIAL_THREADS_MAX,
        .quick = !o->full,
    };
    struct hk_reached figures[HK_FIGURES_MAX];
    size_t count = 0;
    enum hk_status status = hk_validate_figures(&request, figures, &count);

    if (status == HK_OK)
        status = hk_acceptance_assess(target, figures, count, judge);
    if (status != HK_OK)
        hk_cli_error("validate", "the acceptance table: %s", hk_status_text(status));
    return status;
}

/* A refuted formula is a finding; it is a failure only where it was required to hold. */
static enum hk_exit exit_code(const struct hk_judge *judge, const char *required)
{
    bool seen = false;
    bool held = true;

    if (required == NULL)
        return HK_EXIT_OK;
    for (size_t i = 0; i < judge->judgement_count; i++) {
        const struct hk_judgement *j = &judge->judgements[i];
        if (strcmp(j->formula, required) != 0)
            continue;
        seen = true;
        if (j->kind == HK_VERDICT_REFUTED || j->kind == HK_VERDICT_REFUTED_REPLACED)
            return HK_EXIT_REFUTED;
        held = held && j->kind == HK_VERDICT_HOLDS;
    }
    if (!seen) {
        hk_cli_error("validate", "no verdict on '%s' in this run", required);
        return HK_EXIT_UNMEASURED;
    }
    return held ? HK_EXIT_OK : HK_EXIT_UNDECIDED;
}

static enum hk_exit judge_run(const struct validate_options *o, const struct hk_run *training,
                              const struct hk_run *target)
{
    struct hk_judge judge;
    char error[HK_TEXT_BYTES];
    enum hk_exit code = HK_EXIT_UNMEASURED;

    hk_judge_init(&judge);
    enum hk_status status = hk_judge_validate(training, target, o->seed, &judge, error);
    if (status != HK_OK) {
        hk_cli_error("validate", "%s", error);
        code = status == HK_EMACHINE ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
    } else if (judge.judgement_count == 0) {
        hk_cli_error("validate", "%s has none of the cells that the formulas predict; measure "
                     "them with: hkbench run --quick", target->path);
    } else if ((o->full || o->quick) && (status = assess(o, target, &judge)) != HK_OK) {
        code = hk_exit_of(status);
    } else if ((status = hk_judge_write_verdicts(&judge, target->path)) != HK_OK) {
        hk_cli_error("validate", "cannot write %s/verdicts.json: %s", target->path,
                     hk_status_text(status));
        code = hk_exit_of(status);
    } else if (o->json &&
               (status = hk_run_file_print("validate", target->path, "verdicts.json")) != HK_OK) {
        code = hk_exit_of(status);
    } else {
        if (!o->json)
            print_verdicts(&judge, target->path);
        if (!o->json && judge.acceptance_count > 0)
            print_acceptance(&judge, !o->full);
        code = exit_code(&judge, o->require);
    }
    hk_judge_fini(&judge);
    return code;
}

static enum hk_exit run_validate(const void *values, int argc, char **argv)
{
    const struct validate_options *o = values;
    struct hk_run target;
    struct hk_run training;

    if (hk_run_argument("validate", argc > 0 ? argv[0] : NULL, o->out, &target) != HK_OK)
        return HK_EXIT_USAGE;
    enum hk_exit code = HK_EXIT_USAGE;
    if (o->training == NULL) {
        code = judge_run(o, &target, &target);
    } else if (hk_run_argument("validate", o->training, o->out, &training) == HK_OK) {
        code = judge_run(o, &training, &target);
        hk_run_fini(&training);
    }
    hk_run_fini(&target);
    return code;
}

const struct hk_command hk_cmd_validate = {
    .name = "validate",
    .arguments = "[RUN]",
    .summary = "predict a run's held-out cells and say which formula holds",
    .details = "RUN is a run folder; without it, the newest run of this results folder.\n"
               "Writes RUN/verdicts.json. A refuted formula is a finding: the exit status is 1\n"
               "only with --require, and 4 if the required formula could not be decided.\n"
               "--full adds what is required of each formula's models, of the rare-event methods\n"
               "and of the judge itself, beside what was reached.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct validate_options),
    .positional_max = 1,
    .run = run_validate,
};
