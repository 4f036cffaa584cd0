/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a packet. What is taken apart lies within them, and is the same when
 * it is put together and taken apart again; a fragment is never taken apart.
 */
#include <stdlib.h>

#include "input.h"
#include "services/packet.h"

static void again(const struct hk_packet *packet)
{
    unsigned char *data = malloc(HK_PACKET_HEADER_BYTES + packet->payload_bytes);
    struct hk_packet other;
    uint64_t bytes;

    if (data == NULL || packet->payload_bytes > HK_PACKET_PAYLOAD_MAX) {
        free(data);
        return;
    }
    bytes = hk_packet_write(packet, 2385, data);
    if (hk_packet_read(data, bytes, &other) != HK_PACKET_GOOD || other.from != packet->from ||
        other.to != packet->to || other.from_port != packet->from_port ||
        other.to_port != packet->to_port || other.payload_bytes != packet->payload_bytes ||
        memcmp(other.payload, packet->payload, packet->payload_bytes) != 0)
        abort();
    data[6] |= 0x20; /* more fragments: the sum of the header is wrong now, too */
    if (hk_packet_read(data, bytes, &other) == HK_PACKET_GOOD)
        abort();
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    unsigned char *copy = malloc(bytes + 1); /* its end is watched */
    struct hk_packet packet = { 0 };

    if (copy == NULL)
        abort();
    memcpy(copy, data, bytes);
    if (hk_packet_read(copy, bytes, &packet) == HK_PACKET_GOOD) {
        if (packet.payload < copy || packet.payload + packet.payload_bytes > copy + bytes ||
            bytes < 20 || ((copy[6] << 8 | copy[7]) & 0x3fff) != 0)
            abort();
        again(&packet);
    }
    free(copy);
    return 0;
}
