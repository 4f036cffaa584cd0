/* SPDX-License-Identifier: MIT */
/*
 * Example: what memcpy costs, by size.
 *
 * Build against the installed package:
 *     cc copy.c $(pkg-config --cflags --libs hkgbench) -o copy
 * Run with any flag of Google Benchmark:
 *     ./copy --benchmark_filter=bytes:64 --benchmark_repetitions=5
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hk/gbench/gbench.h>

struct buffers {
    char *from;
    char *to;
};

static void copy_setup(struct hk_gbench_state *state, void *arg)
{
    struct buffers *buffers = arg;
    size_t bytes = (size_t)hk_gbench_state_arg(state, 0);

    buffers->from = calloc(1, bytes);
    buffers->to = malloc(bytes);
    if (buffers->from == NULL || buffers->to == NULL) {
        hk_gbench_state_fail(state, "out of memory");
    }
}

static void copy_teardown(struct hk_gbench_state *state, void *arg)
{
    struct buffers *buffers = arg;

    (void)state;
    free(buffers->from);
    free(buffers->to);
}

static void copy(struct hk_gbench_state *state, void *arg)
{
    const struct buffers *buffers = arg;
    size_t bytes = (size_t)hk_gbench_state_arg(state, 0);

    HK_GBENCH_LOOP(state) {
        memcpy(buffers->to, buffers->from, bytes);
        HK_GBENCH_CLOBBER();
    }
    hk_gbench_state_set_bytes(state, hk_gbench_state_iterations(state) * (int64_t)bytes);
}

static int register_copy(struct buffers *buffers)
{
    static const char *const names[] = {"bytes"};
    struct hk_gbench *bench;
    int rc = hk_gbench_register("copy", copy, buffers, &bench);

    if (rc != HK_GBENCH_OK) {
        return rc;
    }
    /* A refused setting is remembered: hk_gbench_run() repeats it, so that one check is enough. */
    hk_gbench_set_setup(bench, copy_setup, copy_teardown);
    hk_gbench_add_range(bench, 8, 64 << 10);
    hk_gbench_set_arg_names(bench, names, 1);
    return HK_GBENCH_OK;
}

int main(int argc, char **argv)
{
    struct buffers buffers = {0};
    struct hk_gbench_totals totals = {0};
    int rc = hk_gbench_init(&argc, argv);

    if (rc == HK_GBENCH_OK && argc > 1) {
        fprintf(stderr, "copy: unknown argument '%s'; try --help\n", argv[1]);
        return 2;
    }
    if (rc == HK_GBENCH_OK) {
        rc = register_copy(&buffers);
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_run(NULL, &totals);
    }
    if (rc != HK_GBENCH_OK) {
        fprintf(stderr, "copy: %s\n", hk_gbench_error_text());
    }
    hk_gbench_shutdown();
    return rc != HK_GBENCH_OK || totals.error_count > 0;
}
