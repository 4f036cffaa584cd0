/* SPDX-License-Identifier: MIT */
#include "run_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "guest_files.h"
#include "hk/base/units.h"
#include "hk/guest/primitives.h"
#include "hk/guest/record.h"
#include "progress.h"
#include "worlds.h"

#define BOOTS           2 /* of each composition; equal in all: exact */
#define MEMORY_MIB      128
#define BOOT_TIMEOUT_MS 60000
#define MACHINES_MAX    16 /* more than this many QEMUs at a time meet in the memory */
#define PRIMITIVES      "primitives" /* as a workload: what predictions are made of */
#define ALL_WORKLOADS   "audio_workstation,desktop,file_compile,sensor_node,web_server"

#define LINUX_MEMORY_MIB      256
#define LINUX_BOOT_TIMEOUT_MS 600000 /* on a busy machine booting alone may take a minute */

/* Every service once on either side of the boundary, and the composition people get. */
static const char *const places[] = {"hybrid", "monolithic", "microkernel"};

static void show_boot(void *context, uint32_t done, uint32_t total)
{
    hk_progress_show(context, done, total, "booting and counting");
}

static enum hk_exit print_json(const struct hk_guest_outcome *o)
{
    const struct hk_guest_summary *s = &o->summary;
    json_t *object =
        json_pack("{s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:s}", "path", o->path, "partial",
                  o->partial, "cells_exact", (int)s->exact_count, "cells_near", (int)s->near_count,
                  "cells_timed", (int)s->timed_count, "cells_invalid", (int)s->invalid_count,
                  "cells_unavailable", (int)s->absent_count, "clock", s->clock);
    char *text = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    if (text == NULL) {
        hk_cli_error("run", "the folder's name is no valid UTF-8: leave out --json");
        return HK_EXIT_USAGE;
    }
    puts(text);
    free(text);
    return HK_EXIT_OK;
}

static void print_text(const struct hk_guest_outcome *o)
{
    const struct hk_guest_summary *s = &o->summary;

    printf("%s%s\n%u cells exact, %u near, %u timed, %u invalid, %u not available\nclock: %s\n",
           o->path, o->partial ? " (partial)" : "", s->exact_count, s->near_count, s->timed_count,
           s->invalid_count, s->absent_count, s->clock);
    if (s->near_count > 0) {
        puts("near: launches.jsonl names the counters that differ between boots or compositions, "
             "decision 0132 why");
    }
}

static enum hk_exit outcome_show(const struct hk_guest_outcome *outcome, enum hk_status status,
                                 bool json)
{
    enum hk_exit printed = HK_EXIT_OK;

    if (outcome->path[0] != '\0' && json) {
        printed = print_json(outcome);
    } else if (outcome->path[0] != '\0') {
        print_text(outcome);
    }
    return status == HK_OK ? printed : hk_exit_of(status);
}

/* The same operations on our own kernel and on this machine, if they were measured. */
static void show_beside(const char *root, const char *path)
{
    struct hk_worlds worlds;

    if (hk_cli_worlds_beside("run", root, path, &worlds)) {
        hk_cli_worlds_print(&worlds, HK_WORLD_LINUX);
    }
    hk_worlds_fini(&worlds);
}

/* Run a plan, with a bar, and show what came of it. */
static enum hk_exit plan_run(struct hk_guest_plan *plan, const struct hk_run_guest_options *options,
                             const char *arguments)
{
    static struct hk_guest_outcome outcome;
    struct hk_progress bar;
    char error[HK_TEXT_BYTES];
    enum hk_status status;

    plan->filter = options->filter;
    plan->machine = HK_QEMU_MICROVM;
    plan->memory_mib = plan->linux_guest != NULL ? LINUX_MEMORY_MIB : MEMORY_MIB;
    plan->boots = BOOTS;
    plan->timeout_ms = plan->linux_guest != NULL ? LINUX_BOOT_TIMEOUT_MS : BOOT_TIMEOUT_MS;
    plan->out_root = options->out;
    plan->machine_json = options->machine_json;
    plan->arguments = arguments;
    plan->stop = options->stop;
    plan->on_boot = show_boot;
    plan->user = &bar;
    hk_progress_init(&bar);
    status = hk_guest_record(plan, &outcome, error);
    hk_progress_fini(&bar);
    if (status != HK_OK) {
        hk_cli_error("run", "%s", error);
    }
    enum hk_exit code = outcome_show(&outcome, status, options->json);
    if (code == HK_EXIT_OK && plan->linux_guest != NULL && !options->json) {
        show_beside(options->out, outcome.path);
    }
    return code;
}

enum hk_exit hk_cli_run_guest(const struct hk_run_guest_options *options,
                              const struct hk_guest_linux *linux_guest)
{
    static struct hk_guest_files files;
    char arguments[HK_TEXT_BYTES];
    struct hk_guest_plan plan = {
        .files = &files,
        .linux_guest = linux_guest,
        .places = places,
        .place_count = linux_guest != NULL ? 1 : HK_ARRAY_COUNT(places),
        .kvm = linux_guest == NULL,
    };

    if (hk_cli_guest_files("run", &files) != HK_OK) {
        return HK_EXIT_USAGE;
    }
    snprintf(arguments, sizeof(arguments), "run --%s%s%s",
             linux_guest != NULL ? "linux" : "guest", options->filter != NULL ? " --filter " : "",
             options->filter != NULL ? options->filter : "");
    return plan_run(&plan, options, arguments);
}

/* Reads the workloads of a list; prints what is wrong with one. */
static enum hk_status workloads_read(const struct hk_guest_files *files, const char *list,
                                     struct hk_sweep_workload *workloads, uint32_t *count)
{
    *count = 0;
    while (*list != '\0') {
        char word[HK_GUEST_PATH_BYTES];
        char error[256];
        size_t bytes = strcspn(list, ",");

        if (*count == HK_SWEEP_WORKLOADS_MAX) {
            hk_cli_error("run", "--workload takes at most %u workloads", HK_SWEEP_WORKLOADS_MAX);
            return HK_ETOOBIG;
        }
        snprintf(word, sizeof(word), "%.*s", (int)(bytes < 4000 ? bytes : 4000), list);
        if (hk_sweep_workload_find(files->workloads, word, &workloads[*count], error) != HK_OK) {
            hk_cli_error("run", "%s", error);
            return HK_ENOENT;
        }
        ++*count;
        list += bytes;
        list += *list == ',';
    }
    return HK_OK;
}

/* What predictions are made of, in the placements that it takes; a filter of one's own adds none. */
static void primitives_make(struct hk_guest_plan *plan, struct hk_sweep_workload *workloads,
                            struct hk_run_guest_options *options)
{
    for (unsigned i = 0; i < HK_PRIMITIVES; i++) {
        hk_primitive_make(i, &workloads[i]);
    }
    plan->workload_count = HK_PRIMITIVES;
    if (options->filter == NULL) {
        options->filter = hk_primitives_filter;
    }
}

enum hk_exit hk_cli_run_placements(const struct hk_run_guest_options *asked)
{
    struct hk_run_guest_options chosen = *asked;
    struct hk_run_guest_options *options = &chosen;
    static struct hk_guest_files files;
    static struct hk_sweep_workload workloads[HK_SWEEP_WORKLOADS_MAX];
    const char *list = options->workloads != NULL ? options->workloads : ALL_WORKLOADS;
    char arguments[HK_TEXT_BYTES];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct hk_guest_plan plan = {.files = &files, .workloads = workloads};

    if (hk_cli_guest_files("run", &files) != HK_OK) {
        return HK_EXIT_USAGE;
    }
    if (strcmp(list, PRIMITIVES) == 0) {
        primitives_make(&plan, workloads, options);
    } else if (workloads_read(&files, list, workloads, &plan.workload_count) != HK_OK) {
        return HK_EXIT_USAGE;
    }
    plan.machines = processors < 1 ? 1u : processors > MACHINES_MAX ? MACHINES_MAX
                                                                    : (uint32_t)processors;
    snprintf(arguments, sizeof(arguments), "run --placements --workload %.300s%s%s", list,
             options->filter != NULL ? " --filter " : "",
             options->filter != NULL ? options->filter : "");
    return plan_run(&plan, options, arguments);
}
