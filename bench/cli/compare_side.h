/* SPDX-License-Identifier: MIT */
/* The two sides of a comparison, wherever they come from. */
#ifndef HK_CLI_COMPARE_SIDE_H
#define HK_CLI_COMPARE_SIDE_H

#include <regex.h>
#include <signal.h>

#include "hk/compare/compare.h"
#include "hk/result/result.h"

struct hk_side {
    struct hk_run run;
    struct hk_functions *functions; /* NULL: where the instructions are is not known */
};

/*
 * Read a side: a run's folder; a file of Google Benchmark, in which repetitions of one process
 * make one launch; a folder of such files, a launch each.
 *
 * error  [out]  on failure one line with cause and remedy
 *
 * Returns HK_OK; the readers' statuses.
 */
enum hk_status hk_side_read(const char *path, struct hk_side *side, char error[HK_TEXT_BYTES]);
void hk_side_fini(struct hk_side *side);

/*
 * Read the bytes of such a file as the launch of that index.
 *
 * Returns as hk_foreign_decode.
 */
enum hk_status hk_side_decode(const char *text, size_t bytes, uint32_t index, struct hk_run *run,
                              char error[HK_TEXT_BYTES]);

/* Drop the launches whose cell's name does not match. */
void hk_side_filter(struct hk_side *side, const regex_t *filter);

struct hk_side_guest {
    const char *kernel; /* image; NULL: this build's */
    const regex_t *filter;
    const volatile sig_atomic_t *stop;
};

/*
 * Boot a kernel twice, in the composition people get, and count its experiments.
 *
 * Returns HK_OK; HK_ENOENT for a missing file; the statuses of hk_guest_run.
 */
enum hk_status hk_side_count(const struct hk_side_guest *options, struct hk_side *side,
                             char error[HK_TEXT_BYTES]);

/*
 * Write a side's counts as a baseline: a run's folder without a machine, and the expression
 * that chose its cells in a file "filter".
 *
 * side    [in]  counted by hk_side_count
 * filter  [in]  NULL: leave the file as it is
 *
 * Returns HK_OK; HK_EPERM, HK_ENOSPC, HK_EIO, HK_ENOMEM.
 */
enum hk_status hk_side_write_baseline(const struct hk_side *side, const char *folder,
                                      const char *filter);

#endif
