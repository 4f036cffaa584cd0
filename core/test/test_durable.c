/* SPDX-License-Identifier: MIT */
/*
 * What outlives a server, damaged: the successor of a service with two copies finds all that
 * was acknowledged when one copy is intact, and answers with an error when none is.
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
#define ALARMS_SET 40u
#define ALARM_PERIOD_NS 1000000u
#define JOBS_LEFT 3u
#define RANGES_RESERVED 30u
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

/* --- a place to run in: nothing is lent, answers go nowhere --------------------------- */

#define START_NS 2385u
#define SIGNALS_MAX 256u

struct place {
    struct hk_service_host host; /* first: what is given to its functions is the place */
    const struct hk_service *service;
    uint64_t now_ns;
    uint64_t signal_count, signalled[SIGNALS_MAX]; /* bits */
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    uint64_t buffer[HK_MESSAGE_BUFFER_WORDS];
};

static uint64_t clock_ns(struct hk_service_host *host)
{
    return ((struct place *)(void *)host)->now_ns;
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    (void)host, (void)at_ns;
}

static enum hk_status signal_client(struct hk_service_host *host, uint64_t client, uint64_t bits)
{
    struct place *place = (struct place *)(void *)host;

    (void)client;
    assert_true(place->signal_count < SIGNALS_MAX);
    place->signalled[place->signal_count++] = bits;
    return HK_OK;
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

static void start(struct place *place)
{
    place->host = (struct hk_service_host){ .memory = memory, .clock_ns = clock_ns,
                                            .wake_at = wake_at, .signal = signal_client,
                                            .is_lent = is_lent, .answer = answer };
    place->now_ns = START_NS;
    place->signal_count = 0;
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

/* The time that it asked for has come. */
static void wake(struct place *place, uint64_t now_ns)
{
    struct hk_service_message message = { .badge = HK_SERVICE_TIME_BADGE,
                                          .words = HK_SERVICE_REPLY_WORDS,
                                          .word = place->word, .buffer = place->buffer };

    place->now_ns = now_ns;
    assert_int_equal(place->service->handle(&place->host, &message), HK_OK);
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

/* Every second one is periodic; the later it was set, the earlier it goes off. */
static void set_alarms(struct place *place)
{
    for (uint64_t i = 0; i < ALARMS_SET; i++) {
        assert_int_equal(ask(place, HK_TIMER_SET, 1000000 - i * 2385,
                             i % 2 == 0 ? 0 : ALARM_PERIOD_NS, i + 1), HK_OK);
        assert_int_equal(place->word[1], i | 1 << 8);
    }
    assert_int_equal(ask(place, HK_TIMER_CANCEL, 7 | 1 << 8, 0, 0), HK_OK);
}

static enum found see_alarms(struct place *place)
{
    enum hk_status status = ask(place, HK_TIMER_SET, INT64_MAX, 0, 1 << 10);
    uint64_t seen = 0;

    if (status != HK_OK)
        return status == HK_EIO ? ERROR : WRONG;
    for (uint64_t round = 0; round < 2; round++) {
        wake(place, 1000000 + round * ALARM_PERIOD_NS);
        for (uint64_t i = ALARMS_SET; i-- > 0;) {
            if (i == 7 || (round == 1 && i % 2 == 0))
                continue;
            if (seen == place->signal_count || place->signalled[seen++] != i + 1)
                return WRONG;
        }
    }
    return seen == place->signal_count ? ALL : WRONG;
}

/* So long, and full of words that none of the others has. */
static uint64_t job_bytes(uint64_t job)
{
    return 5000 + 2385 * job;
}

static enum hk_status add_data(struct place *place, uint64_t number, uint64_t job, uint64_t from)
{
    enum hk_status status = HK_OK;

    for (uint64_t at = from, part; at < job_bytes(job) && status == HK_OK; at += part) {
        part = job_bytes(job) - at < 1999 ? job_bytes(job) - at : 1999;
        fill(place, job * 100 + at);
        status = ask(place, HK_PRINT_DATA, number, at, part);
    }
    return status;
}

/* The last waits for half of its data, the first is half printed. */
static void leave_jobs(struct place *place)
{
    for (uint64_t i = 0; i < JOBS_LEFT; i++) {
        assert_int_equal(ask(place, HK_PRINT_OPEN, i + 1, 0, 0), HK_OK);
        place->signalled[i] = place->word[1];
    }
    for (uint64_t i = 0; i < JOBS_LEFT - 1; i++) {
        assert_int_equal(add_data(place, place->signalled[i], i, 0), HK_OK);
        assert_int_equal(ask(place, HK_PRINT_CLOSE, place->signalled[i], 0, 0), HK_OK);
    }
    fill(place, (JOBS_LEFT - 1) * 100);
    assert_int_equal(ask(place, HK_PRINT_DATA, place->signalled[JOBS_LEFT - 1], 0, 1999), HK_OK);
    wake(place, START_NS);
    wake(place, START_NS);
}

static uint64_t job_checksum(struct place *place, uint64_t job)
{
    uint64_t checksum = 0;

    for (uint64_t at = 0; at < job_bytes(job); at++) {
        if (at % 1999 == 0)
            fill(place, job * 100 + at);
        checksum = (checksum ^ ((const unsigned char *)place->buffer)[at % 1999]) * 0x100000001b3;
    }
    return checksum;
}

/* Each is printed to its end, or nothing is told of it but an error. */
static enum found see_jobs(struct place *place)
{
    static uint64_t checksum[JOBS_LEFT];
    enum found all = ALL;

    for (uint64_t i = 0; i < JOBS_LEFT && checksum[JOBS_LEFT - 1] == 0; i++)
        checksum[i] = job_checksum(place, i);
    for (uint64_t i = 0; i < JOBS_LEFT; i++) {
        const uint64_t number = (3 - i) | 1 << 8; /* the last free place is taken first */
        enum hk_status status = HK_OK;

        if (i == JOBS_LEFT - 1)
            status = add_data(place, number, i, 1999);
        if (i == JOBS_LEFT - 1 && status == HK_OK)
            status = ask(place, HK_PRINT_CLOSE, number, 0, 0);
        for (uint64_t band = 0; band < 6 && status == HK_OK; band++)
            wake(place, START_NS);
        if (status == HK_OK)
            status = ask(place, HK_PRINT_STATUS, number, 0, 0);
        if (status == HK_EIO)
            all = worse(all, ERROR);
        else if (status != HK_OK || place->word[1] != job_bytes(i) ||
                 place->word[2] != checksum[i] || place->word[3] != HK_PRINT_DONE)
            return WRONG;
    }
    return all;
}

#define HEAP_BASE 0x0000100000000000
#define RANGE_STRIDE_BYTES 0x800000

static void reserve_ranges(struct place *place)
{
    for (uint64_t i = 0; i < RANGES_RESERVED; i++) {
        assert_int_equal(ask(place, HK_MEMORY_RESERVE, i + 1, 0, 0), HK_OK);
        assert_int_equal(place->word[1], HEAP_BASE + i * RANGE_STRIDE_BYTES);
    }
}

static enum found see_ranges(struct place *place)
{
    for (uint64_t i = 0; i < RANGES_RESERVED; i++) {
        enum hk_status status =
            ask(place, HK_MEMORY_RELEASE, HEAP_BASE + i * RANGE_STRIDE_BYTES, 0, 0);

        if (status == HK_EIO)
            return ERROR;
        if (status != HK_OK || place->word[1] != i + 1)
            return WRONG;
    }
    return ALL;
}

static const struct {
    enum hk_service_number service;
    void (*write)(struct place *place);
    enum found (*read)(struct place *place);
    uint64_t status_request, found_word;
    uint64_t page; /* that holds something */
} rows[] = {
    { HK_SERVICE_FILE, write_file, read_file, HK_FILE_STATUS, 1, 20 },
    { HK_SERVICE_BLOCK, write_blocks, read_blocks, HK_BLOCK_STATUS, 5, 20 },
    { HK_SERVICE_TIMER, set_alarms, see_alarms, HK_TIMER_STATUS, 4, 0 },
    { HK_SERVICE_PRINT, leave_jobs, see_jobs, HK_PRINT_FOUND, 1, 32 },
    { HK_SERVICE_MEMORY, reserve_ranges, see_ranges, HK_MEMORY_STATUS, 1, 0 },
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
        const uint64_t page = rows[row].page, first = page * HK_PAGE_BYTES / 8;
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
