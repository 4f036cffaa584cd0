/* SPDX-License-Identifier: MIT */
/* A kernel counted now, as a side of a comparison; and counts written as a baseline. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "compare_side.h"
#include "guest_files.h"
#include "hk/guest/run.h"
#include "progress.h"

enum { BOOTS = 2, MEMORY_MIB = 128, BOOT_TIMEOUT_MS = 60000 };

/* Counts are the same on every machine. */
#define BASELINE_MACHINE "counts"

struct counting {
    const regex_t *filter;
    struct hk_run *run;
    FILE *functions;
    struct hk_progress bar;
};

static bool wanted(void *user, const char *name)
{
    const struct counting *c = user;

    return c->filter == NULL || regexec(c->filter, name, 0, NULL, 0) == 0;
}

/* The launch is the caller's: keep a copy, by way of its text. */
static enum hk_status keep(void *user, const struct hk_launch *launch)
{
    struct hk_run *run = ((struct counting *)user)->run;
    char error[HK_TEXT_BYTES];
    char *text;
    struct hk_launch *grown = realloc(run->launches, (run->launch_count + 1) * sizeof *grown);

    if (grown == NULL)
        return HK_ENOMEM;
    run->launches = grown;
    enum hk_status status = hk_launch_encode(launch, &text);
    if (status != HK_OK)
        return status;
    status = hk_launch_decode(text, strlen(text), &grown[run->launch_count], error);
    run->launch_count += status == HK_OK;
    free(text);
    return status;
}

static void keep_function(void *user, const char *cell, const char *function, double instructions)
{
    const struct counting *c = user;

    fprintf(c->functions, "%s\t%s\t%.9g\n", cell, function, instructions);
}

static void show(void *user, uint32_t done, uint32_t total)
{
    struct counting *c = user;

    hk_progress_show(&c->bar, done, total, "booting and counting");
}

static int compare_launches(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static enum hk_status finish_run(struct hk_run *run, const char *kernel, const char *clock)
{
    if (run->launch_count > 1)
        qsort(run->launches, run->launch_count, sizeof *run->launches, compare_launches);
    run->path = strdup(kernel);
    run->machine_id = strdup(BASELINE_MACHINE);
    run->machine_json = strdup("{\"id\": \"" BASELINE_MACHINE "\"}");
    run->arguments = strdup("compare --guest");
    run->started = strdup("");
    run->note = strdup(clock);
    return run->path && run->machine_id && run->machine_json && run->arguments && run->started &&
                   run->note
               ? HK_OK
               : HK_ENOMEM;
}

enum hk_status hk_side_count(const struct hk_side_guest *options, struct hk_side *side,
                             char error[HK_TEXT_BYTES])
{
    static const char *const places[] = {"hybrid"};
    static struct hk_guest_files files;
    struct hk_guest_summary summary;
    struct hk_side counted = {0};
    char *text = NULL;
    size_t bytes = 0;
    struct counting c = {.filter = options->filter, .run = &counted.run};

    snprintf(error, HK_TEXT_BYTES, "the files of the guest are incomplete");
    if (hk_cli_guest_files("compare", &files) != HK_OK)
        return HK_ENOENT;
    if (options->kernel != NULL && access(options->kernel, R_OK) != 0) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: no kernel image that can be read", options->kernel);
        return HK_ENOENT;
    }
    c.functions = open_memstream(&text, &bytes);
    if (c.functions == NULL) {
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(HK_ENOMEM));
        return HK_ENOMEM;
    }
    if (options->kernel != NULL)
        snprintf(files.kernel, sizeof files.kernel, "%s", options->kernel);
    const struct hk_guest_options guest = {
        .files = &files, .machine = HK_QEMU_MICROVM, .memory_mib = MEMORY_MIB, .boots = BOOTS,
        .timeout_ms = BOOT_TIMEOUT_MS, .places = places, .place_count = 1, .wanted = wanted,
        .on_launch = keep, .on_function = keep_function, .on_boot = show, .user = &c,
        .stop = options->stop};
    hk_progress_init(&c.bar);
    fprintf(c.functions, "cell\tfunction\tinstructions_per_op\n");
    enum hk_status status = hk_guest_run(&guest, &summary, error);
    hk_progress_fini(&c.bar);
    fclose(c.functions);
    if (status == HK_OK)
        status = finish_run(&counted.run, files.kernel, summary.clock);
    if (status == HK_OK)
        status = hk_functions_parse(text, bytes, &counted.functions, error);
    free(text);
    if (status != HK_OK)
        hk_side_fini(&counted);
    else
        *side = counted;
    return status;
}

/* --- baselines ------------------------------------------------------------------------ */

static enum hk_status put(const char *folder, const char *name, const char *text, size_t bytes)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return HK_ETOOBIG;
    return hk_file_write(path, text, bytes);
}

static enum hk_status put_launches(const struct hk_run *run, const char *folder)
{
    enum hk_status status = HK_OK;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < run->launch_count && status == HK_OK; i++) {
        char *line;
        status = hk_launch_encode(&run->launches[i], &line);
        if (status == HK_OK) {
            fprintf(out, "%s\n", line);
            free(line);
        }
    }
    fclose(out);
    if (status == HK_OK)
        status = put(folder, "launches.jsonl", text, bytes);
    free(text);
    return status;
}

static enum hk_status put_run(const struct hk_run *run, const char *folder)
{
    json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "schema", HK_RESULT_SCHEMA,
                               "machine", BASELINE_MACHINE, "state", "complete", "arguments",
                               run->arguments, "seed", "0", "started", "", "note", run->note);
    char *text = json_dumps(object, JSON_INDENT(2));

    json_decref(object);
    if (text == NULL)
        return HK_ENOMEM;
    const enum hk_status status = put(folder, "run.json", text, strlen(text));
    free(text);
    return status;
}

enum hk_status hk_side_write_baseline(const struct hk_side *side, const char *folder,
                                      const char *filter)
{
    enum hk_status status = hk_folder_make(folder);
    char *functions = NULL;
    size_t bytes = 0;

    if (status == HK_OK)
        status = put_launches(&side->run, folder);
    if (status == HK_OK)
        status = put(folder, "machine.json", side->run.machine_json,
                     strlen(side->run.machine_json));
    if (status == HK_OK)
        status = hk_functions_text(side->functions, &functions, &bytes);
    if (status == HK_OK)
        status = put(folder, "functions.tsv", functions, bytes);
    free(functions);
    if (status == HK_OK && filter != NULL)
        status = put(folder, "filter", filter, strlen(filter));
    return status == HK_OK ? put_run(&side->run, folder) : status;
}
