/* SPDX-License-Identifier: MIT */
/*
 * The transports without a second side. `null` costs what the harness costs;
 * `inline` is the service as a function of its client, what a kernel would do
 * after the crossing.
 */
#include <string.h>

#include "hk/base/units.h"
#include "transports.h"

static enum hk_status none_send(struct hk_link *link, enum hk_side side, const void *data,
                                size_t bytes)
{
    (void)link, (void)side, (void)data, (void)bytes;
    return HK_ENOTSUP;
}

static enum hk_status none_receive(struct hk_link *link, enum hk_side side, void *data,
                                   size_t capacity, size_t *bytes)
{
    (void)link, (void)side, (void)data, (void)capacity, (void)bytes;
    return HK_ENOTSUP;
}

static enum hk_status null_call(struct hk_link *link, const void *request, size_t request_bytes,
                                void *reply, size_t capacity, size_t *reply_bytes)
{
    (void)link, (void)request, (void)request_bytes, (void)reply, (void)capacity;
    *reply_bytes = 0;
    return HK_OK;
}

static enum hk_status inline_call(struct hk_link *link, const void *request, size_t request_bytes,
                                  void *reply, size_t capacity, size_t *reply_bytes)
{
    if (!link->inline_handler || request_bytes > capacity)
        return HK_EINVAL;
    if (reply != request)
        memcpy(reply, request, request_bytes);
    return link->inline_handler(link->inline_context, reply, capacity, request_bytes, reply_bytes);
}

const struct hk_transport hk_transport_null = {
    .name = "null",
    .summary = "nothing at all: what the harness itself costs; replies are empty",
    .flags = HK_TRANSPORT_LOCAL | HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    .send = none_send,
    .receive = none_receive,
    .call = null_call,
};

const struct hk_transport hk_transport_inline = {
    .name = "inline",
    .summary = "a direct function call of the service",
    .flags = HK_TRANSPORT_LOCAL | HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    .send = none_send,
    .receive = none_receive,
    .call = inline_call,
};
