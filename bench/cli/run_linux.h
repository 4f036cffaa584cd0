/* SPDX-License-Identifier: MIT */
/* `hkbench run --linux`: the native experiments on a stock kernel under QEMU, counted. */
#ifndef HK_CLI_RUN_LINUX_H
#define HK_CLI_RUN_LINUX_H

#include "hk/run/run.h"
#include "run_guest.h"

struct hk_run_linux_options {
    struct hk_run_guest_options guest;
    enum hk_run_mode mode; /* whose cells */
    const char *kernel;    /* bzImage; NULL: the newest that is found */
    const char *append;    /* more for its command line; NULL: nothing */
};

/* Boot, count, write a run directory, print where it is and which kernel it was. */
enum hk_exit hk_cli_run_linux(const struct hk_run_linux_options *options);

#endif
