/* SPDX-License-Identifier: MIT */
/*
 * A request that passes through m servers, each forwarding to the next, and its reply
 * the same way back: 2 m one-way transfers.
 */
#include "experiments.h"
#include "hk/base/units.h"
#include "links.h"

/* F3 trains on the first half of the sizes and is tested on the other. */
enum { TRAINING_SIZES = 4 };
static const int bytes[] = {1, 4096, 16384, 65536, 256, 2048, 8192, 32768};

const struct hk_chain_row hk_chain_rows[HK_CHAIN_ROWS] = {
    {"pipe", "", true},
    {"pipe", "/policy:batch", true},
    {"unix_seqpacket", "", false},
    {"unix_seqpacket", "/policy:batch", false},
};

static enum hk_status add_row(const struct hk_chain_row *row, enum hk_run_mode mode,
                              hk_cell_adder *add, void *context)
{
    const int servers_max = mode == HK_RUN_FULL ? 5 : 4;
    enum hk_status status = HK_OK;

    for (int servers = 1; servers <= servers_max; servers++)
        for (size_t b = 0; b < HK_ARRAY_COUNT(bytes) && status == HK_OK; b++) {
            const bool training = b < TRAINING_SIZES;
            /* Quick leaves out what no model reads: short chains train, long ones test. */
            if (mode == HK_RUN_QUICK && (training ? servers > 2 : servers < 2))
                continue;
            status = add(context, "native/chain/%s/place:same_core%s/servers:%d/bytes:%d",
                         row->transport, row->policy, servers, bytes[b]);
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
