/* SPDX-License-Identifier: MIT */
/* Packets: made, taken apart, what is wrong with damaged ones, and what a port's program sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extension/assemble.h"
#include "extension/extension.h"
#include "hk/base/units.h"
#include "services/ether.h"
#include "services/packet.h"
#include "services/rows.h"

static const unsigned char payload[] = "2385 bottles of odd length";
#define BYTES (HK_PACKET_HEADER_BYTES + sizeof(payload))

static const struct hk_packet good = {
    .from = 0x0a00020f, .to = 0x7f000001, .from_port = 4711, .to_port = 65535,
    .payload = payload, .payload_bytes = sizeof(payload),
};

/* RFC 1071, on the header as it now is. */
static void sum_header(unsigned char *data)
{
    uint32_t sum = 0;

    data[10] = data[11] = 0;
    for (int i = 0; i < (data[0] & 15) * 4; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    data[10] = (unsigned char)(sum >> 8);
    data[11] = (unsigned char)sum;
}

static const struct {
    const char *what;
    size_t at;
    unsigned char value;
    bool sum; /* make the header's sum right again */
    size_t cut;
    enum hk_packet_fault fault;
} rows[] = {
    { "nothing", 8, 64, true, 0, HK_PACKET_GOOD },
    { "cut in the header", 8, 64, true, BYTES - 19, HK_PACKET_SHORT },
    { "cut in the payload", 8, 64, true, 1, HK_PACKET_SHORT },
    { "version 6", 0, 0x65, true, 0, HK_PACKET_VERSION },
    { "header of 16 bytes", 0, 0x44, true, 0, HK_PACKET_SHORT },
    { "header longer than all", 3, 24, true, 0, HK_PACKET_SHORT },
    { "sum of the header", 8, 63, false, 0, HK_PACKET_HEADER_SUM },
    { "more fragments", 6, 0x20, true, 0, HK_PACKET_FRAGMENT },
    { "a later fragment", 7, 1, true, 0, HK_PACKET_FRAGMENT },
    { "TCP", 9, 6, true, 0, HK_PACKET_PROTOCOL },
    { "length of UDP", 25, 9, true, 0, HK_PACKET_LENGTH },
    { "a bit of the payload", 40, 'x', true, 0, HK_PACKET_PAYLOAD_SUM },
    { "another sender", 15, 16, true, 0, HK_PACKET_PAYLOAD_SUM },
};

static void damage_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        struct hk_packet packet = { .from = 2385 };
        unsigned char data[BYTES];
        enum hk_packet_fault fault;

        assert_int_equal(hk_packet_write(&good, 7, data), BYTES);
        data[rows[i].at] = rows[i].value;
        if (rows[i].sum)
            sum_header(data);
        fault = hk_packet_read(data, BYTES - rows[i].cut, &packet);
        if (fault != rows[i].fault)
            fail_msg("%s: %d, not %d", rows[i].what, (int)fault, (int)rows[i].fault);
        if (fault != HK_PACKET_GOOD)
            assert_int_equal(packet.from, 2385);
    }
}

static void packets_come_back(void **state)
{
    unsigned char data[BYTES + 6] = { 0 }; /* Ethernet pads short packets */
    struct hk_packet packet;

    (void)state;
    (void)hk_packet_write(&good, 7, data);
    assert_int_equal(hk_packet_read(data, sizeof(data), &packet), HK_PACKET_GOOD);
    assert_int_equal(packet.from, good.from);
    assert_int_equal(packet.to, good.to);
    assert_int_equal(packet.from_port, 4711);
    assert_int_equal(packet.to_port, 65535);
    assert_int_equal(packet.payload_bytes, sizeof(payload));
    assert_memory_equal(packet.payload, payload, sizeof(payload));
    /* a sender need not sum the payload */
    data[26] = data[27] = 0;
    data[40] ^= 1;
    assert_int_equal(hk_packet_read(data, BYTES, &packet), HK_PACKET_GOOD);
}

/* An ARP request of 10.0.2.2 for our address, answered; for another, and damaged, not. */
static void neighbours_are_answered(void **state)
{
    static const unsigned char request[42] = {
        255, 255, 255, 255, 255, 255, 0x52, 0x55, 10, 0, 2, 2, 8, 6,
        0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x55, 10, 0, 2, 2, 10, 0, 2, 2, 0, 0, 0, 0, 0, 0, 10, 0, 2, 15,
    };
    struct hk_ether ether = { .mac = { 2, 3, 8, 5, 0, 1 } };
    unsigned char frame[42], answer[42];

    (void)state;
    assert_int_equal(hk_ether_read(&ether, request, 42, answer), HK_ETHER_ANSWER);
    assert_memory_equal(answer, request + 6, 6);
    assert_memory_equal(answer + 22, ether.mac, 6);
    assert_int_equal(answer[21], 2);
    assert_int_equal(ether.neighbour[0].address, 0x0a000202);
    for (size_t bytes = 0; bytes < 42; bytes++)
        assert_int_equal(hk_ether_read(&ether, request, bytes, answer), HK_ETHER_DROP);
    for (size_t at = 12; at < 42; at++) {
        memcpy(frame, request, 42);
        frame[at] ^= 0x55;
        if ((at >= 22 && at < 38)) /* who asks, and whom: any may */
            continue;
        assert_int_equal(hk_ether_read(&ether, frame, 42, answer), HK_ETHER_DROP);
    }
    /* as many neighbours as there are places */
    for (unsigned i = 0; i < 3 * HK_ETHER_NEIGHBOURS; i++) {
        memcpy(frame, request, 42);
        frame[31] = (unsigned char)(100 + i);
        assert_int_equal(hk_ether_read(&ether, frame, 42, answer), HK_ETHER_ANSWER);
    }
}

/* --- the net service behind a device that is memory ---------------------------------------- */

#define RECEIVED (2 * HK_PAGE_BYTES + 12) /* the first frame, behind the header of virtio */

/* VIRTIO 1.1, sections 2.6.8 and 4.2.2 */
struct used {
    uint16_t flags, index;
    struct {
        uint32_t id, bytes;
    } ring[64];
};

static uint32_t registers[128] = { [1] = 2, [4] = 1, [13] = 64 }; /* modern, queues of 64 */
static _Alignas(HK_PAGE_BYTES) unsigned char frames[HK_ETHER_PAGES * HK_PAGE_BYTES];
static _Alignas(HK_PAGE_BYTES) unsigned char memory[HK_NET_PAGES * HK_PAGE_BYTES];
static uint64_t buffer[HK_MESSAGE_BUFFER_WORDS];

static void ack(struct hk_service_host *host)
{
    (void)host;
}

static struct hk_service_host host = {
    .memory = memory,
    .device = { .kind = HK_DEVICE_VIRTIO_NET, .registers = registers, .frames = frames },
    .device_ack = ack,
};

static uint64_t ask(uint64_t badge, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { w0, w1, w2, w3 };
    struct hk_service_message message = { badge, HK_SERVICE_REPLY_WORDS, word, buffer };

    assert_int_equal(hk_net_handle(&host, &message), HK_OK);
    return word[1];
}

/* A frame of the good packet and so many bytes behind it. */
static void frame_comes(uint16_t number, uint64_t padding_bytes)
{
    const uint64_t queues = registers[0xa0 / 4] | (uint64_t)registers[0xa4 / 4] << 32;
    struct used *used = (void *)(uintptr_t)(queues - HK_PAGE_BYTES); /* the last set was to send */
    unsigned char *frame = frames + RECEIVED;
    struct hk_packet packet = good;

    packet.to = HK_ETHER_ADDRESS;
    frame[12] = 8, frame[13] = 0; /* IP */
    (void)hk_packet_write(&packet, number, frame + HK_ETHER_HEADER_BYTES);
    memset(frame + HK_ETHER_HEADER_BYTES + BYTES, 0x5a, padding_bytes);
    used->ring[number].bytes = (uint32_t)(12 + HK_ETHER_HEADER_BYTES + BYTES + padding_bytes);
    used->index = (uint16_t)(number + 1);
    (void)ask(HK_SERVICE_DEVICE_BADGE, 0, 0, 0, 0);
}

/* It lets a packet pass only of exactly this length. */
static void programs_see_no_padding(void **state)
{
    static const struct hk_instruction program[] = {
        SET(0, 0),
        LOAD_(WORD, 2, 1, HK_CONTEXT_LEN),
        LOAD_(WORD, 3, 1, HK_CONTEXT_DATA),
        LOAD_(WORD, 4, 1, HK_CONTEXT_DATA_END),
        DO_X(SUB, 4, 3),
        IF(JNE, 2, BYTES, 2),
        IF(JNE, 4, BYTES, 1),
        SET(0, 1),
        EXIT,
    };

    (void)state;
    host.device.frames_physical = (uintptr_t)frames;
    hk_net_start(&host);
    assert_int_equal(ask(1, HK_NET_BIND, good.to_port, 0, 0), good.to_port);
    memcpy(buffer, program, sizeof(program));
    (void)ask(1, HK_NET_PROGRAM, good.to_port, 0, HK_ARRAY_COUNT(program));
    (void)ask(1, HK_NET_FILTER, good.to_port, HK_ARRAY_COUNT(program), 0);
    frame_comes(0, 0);
    frame_comes(1, 6);
    assert_int_equal(ask(1, HK_NET_COUNT, HK_NET_FILTERED, 0, 0), 0);
    assert_int_equal(ask(1, HK_NET_COUNT, HK_NET_DELIVERED, 0, 0), 2);
    assert_int_equal(ask(1, HK_NET_RECEIVE, good.to_port, 0, 0), sizeof(payload));
    assert_memory_equal(buffer, payload, sizeof(payload));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(packets_come_back),
        cmocka_unit_test(neighbours_are_answered),
        cmocka_unit_test(programs_see_no_padding),
    };

    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
