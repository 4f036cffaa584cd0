/* SPDX-License-Identifier: MIT */
#include "services/packet.h"

#include "services/byte_order.h"

#define IP_BYTES 20u
#define UDP_BYTES 8u
#define PROTOCOL_UDP 17u
#define TIME_TO_LIVE 64u
#define DONT_FRAGMENT 0x4000u
#define MORE_FRAGMENTS 0x2000u
#define FRAGMENT_OFFSET 0x1fffu

/* Sum of 16-bit words in network order, not yet folded; an odd byte counts as a high one. */
static uint64_t add_words(const unsigned char *data, uint64_t bytes, uint64_t sum)
{
    uint64_t i = 0;

    for (; i + 1 < bytes; i += 2)
        sum += hk_get_be16(data + i);
    return i < bytes ? sum + ((uint64_t)data[i] << 8) : sum;
}

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

/* Of UDP: the pseudo header with the addresses, then header and payload. */
static uint32_t udp_sum(const unsigned char *ip, const unsigned char *udp, uint64_t bytes)
{
    return fold(add_words(udp, bytes, add_words(ip + 12, 8, PROTOCOL_UDP + bytes)));
}

static enum hk_packet_fault check_ip(const unsigned char *data, uint64_t bytes,
                                     uint64_t *header_bytes, uint64_t *total_bytes)
{
    if (bytes < IP_BYTES)
        return HK_PACKET_SHORT;
    if (data[0] >> 4 != 4)
        return HK_PACKET_VERSION;
    *header_bytes = (uint64_t)(data[0] & 15) * 4;
    *total_bytes = hk_get_be16(data + 2);
    if (*header_bytes < IP_BYTES || *total_bytes < *header_bytes || *total_bytes > bytes)
        return HK_PACKET_SHORT;
    if (fold(add_words(data, *header_bytes, 0)) != 0xffff)
        return HK_PACKET_HEADER_SUM;
    if ((hk_get_be16(data + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) != 0)
        return HK_PACKET_FRAGMENT;
    return data[9] == PROTOCOL_UDP ? HK_PACKET_GOOD : HK_PACKET_PROTOCOL;
}

enum hk_packet_fault hk_packet_read(const unsigned char *data, uint64_t bytes,
                                    struct hk_packet *packet)
{
    uint64_t header_bytes, total_bytes, udp_bytes;
    const unsigned char *udp;
    enum hk_packet_fault fault = check_ip(data, bytes, &header_bytes, &total_bytes);

    if (fault != HK_PACKET_GOOD)
        return fault;
    udp = data + header_bytes;
    if (total_bytes - header_bytes < UDP_BYTES)
        return HK_PACKET_SHORT;
    udp_bytes = hk_get_be16(udp + 4);
    if (udp_bytes != total_bytes - header_bytes)
        return HK_PACKET_LENGTH;
    if (hk_get_be16(udp + 6) != 0 && udp_sum(data, udp, udp_bytes) != 0xffff) /* 0: sent without */
        return HK_PACKET_PAYLOAD_SUM;
    *packet = (struct hk_packet){
        .from = hk_get_be32(data + 12),
        .to = hk_get_be32(data + 16),
        .from_port = (uint16_t)hk_get_be16(udp),
        .to_port = (uint16_t)hk_get_be16(udp + 2),
        .payload = udp + UDP_BYTES,
        .payload_bytes = udp_bytes - UDP_BYTES,
    };
    return HK_PACKET_GOOD;
}

uint64_t hk_packet_write(const struct hk_packet *packet, uint16_t id, unsigned char *data)
{
    unsigned char *udp = data + IP_BYTES;
    uint64_t udp_bytes = UDP_BYTES + packet->payload_bytes;
    uint32_t sum;

    data[0] = 0x45;
    data[1] = 0;
    hk_put_be16(data + 2, (uint32_t)(IP_BYTES + udp_bytes));
    hk_put_be16(data + 4, id);
    hk_put_be16(data + 6, DONT_FRAGMENT);
    data[8] = TIME_TO_LIVE;
    data[9] = PROTOCOL_UDP;
    hk_put_be16(data + 10, 0);
    hk_put_be32(data + 12, packet->from);
    hk_put_be32(data + 16, packet->to);
    hk_put_be16(data + 10, ~fold(add_words(data, IP_BYTES, 0)));
    hk_put_be16(udp, packet->from_port);
    hk_put_be16(udp + 2, packet->to_port);
    hk_put_be16(udp + 4, (uint32_t)udp_bytes);
    hk_put_be16(udp + 6, 0);
    __builtin_memcpy(udp + UDP_BYTES, packet->payload, packet->payload_bytes);
    sum = ~udp_sum(data, udp, udp_bytes) & 0xffff;
    hk_put_be16(udp + 6, sum != 0 ? sum : 0xffff); /* 0 would say that there is none */
    return IP_BYTES + udp_bytes;
}
