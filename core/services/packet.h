/* SPDX-License-Identifier: MIT */
/* UDP over IPv4 as bytes: making packets and taking apart what came from outside. */
#ifndef HK_SERVICES_PACKET_H
#define HK_SERVICES_PACKET_H

#include <stdint.h>

#include "hk/base/status.h"

#define HK_PACKET_HEADER_BYTES 28 /* IPv4 without options, UDP */
#define HK_PACKET_BYTES_MAX 1500  /* of Ethernet */
#define HK_PACKET_PAYLOAD_MAX (HK_PACKET_BYTES_MAX - HK_PACKET_HEADER_BYTES)

/* Addresses and ports are numbers, e.g. 127.0.0.1 is 0x7f000001. */
struct hk_packet {
    uint32_t from, to;
    uint16_t from_port, to_port;
    const unsigned char *payload;
    uint64_t payload_bytes;
};

/* Why a packet is not for anybody. */
enum hk_packet_fault {
    HK_PACKET_GOOD,
    HK_PACKET_SHORT,     /* than its headers, or than they say */
    HK_PACKET_VERSION,   /* not IPv4 */
    HK_PACKET_HEADER_SUM,
    HK_PACKET_FRAGMENT,  /* part of a packet: refused, not put together */
    HK_PACKET_PROTOCOL,  /* not UDP */
    HK_PACKET_LENGTH,    /* UDP and IPv4 say different things */
    HK_PACKET_PAYLOAD_SUM,
    HK_PACKET_FAULTS,
};

/*
 * Take a packet apart.
 *
 * data, bytes  [in]   what arrived; may be followed by padding, which is dropped
 * packet       [out]  written for HK_PACKET_GOOD only; payload points into data
 *
 * Nothing in the data is trusted. Sources: RFC 791, RFC 768, RFC 1071.
 */
enum hk_packet_fault hk_packet_read(const unsigned char *data, uint64_t bytes,
                                    struct hk_packet *packet);

/*
 * Make a packet.
 *
 * packet  [in]   payload of at most HK_PACKET_PAYLOAD_MAX bytes
 * id      [in]   of IPv4
 * data    [out]  HK_PACKET_HEADER_BYTES and the payload
 *
 * Returns the packet's length.
 */
uint64_t hk_packet_write(const struct hk_packet *packet, uint16_t id, unsigned char *data);

#endif
