/* SPDX-License-Identifier: MIT */
/* The Linux kernel's own equivalents: every in-kernel path, as a batch of n operations. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gbench_rows.h"
#include "hk/base/units.h"
#include "hk/gbench/gbench.h"
#include "hk/path/path.h"

struct path_row {
    const struct hk_path *path;
    bool opened;
    void *state; /* the path's own; may be NULL when open */
};

static void path_setup(struct hk_gbench_state *state, void *arg)
{
    struct path_row *row = arg;
    struct hk_path_options options = {0};
    char reason[HK_REASON_BYTES] = "";
    enum hk_status status = row->path->probe != NULL ? row->path->probe(reason) : HK_OK;

    if (row->path->bytes_max > 0) {
        options.bytes = (size_t)hk_gbench_state_arg(state, 0);
    }
    if (status == HK_OK) {
        status = row->path->open(&options, &row->state);
        row->opened = status == HK_OK;
    }
    if (status == HK_ENOTSUP) {
        hk_gbench_state_skip(state, reason[0] != 0 ? reason : hk_status_text(status));
    } else if (status != HK_OK) {
        hk_gbench_state_fail(state, hk_status_text(status));
    }
}

static void path_teardown(struct hk_gbench_state *state, void *arg)
{
    struct path_row *row = arg;

    (void)state;
    if (row->opened) {
        row->path->close(row->state);
        row->opened = false;
    }
}

static void path_run(struct hk_gbench_state *state, void *arg)
{
    struct path_row *row = arg;
    const int64_t count = hk_gbench_loop_begin(state);
    const enum hk_status status = row->path->run(row->state, (uint64_t)count);

    hk_gbench_loop_end(state);
    if (status != HK_OK) {
        hk_gbench_state_fail(state, hk_status_text(status));
    }
    if (row->path->bytes_max > 0) {
        hk_gbench_state_set_bytes(state, count * hk_gbench_state_arg(state, 0));
    }
}

static int add_path(struct path_row *row)
{
    char name[128];
    struct hk_gbench *bench = NULL;
    int rc;

    snprintf(name, sizeof name, "native/path/%s", row->path->name);
    rc = hk_gbench_register(name, path_run, row, &bench);
    if (rc == HK_GBENCH_OK && row->path->bytes_max > 0) {
        rc = hk_suite_add_sizes(bench, row->path->bytes_max);
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_REAL);
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_set_setup(bench, path_setup, path_teardown);
    }
    return rc;
}

static enum hk_status path_add(void **context)
{
    struct path_row *rows = calloc(hk_path_count + 1, sizeof *rows);
    int rc = HK_GBENCH_OK;

    if (rows == NULL) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < hk_path_count && rc == HK_GBENCH_OK; i++) {
        rows[i].path = hk_paths[i];
        rc = add_path(&rows[i]);
    }
    if (rc != HK_GBENCH_OK) {
        free(rows);
        return (enum hk_status)rc;
    }
    *context = rows;
    return HK_OK;
}

const struct hk_suite_group hk_suite_path = {"path", path_add, free};
