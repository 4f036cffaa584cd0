/* SPDX-License-Identifier: MIT */
/*
 * The same operation in three worlds: on a stock Linux kernel and on our own, both counted under
 * QEMU, and on the native machine, timed. The service is in the kernel, or in a server.
 */
#ifndef HK_REPORT_WORLDS_H
#define HK_REPORT_WORLDS_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

enum hk_world { HK_WORLD_LINUX, HK_WORLD_GUEST, HK_WORLD_NATIVE, HK_WORLDS };

struct hk_world_row {
    const char *what;
    const char *service;         /* where it is: "kernel" or "server" */
    const char *cell[HK_WORLDS]; /* NULL: this world has no such experiment */
};

extern const struct hk_world_row hk_world_rows[];
extern const size_t hk_world_row_count;

/* First element of the names of a world's cells: "linux". */
const char *hk_world_name(enum hk_world world);

/* Where the numbers of each world come from. */
struct hk_worlds {
    bool have[HK_WORLDS];
    struct hk_run run[HK_WORLDS]; /* where have says so */
};

/*
 * Read a run, and take it for the world of which it has cells of the table, if that has none yet.
 *
 * worlds  [in,out]  begin with zeros; to be released with hk_worlds_fini, also after a failure
 * used    [out]     whether it was taken; written only on success
 * error   [out]     on failure one line for people
 *
 * Returns HK_OK, or as hk_run_read.
 */
enum hk_status hk_worlds_add(struct hk_worlds *worlds, const char *path, bool *used,
                             char error[HK_TEXT_BYTES]);

/*
 * For each world that has no run yet, the newest below a results folder that has one of its cells.
 * That there is none is no failure.
 *
 * Returns HK_OK, or as hk_run_read.
 */
enum hk_status hk_worlds_add_newest(struct hk_worlds *worlds, const char *root,
                                    char error[HK_TEXT_BYTES]);

void hk_worlds_fini(struct hk_worlds *worlds);

enum hk_world_state {
    HK_WORLD_NONE,    /* no such experiment in this world */
    HK_WORLD_MISSING, /* not in the run, or there is no run */
    HK_WORLD_FAILED,  /* there, without a number that holds */
    HK_WORLD_OK,
};

struct hk_world_figure {
    enum hk_world_state state;
    const char *reason; /* of HK_WORLD_FAILED; lives in the run */
    /* medians over launches of the cell, per operation; NAN: not recorded */
    double instructions_kernel; /* these two of counted worlds only */
    double instructions_user;
    double switches; /* counted: of address spaces (writes of CR3); native: of contexts */
    double cost_ns;  /* native only */
};

/* What a world says of a row. */
struct hk_world_figure hk_worlds_figure(const struct hk_worlds *worlds,
                                        const struct hk_world_row *row, enum hk_world world);

/*
 * The arguments of hkbench that measure a cell, "run --linux --full --filter '^linux/...$'"; with
 * cell NULL a world.
 */
void hk_world_command(const char *cell, enum hk_world world, char command[HK_TEXT_BYTES]);

#endif
