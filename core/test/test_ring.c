/* SPDX-License-Identifier: MIT */
/* The ring: geometry, order, bounds, a hostile peer, and two processes at two addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/core/ring.h"

struct pair {
    void *memory;
    uint64_t memory_bytes;
    struct hk_ring_end sender;
    struct hk_ring_end receiver;
};

static struct pair pair_create(uint32_t slot_count, uint32_t message_bytes)
{
    struct pair p = {.memory_bytes = hk_ring_bytes(slot_count, message_bytes)};
    size_t align = _Alignof(struct hk_ring_header);

    p.memory = aligned_alloc(align, (p.memory_bytes + align - 1) / align * align);
    assert_non_null(p.memory);
    assert_int_equal(hk_ring_init(p.memory, p.memory_bytes, slot_count, message_bytes), HK_OK);
    assert_int_equal(hk_ring_attach(&p.sender, p.memory, p.memory_bytes), HK_OK);
    assert_int_equal(hk_ring_attach(&p.receiver, p.memory, p.memory_bytes), HK_OK);
    return p;
}

static void geometry_is_checked(void **state)
{
    static const struct {
        uint32_t slot_count, message_bytes;
        uint64_t bytes;
    } rows[] = {
        {1, 1, 256 + 64},
        {1, HK_RING_INLINE_BYTES, 256 + 64},
        {1, HK_RING_INLINE_BYTES + 1, 256 + 128},
        {100, 256, 256 + 100 * 320},
        {0, 256, 0},
        {HK_RING_SLOTS_MAX + 1, 256, 0},
        {100, 0, 0},
        {100, HK_RING_MESSAGE_BYTES_MAX + 1, 0},
        {UINT32_MAX, UINT32_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
        assert_int_equal(hk_ring_bytes(rows[i].slot_count, rows[i].message_bytes), rows[i].bytes);
}

static void init_and_attach_refuse_bad_memory(void **state)
{
    _Alignas(128) unsigned char memory[256 + 3 * 64 + 128];
    struct hk_ring_end end = {.position = 4711};

    (void)state;
    assert_int_equal(hk_ring_init(memory + 64, sizeof(memory) - 64, 3, 17), HK_EINVAL);
    assert_int_equal(hk_ring_init(memory, 256 + 3 * 64 - 1, 3, 17), HK_ENOSPC);
    assert_int_equal(hk_ring_init(memory, sizeof(memory), 0, 17), HK_EINVAL);
    assert_int_equal(hk_ring_init(memory, sizeof(memory), 3, 17), HK_OK);

    assert_int_equal(hk_ring_attach(&end, memory + 64, sizeof(memory) - 64), HK_EINVAL);
    assert_int_equal(hk_ring_attach(&end, memory, 255), HK_EPARSE);
    assert_int_equal(hk_ring_attach(&end, memory, 256 + 3 * 64 - 1), HK_EPARSE);
    struct hk_ring_header *header = (void *)memory;
    header->slot_count = 4711;
    assert_int_equal(hk_ring_attach(&end, memory, sizeof(memory)), HK_EPARSE);
    header->slot_count = 3;
    header->magic = 0;
    assert_int_equal(hk_ring_attach(&end, memory, sizeof(memory)), HK_EPARSE);
    assert_int_equal(end.position, 4711);
}

static void messages_arrive_in_order_until_full_and_empty(void **state)
{
    struct pair p = pair_create(7, 53);
    unsigned char in[53], out[53];
    uint32_t bytes = 4711;

    (void)state;
    assert_int_equal(hk_ring_receive(&p.receiver, out, sizeof(out), &bytes), HK_EEMPTY);
    assert_int_equal(bytes, 4711);
    for (uint32_t lap = 0; lap < 5; lap++) {
        for (uint32_t i = 0; i < 7; i++) {
            memset(in, (int)(lap * 7 + i), sizeof(in));
            assert_int_equal(hk_ring_send(&p.sender, in, 53 - i), HK_OK);
        }
        assert_int_equal(hk_ring_send(&p.sender, in, 1), HK_EFULL);
        for (uint32_t i = 0; i < 7; i++) {
            memset(in, (int)(lap * 7 + i), sizeof(in));
            assert_int_equal(hk_ring_receive(&p.receiver, out, sizeof(out), &bytes), HK_OK);
            assert_int_equal(bytes, 53 - i);
            assert_memory_equal(in, out, bytes);
        }
        assert_int_equal(hk_ring_receive(&p.receiver, out, sizeof(out), &bytes), HK_EEMPTY);
    }
    free(p.memory);
}

static void lengths_are_bounded_on_both_sides(void **state)
{
    struct pair p = pair_create(2, 31);
    unsigned char data[64] = {0};
    uint32_t bytes = 4711;

    (void)state;
    assert_int_equal(hk_ring_send(&p.sender, data, 32), HK_ETOOBIG);
    assert_int_equal(hk_ring_commit(&p.sender, 32), HK_ETOOBIG);
    assert_int_equal(hk_ring_receive(&p.receiver, data, sizeof(data), &bytes), HK_EEMPTY);
    assert_int_equal(hk_ring_send(&p.sender, data, 31), HK_OK);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 30, &bytes), HK_ETOOBIG);
    assert_int_equal(bytes, 4711);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 31, &bytes), HK_OK);
    assert_int_equal(bytes, 31);
    assert_int_equal(hk_ring_send(&p.sender, data, 0), HK_OK);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 0, &bytes), HK_OK);
    assert_int_equal(bytes, 0);
    free(p.memory);
}

static void positions_wrap_at_32_bits(void **state)
{
    struct pair p = pair_create(3, 4);
    const uint32_t start = UINT32_MAX - 4;

    (void)state;
    p.sender.position = p.sender.head = p.receiver.position = start;
    atomic_store(&p.sender.header->head, start);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t out = 0, bytes = 0;
        assert_int_equal(hk_ring_send(&p.sender, &i, sizeof(i)), HK_OK);
        if (i < 2)
            continue;
        assert_int_equal(hk_ring_send(&p.sender, &i, sizeof(i)), HK_EFULL);
        assert_int_equal(hk_ring_receive(&p.receiver, &out, sizeof(out), &bytes), HK_OK);
        assert_int_equal(out, i - 2);
    }
    free(p.memory);
}

static void slots_are_filled_and_read_in_place(void **state)
{
    struct pair p = pair_create(2, 100);
    struct hk_ring_slot *slot = NULL, *again = NULL;
    uint32_t bytes = 0;

    (void)state;
    assert_int_equal(hk_ring_peek(&p.receiver, &slot, &bytes), HK_EEMPTY);
    assert_null(slot);
    assert_int_equal(hk_ring_reserve(&p.sender, &slot), HK_OK);
    assert_int_equal(hk_ring_reserve(&p.sender, &again), HK_OK);
    assert_ptr_equal(slot, again);
    slot->to = 2;
    slot->from = 1;
    memcpy(slot->payload, "in place", 8);
    assert_int_equal(hk_ring_peek(&p.receiver, &again, &bytes), HK_EEMPTY);
    assert_int_equal(hk_ring_commit(&p.sender, 8), HK_OK);
    assert_int_equal(hk_ring_peek(&p.receiver, &again, &bytes), HK_OK);
    assert_ptr_equal(slot, again);
    assert_int_equal(again->to, 2);
    assert_int_equal(again->from, 1);
    assert_int_equal(bytes, 8);
    hk_ring_release(&p.receiver);
    assert_int_equal(hk_ring_peek(&p.receiver, &again, &bytes), HK_EEMPTY);
    free(p.memory);
}

static void a_lying_receiver_is_noticed_by_the_sender(void **state)
{
    struct pair p = pair_create(4, 16);
    struct hk_ring_slot *slot = NULL;
    unsigned char data[16] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(hk_ring_send(&p.sender, data, 16), HK_OK);
    atomic_store(&p.sender.header->head, 5);
    assert_int_equal(hk_ring_reserve(&p.sender, &slot), HK_EPARSE);
    atomic_store(&p.sender.header->head, UINT32_MAX);
    assert_int_equal(hk_ring_send(&p.sender, data, 16), HK_EPARSE);
    assert_null(slot);
    atomic_store(&p.sender.header->head, 1);
    assert_int_equal(hk_ring_send(&p.sender, data, 16), HK_OK);
    free(p.memory);
}

/* What a message says of releases is as good as head; a stale or impossible word is not believed. */
static void the_sender_learns_of_releases_without_head(void **state)
{
    struct pair p = pair_create(2, 8);
    unsigned char data[8] = {1};
    uint32_t bytes;

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(hk_ring_send(&p.sender, data, 8), HK_OK);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 8, &bytes), HK_OK);
    hk_ring_learn(&p.sender, 3); /* never sent */
    assert_int_equal(p.sender.head, 0);
    hk_ring_learn(&p.sender, UINT32_MAX);
    assert_int_equal(p.sender.head, 0);
    hk_ring_learn(&p.sender, 1);
    assert_int_equal(p.sender.head, 1);
    hk_ring_learn(&p.sender, 0); /* older */
    assert_int_equal(p.sender.head, 1);
    atomic_store(&p.sender.header->head, 0); /* nothing but the word said so */
    assert_int_equal(hk_ring_send(&p.sender, data, 8), HK_OK);
    free(p.memory);
}

static void a_lying_sender_is_noticed_by_the_receiver(void **state)
{
    struct pair p = pair_create(4, 16);
    struct hk_ring_slot *slot;
    unsigned char data[16] = {0};
    uint32_t bytes = 4711;

    (void)state;
    assert_int_equal(hk_ring_send(&p.sender, data, 16), HK_OK);
    assert_int_equal(hk_ring_send(&p.sender, "next", 4), HK_OK);
    slot = hk_ring_slot_at(&p.receiver, 0);
    atomic_store(&slot->bytes, UINT32_MAX);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 16, &bytes), HK_EPARSE);
    assert_int_equal(bytes, 4711);
    /* The geometry in the shared memory means nothing after attach. */
    p.sender.header->slot_count = 1;
    p.sender.header->slot_bytes = 1u << 30;
    hk_ring_release(&p.receiver);
    assert_int_equal(hk_ring_receive(&p.receiver, data, 16, &bytes), HK_OK);
    assert_memory_equal(data, "next", 4);
    free(p.memory);
}

enum { STREAM_COUNT = 20000 };

static void stream_send(struct hk_ring_end *end)
{
    for (uint32_t i = 0; i < STREAM_COUNT; i++) {
        uint32_t words[20];
        for (uint32_t w = 0; w < 20; w++)
            words[w] = i * 2654435761u + w;
        while (hk_ring_send(end, words, 4 * (1 + i % 20)) == HK_EFULL)
            sched_yield();
    }
}

/* Another process, another address, one ring: order and content survive. */
static void two_processes_share_a_ring(void **state)
{
    struct hk_ring_end receiver = {0};
    uint64_t bytes = hk_ring_bytes(5, 80);
    int fd = memfd_create("hk_ring", MFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(hk_ring_init(memory, bytes, 5, 80), HK_OK);
    assert_int_equal(hk_ring_attach(&receiver, memory, bytes), HK_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct hk_ring_end sender = {0};
        void *elsewhere = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (elsewhere == MAP_FAILED || hk_ring_attach(&sender, elsewhere, bytes) != HK_OK)
            _exit(1);
        stream_send(&sender);
        _exit(0);
    }
    uint32_t wrong_count = 0;
    for (uint32_t i = 0; i < STREAM_COUNT; i++) {
        uint32_t words[20], got_bytes = 0;
        while (hk_ring_receive(&receiver, words, sizeof(words), &got_bytes) == HK_EEMPTY)
            sched_yield();
        wrong_count += got_bytes != 4 * (1 + i % 20);
        for (uint32_t w = 0; w < got_bytes / 4; w++)
            wrong_count += words[w] != i * 2654435761u + w;
    }
    int exit_status = 1;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_int_equal(wrong_count, 0);
    munmap(memory, bytes);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_is_checked),
        cmocka_unit_test(init_and_attach_refuse_bad_memory),
        cmocka_unit_test(messages_arrive_in_order_until_full_and_empty),
        cmocka_unit_test(lengths_are_bounded_on_both_sides),
        cmocka_unit_test(positions_wrap_at_32_bits),
        cmocka_unit_test(slots_are_filled_and_read_in_place),
        cmocka_unit_test(a_lying_receiver_is_noticed_by_the_sender),
        cmocka_unit_test(the_sender_learns_of_releases_without_head),
        cmocka_unit_test(a_lying_sender_is_noticed_by_the_receiver),
        cmocka_unit_test(two_processes_share_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
