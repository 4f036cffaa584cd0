/* SPDX-License-Identifier: MIT */
#include "hk/guest/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/abi.h"
#include "hk/guest/counts.h"
#include "hk/guest/report.h"

#define BOOTS_MAX 100u
#define APPEND_BYTES 512u
#define EXACT_WORLD "guest/"
#define KVM_WORLD "guest_kvm/"

struct boot {
    struct hk_guest_report report;
    struct hk_counts counts;
    bool counted;
};

/* --- one boot --------------------------------------------------------------- */

/* What the kernel itself says went wrong. A missing last line means that it crashed. */
static enum hk_status boot_judge(const struct boot *boot, const struct hk_qemu_result *result,
                                 char *error)
{
    const struct hk_guest_report *r = &boot->report;

    if (r->fail_count > 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest reported: %.300s%s", r->fails[0],
                 r->fail_count > 1 ? " (and more)" : "");
        return HK_EROW;
    }
    if (!r->done) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest ended without its last line after %zu rows",
                 r->row_count);
        return HK_EROW;
    }
    if (r->leaks != 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest leaked %llu objects",
                 (unsigned long long)r->leaks);
        return HK_EROW;
    }
    if (!result->exited || result->exit_value != HK_EXIT_PASS) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest ended with %s %u",
                 result->exited ? "status" : "a reset, status", result->exit_value);
        return HK_EROW;
    }
    return HK_OK;
}

static enum hk_status boot_decode(const struct hk_qemu_result *result, struct boot *boot,
                                  char *error)
{
    enum hk_status status =
        hk_guest_report_parse(result->text, result->text_bytes, &boot->report, error);

    if (status != HK_OK) {
        return status;
    }
    if (result->counts != NULL) {
        status = hk_counts_parse(result->counts, result->counts_bytes, &boot->counts, error);
        boot->counted = status == HK_OK;
    }
    return status;
}

static enum hk_status boot_run(const struct hk_guest_options *o, enum hk_qemu_clock clock,
                               struct boot *boot, char *error)
{
    const bool exact = clock == HK_QEMU_EXACT;
    char append[APPEND_BYTES];
    struct hk_qemu_options qemu = {
        .program = o->program,
        .kernel = o->files->kernel,
        .programs = o->files->programs,
        .append = append,
        .machine = o->machine,
        .clock = clock,
        .memory_mib = o->memory_mib,
        .timeout_ms = o->timeout_ms,
        .plugin = exact ? o->files->plugin : NULL,
        .model = exact ? o->files->model : NULL,
        .stop = o->stop,
    };
    struct hk_qemu_result result;
    enum hk_status status;
    int bytes = snprintf(append, sizeof(append), "scenario=experiments%s%s",
                         o->place != NULL ? " place=" : "", o->place != NULL ? o->place : "");

    if (bytes < 0 || (size_t)bytes >= sizeof(append)) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the composition is longer than %u characters",
                 APPEND_BYTES - 32);
        return HK_ETOOBIG;
    }
    status = hk_qemu_run(&qemu, &result, error);
    if (status != HK_OK) {
        return status;
    }
    status = boot_decode(&result, boot, error);
    if (status == HK_OK) {
        status = boot_judge(boot, &result, error);
    }
    hk_qemu_result_fini(&result);
    return status;
}

static void boots_fini(struct boot *boots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hk_guest_report_fini(&boots[i].report);
        hk_counts_fini(&boots[i].counts);
    }
    free(boots);
}

/* --- cells over boots --------------------------------------------------------- */

static const struct hk_guest_row *row_find(const struct hk_guest_report *report, const char *name)
{
    for (size_t i = 0; i < report->row_count; i++) {
        if (strcmp(report->rows[i].name, name) == 0) {
            return &report->rows[i];
        }
    }
    return NULL;
}

/* Rows under KVM stand in a world of their own: times never share a cell with counts. */
static enum hk_status world_rename(struct hk_launch *launch, bool counted)
{
    const char *rest = launch->name;
    char name[HK_NAME_BYTES];
    char *copy;

    if (counted || strncmp(rest, EXACT_WORLD, strlen(EXACT_WORLD)) != 0) {
        return HK_OK;
    }
    snprintf(name, sizeof(name), KVM_WORLD "%.230s", rest + strlen(EXACT_WORLD));
    copy = strdup(name);
    if (copy == NULL) {
        return HK_ENOMEM;
    }
    free(launch->name);
    launch->name = copy;
    return HK_OK;
}

static enum hk_status launches_make(const char *name, const struct boot *boots, size_t boot_count,
                                    struct hk_launch *launches, size_t *count)
{
    enum hk_status status = HK_OK;

    *count = 0;
    for (size_t i = 0; i < boot_count && status == HK_OK; i++) {
        const struct hk_guest_row *row = row_find(&boots[i].report, name);

        if (row == NULL) {
            continue;
        }
        status = hk_guest_row_launch(row, boots[i].counted ? &boots[i].counts : NULL, (uint32_t)i,
                                     &launches[*count]);
        if (status == HK_OK) {
            (*count)++;
            status = world_rename(&launches[*count - 1], boots[i].counted);
        }
    }
    return status;
}

static void cell_count(struct hk_guest_summary *summary, const struct hk_launch *launch)
{
    switch (launch->state) {
    case HK_LAUNCH_UNAVAILABLE:
        summary->absent_count++;
        return;
    case HK_LAUNCH_INVALID:
    case HK_LAUNCH_FAILED:
        summary->invalid_count++;
        return;
    case HK_LAUNCH_OK:
        break;
    }
    summary->exact_count += launch->exactness == HK_EXACT;
    summary->near_count += launch->exactness == HK_NEAR;
    summary->timed_count += launch->exactness == HK_TIMED;
}

struct attribution {
    const struct hk_guest_options *options;
    const char *cell;
};

static void function_hand_over(void *user, const char *function, double instructions)
{
    const struct attribution *a = user;

    a->options->on_function(a->options->user, a->cell, function, instructions);
}

static void functions_hand_over(const struct hk_guest_options *o, const struct boot *boot,
                                const char *name)
{
    const struct hk_guest_row *row = row_find(&boot->report, name);
    struct attribution a = {o, name};

    if (o->on_function != NULL && boot->counted && row != NULL) {
        hk_guest_row_functions(row, &boot->counts, function_hand_over, &a);
    }
}

/* All launches of one cell, classified, to the caller. */
static enum hk_status cell_hand_over(const struct hk_guest_options *o, const char *name,
                                     const struct boot *boots, struct hk_launch *launches,
                                     struct hk_guest_summary *summary)
{
    size_t count;
    enum hk_status status = launches_make(name, boots, o->boots, launches, &count);

    if (status == HK_OK) {
        hk_guest_launches_classify(launches, count);
        for (size_t i = 0; i < count; i++) {
            if (count < o->boots && launches[i].exactness == HK_EXACT) {
                launches[i].exactness = HK_NEAR; /* a boot without the row is a difference */
            }
        }
        cell_count(summary, &launches[0]);
    }
    for (size_t i = 0; i < count; i++) {
        if (status == HK_OK) {
            status = o->on_launch(o->user, &launches[i]);
        }
        hk_launch_fini(&launches[i]);
    }
    return status;
}

static enum hk_status cells_hand_over(const struct hk_guest_options *o, const struct boot *boots,
                                      struct hk_guest_summary *summary)
{
    struct hk_launch *launches = calloc(o->boots, sizeof(*launches));
    enum hk_status status = HK_OK;

    if (launches == NULL) {
        return HK_ENOMEM;
    }
    /* a boot that crashed has fewer rows: each row is taken from the first boot that has it */
    for (size_t b = 0; b < o->boots && status == HK_OK; b++) {
        for (size_t i = 0; i < boots[b].report.row_count && status == HK_OK; i++) {
            const char *name = boots[b].report.rows[i].name;
            bool seen = false;

            for (size_t before = 0; before < b && !seen; before++) {
                seen = row_find(&boots[before].report, name) != NULL;
            }
            if (!seen && (o->wanted == NULL || o->wanted(o->user, name))) {
                status = cell_hand_over(o, name, boots, launches, summary);
                functions_hand_over(o, &boots[b], name);
            }
        }
    }
    free(launches);
    return status;
}

/* --- a run --------------------------------------------------------------------- */

static enum hk_status world_run(const struct hk_guest_options *o, enum hk_qemu_clock clock,
                                uint32_t total, struct hk_guest_summary *summary, char *error)
{
    struct boot *boots = calloc(o->boots, sizeof(*boots));
    uint32_t before = clock == HK_QEMU_EXACT ? 0 : o->boots;
    enum hk_status handed;
    enum hk_status status = HK_OK;

    if (boots == NULL) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "%s", hk_status_text(HK_ENOMEM));
        return HK_ENOMEM;
    }
    for (uint32_t i = 0; i < o->boots && status == HK_OK; i++) {
        if (o->on_boot != NULL) {
            o->on_boot(o->user, before + i, total);
        }
        status = boot_run(o, clock, &boots[i], error);
        summary->leak_count += boots[i].report.leaks;
    }
    handed = cells_hand_over(o, boots, summary);
    boots_fini(boots, o->boots);
    if (status == HK_OK && handed != HK_OK) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "a launch could not be kept: %s",
                 hk_status_text(handed));
    }
    return status != HK_OK ? status : handed;
}

static enum hk_status options_check(const struct hk_guest_options *o, char *error)
{
    if (o->boots < 2 || o->boots > BOOTS_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "boots must be 2 to %u: one cannot show that figures "
                 "repeat", BOOTS_MAX);
        return HK_EINVAL;
    }
    if (o->place != NULL && strpbrk(o->place, " \t\n") != NULL) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "a composition is one word: service:kernel|server,...");
        return HK_EINVAL;
    }
    return HK_OK;
}

static void clock_choose(const struct hk_guest_options *o, struct hk_guest_summary *summary)
{
    char reason[HK_QEMU_ERROR_BYTES];

    if (!o->kvm) {
        snprintf(summary->clock, sizeof(summary->clock), "instructions (TCG, icount)");
        return;
    }
    summary->kvm = hk_qemu_kvm_check(o->program, o->files->probe, reason) == HK_OK;
    if (summary->kvm) {
        snprintf(summary->clock, sizeof(summary->clock),
                 "instructions (TCG, icount), and cycles under KVM, which passed its self-check");
    } else {
        snprintf(summary->clock, sizeof(summary->clock),
                 "instructions (TCG, icount); no cycles, because KVM failed its self-check: %.380s",
                 reason);
    }
}

enum hk_status hk_guest_run(const struct hk_guest_options *options,
                            struct hk_guest_summary *summary, char error[HK_QEMU_ERROR_BYTES])
{
    enum hk_status status = options_check(options, error);
    uint32_t total;

    *summary = (struct hk_guest_summary){0};
    if (status != HK_OK) {
        return status;
    }
    clock_choose(options, summary);
    total = options->boots * (summary->kvm ? 2u : 1u);
    status = world_run(options, HK_QEMU_EXACT, total, summary, error);
    if (status == HK_OK && summary->kvm) {
        status = world_run(options, HK_QEMU_KVM, total, summary, error);
    }
    return status;
}
