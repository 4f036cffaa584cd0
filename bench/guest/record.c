/* SPDX-License-Identifier: MIT */
#include "hk/guest/record.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS_FILE "functions.tsv"

struct recording {
    const struct hk_guest_plan *plan;
    struct hk_guest_outcome *outcome;
    struct hk_run_writer
        *writer; /* made with the first launch: a guest that never ran leaves nothing */
    regex_t filter;
    FILE *functions; /* text of FUNCTIONS_FILE, as it grows */
    char *functions_text;
    size_t functions_bytes;
};

static bool cell_wanted(void *user, const char *name)
{
    struct recording *r = user;

    return r->plan->filter == NULL || regexec(&r->filter, name, 0, NULL, 0) == 0;
}

static enum hk_status launch_append(void *user, const struct hk_launch *launch)
{
    struct recording *r = user;
    enum hk_status status;

    if (r->writer == NULL) {
        status = hk_run_create(r->plan->out_root, r->plan->machine_json, r->plan->arguments, 0,
                               &r->writer);
        if (status != HK_OK) {
            return status;
        }
        snprintf(r->outcome->path, sizeof(r->outcome->path), "%s", hk_run_writer_path(r->writer));
    }
    return hk_run_append(r->writer, launch);
}

static void function_append(void *user, const char *cell, const char *function, double instructions)
{
    struct recording *r = user;

    fprintf(r->functions, "%s\t%s\t%.9g\n", cell, function, instructions);
}

static void boot_tell(void *user, uint32_t done, uint32_t total)
{
    struct recording *r = user;

    if (r->plan->on_boot != NULL) {
        r->plan->on_boot(r->plan->user, done, total);
    }
}

static enum hk_status filter_compile(struct recording *r, char *error)
{
    char cause[128];
    int code;

    if (r->plan->filter == NULL) {
        return HK_OK;
    }
    code = regcomp(&r->filter, r->plan->filter, REG_EXTENDED | REG_NOSUB);
    if (code == 0) {
        return HK_OK;
    }
    regerror(code, &r->filter, cause, sizeof(cause));
    snprintf(error, HK_TEXT_BYTES, "filter '%.100s': %s", r->plan->filter, cause);
    return HK_EPARSE;
}

static enum hk_status functions_write(struct recording *r)
{
    char path[sizeof(r->outcome->path) + sizeof(FUNCTIONS_FILE) + 1];

    if (r->plan->workloads != NULL) {
        return HK_OK;
    }
    if (fflush(r->functions) != 0) {
        return HK_ENOMEM;
    }
    snprintf(path, sizeof(path), "%s/" FUNCTIONS_FILE, r->outcome->path);
    return hk_file_write(path, r->functions_text, r->functions_bytes);
}

/* Close the run directory, if there is one; what went wrong becomes its note. */
static enum hk_status recording_finish(struct recording *r, enum hk_status status, char *error)
{
    bool failed = status != HK_OK;
    enum hk_status finished;

    if (r->writer == NULL && !failed) {
        snprintf(error, HK_TEXT_BYTES,
                 "no guest cell matches '%.100s'; without --filter all are run",
                 r->plan->filter != NULL ? r->plan->filter : "");
        return HK_ENOENT;
    }
    if (r->writer == NULL) {
        return status;
    }
    r->outcome->partial = failed;
    finished = functions_write(r);
    enum hk_status closed =
        hk_run_finish(r->writer, failed, failed ? error : r->outcome->summary.clock);
    finished = finished != HK_OK ? finished : closed;
    if (finished != HK_OK && !failed) {
        snprintf(error, HK_TEXT_BYTES, "%.400s: %s", r->outcome->path, hk_status_text(finished));
        return finished;
    }
    return status;
}

enum hk_status hk_guest_record(const struct hk_guest_plan *plan, struct hk_guest_outcome *outcome,
                               char error[HK_TEXT_BYTES])
{
    struct recording r = {.plan = plan, .outcome = outcome};
    const struct hk_guest_options options = {
        .files = plan->files,
        .linux_guest = plan->linux_guest,
        .machine = plan->machine,
        .memory_mib = plan->memory_mib,
        .boots = plan->boots,
        .timeout_ms = plan->timeout_ms,
        .kvm = plan->kvm,
        .places = plan->places,
        .place_count = plan->place_count,
        .wanted = cell_wanted,
        .on_launch = launch_append,
        .on_function = function_append,
        .on_boot = boot_tell,
        .user = &r,
        .stop = plan->stop,
    };
    enum hk_status status;

    *outcome = (struct hk_guest_outcome){0};
    status = filter_compile(&r, error);
    if (status != HK_OK) {
        return status;
    }
    r.functions = open_memstream(&r.functions_text, &r.functions_bytes);
    if (r.functions == NULL) {
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(HK_ENOMEM));
        status = HK_ENOMEM;
        goto done;
    }
    fprintf(r.functions, "cell\tfunction\tinstructions_per_op\n");
    status = plan->workloads == NULL
                 ? hk_guest_run(&options, &outcome->summary, error)
                 : hk_guest_sweep(&options, plan->workloads, plan->workload_count, plan->machines,
                                  &outcome->summary, error);
    status = recording_finish(&r, status, error);
    fclose(r.functions);
    free(r.functions_text);
done:
    if (plan->filter != NULL) {
        regfree(&r.filter);
    }
    return status;
}
