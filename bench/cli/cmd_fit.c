/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/judge/judge.h"
#include "run_argument.h"

struct fit_options {
    const char *out;
    uint64_t seed;
    bool json;
};

static const struct hk_option options[] = {
    {"out", 0, HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in",
     offsetof(struct fit_options, out), 0, 0},
    {"seed", 0, HK_OPTION_UINT, "N", "seed of the resampling (1)",
     offsetof(struct fit_options, seed), 0, UINT64_MAX},
    {"json", 0, HK_OPTION_FLAG, NULL, "print RUN/parameters.json instead of a table",
     offsetof(struct fit_options, json), 0, 0},
};
static const struct fit_options defaults = {.out = "results", .seed = 1};

static void print_parameters(const struct hk_judge *judge)
{
    printf("%-64s %14s  %s\n", "parameter", "value", "95 % interval, launches");
    for (size_t i = 0; i < judge->parameter_count; i++) {
        const struct hk_parameter *p = &judge->parameters[i];
        printf("%-64s %14.6g  [%.6g, %.6g], %llu\n", p->name, p->value, p->lower, p->upper,
               (unsigned long long)p->launches);
    }
}

static enum hk_exit run_fit(const void *values, int argc, char **argv)
{
    const struct fit_options *o = values;
    struct hk_run run;
    struct hk_judge judge;
    char error[HK_TEXT_BYTES];
    enum hk_exit code = HK_EXIT_OK;

    if (hk_run_argument("fit", argc > 0 ? argv[0] : NULL, o->out, &run) != HK_OK)
        return HK_EXIT_USAGE;
    hk_judge_init(&judge);
    enum hk_status status = hk_judge_fit(&run, o->seed, &judge, error);
    if (status != HK_OK) {
        hk_cli_error("fit", "%s", error);
        code = HK_EXIT_UNMEASURED;
    } else if (judge.parameter_count == 0) {
        hk_cli_error("fit", "%s has none of the cells that the formulas are fitted on; "
                     "measure them with: hkbench run --quick", run.path);
        code = HK_EXIT_UNMEASURED;
    } else if ((status = hk_judge_write_parameters(&judge, run.path)) != HK_OK) {
        hk_cli_error("fit", "cannot write %s/parameters.json: %s", run.path,
                     hk_status_text(status));
        code = hk_exit_of(status);
    } else if (o->json) {
        code = hk_exit_of(hk_run_file_print("fit", run.path, "parameters.json"));
    } else {
        print_parameters(&judge);
    }
    hk_judge_fini(&judge);
    hk_run_fini(&run);
    return code;
}

const struct hk_command hk_cmd_fit = {
    .name = "fit",
    .arguments = "[RUN]",
    .summary = "fit the formulas' parameters on a run's training cells",
    .details = "RUN is a run folder; without it, the newest run of this results folder.\n"
               "Writes RUN/parameters.json.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct fit_options),
    .positional_max = 1,
    .run = run_fit,
};
