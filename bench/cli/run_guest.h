/* SPDX-License-Identifier: MIT */
/* `hkbench run --guest` and `--placements`: counted instead of timed. */
#ifndef HK_CLI_RUN_GUEST_H
#define HK_CLI_RUN_GUEST_H

#include <signal.h>
#include <stdbool.h>

#include "command.h"

struct hk_run_guest_options {
    const char *filter; /* as of `hkbench run`; NULL: all cells */
    const char *out;    /* results folder */
    const char *workloads; /* of --placements: names or files, with commas between; NULL: all */
    const char *machine_json;
    bool json; /* print the outcome for a program */
    const volatile sig_atomic_t *stop;
};

/* Boot, count, write a run directory, print where it is and which clocks were used. */
enum hk_exit hk_cli_run_guest(const struct hk_run_guest_options *options);

/* The same with the workloads in all placements. */
enum hk_exit hk_cli_run_placements(const struct hk_run_guest_options *options);

#endif
