/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guest_files.h"
#include "hk/base/units.h"
#include "place_print.h"
#include "run_argument.h"

struct place_options {
    const char *out;
    const char *services;
    const char *workload;
    uint64_t budget_percent;
    bool json;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct place_options, f)
    {"out", 0, HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in", AT(out), 0, 0},
    {"services", 0, HK_OPTION_TEXT, "FILE",
     "what isolating a service is worth and moving it takes (workloads/services.ini)",
     AT(services), 0, 0},
    {"workload", 0, HK_OPTION_TEXT, "NAME", "only this one of the run's", AT(workload), 0, 0},
    {"budget-percent", 0, HK_OPTION_UINT, "N", "instructions that may be added (10)",
     AT(budget_percent), 0, 100000},
    {"json", 0, HK_OPTION_FLAG, NULL, "print all of it as JSON", AT(json), 0, 0},
#undef AT
};
static const struct place_options defaults = {.out = "results", .budget_percent = 10};

/* What the studies of a run have in common, and what they gave. */
struct task {
    const struct place_options *options;
    const struct hk_run *run;
    struct hk_place_services services;
    struct hk_judge judge; /* F2 on every whole workload */
    json_t *array;         /* with --json */
    size_t studied_count;
    size_t found_count; /* workloads that have cells at all */
    struct hk_placements partial; /* one that was not whole */
};

static enum hk_status read_services(const struct place_options *o, struct hk_place_services *out)
{
    struct hk_guest_files files;
    char path[HK_GUEST_PATH_BYTES + 16];
    char error[256];

    if (o->services != NULL) {
        snprintf(path, sizeof path, "%s", o->services);
    } else {
        const enum hk_status status = hk_cli_guest_files("place", &files);
        if (status != HK_OK)
            return status;
        snprintf(path, sizeof path, "%s/services.ini", files.workloads);
    }
    const enum hk_status status = hk_place_services_read(path, out, error);
    if (status != HK_OK)
        hk_cli_error("place", "%s", error);
    return status;
}

static enum hk_status judge_f2(const struct hk_run *run, struct hk_judge *judge)
{
    for (size_t i = 0; i < hk_judge_formula_count; i++)
        if (strcmp(hk_judge_formulas[i].id, "F2") == 0)
            return hk_judge_formulas[i].validate(run, run, NULL, judge); /* it draws nothing */
    return HK_ENOENT;
}

static const struct hk_judgement *verdict_on(const struct hk_judge *judge, const char *workload)
{
    for (size_t i = 0; i < judge->judgement_count; i++) {
        const char *name = strrchr(judge->judgements[i].regime, '/');
        if (name != NULL && strcmp(name + 1, workload) == 0)
            return &judge->judgements[i];
    }
    return NULL;
}

static enum hk_status study_one(struct task *t, const struct hk_placements *truth)
{
    const struct hk_judgement *verdict = verdict_on(&t->judge, truth->workload);
    struct hk_place_study *study = malloc(sizeof *study);
    enum hk_status status = study != NULL ? HK_OK : HK_ENOMEM;

    if (status == HK_OK && verdict == NULL)
        status = HK_EINVAL; /* a name too long for a verdict's regime */
    if (status == HK_OK)
        status = hk_place_study_make(truth, &t->services,
                                     (double)t->options->budget_percent / 100, study);
    if (status == HK_OK && t->options->json) {
        if (json_array_append_new(t->array, hk_place_json(study, verdict)) != 0)
            status = HK_ENOMEM;
    } else if (status == HK_OK) {
        fputs(t->studied_count > 0 ? "\n\n" : "", stdout);
        hk_place_print(study, verdict);
    }
    if (status == HK_OK)
        t->studied_count++;
    else
        hk_cli_error("place", "workload %s: %s", truth->workload, hk_status_text(status));
    free(study);
    return status;
}

static enum hk_status study_all(struct task *t)
{
    char workload[HK_NAME_BYTES];
    size_t launch = 0;
    enum hk_status status = HK_OK;

    while (status == HK_OK && hk_placements_next(t->run, &launch, workload)) {
        struct hk_placements truth;
        if (t->options->workload != NULL && strcmp(workload, t->options->workload) != 0)
            continue;
        t->found_count++;
        if (hk_placements_read(t->run, workload, &truth) == HK_OK)
            status = study_one(t, &truth);
        else
            t->partial = truth;
    }
    return status;
}

/* What was not studied must be said; on stderr, so that it does not end up in tables. */
static enum hk_exit finish(const struct task *t)
{
    if (t->found_count == 0) {
        hk_cli_error("place", "%s has no placements%s%s; count them with: hkbench run --placements",
                     t->run->path, t->options->workload != NULL ? " of " : "",
                     t->options->workload != NULL ? t->options->workload : "");
        return HK_EXIT_UNMEASURED;
    }
    if (t->studied_count < t->found_count) {
        hk_cli_error("place", "%zu of %zu workloads lack placements (%s has %zu of %u); count all "
                     "with: hkbench run --placements", t->found_count - t->studied_count,
                     t->found_count, t->partial.workload, t->partial.found_count, HK_PLACEMENTS);
        return t->studied_count == 0 ? HK_EXIT_UNMEASURED : HK_EXIT_UNDECIDED;
    }
    return HK_EXIT_OK;
}

static enum hk_exit place(struct task *t)
{
    enum hk_status status = judge_f2(t->run, &t->judge);

    if (status == HK_OK && t->options->json && (t->array = json_array()) == NULL)
        status = HK_ENOMEM;
    if (status != HK_OK) {
        hk_cli_error("place", "judging F2: %s", hk_status_text(status));
        return HK_EXIT_UNMEASURED;
    }
    if (study_all(t) != HK_OK)
        return HK_EXIT_UNMEASURED;
    if (t->options->json && t->studied_count > 0 &&
        json_dumpf(t->array, stdout, JSON_INDENT(1)) == 0)
        puts("");
    return finish(t);
}

/* The run that was named, or the newest that has placements: runs of other worlds may be newer. */
static enum hk_status read_run(const struct place_options *o, const char *path, struct hk_run *run)
{
    char cells[HK_NAME_BYTES], newest[4096];
    const char *const pattern = cells;
    const struct hk_run_wanted wanted = {.cells = &pattern, .cell_count = 1, .ok = true};

    snprintf(cells, sizeof cells, "guest/placement/%s%s*",
             o->workload != NULL ? o->workload : "", o->workload != NULL ? "/" : "");
    if (path == NULL) {
        const enum hk_status status = hk_run_latest_with(o->out, &wanted, newest, sizeof newest);
        if (status != HK_OK) {
            hk_cli_error("place", "no run under '%s' has %s (%s); count them with: hkbench run "
                         "--placements", o->out, cells, hk_status_text(status));
            return status;
        }
        path = newest;
    }
    return hk_run_argument("place", path, o->out, run);
}

static enum hk_exit run_place(const void *values, int argc, char **argv)
{
    struct task t = {.options = values};
    struct hk_run run;

    if (read_services(t.options, &t.services) != HK_OK ||
        read_run(t.options, argc > 0 ? argv[0] : NULL, &run) != HK_OK)
        return HK_EXIT_USAGE;
    t.run = &run;
    hk_judge_init(&t.judge);
    const enum hk_exit code = place(&t);
    json_decref(t.array);
    hk_judge_fini(&t.judge);
    hk_run_fini(&run);
    return code;
}

const struct hk_command hk_cmd_place = {
    .name = "place",
    .arguments = "[RUN]",
    .summary = "which services to move, by counted placements and stated worth",
    .details =
        "RUN is a run folder of hkbench run --placements; without it, the newest of this results\n"
        "folder that has placements. Predicts all 256 placements from a few of them, says how good the\n"
        "prediction is and what choosing by it costs, in which order to move services, which\n"
        "placement is best at which weights, and what would change that. docs/place.md explains\n"
        "the tables. Exit status 4: only some of the run's workloads have all placements.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct place_options),
    .positional_max = 1,
    .run = run_place,
};
