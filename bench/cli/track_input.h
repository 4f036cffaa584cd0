/* SPDX-License-Identifier: MIT */
#ifndef HK_CLI_TRACK_INPUT_H
#define HK_CLI_TRACK_INPUT_H

#include "hk/result/result.h"

/*
 * Read what is to be tracked.
 *
 * path  [in]   a run folder; a file of Google Benchmark's (JSON, CSV); or a folder of such files,
 *              one for each start of the program: their rows are launches of one run
 * run   [out]  released with hk_run_fini
 *
 * Prints one line with the cause on failure. Returns HK_OK; HK_EMACHINE when the files of a
 * folder are of several machines; what the readers return.
 */
enum hk_status hk_track_input(const char *command, const char *path, struct hk_run *run);

#endif
