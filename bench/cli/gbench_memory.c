/* SPDX-License-Identifier: MIT */
/*
 * What needs no kernel: the empty loop that stands beside every result, memcpy,
 * and the ring of the shared-memory transports, both ends in one thread.
 */
#include <stdlib.h>
#include <string.h>

#include "gbench_rows.h"
#include "hk/base/units.h"
#include "hk/core/ring.h"
#include "hk/gbench/gbench.h"

#define RING_SLOTS 64

struct memory_rows {
    unsigned char *from;
    unsigned char *to;
    void *ring;
    struct hk_ring_end sender;
    struct hk_ring_end receiver;
};

static void null_run(struct hk_gbench_state *state, void *arg)
{
    (void)arg;
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
}

static void copy_setup(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;
    const size_t bytes = (size_t)hk_gbench_state_arg(state, 0);

    rows->from = malloc(bytes);
    rows->to = malloc(bytes);
    if (rows->from == NULL || rows->to == NULL) {
        hk_gbench_state_fail(state, hk_status_text(HK_ENOMEM));
        return;
    }
    /* Every page is there before the clock starts. */
    memset(rows->from, 0x5a, bytes);
    memset(rows->to, 0xa5, bytes);
}

static void copy_teardown(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;

    (void)state;
    free(rows->from);
    free(rows->to);
    rows->from = rows->to = NULL;
}

static void copy_run(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;
    const size_t bytes = (size_t)hk_gbench_state_arg(state, 0);

    HK_GBENCH_LOOP(state) {
        memcpy(rows->to, rows->from, bytes);
        HK_GBENCH_CLOBBER();
    }
    hk_gbench_state_set_bytes(state, hk_gbench_state_iterations(state) * (int64_t)bytes);
}

static void ring_setup(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;
    const uint32_t bytes = (uint32_t)hk_gbench_state_arg(state, 0);
    const uint64_t ring_bytes = hk_ring_bytes(RING_SLOTS, bytes);
    /* aligned_alloc wants a multiple of the alignment. */
    const size_t size = (size_t)(ring_bytes + 2 * HK_CACHE_LINE_BYTES - 1) &
                        ~(size_t)(2 * HK_CACHE_LINE_BYTES - 1);

    copy_setup(state, arg);
    rows->ring = aligned_alloc(2 * HK_CACHE_LINE_BYTES, size);
    if (rows->ring == NULL) {
        hk_gbench_state_fail(state, hk_status_text(HK_ENOMEM));
        return;
    }
    memset(rows->ring, 0, size);
    if (hk_ring_init(rows->ring, size, RING_SLOTS, bytes) != HK_OK ||
        hk_ring_attach(&rows->sender, rows->ring, size) != HK_OK ||
        hk_ring_attach(&rows->receiver, rows->ring, size) != HK_OK) {
        hk_gbench_state_fail(state, "the ring refused its memory");
    }
}

static void ring_teardown(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;

    free(rows->ring);
    rows->ring = NULL;
    copy_teardown(state, arg);
}

static void ring_run(struct hk_gbench_state *state, void *arg)
{
    struct memory_rows *rows = arg;
    const uint32_t bytes = (uint32_t)hk_gbench_state_arg(state, 0);

    HK_GBENCH_LOOP(state) {
        uint32_t received_bytes = 0;
        if (hk_ring_send(&rows->sender, rows->from, bytes) != HK_OK ||
            hk_ring_receive(&rows->receiver, rows->to, bytes, &received_bytes) != HK_OK) {
            hk_gbench_state_fail(state, hk_status_text(HK_EROW));
            break;
        }
        HK_GBENCH_CLOBBER();
    }
    hk_gbench_state_set_bytes(state, hk_gbench_state_iterations(state) * (int64_t)bytes);
}

static const struct row {
    const char *name;
    hk_gbench_fn *run;
    hk_gbench_fn *setup;
    hk_gbench_fn *teardown;
    int64_t bytes_min; /* 0: no payload */
    int64_t bytes_max;
} rows_table[] = {
    {"native/null", null_run, NULL, NULL, 0, 0},
    {"native/memcpy", copy_run, copy_setup, copy_teardown, 8, 1 << 20},
    {"native/ring_send_receive", ring_run, ring_setup, ring_teardown, 8, 4096},
};

static enum hk_status add_row(const struct row *row, struct memory_rows *rows)
{
    static const char *const arg_names[] = {"bytes"};
    struct hk_gbench *bench = NULL;
    int rc = hk_gbench_register(row->name, row->run, rows, &bench);

    if (rc == HK_GBENCH_OK && row->setup != NULL) {
        rc = hk_gbench_set_setup(bench, row->setup, row->teardown);
    }
    if (rc == HK_GBENCH_OK && row->bytes_max > 0) {
        rc = hk_gbench_add_range(bench, row->bytes_min, row->bytes_max);
    }
    if (rc == HK_GBENCH_OK && row->bytes_max > 0) {
        rc = hk_gbench_set_arg_names(bench, arg_names, 1);
    }
    return (enum hk_status)rc;
}

static enum hk_status memory_add(void **context)
{
    struct memory_rows *rows = calloc(1, sizeof *rows);
    enum hk_status status = HK_OK;

    if (rows == NULL) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; status == HK_OK && i < sizeof rows_table / sizeof *rows_table; i++) {
        status = add_row(&rows_table[i], rows);
    }
    if (status == HK_OK)
        status = (enum hk_status)hk_gbench_register_cpp_loop("native/null_cpp");
    if (status != HK_OK) {
        free(rows);
        return status;
    }
    *context = rows;
    return HK_OK;
}

const struct hk_suite_group hk_suite_memory = {"memory", memory_add, free};
