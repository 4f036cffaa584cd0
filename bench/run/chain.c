/* SPDX-License-Identifier: MIT */
/*
 * A request that passes through m servers, each forwarding to the next, and its reply
 * the same way back: 2 m one-way transfers.
 */
#include "experiments.h"
#include "hk/base/units.h"
#include "links.h"

/* F3 trains on short chains at these sizes, */
static const int training_bytes[] = {1, 4096, 16384, 65536};
/* and is tested on chains of two servers and more at these; of which the quick run has four. */
static const int held_out_bytes[] = {256, 2048, 8192,  32768, 64,    512,
                                     1024, 3072, 6144, 12288, 24576, 49152};

enum { TRAINING_SERVERS_MAX = 2, QUICK_SERVERS_MAX = 4, SERVERS_MAX = 5, QUICK_HELD_OUT = 4 };

const struct hk_chain_row hk_chain_rows[HK_CHAIN_ROWS] = {
    {"pipe", "", true, true},
    {"pipe", "/policy:batch", true, true},
    {"unix_seqpacket", "", true, false},
    {"unix_seqpacket", "/policy:batch", true, false},
    {"unix_stream", "", false, false},
    {"unix_stream", "/policy:batch", false, false},
    {"eventfd_shm", "", false, false},
    {"eventfd_shm", "/policy:batch", false, false},
    {"futex_ring", "", false, false},
    {"futex_ring", "/policy:batch", false, false},
};

static enum hk_status add_sizes(const struct hk_chain_row *row, int servers, const int *bytes,
                                size_t count, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t b = 0; b < count && status == HK_OK; b++)
        status = add(context, "native/chain/%s/place:same_core%s/servers:%d/bytes:%d",
                     row->transport, row->policy, servers, bytes[b]);
    return status;
}

/* What no model reads is left out: short chains train, long ones test. */
static enum hk_status add_row(const struct hk_chain_row *row, enum hk_run_mode mode,
                              hk_cell_adder *add, void *context)
{
    const bool full = mode == HK_RUN_FULL;
    const int servers_max = full ? SERVERS_MAX : QUICK_SERVERS_MAX;
    const size_t held_out = full ? HK_ARRAY_COUNT(held_out_bytes) : QUICK_HELD_OUT;
    enum hk_status status = HK_OK;

    for (int servers = 1; servers <= servers_max && status == HK_OK; servers++) {
        if (servers <= TRAINING_SERVERS_MAX)
            status = add_sizes(row, servers, training_bytes, HK_ARRAY_COUNT(training_bytes), add,
                               context);
        if (servers >= 2 && status == HK_OK)
            status = add_sizes(row, servers, held_out_bytes, held_out, add, context);
    }
    return status;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_CHAIN_ROWS && status == HK_OK; i++)
        if (hk_chain_rows[i].quick || mode == HK_RUN_FULL)
            status = add_row(&hk_chain_rows[i], mode, add, context);
    return status;
}

enum hk_status hk_chain_open(struct hk_task *task)
{
    const int64_t servers = hk_task_int(task, "servers", 0);

    if (servers < 1 || servers > HK_SERVERS_MAX)
        return hk_task_refuse(task, HK_EINVAL, "a chain has 1 to %d servers", HK_SERVERS_MAX);
    return hk_links_open(task, (size_t)servers, true);
}

const struct hk_experiment hk_experiment_chain = {
    .kind = "chain",
    .summary = "a request passed on through several servers and back",
    .expand = expand,
    .open = hk_chain_open,
    .close = hk_links_close,
    .serve = hk_links_serve,
    .enter = hk_links_enter,
    .run = hk_links_run,
    .verify = hk_links_verify,
    .leave = hk_links_leave,
};
