/* SPDX-License-Identifier: MIT */
/* Commands that work on a finished run take its folder, or the newest one. */
#ifndef HK_CLI_RUN_ARGUMENT_H
#define HK_CLI_RUN_ARGUMENT_H

#include "hk/result/result.h"

/*
 * Read the run named on the command line, or the newest one.
 *
 * command  [in]   for the error line
 * path     [in]   run folder, or NULL for the newest under root
 * run      [out]  released with hk_run_fini
 *
 * Prints one line with the remedy on failure. Returns HK_OK or the reader's status.
 */
enum hk_status hk_run_argument(const char *command, const char *path, const char *root,
                               struct hk_run *run);

/*
 * Print a file of a run as it is, for --json.
 *
 * Prints one line on failure. Returns HK_OK; HK_EIO.
 */
enum hk_status hk_run_file_print(const char *command, const char *run_path, const char *file);

#endif
