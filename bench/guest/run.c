/* SPDX-License-Identifier: MIT */
#include "hk/guest/run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "hk/guest/check.h"
#include "initramfs.h"

#define BOOTS_MAX     100u
#define BOOTS_AT_ONCE 4u
#define PLACES_MAX    100u
#define APPEND_BYTES  512u
#define EXACT_WORLD   "guest/"
#define KVM_WORLD     "guest_kvm/"

/* All boots of one world: those of the first composition, then those of the second, ... */
struct world {
    const struct hk_guest_options *options;
    char initramfs[32]; /* path; of a Linux guest only */
    size_t boot_count;
    struct hk_guest_boot *boots;
    struct hk_launch *launches; /* room for one cell's */
};

/* --- one boot --------------------------------------------------------------- */

/* What our own kernel is told; HK_ETOOBIG when it is too long for a command line. */
static enum hk_status own_append(const char *place, char append[APPEND_BYTES], char *error)
{
    int bytes = snprintf(append, APPEND_BYTES, "scenario=experiments place=%s", place);

    if (bytes < 0 || (size_t)bytes >= APPEND_BYTES) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the composition is longer than %u characters",
                 APPEND_BYTES - 32);
        return HK_ETOOBIG;
    }
    return HK_OK;
}

/* What makes every boot of a stock kernel the same: no random layout, no clock but the virtual. */
static enum hk_status linux_append(const struct hk_guest_linux *guest, char append[APPEND_BYTES],
                                   char *error)
{
    int bytes = snprintf(append, APPEND_BYTES,
                         "quiet nokaslr norandmaps tsc=reliable no_timer_check panic=-1 reboot=t %s",
                         guest->append != NULL ? guest->append : "");

    if (bytes < 0 || (size_t)bytes >= APPEND_BYTES) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "--append is longer than %u characters",
                 APPEND_BYTES - 96);
        return HK_ETOOBIG;
    }
    return HK_OK;
}

static enum hk_status boot_run(const struct world *w, enum hk_qemu_clock clock, const char *place,
                               struct hk_guest_boot *boot, char *error)
{
    const struct hk_guest_options *o = w->options;
    const struct hk_guest_linux *guest = o->linux_guest;
    const bool exact = clock == HK_QEMU_EXACT;
    char append[APPEND_BYTES];
    const struct hk_qemu_options qemu = {
        .program = o->program,
        .image = guest != NULL ? HK_QEMU_LINUX : HK_QEMU_PVH,
        .kernel = guest != NULL ? guest->kernel : o->files->kernel,
        .programs = guest != NULL ? w->initramfs : o->files->programs,
        .init = o->files->linux_init,
        .append = append,
        .machine = o->machine,
        .clock = clock,
        .memory_mib = o->memory_mib,
        .timeout_ms = o->timeout_ms,
        .plugin = exact ? o->files->plugin : NULL,
        .model = exact ? o->files->model : NULL,
        .stop = o->stop,
    };
    enum hk_status status = guest != NULL ? linux_append(guest, append, error)
                                          : own_append(place, append, error);

    return status == HK_OK ? hk_guest_boot_run(&qemu, boot, error) : status;
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

/* Says whether a cell that some boot of a composition has is missing in another one of it. */
static bool cell_missing(const struct world *w, const char *name)
{
    for (size_t first = 0; first < w->boot_count; first += w->options->boots) {
        size_t have = 0;

        for (size_t i = first; i < first + w->options->boots; i++) {
            have += row_find(&w->boots[i].report, name) != NULL;
        }
        if (have != 0 && have != w->options->boots) {
            return true;
        }
    }
    return false;
}

static enum hk_status launches_make(struct world *w, const char *name, size_t *count)
{
    enum hk_status status = HK_OK;

    *count = 0;
    for (size_t i = 0; i < w->boot_count && status == HK_OK; i++) {
        const struct hk_guest_boot *boot = &w->boots[i];
        const struct hk_guest_row *row = row_find(&boot->report, name);
        struct hk_launch *launch = &w->launches[*count];

        if (row == NULL) {
            continue;
        }
        status = hk_guest_row_launch(row, boot->counted ? &boot->counts : NULL, (uint32_t)*count,
                                     launch);
        if (status == HK_OK) {
            (*count)++;
            status = world_rename(launch, boot->counted);
        }
    }
    return status;
}

static enum hk_status launches_classify(const struct world *w, const char *name, size_t count)
{
    return cell_missing(w, name)
               ? hk_guest_launches_near(w->launches, count, "a boot lacks the row")
               : hk_guest_launches_classify(w->launches, count);
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

static void functions_hand_over(const struct hk_guest_options *o, const struct hk_guest_boot *boot,
                                const char *name)
{
    const struct hk_guest_row *row = row_find(&boot->report, name);
    struct attribution a = {o, name};

    if (o->on_function != NULL && boot->counted && row != NULL) {
        hk_guest_row_functions(row, &boot->counts, function_hand_over, &a);
    }
}

/* All launches of one cell, classified, to the caller. */
static enum hk_status cell_hand_over(struct world *w, const char *name,
                                     struct hk_guest_summary *summary)
{
    size_t count;
    enum hk_status status = launches_make(w, name, &count);

    if (status == HK_OK) {
        status = launches_classify(w, name, count);
    }
    if (status == HK_OK) {
        hk_guest_summary_add(summary, &w->launches[0]);
    }
    for (size_t i = 0; i < count; i++) {
        if (status == HK_OK) {
            status = w->options->on_launch(w->options->user, &w->launches[i]);
        }
        hk_launch_fini(&w->launches[i]);
    }
    return status;
}

static bool seen_before(const struct world *w, size_t boot, const char *name)
{
    for (size_t i = 0; i < boot; i++) {
        if (row_find(&w->boots[i].report, name) != NULL) {
            return true;
        }
    }
    return false;
}

/* Each cell once, at the first boot that has it: compositions and crashed boots lack some. */
static enum hk_status cells_hand_over(struct world *w, struct hk_guest_summary *summary)
{
    const struct hk_guest_options *o = w->options;
    enum hk_status status = HK_OK;

    for (size_t b = 0; b < w->boot_count; b++) {
        const struct hk_guest_report *report = &w->boots[b].report;

        for (size_t i = 0; i < report->row_count && status == HK_OK; i++) {
            const char *name = report->rows[i].name;

            if ((o->wanted != NULL && !o->wanted(o->user, name)) || seen_before(w, b, name)) {
                continue;
            }
            status = cell_hand_over(w, name, summary);
            functions_hand_over(o, &w->boots[b], name);
        }
    }
    return status;
}

/* --- a run --------------------------------------------------------------------- */

/* Failures of this boot alone; any other would meet the next composition as well. */
static bool is_own_failure(enum hk_status status)
{
    return status == HK_EROW || status == HK_ETIMEOUT || status == HK_EPEER ||
           status == HK_EPARSE || status == HK_ETOOBIG;
}

/* One boot on a thread of its own: QEMU under icount uses one CPU. */
struct boot_job {
    const struct world *world;
    enum hk_qemu_clock clock;
    const char *place;
    struct hk_guest_boot *boot;
    pthread_t thread;
    bool started;
    enum hk_status status;
    char error[HK_QEMU_ERROR_BYTES];
};

static void *boot_on_thread(void *user)
{
    struct boot_job *job = user;

    job->status = boot_run(job->world, job->clock, job->place, job->boot, job->error);
    return NULL;
}

/* Counts are the same whatever else runs; cycles are not, so KVM boots one at a time. */
static uint32_t boots_at_once(enum hk_qemu_clock clock)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    return clock == HK_QEMU_KVM || cpus < 1 ? 1 : cpus < BOOTS_AT_ONCE ? (uint32_t)cpus
                                                                       : BOOTS_AT_ONCE;
}

/* Some boots of one composition side by side; the first failure by their order is returned. */
static enum hk_status boots_run(struct world *w, enum hk_qemu_clock clock, const char *place,
                                struct hk_guest_boot *boots, uint32_t count, char *error)
{
    struct boot_job jobs[BOOTS_AT_ONCE];
    enum hk_status first_failure = HK_OK;

    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = (struct boot_job){.world = w, .clock = clock, .place = place, .boot = &boots[i]};
        jobs[i].started = pthread_create(&jobs[i].thread, NULL, boot_on_thread, &jobs[i]) == 0;
        if (!jobs[i].started) { /* no thread to be had: on this one */
            boot_on_thread(&jobs[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (jobs[i].started) {
            pthread_join(jobs[i].thread, NULL);
        }
        if (first_failure == HK_OK && jobs[i].status != HK_OK) {
            first_failure = jobs[i].status;
            memcpy(error, jobs[i].error, HK_QEMU_ERROR_BYTES);
        }
    }
    return first_failure;
}

/* All boots of one composition, until one fails. */
static enum hk_status place_boot(struct world *w, enum hk_qemu_clock clock, uint32_t place,
                                 uint32_t before, uint32_t total, char *error)
{
    const struct hk_guest_options *o = w->options;
    const uint32_t first = place * o->boots;
    enum hk_status status = HK_OK;

    for (uint32_t i = 0; i < o->boots && status == HK_OK;) {
        uint32_t left = o->boots - i;
        uint32_t count = left < boots_at_once(clock) ? left : boots_at_once(clock);

        if (o->on_boot != NULL) {
            o->on_boot(o->user, before + first + i, total);
        }
        status = boots_run(w, clock, o->places[place], &w->boots[first + i], count, error);
        i += count;
    }
    return status;
}

/* Boots everything; the first failure is returned, and ends its composition or the world. */
static enum hk_status world_boot(struct world *w, enum hk_qemu_clock clock, uint32_t before,
                                 uint32_t total, struct hk_guest_summary *summary, char *error)
{
    const struct hk_guest_options *o = w->options;
    enum hk_status first_failure = HK_OK;
    enum hk_status status = HK_OK;
    char later[HK_QEMU_ERROR_BYTES];

    for (uint32_t p = 0; p < o->place_count && (status == HK_OK || is_own_failure(status)); p++) {
        status = place_boot(w, clock, p, before, total, first_failure == HK_OK ? error : later);
        first_failure = first_failure == HK_OK ? status : first_failure;
    }
    for (size_t i = 0; i < w->boot_count; i++) {
        summary->leak_count += w->boots[i].report.leaks;
    }
    return first_failure;
}

static void world_fini(struct world *w)
{
    for (size_t i = 0; w->boots != NULL && i < w->boot_count; i++) {
        hk_guest_boot_fini(&w->boots[i]);
    }
    free(w->boots);
    free(w->launches);
}

static enum hk_status world_run(const struct hk_guest_options *o, enum hk_qemu_clock clock,
                                uint32_t total, struct hk_guest_summary *summary, char *error)
{
    struct world w = {.options = o, .boot_count = (size_t)o->boots * o->place_count};
    const struct hk_guest_linux *guest = o->linux_guest;
    enum hk_status status = HK_ENOMEM;
    enum hk_status handed;
    int initramfs = -1;

    w.boots = calloc(w.boot_count, sizeof(*w.boots));
    w.launches = calloc(w.boot_count, sizeof(*w.launches));
    if (w.boots == NULL || w.launches == NULL) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "%s", hk_status_text(HK_ENOMEM));
        goto done;
    }
    if (guest != NULL) {
        const struct hk_initramfs contents = {
            .init = o->files->linux_init,
            .cells = guest->cells,
            .cell_count = guest->cell_count,
            .modules = guest->modules,
            .module_count = guest->module_count,
        };
        status = hk_initramfs_create(&contents, &initramfs, error);
        if (status != HK_OK) {
            goto done;
        }
        snprintf(w.initramfs, sizeof(w.initramfs), "/proc/self/fd/%d", initramfs);
    }
    status = world_boot(&w, clock, clock == HK_QEMU_EXACT ? 0 : total / 2, total, summary, error);
    handed = cells_hand_over(&w, summary);
    if (status == HK_OK && handed != HK_OK) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "a launch could not be kept: %s",
                 hk_status_text(handed));
        status = handed;
    }
    if (guest != NULL && w.boots[0].report.place != NULL) {
        size_t used = strlen(summary->clock);

        snprintf(summary->clock + used, sizeof(summary->clock) - used, "; Linux %.200s",
                 w.boots[0].report.place);
    }
done:
    if (initramfs >= 0) {
        close(initramfs);
    }
    world_fini(&w);
    return status;
}

static bool is_word(const char *text)
{
    return text != NULL && text[0] != '\0' && strpbrk(text, " \t\n") == NULL;
}

static enum hk_status options_check(const struct hk_guest_options *o, char *error)
{
    if (o->boots < 2 || o->boots > BOOTS_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES,
                 "boots must be 2 to %u: one cannot show that figures "
                 "repeat",
                 BOOTS_MAX);
        return HK_EINVAL;
    }
    if (o->place_count < 1 || o->place_count > PLACES_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "compositions must be 1 to %u", PLACES_MAX);
        return HK_EINVAL;
    }
    for (uint32_t i = 0; i < o->place_count; i++) {
        if (!is_word(o->places[i])) {
            snprintf(error, HK_QEMU_ERROR_BYTES,
                     "a composition is one word: hybrid, monolithic, "
                     "microkernel or service:kernel|server,...");
            return HK_EINVAL;
        }
    }
    return HK_OK;
}

/* What the figures are and what they depend on, in one line that goes with them. */
static void clock_choose(const struct hk_guest_options *o, const char *version,
                         struct hk_guest_summary *summary)
{
    char cycles[HK_QEMU_ERROR_BYTES] = "";
    char reason[HK_QEMU_ERROR_BYTES];

    if (o->kvm && hk_guest_kvm_check(o->program, o->files->probe, reason) == HK_OK) {
        summary->kvm = true;
        snprintf(cycles, sizeof(cycles), "; cycles under KVM, which passed its self-check");
    } else if (o->kvm) {
        snprintf(cycles, sizeof(cycles), "; no cycles, because KVM failed its self-check: %.300s",
                 reason);
    }
    snprintf(summary->clock, sizeof(summary->clock), "instructions (icount, QEMU %s, %s built by "
             HK_KERNEL_COMPILER ")%.400s",
             version, o->linux_guest != NULL ? "programs" : "kernel", cycles);
}

enum hk_status hk_guest_run(const struct hk_guest_options *options,
                            struct hk_guest_summary *summary, char error[HK_QEMU_ERROR_BYTES])
{
    enum hk_status status = options_check(options, error);
    char version[32];
    uint32_t total;

    *summary = (struct hk_guest_summary){0};
    if (status == HK_OK) {
        status = hk_qemu_version(options->program, version, error);
    }
    if (status == HK_OK) {
        status = hk_guest_count_check(options->program, options->files, error);
    }
    if (status != HK_OK) {
        return status;
    }
    clock_choose(options, version, summary);
    total = options->boots * options->place_count * (summary->kvm ? 2u : 1u);
    status = world_run(options, HK_QEMU_EXACT, total, summary, error);
    if (status == HK_OK && summary->kvm) {
        status = world_run(options, HK_QEMU_KVM, total, summary, error);
    }
    return status;
}
