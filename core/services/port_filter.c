/* SPDX-License-Identifier: MIT */
#include "services/port_filter.h"

#include "services/commit.h"

#define STEP 2048u /* instructions that one request verifies: others wait for it */

void hk_port_filter_start(struct hk_port_filter *filter)
{
    if (filter->state != HK_PORT_FILTER_ATTACHED)
        filter->state = HK_PORT_FILTER_NONE;
}

void hk_port_filter_close(struct hk_port_filter *filter, uint64_t port)
{
    if (filter->port == port)
        hk_commit(filter->state, HK_PORT_FILTER_NONE);
}

/* Instructions, part behind part; the first part begins anew. */
static enum hk_status fill(struct hk_port_filter *filter, uint64_t port, uint64_t first,
                           struct hk_service_message *message)
{
    const uint64_t count = message->word[3];

    if (filter->state == HK_PORT_FILTER_ATTACHED ||
        (filter->state != HK_PORT_FILTER_NONE && filter->port != port))
        return HK_EBUSY;
    if (count == 0 || count > HK_MESSAGE_BUFFER_WORDS ||
        (first != 0 && (filter->state == HK_PORT_FILTER_NONE || first != filter->filled))) {
        message->word[1] = HK_REJECT_NONE;
        return HK_EINVAL;
    }
    if (first > HK_EXTENSION_INSTRUCTIONS_MAX - count)
        return HK_ETOOBIG;
    __builtin_memcpy(filter->program + first, message->buffer,
                     count * sizeof(struct hk_instruction));
    filter->filled = first + count;
    filter->port = port;
    filter->state = HK_PORT_FILTER_FILLING;
    return HK_OK;
}

/* Places in the memory for the values of all maps, zeroed. */
static enum hk_status place_maps(struct hk_port_filter *filter,
                                 const struct hk_service_message *message)
{
    const uint64_t count = message->word[3];
    uint64_t used = 0;

    if (count > HK_EXTENSION_MAPS)
        return HK_ETOOBIG;
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t value_bytes = (uint32_t)message->word[4 + i];
        const uint32_t values = (uint32_t)(message->word[4 + i] >> 32);
        const uint64_t stride_bytes = ((uint64_t)value_bytes + 7) / 8 * 8;

        if (value_bytes == 0 || value_bytes > HK_EXTENSION_VALUE_BYTES_MAX || values == 0 ||
            stride_bytes * values > sizeof(filter->values) - used)
            return HK_ETOOBIG;
        filter->maps[i] = (struct hk_map){ value_bytes, (uint32_t)stride_bytes, values,
                                           filter->values + used };
        used += stride_bytes * values;
    }
    __builtin_memset(filter->values, 0, used);
    return HK_OK;
}

static enum hk_status begin(struct hk_port_filter *filter,
                            const struct hk_service_message *message)
{
    enum hk_status status = place_maps(filter, message);

    if (status != HK_OK)
        return status;
    if (message->word[2] > filter->filled)
        return HK_EINVAL;
    filter->extension = (struct hk_extension){
        .instructions = filter->program,
        .count = (uint32_t)message->word[2],
        .map_count = (uint32_t)message->word[3],
        .maps = filter->maps,
    };
    status = hk_verify_begin(&filter->verifier, &filter->extension);
    if (status == HK_OK)
        filter->state = HK_PORT_FILTER_VERIFYING;
    return status;
}

/* Begins to verify, or goes on. */
static enum hk_status verify(struct hk_port_filter *filter, struct hk_service_message *message)
{
    const struct hk_verifier *verifier = &filter->verifier;
    enum hk_status status = HK_OK;

    if (filter->state == HK_PORT_FILTER_ATTACHED)
        return HK_EEXIST;
    if (filter->state == HK_PORT_FILTER_FILLING) {
        filter->verifier.reject = HK_REJECT_NONE;
        filter->verifier.at = 0;
        status = begin(filter, message);
    }
    if (status == HK_OK)
        status = hk_verify_step(&filter->verifier, STEP);
    if (status == HK_EBUSY)
        return status;
    if (status != HK_OK) {
        filter->state = HK_PORT_FILTER_FILLING;
        message->word[1] = verifier->reject;
        message->word[2] = verifier->at;
        message->words = 3;
        return status;
    }
    message->word[1] = verifier->processed;
    hk_commit(filter->state, HK_PORT_FILTER_ATTACHED);
    return HK_OK;
}

static enum hk_status read_value(const struct hk_port_filter *filter,
                                 struct hk_service_message *message)
{
    const uint64_t map = message->word[2], key = message->word[3];
    const struct hk_extension *extension = &filter->extension;

    if (filter->state != HK_PORT_FILTER_ATTACHED || map >= extension->map_count ||
        key >= extension->maps[map].count)
        return HK_ENOENT;
    __builtin_memcpy(message->buffer, hk_map_value(&extension->maps[map], (uint32_t)key),
                     extension->maps[map].value_bytes);
    message->word[1] = extension->maps[map].value_bytes;
    message->words = hk_service_payload_words(message->word[1]);
    return HK_OK;
}

enum hk_status hk_port_filter_handle(struct hk_port_filter *filter,
                                     struct hk_service_message *message)
{
    const uint64_t port = message->word[1];
    const bool is_its = filter->state != HK_PORT_FILTER_NONE && filter->port == port;

    if (message->word[0] == HK_NET_PROGRAM)
        return fill(filter, port, message->word[2], message);
    if (message->word[0] > HK_NET_VALUE)
        return HK_ENOSYS;
    if (!is_its)
        return HK_ENOENT;
    if (message->word[0] == HK_NET_FILTER)
        return verify(filter, message);
    if (message->word[0] == HK_NET_VALUE)
        return read_value(filter, message);
    hk_port_filter_close(filter, port);
    return HK_OK;
}
