/* SPDX-License-Identifier: MIT */
/* The packet filter decides alike in all its forms, and its sizes are what they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/path/filter.h"

static const struct hk_filter filters[] = {
    {HK_FILTER_STRAIGHT, HK_FILTER_SIZE_MIN}, {HK_FILTER_STRAIGHT, 17},
    {HK_FILTER_STRAIGHT, 239},                {HK_FILTER_STRAIGHT, 4096},
    {HK_FILTER_BRANCHY, 1},                   {HK_FILTER_BRANCHY, 5},
    {HK_FILTER_BRANCHY, 9},
};

/* The loaded program, or a skip with the reason. */
static int load(const struct hk_filter *filter, struct hk_filter_program *program)
{
    char reason[HK_REASON_BYTES] = "";
    int fd = -1;

    assert_int_equal(hk_filter_init(filter, program), HK_OK);
    if (hk_filter_load(program, &fd, reason) != HK_OK) {
        assert_non_null(strstr(reason, "; "));
        print_message("skipped: %s\n", reason);
        hk_filter_fini(program);
        skip();
    }
    return fd;
}

static void all_forms_decide_alike(void **state)
{
    unsigned char packet[HK_FILTER_PACKET_BYTES];
    struct hk_filter_program program;

    (void)state;
    for (size_t f = 0; f < HK_ARRAY_COUNT(filters); f++) {
        const int fd = load(&filters[f], &program);
        for (uint64_t seed = 0; seed < 50; seed++) {
            uint32_t keep = 0;
            hk_filter_packet(packet, seed);
            assert_int_equal(hk_filter_run(fd, packet, 1, &keep), HK_OK);
            assert_true(keep >= HK_FILTER_PACKET_BYTES);
            assert_int_equal(keep, hk_filter_decide(&filters[f], packet));
            hk_filter_spoil(packet);
            assert_int_equal(hk_filter_run(fd, packet, 1, &keep), HK_OK);
            assert_int_equal(keep, 0);
            assert_int_equal(hk_filter_decide(&filters[f], packet), 0);
        }
        close(fd);
        hk_filter_fini(&program);
    }
}

/* A straight program is processed once; each further branch doubles what is. */
static void the_verifier_processes_what_the_shape_says(void **state)
{
    uint64_t processed[HK_FILTER_BRANCHES_MAX + 1];
    struct hk_filter_program program;

    (void)state;
    for (size_t f = 0; f < HK_ARRAY_COUNT(filters); f++) {
        uint64_t count = 0;
        close(load(&filters[f], &program));
        assert_int_equal(hk_filter_processed(&program, &count), HK_OK);
        if (filters[f].shape == HK_FILTER_STRAIGHT)
            assert_int_equal(count, filters[f].size);
        hk_filter_fini(&program);
    }
    for (uint32_t b = 6; b <= 9; b++) {
        const struct hk_filter filter = {HK_FILTER_BRANCHY, b};
        close(load(&filter, &program));
        assert_int_equal(hk_filter_processed(&program, &processed[b]), HK_OK);
        hk_filter_fini(&program);
    }
    for (uint32_t b = 7; b <= 9; b++)
        assert_true(processed[b] > processed[b - 1] * 19 / 10);
}

static void an_attached_program_keeps_and_drops(void **state)
{
    unsigned char packet[HK_FILTER_PACKET_BYTES], back[HK_FILTER_PACKET_BYTES];
    struct hk_filter_program program;
    int sockets[2];

    (void)state;
    const int fd = load(&filters[2], &program);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(hk_filter_attach(sockets[1], fd), HK_OK);
    hk_filter_packet(packet, 7);
    assert_int_equal(send(sockets[0], packet, sizeof packet, 0), sizeof packet);
    assert_int_equal(recv(sockets[1], back, sizeof back, MSG_DONTWAIT), sizeof back);
    assert_memory_equal(back, packet, sizeof back);
    hk_filter_spoil(packet);
    send(sockets[0], packet, sizeof packet, 0);
    assert_int_equal(recv(sockets[1], back, sizeof back, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(hk_filter_attach(sockets[1], -1), HK_OK);
    assert_int_equal(send(sockets[0], packet, sizeof packet, 0), sizeof packet);
    assert_int_equal(recv(sockets[1], back, sizeof back, MSG_DONTWAIT), sizeof back);
    assert_int_not_equal(hk_filter_attach(-1, fd), HK_OK);
    close(sockets[0]);
    close(sockets[1]);
    close(fd);
    hk_filter_fini(&program);
}

static void sizes_out_of_range_are_refused(void **state)
{
    static const struct hk_filter bad[] = {
        {HK_FILTER_STRAIGHT, 0}, {HK_FILTER_STRAIGHT, HK_FILTER_SIZE_MIN - 1},
        {HK_FILTER_STRAIGHT, HK_FILTER_SIZE_MAX + 1}, {HK_FILTER_BRANCHY, 0},
        {HK_FILTER_BRANCHY, HK_FILTER_BRANCHES_MAX + 1},
    };
    struct hk_filter_program program = {.count = 2385};
    unsigned char packet[HK_FILTER_PACKET_BYTES] = {0};
    uint32_t keep = 2385;

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++)
        assert_int_equal(hk_filter_init(&bad[i], &program), HK_EINVAL);
    assert_int_equal(program.count, 2385);
    assert_int_not_equal(hk_filter_run(-1, packet, 1, &keep), HK_OK);
    assert_int_equal(keep, 2385);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_decide_alike),
        cmocka_unit_test(the_verifier_processes_what_the_shape_says),
        cmocka_unit_test(an_attached_program_keeps_and_drops),
        cmocka_unit_test(sizes_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
