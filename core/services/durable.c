/* SPDX-License-Identifier: MIT */
#include "services/durable.h"

#include "services/commit.h"

#define PAGE_WORDS (HK_PAGE_BYTES / 8)

/*
 * Fletcher's two sums in one word: word i of a page counts 2 (PAGE_WORDS - i) + 1 times,
 * modulo 2^64. The factors are odd, so no change of one word alone goes unseen.
 */
static uint64_t fold(uint64_t sum, uint64_t sum_of_sums)
{
    return sum + 2 * sum_of_sums;
}

static uint64_t page_sum(const uint64_t *word)
{
    uint64_t sum = 0, sum_of_sums = 0;

#pragma GCC unroll 16
    for (uint64_t i = 0; i < PAGE_WORDS; i++) {
        sum += word[i];
        sum_of_sums += sum;
    }
    return fold(sum, sum_of_sums);
}

/* What the words [first, end) add to the sum of the page when they become the new ones. */
static uint64_t difference(const uint64_t *now, const uint64_t *before, uint64_t first,
                           uint64_t end)
{
    uint64_t sum = 0, sum_of_sums = 0;

#pragma GCC unroll 4
    for (uint64_t i = first; i < end; i++) {
        sum += now[i] - before[i];
        sum_of_sums += sum;
    }
    return fold(sum, sum_of_sums + sum * (PAGE_WORDS - end));
}

void hk_durable_seal_copy(struct hk_service_host *host, const void *at, uint64_t bytes)
{
    const uint64_t offset = (uint64_t)((const char *)at - (const char *)host->memory);
    const uint64_t page = offset / HK_PAGE_BYTES, begin = offset % HK_PAGE_BYTES;
    const uint64_t first = begin / 8, end = (begin + bytes + 7) / 8;
    const uint64_t *now = (const uint64_t *)host->memory + page * PAGE_WORDS;
    uint64_t *before = (uint64_t *)host->copy + page * PAGE_WORDS;

    if (bytes == HK_PAGE_BYTES)
        hk_commit(host->sums[page], page_sum(now));
    else
        hk_commit(host->sums[page], host->sums[page] + difference(now, before, first, end));
    __builtin_memcpy(before + first, now + first, (end - first) * 8);
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
