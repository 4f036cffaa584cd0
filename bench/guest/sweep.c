/* SPDX-License-Identifier: MIT */
#include "hk/guest/sweep.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "hk/guest/check.h"

#define APPEND_BYTES 512u
#define OUTAGE_SEED  20260730u
#define AR_HEADER_BYTES 60u
#define MACHINES_MAX 64u
#define GROUPS_MAX \
    ((HK_SWEEP_WORKLOADS_MAX + HK_SWEEP_BOOT_WORKLOADS - 1) / HK_SWEEP_BOOT_WORKLOADS)

/* Workloads of one boot: their programs and mixes in memory, and their names. */
struct group {
    int archive;
    char path[64];
    char names[HK_SWEEP_BOOT_WORKLOADS * HK_SWEEP_NAME_BYTES];
};

struct placement {
    uint32_t mask;
    const struct group *group;
    bool outages; /* not the workloads, but servers that fail: once, with all of them outside */
    uint32_t boots_left; /* to be started, and */
    uint32_t boots_out;  /* begun and not yet through */
    bool failed;
    struct hk_guest_boot *boots;
};

/* What the threads share; all but the constant part under the mutex. */
struct sweep {
    const struct hk_guest_options *options;
    const struct hk_sweep_workload *workloads;
    uint32_t workload_count;
    struct group groups[GROUPS_MAX];
    uint32_t group_count;

    pthread_mutex_t mutex;
    struct placement placements[GROUPS_MAX * HK_SWEEP_PLACEMENTS + 1];
    uint32_t placement_count;
    uint32_t boots_done;
    enum hk_status status; /* the first failure, and its text */
    char error[HK_QEMU_ERROR_BYTES];
    struct hk_guest_summary *summary;
};

/* --- workloads ----------------------------------------------------------------- */

static bool name_is_good(const char *name)
{
    size_t bytes = strlen(name);

    for (size_t i = 0; i < bytes; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-') {
            return false;
        }
    }
    return bytes > 0 && bytes < HK_SWEEP_NAME_BYTES;
}

enum hk_status hk_sweep_workload_find(const char *folder, const char *word,
                                      struct hk_sweep_workload *workload, char error[256])
{
    static const char suffix[] = ".ini";
    struct hk_sweep_workload found = {0};
    const char *slash = strrchr(word, '/');
    const char *name = slash != NULL ? slash + 1 : word;
    size_t bytes = strlen(name);
    char path[HK_GUEST_PATH_BYTES];
    enum hk_status status;

    if (bytes > strlen(suffix) && strcmp(name + bytes - strlen(suffix), suffix) == 0) {
        bytes -= strlen(suffix);
        snprintf(path, sizeof(path), "%s", word);
    } else {
        snprintf(path, sizeof(path), "%.3000s/%.900s%s", folder, word, suffix);
    }
    snprintf(found.name, sizeof(found.name), "%.*s", (int)(bytes < 200 ? bytes : 200), name);
    if (bytes >= HK_SWEEP_NAME_BYTES || !name_is_good(found.name)) {
        snprintf(error, 256, "workload '%.100s': a name has 1 to %u letters, digits, _ and -", word,
                 HK_SWEEP_NAME_BYTES - 1);
        return HK_EINVAL;
    }
    status = hk_mix_read(path, &found.mix, error);
    if (status == HK_OK) {
        *workload = found;
    }
    return status;
}

/* --- the archive: programs, then one module for each mix ------------------------- */

static bool write_all(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        ssize_t written = write(fd, at, bytes);

        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            at += written;
            bytes -= (size_t)written;
        }
    }
    return true;
}

static bool copy_file(int to, const char *path, size_t *bytes)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    char block[65536];
    ssize_t got = -1;

    *bytes = 0;
    while (from >= 0 && (got = read(from, block, sizeof(block))) > 0) {
        if (!write_all(to, block, (size_t)got)) {
            got = -1;
            break;
        }
        *bytes += (size_t)got;
    }
    if (from >= 0) {
        close(from);
    }
    return got == 0;
}

/* In memory, so that nothing stays behind however this ends. */
static int archive_make(const struct sweep *s, const struct hk_sweep_workload *workloads,
                        uint32_t count)
{
    int fd = memfd_create("hkbench-workloads", MFD_CLOEXEC);
    size_t bytes = 0;
    bool good = fd >= 0 && copy_file(fd, s->options->files->programs, &bytes) &&
                (bytes % 2 == 0 || write_all(fd, "\n", 1));

    for (uint32_t i = 0; i < count && good; i++) {
        char header[80];

        /* the common ar format: name, date, owner, group, mode, bytes, each padded with blanks */
        snprintf(header, sizeof(header), "mix%u/%11s%-12d%-6d%-6d%-8d%-10zu`\n", i, "", 0, 0, 0, 644,
                 sizeof(workloads[i].mix));
        good = write_all(fd, header, AR_HEADER_BYTES) &&
               write_all(fd, &workloads[i].mix, sizeof(workloads[i].mix));
    }
    if (!good && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* --- boots ------------------------------------------------------------------------ */

static enum hk_status boot_run(const struct sweep *s, const struct placement *p,
                               struct hk_guest_boot *boot, char *error)
{
    const struct hk_guest_options *o = s->options;
    char append[APPEND_BYTES];
    const struct hk_qemu_options qemu = {
        .program = o->program,
        .kernel = o->files->kernel,
        .programs = p->group->path,
        .append = append,
        .machine = o->machine,
        .clock = HK_QEMU_EXACT,
        .memory_mib = o->memory_mib,
        .timeout_ms = o->timeout_ms,
        .plugin = o->files->plugin,
        .model = o->files->model,
        .stop = o->stop,
    };
    int bytes = p->outages
                    ? snprintf(append, sizeof(append), "scenario=outages place=mask:%u seed=%u",
                               p->mask, OUTAGE_SEED)
                    : snprintf(append, sizeof(append),
                               "scenario=workload place=mask:%u workloads=%s", p->mask,
                               p->group->names);

    if (bytes < 0 || (size_t)bytes >= sizeof(append)) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the names of the workloads are too long together");
        return HK_ETOOBIG;
    }
    return hk_guest_boot_run(&qemu, boot, error);
}

/* All boots' launches of one row, classified, to the caller. */
static enum hk_status cell_hand_over(struct sweep *s, const struct placement *p, size_t row)
{
    const struct hk_guest_options *o = s->options;
    const char *name = p->boots[0].report.rows[row].name;
    struct hk_launch *launches = calloc(o->boots, sizeof(*launches));
    enum hk_status status = launches != NULL ? HK_OK : HK_ENOMEM;
    size_t count = 0;

    if (o->wanted != NULL && !o->wanted(o->user, name)) {
        free(launches);
        return HK_OK;
    }
    for (uint32_t i = 0; i < o->boots && status == HK_OK; i++) {
        const struct hk_guest_boot *boot = &p->boots[i];

        if (row >= boot->report.row_count || strcmp(boot->report.rows[row].name, name) != 0) {
            status = HK_EROW; /* the same command line says the same rows in the same order */
            break;
        }
        status = hk_guest_row_launch(&boot->report.rows[row], &boot->counts, i, &launches[i]);
        count += status == HK_OK;
    }
    if (status == HK_OK) {
        status = hk_guest_launches_classify(launches, count);
    }
    if (status == HK_OK) {
        hk_guest_summary_add(s->summary, &launches[0]);
    }
    for (size_t i = 0; i < count; i++) {
        if (status == HK_OK) {
            status = o->on_launch(o->user, &launches[i]);
        }
        hk_launch_fini(&launches[i]);
    }
    free(launches);
    return status;
}

static enum hk_status placement_hand_over(struct sweep *s, const struct placement *p)
{
    enum hk_status status = HK_OK;

    for (size_t row = 0; row < p->boots[0].report.row_count && status == HK_OK; row++) {
        status = cell_hand_over(s, p, row);
    }
    return status;
}

static void placement_fini(const struct sweep *s, struct placement *p)
{
    for (uint32_t i = 0; i < s->options->boots && p->boots != NULL; i++) {
        hk_guest_boot_fini(&p->boots[i]);
    }
    free(p->boots);
    p->boots = NULL;
}

static void fail(struct sweep *s, enum hk_status status, const char *error)
{
    if (s->status == HK_OK) {
        s->status = status;
        snprintf(s->error, sizeof(s->error), "%s", error);
    }
}

/* Failures of this boot alone; any other would meet the next as well. */
static bool is_own_failure(enum hk_status status)
{
    return status == HK_EROW || status == HK_ETIMEOUT || status == HK_EPEER ||
           status == HK_EPARSE || status == HK_ETOOBIG;
}

/* The next boot to be made, with the mutex held; NULL: none. */
static struct placement *placement_take(struct sweep *s, uint32_t *boot)
{
    if (s->status != HK_OK && !is_own_failure(s->status)) {
        return NULL;
    }
    for (uint32_t i = 0; i < s->placement_count; i++) {
        struct placement *p = &s->placements[i];

        if (p->boots_left == 0) {
            continue;
        }
        if (p->boots == NULL) {
            p->boots = calloc(s->options->boots, sizeof(*p->boots));
        }
        if (p->boots == NULL) {
            fail(s, HK_ENOMEM, hk_status_text(HK_ENOMEM));
            return NULL;
        }
        *boot = --p->boots_left;
        p->boots_out++;
        return p;
    }
    return NULL;
}

/* With the mutex held. */
static void boot_finish(struct sweep *s, struct placement *p, enum hk_status status,
                        const char *error)
{
    const struct hk_guest_options *o = s->options;

    p->boots_out--;
    s->boots_done++;
    if (status != HK_OK) {
        char text[HK_QEMU_ERROR_BYTES];

        snprintf(text, sizeof(text), "placement %u: %.480s", p->mask, error);
        p->failed = true;
        fail(s, status, text);
    }
    if (o->on_boot != NULL) {
        o->on_boot(o->user, s->boots_done, s->placement_count * o->boots);
    }
    if (p->boots_left > 0 || p->boots_out > 0) {
        return;
    }
    if (!p->failed) {
        status = placement_hand_over(s, p);
        if (status != HK_OK) {
            fail(s, status, "a launch could not be kept");
        }
    }
    placement_fini(s, p);
}

static void *work(void *user)
{
    struct sweep *s = user;
    struct placement *p;
    uint32_t boot = 0;

    pthread_mutex_lock(&s->mutex);
    while ((p = placement_take(s, &boot)) != NULL) {
        char error[HK_QEMU_ERROR_BYTES];
        enum hk_status status;

        pthread_mutex_unlock(&s->mutex);
        status = boot_run(s, p, &p->boots[boot], error);
        pthread_mutex_lock(&s->mutex);
        boot_finish(s, p, status, error);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static void work_together(struct sweep *s, uint32_t machines)
{
    pthread_t threads[MACHINES_MAX];
    uint32_t count = 0;

    /* this thread is one of them: with no other, all is done one after the other */
    while (count < machines - 1 && pthread_create(&threads[count], NULL, work, s) == 0) {
        count++;
    }
    work(s);
    while (count > 0) {
        pthread_join(threads[--count], NULL);
    }
}

/* --- a sweep ------------------------------------------------------------------------ */

/* Whether a cell of the scenario outages is wanted: core/user/outages_scenario.c names them. */
static bool outages_wanted(const struct hk_guest_options *o)
{
    static const char *const faults[] = {"killed", "hangs", "corrupts", "garbles", "damages"};

    if (o->wanted == NULL) {
        return true;
    }
    for (uint32_t service = 0; service < HK_SERVICES; service++) {
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            char name[128];

            snprintf(name, sizeof(name), "guest/outage/%s/fault:%s",
                     hk_mix_service_name((enum hk_service_number)service), faults[i]);
            if (o->wanted(o->user, name)) {
                return true;
            }
        }
    }
    return false;
}

static uint32_t workloads_before(uint32_t group)
{
    return group * HK_SWEEP_BOOT_WORKLOADS;
}

/* The first after a group's. */
static uint32_t workloads_until(const struct sweep *s, uint32_t group)
{
    const uint32_t end = workloads_before(group + 1);

    return end < s->workload_count ? end : s->workload_count;
}

static bool placement_wanted(const struct sweep *s, uint32_t group, uint32_t mask)
{
    const struct hk_guest_options *o = s->options;
    bool wanted = o->wanted == NULL;

    for (uint32_t i = workloads_before(group); i < workloads_until(s, group) && !wanted; i++) {
        char name[128];

        snprintf(name, sizeof(name), "guest/placement/%s/mask:%03u", s->workloads[i].name, mask);
        wanted = o->wanted(o->user, name);
    }
    return wanted;
}

static void placements_choose(struct sweep *s)
{
    const uint32_t boots = s->options->boots;

    s->group_count = (s->workload_count + HK_SWEEP_BOOT_WORKLOADS - 1) / HK_SWEEP_BOOT_WORKLOADS;
    if (outages_wanted(s->options)) { /* first: it takes longest */
        s->placements[s->placement_count++] =
            (struct placement){.outages = true, .group = &s->groups[0], .boots_left = boots};
    }
    for (uint32_t group = 0; group < s->group_count; group++) {
        for (uint32_t mask = 0; mask < HK_SWEEP_PLACEMENTS; mask++) {
            if (placement_wanted(s, group, mask)) {
                s->placements[s->placement_count++] = (struct placement){
                    .mask = mask, .group = &s->groups[group], .boots_left = boots};
            }
        }
    }
}

static enum hk_status options_check(const struct sweep *s, uint32_t machines, char *error)
{
    if (s->options->boots < 2 || machines < 1 || machines > MACHINES_MAX ||
        s->workload_count < 1 || s->workload_count > HK_SWEEP_WORKLOADS_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES,
                 "a sweep takes 1 to %u workloads, 1 to %u machines and at least 2 boots",
                 HK_SWEEP_WORKLOADS_MAX, MACHINES_MAX);
        return HK_EINVAL;
    }
    for (uint32_t i = 0; i < s->workload_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(s->workloads[i].name, s->workloads[j].name) == 0) {
                snprintf(error, HK_QEMU_ERROR_BYTES, "workload %s is named twice",
                         s->workloads[i].name);
                return HK_EINVAL;
            }
        }
    }
    return HK_OK;
}

static enum hk_status group_make(struct sweep *s, uint32_t number, char *error)
{
    struct group *group = &s->groups[number];
    const uint32_t first = workloads_before(number);
    const uint32_t end = workloads_until(s, number);

    for (uint32_t i = first; i < end; i++) {
        strcat(strcat(group->names, i > first ? "," : ""), s->workloads[i].name);
    }
    group->archive = archive_make(s, &s->workloads[first], end - first);
    if (group->archive < 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "%.300s cannot be copied to memory: %s",
                 s->options->files->programs, strerror(errno));
        return HK_EIO;
    }
    snprintf(group->path, sizeof(group->path), "/proc/%d/fd/%d", (int)getpid(), group->archive);
    return HK_OK;
}

static enum hk_status prepare(struct sweep *s, char *error)
{
    char version[32];
    enum hk_status status = hk_qemu_version(s->options->program, version, error);

    if (status == HK_OK) {
        status = hk_guest_count_check(s->options->program, s->options->files, error);
    }
    if (status != HK_OK) {
        return status;
    }
    snprintf(s->summary->clock, sizeof(s->summary->clock),
             "instructions (icount, QEMU %s, kernel built by " HK_KERNEL_COMPILER ")", version);
    for (uint32_t i = 0; i < s->group_count && status == HK_OK; i++) {
        status = group_make(s, i, error);
    }
    return status;
}

static void groups_fini(struct sweep *s)
{
    for (uint32_t i = 0; i < s->group_count; i++) {
        if (s->groups[i].archive >= 0) {
            close(s->groups[i].archive);
        }
    }
}

enum hk_status hk_guest_sweep(const struct hk_guest_options *options,
                              const struct hk_sweep_workload *workloads, uint32_t workload_count,
                              uint32_t machines, struct hk_guest_summary *summary,
                              char error[HK_QEMU_ERROR_BYTES])
{
    struct sweep s = {.options = options, .workloads = workloads, .workload_count = workload_count,
                      .mutex = PTHREAD_MUTEX_INITIALIZER, .summary = summary};
    enum hk_status status = options_check(&s, machines, error);

    *summary = (struct hk_guest_summary){0};
    for (uint32_t i = 0; i < GROUPS_MAX; i++) {
        s.groups[i].archive = -1;
    }
    if (status == HK_OK) {
        placements_choose(&s);
    }
    if (status == HK_OK && s.placement_count == 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "no placement's cell is wanted");
        status = HK_ENOENT;
    }
    if (status == HK_OK) {
        status = prepare(&s, error);
    }
    if (status != HK_OK) {
        groups_fini(&s);
        return status;
    }
    work_together(&s, machines);
    groups_fini(&s);
    for (uint32_t i = 0; i < s.placement_count; i++) {
        placement_fini(&s, &s.placements[i]); /* of a run that was stopped */
    }
    if (s.status != HK_OK) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "%s", s.error);
    }
    return s.status;
}
