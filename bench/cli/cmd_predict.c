/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "commands.h"
#include "guest_files.h"
#include "hk/base/units.h"
#include "hk/core/composition.h"
#include "hk/guest/primitives.h"
#include "predict_print.h"
#include "run_argument.h"

#define PERIODS_SEED 312

struct predict_options {
    const char *out;
    const char *run;
    const char *native;
    const char *transport;
    const char *place;
    bool json;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct predict_options, f)
    {"run", 0, HK_OPTION_TEXT, "RUN", "the primitives, counted (the newest that has them)", AT(run),
     0, 0},
    {"native", 0, HK_OPTION_TEXT, "RUN", "this machine, timed (the newest native run)", AT(native), 0,
     0},
    {"transport", 0, HK_OPTION_TEXT, "NAME",
     "of native crossings, as F3 names them: pipe, pipe_batch, unix_seqpacket, ... (pipe)",
     AT(transport), 0, 0},
    {"out", 0, HK_OPTION_TEXT, "DIR", "results folder to look for runs in (results)", AT(out), 0, 0},
    {"place", 0, HK_OPTION_TEXT, "LIST",
     "also this: monolithic, microkernel, mask:N or SERVICE:kernel|server,... (hybrid)", AT(place),
     0, 0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print all placements as JSON", AT(json), 0, 0},
#undef AT
};
static const struct predict_options defaults = {.out = "results", .transport = "pipe"};

static enum hk_status read_workload(const char *word, struct hk_prediction_task *t)
{
    struct hk_guest_files files;
    char error[256];

    enum hk_status status = hk_cli_guest_files("predict", &files);
    if (status != HK_OK)
        return status;
    status = hk_sweep_workload_find(files.workloads, word, &t->workload, error);
    if (status != HK_OK)
        hk_cli_error("predict", "%s", error);
    return status;
}

/*
 * The newest run of a machine, or of any, that has cells for a purpose. HK_ENOENT, without a word:
 * none has.
 */
static enum hk_status read_newest(const struct predict_options *o, const char *machine_id,
                                  const char *cells, struct hk_run *run,
                                  char error[HK_TEXT_BYTES])
{
    char path[4096];
    const struct hk_run_wanted wanted = {machine_id, &cells, 1, true};
    const enum hk_status status = hk_run_latest_with(o->out, &wanted, path, sizeof path);

    if (status == HK_OK)
        return hk_run_read(path, run, error);
    snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
    return status;
}

static enum hk_status read_primitives(const struct predict_options *o, struct hk_run *run)
{
    char error[HK_TEXT_BYTES];

    if (o->run != NULL)
        return hk_run_argument("predict", o->run, o->out, run);
    const enum hk_status status =
        read_newest(o, NULL, "guest/placement/" HK_PRIMITIVE_SINGLE "*", run, error);
    if (status == HK_ENOENT)
        hk_cli_error("predict", "no run under '%s' has the primitives; count them once with: "
                     "hkbench run --placements --workload primitives", o->out);
    else if (status != HK_OK)
        hk_cli_error("predict", "the primitives: %s", error);
    return status;
}

/* --place, as the kernel reads it; the kernel's bits are services in ring 0. */
static enum hk_status read_place(const struct predict_options *o, struct hk_prediction_task *t)
{
    uint32_t mask;

    t->asked = o->place != NULL;
    if (!t->asked)
        return HK_OK;
    const enum hk_status status = hk_composition_parse(o->place, strlen(o->place), &mask);
    if (status != HK_OK)
        hk_cli_error("predict", "--place takes monolithic, microkernel, hybrid, mask:0 to mask:255 "
                     "or SERVICE:kernel|server,... with each at most once, not '%s'", o->place);
    else
        t->asked_set = HK_PLACEMENTS - 1 - mask;
    return status;
}

static enum hk_status price_all(struct hk_prediction_task *t)
{
    enum hk_status status = HK_OK;

    for (uint32_t set = 0; set < HK_PLACEMENTS && status == HK_OK; set++)
        status = hk_prices_predict(&t->prices, &t->workload.mix, set, &t->priced[set]);
    if (status == HK_ERANGE)
        hk_cli_error("predict", "workload %s: mixing a period takes longer than the period of "
                     "%llu us; raise [audio] period_us", t->workload.name,
                     (unsigned long long)(t->workload.mix.audio_period_ns / HK_NS_PER_US));
    else if (status != HK_OK)
        hk_cli_error("predict", "workload %s: %s", t->workload.name, hk_status_text(status));
    return status;
}

/* --- native ---------------------------------------------------------------------------------- */

/* The run that was named, which is complained of; or this machine's newest for a purpose. */
static enum hk_status read_native(const struct predict_options *o, const char *cells,
                                  struct hk_run *run, char error[HK_TEXT_BYTES])
{
    char here[128];

    if (o->native != NULL)
        return hk_run_argument("predict", o->native, o->out, run);
    const enum hk_status status = hk_cli_machine_id(here, sizeof here);
    if (status == HK_OK)
        return read_newest(o, here, cells, run, error);
    snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
    return status;
}

static void price_crossings(struct hk_prediction_task *t)
{
    enum hk_status status = hk_crossings_fit(&t->native, t->transport, &t->costs);

    if (status == HK_ENOENT) {
        hk_prediction_refuse(t, "time of crossings: %.200s has not c_sys, c_ipc and copies of F3 "
                             "over %.40s; measure them with: hkbench run --quick", t->native.path,
                             t->transport);
        return;
    }
    for (uint32_t set = 0; set < HK_PLACEMENTS && status == HK_OK; set++) {
        struct hk_crossings crossings;
        hk_crossings_count(&t->priced[set].replay, set, &crossings);
        status = hk_crossings_predict(&crossings, &t->costs, &t->crossing_ns[set], &t->hops[set]);
    }
    t->has_crossings = status == HK_OK;
    if (!t->has_crossings)
        hk_prediction_refuse(t, "time of crossings: %.200s, F3 over %.40s: %s", t->native.path,
                             t->transport, hk_status_text(status));
}

static enum hk_status add_crossings(const struct predict_options *o, struct hk_prediction_task *t)
{
    char error[HK_TEXT_BYTES];
    const enum hk_status status = read_native(o, "native/syscall/*", &t->native, error);

    t->transport = o->transport;
    if (status == HK_OK)
        price_crossings(t);
    else if (o->native != NULL)
        return status;
    else if (status == HK_ENOENT)
        hk_prediction_refuse(t, "time of crossings: no run of this machine under '%.200s' has "
                             "native system calls; measure them with: hkbench run --quick", o->out);
    else
        hk_prediction_refuse(t, "time of crossings: %s", error);
    return HK_OK;
}

static enum hk_status add_totals(const struct predict_options *o, struct hk_prediction_task *t)
{
    struct hk_guest_files files;
    char error[HK_TEXT_BYTES];
    enum hk_status status = read_native(o, "native/workload/*", &t->bodies, error);

    if (status == HK_OK)
        status = hk_cli_guest_files("predict", &files);
    if (status == HK_OK)
        hk_prediction_totals(t, files.workloads);
    else if (o->native != NULL)
        return status;
    else if (status == HK_ENOENT)
        hk_prediction_refuse(t, "time of a whole request: no run of this machine under '%.200s' has "
                             "native workloads; measure them with: hkbench run --full --filter "
                             "native/workload", o->out);
    else
        hk_prediction_refuse(t, "time of a whole request: %s", error);
    return HK_OK;
}

static enum hk_status predict_periods(struct hk_prediction_task *t)
{
    struct hk_rng *rng = NULL;
    const enum hk_status status = hk_rng_create(PERIODS_SEED, 0, &rng);

    if (status != HK_OK)
        return status;
    hk_prediction_periods(t, rng);
    hk_rng_destroy(rng);
    return HK_OK;
}

static enum hk_status add_periods(const struct predict_options *o, struct hk_prediction_task *t)
{
    const size_t refused = t->refusal_count;
    char error[HK_TEXT_BYTES];

    if (!hk_mix_plays(&t->workload.mix))
        return HK_OK;
    enum hk_status status = read_native(o, "native/wakeup/device/*", &t->wakeups, error);
    if (status != HK_OK && o->native != NULL)
        return status;
    if (status == HK_OK) {
        status = predict_periods(t);
        snprintf(error, sizeof error, "%s", hk_status_text(status));
    }
    if (status != HK_OK && status != HK_ENOENT)
        hk_prediction_refuse(t, "jitter and underruns: %s", error);
    if (t->period_count == 0 && t->refusal_count == refused)
        hk_prediction_refuse(t, "jitter and underruns: no lateness of native/wakeup/device %s"
                             "'%.200s'; measure it with: hkbench run --quick",
                             o->native != NULL ? "in " : "of this machine under ",
                             o->native != NULL ? o->native : o->out);
    hk_prediction_refuse(t, "jitter and underruns of a mixer in this machine's kernel: nothing "
                         "native wakes there");
    return HK_OK;
}

/* The run that was named, or this machine's newest with queues. */
static enum hk_status find_queues(const struct predict_options *o, struct hk_prediction_task *t)
{
    static const char *const cells = "native/queue/*";
    char here[128];
    const struct hk_run_wanted wanted = {here, &cells, 1, true};

    if (o->native != NULL) {
        snprintf(t->waits_path, sizeof t->waits_path, "%s", t->native.path);
        return HK_OK;
    }
    const enum hk_status status = hk_cli_machine_id(here, sizeof here);
    return status == HK_OK
               ? hk_run_latest_with(o->out, &wanted, t->waits_path, sizeof t->waits_path)
               : status;
}

/* How far off the formula of waiting was where it was tried; no more than a remark. */
static void add_waits(const struct predict_options *o, struct hk_prediction_task *t)
{
    if (t->workload.mix.rate_per_s == 0)
        return;
    enum hk_status status = find_queues(o, t);
    if (status == HK_OK)
        status = hk_waits_read(t->waits_path, &t->waits);
    if (status != HK_OK)
        hk_prediction_refuse(t, "how far off M/G/1 is on this machine: no judged run with "
                             "native queues; hkbench run --full --filter native/queue, hkbench fit, "
                             "hkbench validate");
}

static enum hk_exit predict(const struct predict_options *o, const char *word,
                            struct hk_prediction_task *t)
{
    char error[HK_TEXT_BYTES];

    if (read_place(o, t) != HK_OK || read_workload(word, t) != HK_OK)
        return HK_EXIT_USAGE;
    if (read_primitives(o, &t->run) != HK_OK)
        return o->run != NULL ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
    if (hk_prices_fit(&t->run, &t->prices, error) != HK_OK) {
        hk_cli_error("predict", "%s", error);
        return HK_EXIT_UNMEASURED;
    }
    const enum hk_status status = price_all(t);
    if (status != HK_OK) /* HK_ERANGE: no such workload can be */
        return status == HK_ERANGE ? HK_EXIT_USAGE : HK_EXIT_UNMEASURED;
    if (add_crossings(o, t) != HK_OK || add_totals(o, t) != HK_OK || add_periods(o, t) != HK_OK)
        return HK_EXIT_USAGE;
    add_waits(o, t);
    if (!o->json)
        hk_prediction_print(t);
    else if (hk_prediction_print_json(t) != HK_OK)
        return HK_EXIT_UNMEASURED;
    return HK_EXIT_OK;
}

static enum hk_exit run_predict(const void *values, int argc, char **argv)
{
    struct hk_prediction_task *t;

    if (argc == 0) {
        hk_cli_error("predict", "a WORKLOAD is missing: the name of one, or a path to FILE.ini");
        return HK_EXIT_USAGE;
    }
    t = calloc(1, sizeof *t);
    if (t == NULL) {
        hk_cli_error("predict", "%s", hk_status_text(HK_ENOMEM));
        return HK_EXIT_UNMEASURED;
    }
    const enum hk_exit code = predict(values, argv[0], t);
    hk_run_fini(&t->run);
    hk_run_fini(&t->native);
    hk_run_fini(&t->bodies);
    hk_run_fini(&t->wakeups);
    free(t);
    return code;
}

const struct hk_command hk_cmd_predict = {
    .name = "predict",
    .arguments = "WORKLOAD",
    .summary = "what a workload will cost in each placement, before it is measured",
    .details =
        "WORKLOAD is a name or FILE.ini, docs/workloads.md. What each kind of its work costs comes\n"
        "from workloads that do one thing each; the width of the intervals from mixed ones that\n"
        "were predicted and counted: hkbench run --placements --workload primitives.\n"
        "docs/predict.md explains the tables.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct predict_options),
    .positional_max = 1,
    .run = run_predict,
};
