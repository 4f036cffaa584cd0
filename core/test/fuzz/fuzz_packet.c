/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a frame, and as a packet. What is taken apart lies within them, and is
 * the same when it is put together and taken apart again; a fragment is never taken apart.
 */
#include <stdlib.h>

#include "input.h"
#include "services/ether.h"
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

/* Many frames of neighbours never make more of them than there is room for. */
static void as_frame(const unsigned char *copy, size_t bytes)
{
    struct hk_ether ether = { .mac = { 2, 3, 8, 5, 0, 1 } };
    unsigned char arp[42] = { 0 };
    enum hk_ether_verdict verdict = hk_ether_read(&ether, copy, bytes, arp);

    if (verdict == HK_ETHER_PACKET && bytes < HK_ETHER_HEADER_BYTES)
        abort();
    if (verdict == HK_ETHER_ANSWER &&
        (memcmp(arp, copy + 22, 6) != 0 || memcmp(arp + 6, ether.mac, 6) != 0 ||
         ether.neighbour[0].address == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    unsigned char *copy = malloc(bytes + 1); /* its end is watched */
    struct hk_packet packet = { 0 };

    if (copy == NULL)
        abort();
    memcpy(copy, data, bytes);
    as_frame(copy, bytes);
    if (hk_packet_read(copy, bytes, &packet) == HK_PACKET_GOOD) {
        if (packet.payload < copy || packet.payload + packet.payload_bytes > copy + bytes ||
            bytes < 20 || ((copy[6] << 8 | copy[7]) & 0x3fff) != 0)
            abort();
        again(&packet);
    }
    free(copy);
    return 0;
}
