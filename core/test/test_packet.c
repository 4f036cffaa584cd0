/* SPDX-License-Identifier: MIT */
/* Packets: made, taken apart, and what is wrong with damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "services/ether.h"
#include "services/packet.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(packets_come_back),
        cmocka_unit_test(neighbours_are_answered),
    };

    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
