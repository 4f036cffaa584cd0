/* SPDX-License-Identifier: MIT */
/*
 * Servers that other systems have and that nothing here measures: block devices in user space and
 * audio servers. Their cells say what this machine lacks for them, or, where it has it, that
 * hkbench does not use it yet: what was never tried is not written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/machine/probe.h"

static const struct row {
    const char *cell;
    const char *device;  /* that it needs; NULL: a program */
    const char *program;
    const char *remedy;
} rows[] = {
    {"native/block_read/ublk/bytes:4096", "/dev/ublk-control", NULL,
     "modprobe ublk_drv, on Linux 6.0 or newer with CONFIG_BLK_DEV_UBLK"},
    {"native/block_read/nbd/bytes:4096", "/dev/nbd0", NULL,
     "modprobe nbd, on a kernel with CONFIG_BLK_DEV_NBD"},
    {"native/audio_server/jack", NULL, "jackd", "install Debian's package jackd2"},
    {"native/audio_server/pipewire", NULL, "pipewire", "install Debian's package pipewire"},
};

static enum hk_status expand(const char *kind, enum hk_run_mode mode, hk_cell_adder *add,
                             void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows) && status == HK_OK; i++)
        if (strstr(rows[i].cell, kind) != NULL)
            status = add(context, "%s", rows[i].cell);
    return status;
}

static enum hk_status expand_block(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("/block_read/", mode, add, context);
}

static enum hk_status expand_audio(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("/audio_server/", mode, add, context);
}

static enum hk_status open_task(struct hk_task *task)
{
    char path[4096];

    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        const char *what = r->device != NULL ? r->device : r->program;
        if (strcmp(r->cell, task->name) != 0)
            continue;
        if (r->device != NULL ? access(r->device, F_OK) == 0
                              : hk_program_find(r->program, getenv("PATH"), path, sizeof path))
            return hk_task_refuse(task, HK_ENOTSUP, "%s is here, but hkbench has nothing that uses "
                                  "it; docs/decisions/0352-what-was-never-tried.md says why", what);
        return hk_task_refuse(task, HK_ENOTSUP, "there is no %s; %s", what, r->remedy);
    }
    return hk_task_refuse(task, HK_ENOENT, "no such server; hkbench list --full shows them");
}

static void close_task(struct hk_task *task)
{
    (void)task;
}

const struct hk_experiment hk_experiment_block_read = {
    .kind = "block_read",
    .summary = "a block from a server behind the kernel's block layer: none is used yet",
    .expand = expand_block,
    .open = open_task,
    .close = close_task,
};

const struct hk_experiment hk_experiment_audio_server = {
    .kind = "audio_server",
    .summary = "a period of somebody else's audio server: none is used yet",
    .expand = expand_audio,
    .open = open_task,
    .close = close_task,
};
