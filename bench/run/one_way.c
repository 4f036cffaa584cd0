/* SPDX-License-Identifier: MIT */
/*
 * A stream of messages one way: a window of them, then one byte back. A window's
 * acknowledgement is part of its cost, a 64th of a reply per message.
 */
#include <stdlib.h>
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "links.h"

enum { WINDOW_MESSAGES = 64 };

static const int quick_bytes[] = {64, 4096};
static const int full_bytes[] = {1, 64, 1024, 4096, 16384, 65536};

static bool streams(const struct hk_transport *t)
{
    return (t->flags & (HK_TRANSPORT_LOCAL | HK_TRANSPORT_CALL_ONLY)) == 0;
}

static enum hk_status add_sizes(const struct hk_transport *t, const char *place,
                                enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    const int *bytes = mode == HK_RUN_FULL ? full_bytes : quick_bytes;
    const size_t count =
        mode == HK_RUN_FULL ? HK_ARRAY_COUNT(full_bytes) : HK_ARRAY_COUNT(quick_bytes);
    enum hk_status status = HK_OK;

    for (size_t b = 0; b < count && status == HK_OK; b++)
        if ((size_t)bytes[b] <= t->message_bytes_max)
            status = add(context, "native/one_way/%s/place:%s/bytes:%d", t->name, place, bytes[b]);
    return status;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    static const char *const quick_transports[] = {"pipe", "unix_seqpacket", "futex_ring",
                                                   "spin_ring"};
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < hk_transport_count && status == HK_OK; i++) {
        const struct hk_transport *t = hk_transports[i];
        bool wanted = mode == HK_RUN_FULL;
        for (size_t q = 0; q < HK_ARRAY_COUNT(quick_transports) && !wanted; q++)
            wanted = strcmp(t->name, quick_transports[q]) == 0;
        if (!wanted || !streams(t))
            continue;
        if ((t->flags & HK_TRANSPORT_TWO_CPUS) == 0)
            status = add_sizes(t, "same_core", mode, add, context);
        if (status == HK_OK && (mode == HK_RUN_FULL || (t->flags & HK_TRANSPORT_TWO_CPUS) != 0))
            status = add_sizes(t, "cross_core", mode, add, context);
    }
    return status;
}

/* Receives windows and acknowledges each; an empty message is the client's farewell. */
static enum hk_status drain(struct hk_task *task, struct hk_link *link, size_t server)
{
    const struct hk_links *l = task->state;
    unsigned char *buffer = malloc(l->capacity);
    enum hk_status status = HK_OK;
    size_t bytes;

    (void)server;
    if (buffer == NULL)
        return HK_ENOMEM;
    for (uint64_t i = 1; status == HK_OK; i++) {
        status = link->transport->receive(link, HK_SERVER, buffer, l->capacity, &bytes);
        if (status != HK_OK || bytes == 0)
            break;
        if (i % WINDOW_MESSAGES == 0)
            status = link->transport->send(link, HK_SERVER, buffer, 1);
    }
    free(buffer);
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    enum hk_status status = hk_links_open(task, 1, false);
    struct hk_links *l = task->state;

    if (status != HK_OK)
        return status;
    if (!streams(l->transport) || l->bytes == 0)
        return hk_task_refuse(task, HK_EINVAL, "%s does not send one way, or 0 bytes are asked for",
                              l->transport->name);
    l->loop = drain;
    task->one_way = true;
    task->operations_step = WINDOW_MESSAGES;
    task->expected = HK_EXPECT_NOTHING; /* claims are of round trips */
    return HK_OK;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct hk_links *l = task->state;
    struct hk_link *link = &l->links[0];
    size_t got;

    for (uint64_t i = 1; i <= n; i++) {
        enum hk_status status =
            link->transport->send(link, HK_CLIENT, l->request, l->bytes);
        if (status == HK_OK && i % WINDOW_MESSAGES == 0)
            status = link->transport->receive(link, HK_CLIENT, l->reply, l->capacity, &got);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

const struct hk_experiment hk_experiment_one_way = {
    .kind = "one_way",
    .summary = "a stream of messages in windows of 64, one byte back per window",
    .expand = expand,
    .open = open_task,
    .close = hk_links_close,
    .serve = hk_links_serve,
    .enter = hk_links_enter,
    .run = run,
    .leave = hk_links_leave,
};
