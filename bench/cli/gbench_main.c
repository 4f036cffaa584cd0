/* SPDX-License-Identifier: MIT */
/*
 * hkbench-gbench: the suite's microbenchmarks with every flag of Google Benchmark.
 *
 * A front end for those who have tools around Google Benchmark's reports; what
 * it prints are means of one launch. Verdicts, tails and the self-check of
 * every row are hkbench's own (hkbench run).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "gbench_rows.h"
#include "hk/base/units.h"
#include "hk/gbench/gbench.h"
#include "hk/transport/transport.h"

static const struct hk_suite_group *const groups[] = {
    &hk_suite_memory,
    &hk_suite_round_trip,
    &hk_suite_path,
};
#define GROUP_COUNT (sizeof groups / sizeof *groups)

int hk_suite_add_sizes(struct hk_gbench *bench, size_t bytes_max)
{
    static const char *const arg_names[] = {"bytes"};
    static const int64_t sizes_bytes[] = {8, 64, 4096, 65536};
    int rc = HK_GBENCH_OK;

    if ((size_t)sizes_bytes[0] > bytes_max) {
        rc = hk_gbench_add_arg(bench, (int64_t)bytes_max);
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes_bytes) && rc == HK_GBENCH_OK; i++) {
        if ((size_t)sizes_bytes[i] <= bytes_max) {
            rc = hk_gbench_add_arg(bench, sizes_bytes[i]);
        }
    }
    return rc == HK_GBENCH_OK ? hk_gbench_set_arg_names(bench, arg_names, 1) : rc;
}

static enum hk_exit run_all(void)
{
    void *contexts[GROUP_COUNT] = {0};
    struct hk_gbench_totals totals = {0};
    enum hk_exit exit_status = HK_EXIT_UNMEASURED;
    uint32_t swept_count = 0;
    size_t added_count = 0;
    int rc = HK_GBENCH_OK;

    /* What killed runs left behind would fail these; nothing of it is this run's concern. */
    (void)hk_transport_sweep(&swept_count);
    while (rc == HK_GBENCH_OK && added_count < GROUP_COUNT) {
        rc = (int)groups[added_count]->add(&contexts[added_count]);
        added_count += rc == HK_GBENCH_OK;
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_add_context("hkbench_version", HK_VERSION);
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_run(NULL, &totals);
    }
    if (rc != HK_GBENCH_OK) {
        fprintf(stderr, "hkbench-gbench: %s\n", hk_gbench_error_text());
        exit_status = rc == HK_GBENCH_ENOENT || rc == HK_GBENCH_EIO ? HK_EXIT_USAGE
                                                                     : HK_EXIT_UNMEASURED;
    } else if (totals.error_count > 0) {
        fprintf(stderr, "hkbench-gbench: %zu of %zu benchmarks failed\n", totals.error_count,
                totals.matched_count);
    } else {
        exit_status = HK_EXIT_OK;
    }
    hk_gbench_shutdown();
    while (added_count > 0) {
        added_count--;
        groups[added_count]->drop(contexts[added_count]);
    }
    return exit_status;
}

int main(int argc, char **argv)
{
    int rc;

    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a status, not a death */
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("hkbench-gbench " HK_VERSION);
        return HK_EXIT_OK;
    }
    rc = hk_gbench_init(&argc, argv);
    if (rc != HK_GBENCH_OK) {
        fprintf(stderr, "hkbench-gbench: %s\n", hk_gbench_error_text());
        return rc == HK_GBENCH_ENOTSUP ? HK_EXIT_UNMEASURED : HK_EXIT_USAGE;
    }
    if (argc > 1) {
        fprintf(stderr, "hkbench-gbench: unknown argument '%s'; --help lists the flags\n", argv[1]);
        return HK_EXIT_USAGE;
    }
    return run_all();
}
