/* SPDX-License-Identifier: MIT */
/* The same operation in three worlds, for the terminal and for programs. */
#ifndef HK_CLI_WORLDS_H
#define HK_CLI_WORLDS_H

#include "command.h"
#include "hk/report/worlds.h"

/*
 * Find the runs: those given, then for the worlds left the newest below root. Prints what is wrong.
 *
 * worlds  [out]  to be released with hk_worlds_fini, also after a failure
 */
enum hk_exit hk_cli_worlds_find(const char *command, const char *root, char *const *paths,
                                size_t path_count, struct hk_worlds *worlds);

/*
 * What stands beside one run. A run of another world that cannot be read is said and left out.
 *
 * worlds  [out]  to be released with hk_worlds_fini
 *
 * Returns whether the run has a cell of the table.
 */
bool hk_cli_worlds_beside(const char *command, const char *root, const char *path,
                          struct hk_worlds *worlds);

/*
 * Print the table, below it where the numbers come from, and what measures those that are missing.
 *
 * of  [in]  only the rows whose cells of this world have numbers, without the cells of worlds that
 *           have no run; HK_WORLDS: all
 */
void hk_cli_worlds_print(const struct hk_worlds *worlds, enum hk_world of);

/* The same as one JSON object. */
enum hk_exit hk_cli_worlds_print_json(const char *command, const struct hk_worlds *worlds);

#endif
