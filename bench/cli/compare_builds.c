/* SPDX-License-Identifier: MIT */
/* Two builds of hkbench: epochs in turns inside every launch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_now.h"
#include "hk/base/units.h"
#include "hk/run/run.h"
#include "program.h"

enum { VERSION_BYTES = 256, OTHER_ROUNDS = 8 };

static const uint64_t version_limit_ns = 10ull * HK_NS_PER_S;
static const uint64_t epoch_ns = 1500 * HK_NS_PER_US;

/* A system call, and round trips that block on one CPU: what is quiet enough to gate on. */
static const char usual_cells[] = "^native/(syscall/getppid|round_trip/(pipe|unix_seqpacket|"
                                  "futex_ring|posix_mq|eventfd_shm)/place:same_core/bytes:64$)";

/* What costs of events are fitted over when fewer cells than that takes are compared. */
static const char other_cells[] = "^native/(syscall/getppid|round_trip/[a-z_0-9]+/"
                                  "place:same_core/bytes:64$)";

bool hk_now_is_build(const char *program)
{
    const char *const argv[] = {program, "--version", NULL};
    const struct hk_program version = {.argv = argv, .limit_ns = version_limit_ns};
    char text[VERSION_BYTES];

    return strchr(program, ' ') == NULL &&
           hk_program_run(&version, text, sizeof text) == HK_OK &&
           strncmp(text, "hkbench ", 8) == 0;
}

static enum hk_status open_builds(struct hk_now *now, char error[HK_TEXT_BYTES])
{
    struct hk_cells cells;
    enum hk_status status = hk_cells_expand(
        HK_RUN_QUICK, now->filter != NULL ? now->filter : usual_cells, &cells, error);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < cells.count && status == HK_OK; i++)
        if (hk_now_find(now, cells.names[i]) == NULL)
            status = HK_ENOMEM;
    hk_cells_fini(&cells);
    return status;
}

static enum hk_status measure_cell(struct hk_now *now, struct hk_now_series *s, uint64_t seed,
                                   uint32_t index)
{
    const struct hk_duel_plan plan = {.cell = s->pairs.cell,
                                      .programs = {now->programs[0], now->programs[1]},
                                      .index = index, .rounds = now->rounds,
                                      .epoch_ns = epoch_ns, .seed = seed, .stop = now->stop};
    char error[HK_TEXT_BYTES];
    struct hk_duel duel;
    const enum hk_status status = hk_duel_run(&plan, &duel, error);

    if (status == HK_EINTR || status == HK_ENOMEM)
        return status;
    if (status != HK_OK) {
        memcpy(s->failure, error, sizeof s->failure);
        s->failure_count++;
        s->closed = status == HK_ENOTSUP || status == HK_EINVAL;
        return HK_OK;
    }
    s->disturbed_count += duel.disturbed;
    if (duel.breach[0] != '\0')
        memcpy(s->breach, duel.breach, sizeof s->breach);
    const struct hk_pairs one = {.log_ratio = &duel.log_ratio, .a_ns = &duel.ns[0],
                                 .b_ns = &duel.ns[1], .sd_within = &duel.sd_within};
    const enum hk_status added = isnan(duel.log_ratio) ? HK_OK : hk_now_add(s, &one);
    const enum hk_status kept = hk_now_keep(now, &duel.launches[0], &duel.launches[1]);
    return added != HK_OK ? added : kept;
}

/* Cells one after the other, beginning elsewhere each time. */
static enum hk_status measure_builds(struct hk_now *now, uint64_t seed, uint32_t index,
                                     char error[HK_TEXT_BYTES])
{
    enum hk_status status = HK_OK;

    (void)error;
    for (size_t i = 0; i < now->series_count && status == HK_OK; i++) {
        struct hk_now_series *s = &now->series[(i + index) % now->series_count];
        if (!s->closed)
            status = measure_cell(now, s, seed, index);
    }
    return status;
}

/* One launch of A beside itself, as short as they can be: its time and its events. */
static enum hk_status measure_other(struct hk_now *now, const char *cell, struct hk_run *run)
{
    const struct hk_duel_plan plan = {.cell = cell,
                                      .programs = {now->programs[0], now->programs[0]},
                                      .rounds = OTHER_ROUNDS, .epoch_ns = epoch_ns,
                                      .seed = now->seed, .stop = now->stop};
    char ignored[HK_TEXT_BYTES];
    struct hk_duel duel;
    const enum hk_status status = hk_duel_run(&plan, &duel, ignored);

    if (status != HK_OK) /* not here; others will do */
        return status == HK_EINTR || status == HK_ENOMEM ? status : HK_OK;
    const enum hk_status kept = hk_now_append(run, &duel.launches[0]);
    hk_duel_fini(&duel);
    return kept;
}

static enum hk_status measure_others(struct hk_now *now, struct hk_run *run)
{
    struct hk_cells cells;
    char error[HK_TEXT_BYTES];
    enum hk_status status = hk_cells_expand(HK_RUN_QUICK, other_cells, &cells, error);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < cells.count && status == HK_OK; i++) {
        bool known = false;
        for (size_t s = 0; s < now->series_count; s++)
            known = known || strcmp(now->series[s].pairs.cell, cells.names[i]) == 0;
        if (!known)
            status = measure_other(now, cells.names[i], run);
    }
    hk_cells_fini(&cells);
    return status;
}

const struct hk_now_source hk_now_builds = {
    .name = "epochs of two builds inside each launch",
    .open = open_builds,
    .measure = measure_builds,
    .measure_others = measure_others,
};
