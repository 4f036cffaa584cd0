/* SPDX-License-Identifier: MIT */
#include "services/durable.h"

#include "services/commit.h"

#define PAGE_WORDS (HK_PAGE_BYTES / 8)
#define ROW_WORDS 64u /* a page is eight rows; the words of a column have the same factor */

/*
 * Fletcher's two sums in one word, of the columns: word i of a page counts
 * 2 (ROW_WORDS - i % ROW_WORDS) + 1 times, modulo 2^64. The factors are odd, so no change of one
 * word alone goes unseen.
 */
static uint64_t fold(uint64_t sum, uint64_t sum_of_sums)
{
    return sum + 2 * sum_of_sums;
}

/* An addition for each word, and one for each column. */
static uint64_t page_sum(const uint64_t *word)
{
    uint64_t sum = 0, sum_of_sums = 0;

#pragma GCC unroll 8
    for (uint64_t column = 0; column < ROW_WORDS; column++) {
#pragma GCC unroll 8
        for (uint64_t i = column; i < PAGE_WORDS; i += ROW_WORDS) {
            sum += word[i];
            __asm__("" : "+r"(sum)); /* or the compiler sums up a column first, for one more */
        }
        sum_of_sums += sum;
    }
    return fold(sum, sum_of_sums);
}

/* What words of one row, from a column on, add to the page's sum when they become the new ones. */
static inline uint64_t row_change(const uint64_t *now, const uint64_t *before, uint64_t column,
                                  uint64_t words)
{
    uint64_t sum = 0, sum_of_sums = 0;

#pragma GCC unroll 4
    for (uint64_t i = 0; i < words; i++) {
        sum += now[i];
        sum -= before[i];
        sum_of_sums += sum;
    }
    return fold(sum, sum_of_sums + sum * (ROW_WORDS - column - words));
}

static uint64_t offset_of(const struct hk_service_host *host, const void *at)
{
    return (uint64_t)((const char *)at - (const char *)host->memory);
}

void hk_durable_seal_page(struct hk_service_host *host, const void *at)
{
    const uint64_t offset = offset_of(host, at);

    hk_commit(host->sums[offset / HK_PAGE_BYTES], page_sum(at));
    __builtin_memcpy((char *)host->copy + offset, at, HK_PAGE_BYTES);
}

/* Of words of one page, counted from the first of the memory: the new sum, and the copy. */
static inline void seal_words(struct hk_service_host *host, uint64_t first, uint64_t words,
                              uint64_t change)
{
    uint64_t *sum = &host->sums[first / PAGE_WORDS];

    hk_commit(*sum, *sum + change);
    __builtin_memcpy((uint64_t *)host->copy + first, (uint64_t *)host->memory + first, words * 8);
}

/* Words of several rows: kept apart, so that the short way of a record needs no stack. */
static __attribute__((noinline)) void seal_rows(struct hk_service_host *host, uint64_t first,
                                                uint64_t words)
{
    const uint64_t *now = host->memory, *before = host->copy;
    uint64_t change = 0, row_end;

    for (uint64_t at = first; at < first + words; at = row_end) {
        row_end = (at / ROW_WORDS + 1) * ROW_WORDS;
        if (row_end > first + words)
            row_end = first + words;
        change += row_change(now + at, before + at, at % ROW_WORDS, row_end - at);
    }
    seal_words(host, first, words, change);
}

void hk_durable_seal_part(struct hk_service_host *host, const void *at, uint64_t bytes)
{
    const uint64_t offset = offset_of(host, at), first = offset / 8;
    const uint64_t words = (offset % 8 + bytes + 7) / 8;

    if (first % ROW_WORDS + words > ROW_WORDS)
        seal_rows(host, first, words);
    else
        seal_words(host, first, words,
                   row_change((const uint64_t *)host->memory + first,
                              (const uint64_t *)host->copy + first, first % ROW_WORDS, words));
}

void hk_durable_clear_page(struct hk_service_host *host, void *at)
{
    const uint64_t offset = offset_of(host, at);

    __builtin_memset(at, 0, HK_PAGE_BYTES);
    if (host->copy == NULL)
        return;
    hk_commit(host->sums[offset / HK_PAGE_BYTES], 0);
    __builtin_memset((char *)host->copy + offset, 0, HK_PAGE_BYTES);
}

void hk_durable_copy_page(struct hk_service_host *host, void *to, const void *from)
{
    const uint64_t to_offset = offset_of(host, to), from_offset = offset_of(host, from);

    __builtin_memcpy(to, from, HK_PAGE_BYTES);
    if (host->copy == NULL)
        return;
    hk_commit(host->sums[to_offset / HK_PAGE_BYTES], host->sums[from_offset / HK_PAGE_BYTES]);
    __builtin_memcpy((char *)host->copy + to_offset, (char *)host->copy + from_offset,
                     HK_PAGE_BYTES);
}

static bool same_words(const uint64_t *a, const uint64_t *b)
{
#pragma GCC unroll 16
    for (uint64_t i = 0; i < PAGE_WORDS; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

bool hk_durable_mend(struct hk_service_host *host, uint64_t page, struct hk_durable_tally *tally)
{
    uint64_t *memory = (uint64_t *)host->memory + page * PAGE_WORDS;
    uint64_t *copy = host->copy, sum;
    bool good, copy_good;

    if (copy == NULL)
        return true;
    copy += page * PAGE_WORDS;
    sum = page_sum(memory);
    good = sum == host->sums[page];
    if (same_words(memory, copy)) { /* then they are right, whatever became of the sum */
        tally->restored += !good;
        host->sums[page] = sum;
        return true;
    }
    copy_good = page_sum(copy) == host->sums[page];
    if (good == copy_good) {
        tally->lost++;
        return false;
    }
    tally->restored++;
    __builtin_memcpy(good ? copy : memory, good ? memory : copy, HK_PAGE_BYTES);
    return true;
}
