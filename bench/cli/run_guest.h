/* SPDX-License-Identifier: MIT */
/* `hkbench run --guest`, `--linux` and `--placements`: guests under QEMU, counted, not timed. */
#ifndef HK_CLI_RUN_GUEST_H
#define HK_CLI_RUN_GUEST_H

#include <signal.h>
#include <stdbool.h>

#include "command.h"
#include "hk/guest/run.h"

struct hk_run_guest_options {
    const char *filter; /* as of `hkbench run`; NULL: all cells */
    const char *out;    /* results folder */
    const char *workloads; /* of --placements: names or files, with commas between; NULL: all */
    const char *machine_json;
    bool json; /* print the outcome for a program */
    const volatile sig_atomic_t *stop;
};

/*
 * Boot, count, write a run directory, print where it is and which clocks were used.
 *
 * linux_guest  [in]  the stock kernel to boot, whose cells are chosen already; NULL: our own
 */
enum hk_exit hk_cli_run_guest(const struct hk_run_guest_options *options,
                              const struct hk_guest_linux *linux_guest);

/* The same with the workloads in all placements. */
enum hk_exit hk_cli_run_placements(const struct hk_run_guest_options *options);

#endif
