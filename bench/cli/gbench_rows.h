/* SPDX-License-Identifier: MIT */
/*
 * The suite's microbenchmarks as Google Benchmark shows them: one file per
 * group, one row per group in gbench_main.c.
 */
#ifndef HK_CLI_GBENCH_ROWS_H
#define HK_CLI_GBENCH_ROWS_H

#include <stddef.h>

#include "hk/base/status.h"

struct hk_suite_group {
    const char *name; /* as in the benchmarks' names, after "native/" */

    /*
     * Registers the group's benchmarks.
     *
     * context  [out] theirs, to be given to drop after the run
     *
     * Returns HK_OK; HK_ENOMEM; a refusal of hk_gbench_register or a setting.
     */
    enum hk_status (*add)(void **context);
    void (*drop)(void *context);
};

struct hk_gbench;

/*
 * Give a benchmark the payload sizes that everything is compared at, as "bytes".
 *
 * bytes_max  [in]  larger sizes are left out; if that leaves none, this is the one size
 *
 * Returns what hk_gbench_add_arg returns.
 */
int hk_suite_add_sizes(struct hk_gbench *bench, size_t bytes_max);

extern const struct hk_suite_group hk_suite_memory;     /* the null row, memcpy, the ring */
extern const struct hk_suite_group hk_suite_round_trip; /* every transport */
extern const struct hk_suite_group hk_suite_path;       /* every in-kernel path */

#endif
