/* SPDX-License-Identifier: MIT */
/* Request and reply between a client and a server process over one transport. */
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "links.h"

/* F3 trains on the first four and is tested on the others. */
static const int64_t model_bytes[] = {1, 4096, 16384, 65536, 256, 2048, 8192, 32768};
static const int64_t full_bytes[] = {0,     1,     256,   1024,   2048,   4096,   8192,
                                     16384, 32768, 65536, 131072, 262144, 1048576};
static const char *const model_transports[] = {"pipe", "unix_seqpacket"};

static bool is_model_transport(const struct hk_transport *t)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(model_transports); i++)
        if (strcmp(t->name, model_transports[i]) == 0)
            return true;
    return false;
}

static enum hk_status add_sizes(const struct hk_transport *t, const char *place,
                                const int64_t *bytes, size_t count, hk_cell_adder *add,
                                void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < count && status == HK_OK; i++)
        if ((uint64_t)bytes[i] <= t->message_bytes_max)
            status = add(context, "native/round_trip/%s/place:%s/bytes:%lld", t->name, place,
                         (long long)bytes[i]);
    return status;
}

static enum hk_status add_place(const struct hk_transport *t, const char *place,
                                enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    static const int64_t usual_bytes = 64;
    enum hk_status status = add_sizes(t, place, &usual_bytes, 1, add, context);

    if (status != HK_OK)
        return status;
    if (mode == HK_RUN_FULL)
        return add_sizes(t, place, full_bytes, HK_ARRAY_COUNT(full_bytes), add, context);
    if (is_model_transport(t) && strcmp(place, "same_core") == 0)
        return add_sizes(t, place, model_bytes, HK_ARRAY_COUNT(model_bytes), add, context);
    return HK_OK;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    static const char *const places[] = {"same_core", "cross_core", "smt", "cross_socket"};
    const size_t place_count = mode == HK_RUN_FULL ? 4 : 2;

    for (size_t i = 0; i < hk_transport_count; i++) {
        const struct hk_transport *t = hk_transports[i];
        for (size_t p = 0; p < place_count; p++) {
            const bool same_core = p == 0;
            if (same_core && (t->flags & HK_TRANSPORT_TWO_CPUS) != 0)
                continue; /* meaningless: both sides would spin on one CPU */
            if (!same_core && (t->flags & HK_TRANSPORT_LOCAL) != 0)
                continue; /* there is no second side */
            const enum hk_status status = add_place(t, places[p], mode, add, context);
            if (status != HK_OK)
                return status;
        }
    }
    return HK_OK;
}

static enum hk_status open_task(struct hk_task *task)
{
    return hk_links_open(task, 1, false);
}

const struct hk_experiment hk_experiment_round_trip = {
    .kind = "round_trip",
    .summary = "request and reply between two processes, back to back",
    .expand = expand,
    .open = open_task,
    .close = hk_links_close,
    .serve = hk_links_serve,
    .enter = hk_links_enter,
    .run = hk_links_run,
    .verify = hk_links_verify,
    .leave = hk_links_leave,
};
