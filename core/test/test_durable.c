/* SPDX-License-Identifier: MIT */
/*
 * What outlives a server, damaged: the successor of a file and of a block service finds all
 * that was acknowledged when one copy is intact, and answers with an error when none is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/durable.h"

#define BLOCKS_WRITTEN 64u
#define FILE_PAGES 8u
#define SINGLE_FLIPS 1500
#define DOUBLE_FLIPS 1500
#define MEMORY_PAGES (HK_SERVICE_PAGES_MAX + 1)

static _Alignas(HK_PAGE_BYTES) uint64_t memory[MEMORY_PAGES * HK_PAGE_BYTES / 8];
static _Alignas(HK_PAGE_BYTES) uint64_t as_it_was[MEMORY_PAGES * HK_PAGE_BYTES / 8];

static uint64_t random_state;

static uint64_t draw(uint64_t count)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
    return (random_state >> 33) % count;
}

/* --- a place to run in: time stands still, nothing is lent, answers go nowhere -------- */

static uint64_t clock_ns(struct hk_service_host *host)
{
    (void)host;
    return 2385;
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    (void)host, (void)at_ns;
}

static bool is_lent(struct hk_service_host *host, const void *page)
{
    (void)host, (void)page;
    return false;
}

static void answer(struct hk_service_host *host, const struct hk_answer *answer)
{
    (void)host, (void)answer;
}

struct place {
    const struct hk_service *service;
    struct hk_service_host host;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    uint64_t buffer[HK_MESSAGE_BUFFER_WORDS];
};

static void start(struct place *place)
{
    place->host = (struct hk_service_host){ .memory = memory, .clock_ns = clock_ns,
                                            .wake_at = wake_at, .is_lent = is_lent,
                                            .answer = answer };
    hk_durable_set_up(&place->host, place->service);
    place->service->start(&place->host);
}

static enum hk_status ask(struct place *place, uint64_t request, uint64_t first, uint64_t second,
                          uint64_t third)
{
    struct hk_service_message message = { .badge = 7, .words = HK_SERVICE_REPLY_WORDS,
                                          .word = place->word, .buffer = place->buffer };

    place->word[0] = request;
    place->word[1] = first, place->word[2] = second, place->word[3] = third;
    return place->service->handle(&place->host, &message);
}

static void fill(struct place *place, uint64_t number)
{
    for (uint64_t i = 0; i < HK_MESSAGE_BUFFER_WORDS; i++)
        place->buffer[i] = number * 2385 + i;
}

static bool filled(const struct place *place, uint64_t number)
{
    for (uint64_t i = 0; i < HK_MESSAGE_BUFFER_WORDS; i++)
        if (place->buffer[i] != number * 2385 + i)
            return false;
    return true;
}

/* --- what is written, and whether it is there --------------------------------------- */

enum found { ALL, ERROR, WRONG };

static enum found judge(const struct place *place, enum hk_status status, uint64_t number)
{
    if (status == HK_EIO)
        return ERROR;
    return status == HK_OK && filled(place, number) ? ALL : WRONG;
}

static enum found worse(enum found a, enum found b)
{
    return a > b ? a : b;
}

/* More than the cache holds, so some are on the disk alone, and some dirty. */
static void write_blocks(struct place *place)
{
    for (uint64_t i = 0; i < BLOCKS_WRITTEN; i++) {
        fill(place, i);
        assert_int_equal(ask(place, HK_BLOCK_WRITE, i, 0, 0), HK_OK);
        if (i == BLOCKS_WRITTEN / 2)
            assert_int_equal(ask(place, HK_BLOCK_FLUSH, 0, 0, 0), HK_OK);
    }
}

static enum found read_blocks(struct place *place)
{
    enum found all = ALL;

    for (uint64_t i = 0; i < BLOCKS_WRITTEN; i++)
        all = worse(all, judge(place, ask(place, HK_BLOCK_READ, i, 0, 0), i));
    return all;
}

static enum hk_status find_log(struct place *place, uint64_t request)
{
    memcpy(&place->word[2], "log\0\0\0\0", 8);
    place->word[4] = 0, place->word[5] = HK_FILE_PLAIN;
    return ask(place, request, HK_FILE_ROOT, place->word[2], 0);
}

static void write_file(struct place *place)
{
    uint64_t file;

    assert_int_equal(find_log(place, HK_FILE_CREATE), HK_OK);
    file = place->word[1];
    for (uint64_t i = 0; i < FILE_PAGES; i++) {
        fill(place, i);
        assert_int_equal(ask(place, HK_FILE_WRITE, file, i * HK_PAGE_BYTES, 4000), HK_OK);
        memmove(place->buffer, place->buffer + 500, 96);
        assert_int_equal(ask(place, HK_FILE_WRITE, file, i * HK_PAGE_BYTES + 4000, 96), HK_OK);
    }
}

static enum found read_file(struct place *place)
{
    enum hk_status status = find_log(place, HK_FILE_LOOKUP);
    uint64_t file = place->word[1];
    enum found all = ALL;

    if (status != HK_OK)
        return status == HK_EIO ? ERROR : WRONG;
    if (place->word[3] != FILE_PAGES * HK_PAGE_BYTES)
        return WRONG;
    for (uint64_t i = 0; i < FILE_PAGES; i++) {
        status = ask(place, HK_FILE_READ, file, i * HK_PAGE_BYTES, HK_PAGE_BYTES);
        all = worse(all, judge(place, status, i));
    }
    return all;
}

static const struct {
    enum hk_service_number service;
    void (*write)(struct place *place);
    enum found (*read)(struct place *place);
    uint64_t status_request, found_word;
} rows[] = {
    { HK_SERVICE_FILE, write_file, read_file, HK_FILE_STATUS, 1 },
    { HK_SERVICE_BLOCK, write_blocks, read_blocks, HK_BLOCK_STATUS, 5 },
};

static uint64_t bytes_of(const struct place *place)
{
    return hk_durable_pages(place->service) * HK_PAGE_BYTES;
}

static void prepare(struct place *place, size_t row)
{
    *place = (struct place){ .service = &hk_services[rows[row].service] };
    memset(memory, 0, sizeof(memory));
    start(place);
    rows[row].write(place);
    memcpy(as_it_was, memory, bytes_of(place));
}

/* What a successor makes of it, and how many pages it restored and lost. */
static enum found succeed(struct place *place, size_t row, uint64_t found[2])
{
    start(place);
    assert_int_equal(ask(place, rows[row].status_request, 0, 0, 0), HK_OK);
    memcpy(found, &place->word[rows[row].found_word], 2 * sizeof(*found));
    return rows[row].read(place);
}

static void flip(uint64_t at)
{
    ((unsigned char *)memory)[at] ^= (unsigned char)(1 + draw(255));
}

/* --- the tests ------------------------------------------------------------------------ */

static void a_good_end_needs_no_repair(void **state)
{
    (void)state;
    for (size_t row = 0; row < HK_ARRAY_COUNT(rows); row++) {
        struct place place;
        uint64_t found[2];

        prepare(&place, row);
        assert_int_equal(succeed(&place, row, found), ALL);
        assert_int_equal(found[0] + found[1], 0);
    }
}

/* Of either copy and of the sums: nothing is lost, and most of it was in use. */
static void one_byte_harms_nobody(void **state)
{
    (void)state;
    random_state = 20260730;
    for (size_t row = 0; row < HK_ARRAY_COUNT(rows); row++) {
        struct place place;
        uint64_t found[2], restored = 0;

        prepare(&place, row);
        for (int i = 0; i < SINGLE_FLIPS; i++) {
            uint64_t at;

            memcpy(memory, as_it_was, bytes_of(&place));
            do
                at = draw(bytes_of(&place));
            while (memory[at / 8] == 0);
            flip(at);
            assert_int_equal(succeed(&place, row, found), ALL);
            assert_int_equal(found[1], 0);
            restored += found[0];
        }
        assert_in_range(restored, SINGLE_FLIPS / 2, SINGLE_FLIPS);
    }
}

/* The same page in both copies: it is told, never served, and good again when written. */
static void both_copies_are_an_error(void **state)
{
    (void)state;
    random_state = 7411;
    for (size_t row = 0; row < HK_ARRAY_COUNT(rows); row++) {
        struct place place;
        uint64_t found[2], lost = 0;

        prepare(&place, row);
        for (int i = 0; i < DOUBLE_FLIPS; i++) {
            uint64_t copy_bytes = (uint64_t)place.service->pages * HK_PAGE_BYTES;
            uint64_t at;
            enum found all;

            memcpy(memory, as_it_was, bytes_of(&place));
            do
                at = draw(copy_bytes);
            while (memory[at / 8] == 0);
            flip(at);
            flip(copy_bytes + at / HK_PAGE_BYTES * HK_PAGE_BYTES + draw(HK_PAGE_BYTES));
            all = succeed(&place, row, found);
            assert_int_not_equal(all, WRONG);
            assert_int_equal(all == ERROR, found[1] > 0);
            assert_int_equal(found[0], 0);
            lost += found[1];
        }
        assert_in_range(lost, DOUBLE_FLIPS / 4, DOUBLE_FLIPS);
    }
}

/* A server that ends between two steps of a change: the page is as before it, or as after. */
static void a_change_is_whole_or_none(void **state)
{
    (void)state;
    for (size_t row = 0; row < HK_ARRAY_COUNT(rows); row++) {
        struct place place;
        struct hk_durable_tally found = { 0, 0 };
        const uint64_t page = 20, first = page * HK_PAGE_BYTES / 8; /* holds data of both */
        uint64_t sum, before, copy;

        prepare(&place, row);
        copy = (uint64_t)place.service->pages * HK_PAGE_BYTES / 8 + first;
        before = memory[first + 3];
        sum = place.host.sums[page];
        memory[first + 3] = before + 2385; /* before the sum */
        assert_true(hk_durable_mend(&place.host, page, &found));
        assert_int_equal(memory[first + 3], before);
        memory[first + 3] = before + 2385; /* after it */
        hk_durable_seal(&place.host, &memory[first + 3], 8);
        assert_int_not_equal(place.host.sums[page], sum);
        memory[copy + 3] = before;
        assert_true(hk_durable_mend(&place.host, page, &found));
        assert_int_equal(memory[first + 3], before + 2385);
        assert_int_equal(memory[copy + 3], before + 2385);
        assert_int_equal(found.restored, 2);
        assert_int_equal(found.lost, 0);
    }
}

/* In the kernel there is one copy, and nothing to restore it from. */
static void the_kernel_keeps_one(void **state)
{
    struct place place = { .service = &hk_services[HK_SERVICE_BLOCK] };
    struct hk_durable_tally found = { 0, 0 };

    (void)state;
    memset(memory, 0, sizeof(memory));
    place.host = (struct hk_service_host){ .memory = memory };
    memory[5] = 2385;
    hk_durable_seal(&place.host, memory, HK_PAGE_BYTES);
    assert_true(hk_durable_mend(&place.host, 0, &found));
    assert_int_equal(memory[5], 2385);
    assert_int_equal(found.restored + found.lost, 0);
}

/* Two words that change places, but for those that a multiple of 512 bytes is between. */
static void a_sum_sees_words_that_moved(void **state)
{
    const uint64_t page = 20, first = page * HK_PAGE_BYTES / 8, row_words = 64;
    struct hk_durable_tally found = { 0, 0 };
    struct place place;

    (void)state;
    random_state = 1021;
    prepare(&place, 1);
    for (int i = 0; i < 2000; i++) {
        const uint64_t a = first + draw(512), b = first + draw(512), was = memory[a];
        const bool unseen = (a - b) % row_words == 0 && memory[a] != memory[b];

        memory[a] = memory[b];
        memory[b] = was;
        assert_int_equal(hk_durable_mend(&place.host, page, &found), !unseen);
        if (!unseen)
            assert_memory_equal(&memory[first], &as_it_was[first], HK_PAGE_BYTES);
        memcpy(&memory[first], &as_it_was[first], HK_PAGE_BYTES);
    }
    assert_in_range(found.lost, 1, 100);
}

/* A page that becomes another takes its damage along, and what is intact of it. */
static void a_copied_page_keeps_its_damage(void **state)
{
    const uint64_t from = 20 * HK_PAGE_BYTES / 8, to = 100 * HK_PAGE_BYTES / 8;
    struct hk_durable_tally found = { 0, 0 };
    struct place place;
    uint64_t was;

    (void)state;
    prepare(&place, 1);
    was = memory[from + 3];
    memory[from + 3] ^= 2385;
    hk_durable_copy_page(&place.host, &memory[to], &memory[from]);
    assert_int_equal(memory[to + 3], was ^ 2385);
    assert_true(hk_durable_mend(&place.host, 100, &found));
    assert_int_equal(memory[to + 3], was);
    assert_int_equal(found.restored, 1);
    hk_durable_clear_page(&place.host, &memory[to]);
    memory[to + 3] = 2385;
    assert_true(hk_durable_mend(&place.host, 100, &found));
    assert_int_equal(memory[to + 3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_end_needs_no_repair),
        cmocka_unit_test(one_byte_harms_nobody),
        cmocka_unit_test(both_copies_are_an_error),
        cmocka_unit_test(a_change_is_whole_or_none),
        cmocka_unit_test(a_sum_sees_words_that_moved),
        cmocka_unit_test(a_copied_page_keeps_its_damage),
        cmocka_unit_test(the_kernel_keeps_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
