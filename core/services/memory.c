/* SPDX-License-Identifier: MIT */
/*
 * A memory manager: gives each client ranges of addresses, and a page there when it
 * is first touched. The kernel does the mapping; this is the policy. Clients are told
 * apart by badge; a client binds its range to this service (pager_bind). In a server the
 * ranges have two copies (services/durable.h).
 */
#include "services/durable.h"
#include "services/rows.h"

#define CLIENT_PAGES_MAX 1024
#define HEAP_BASE 0x0000100000000000
#define RANGE_STRIDE_BYTES (2 * CLIENT_PAGES_MAX * (uint64_t)HK_PAGE_BYTES)

struct range {
    uint64_t badge;
    uint64_t pages; /* 0: free */
};

#define RANGES (HK_PAGE_BYTES / sizeof(struct range))

struct ranges {
    struct range range[RANGES];
    /* from here on, on a page of its own: made again by start() */
    bool broken; /* both copies of the ranges were damaged: nothing is known */
    struct hk_durable_tally found;
};

_Static_assert(HK_MEMORY_PAGES == 2 && sizeof(struct ranges) <= 2 * HK_PAGE_BYTES,
               "rows.h says as many pages");

static enum hk_status reserve(struct hk_service_host *host, struct range *ranges,
                              struct hk_service_message *message)
{
    uint64_t pages = message->word[1], held = 0, empty = RANGES;

    if (pages == 0)
        return HK_EINVAL;
    for (uint64_t i = 0; i < RANGES; i++) {
        if (ranges[i].pages == 0 && empty == RANGES)
            empty = i;
        else if (ranges[i].pages != 0 && ranges[i].badge == message->badge)
            held += ranges[i].pages;
    }
    if (pages > CLIENT_PAGES_MAX - held)
        return HK_ENOMEM;
    if (empty == RANGES)
        return HK_ENOSPC;
    ranges[empty].badge = message->badge;
    ranges[empty].pages = pages;
    hk_durable_seal(host, &ranges[empty], sizeof(ranges[empty]));
    /* ranges lie apart: running over the end of one meets nothing */
    message->word[1] = HEAP_BASE + empty * RANGE_STRIDE_BYTES;
    return HK_OK;
}

static enum hk_status release(struct hk_service_host *host, struct range *ranges,
                              struct hk_service_message *message)
{
    uint64_t offset = message->word[1] - HEAP_BASE;
    uint64_t index = offset / RANGE_STRIDE_BYTES;

    if (offset % RANGE_STRIDE_BYTES != 0 || index >= RANGES || ranges[index].pages == 0)
        return HK_EINVAL;
    if (ranges[index].badge != message->badge)
        return HK_EPERM;
    message->word[1] = ranges[index].pages;
    ranges[index].pages = 0;
    hk_durable_seal(host, &ranges[index], sizeof(ranges[index]));
    return HK_OK;
}

/* The client touched a page of its range for the first time. */
static enum hk_status page_in(struct hk_service_host *host, const struct range *ranges,
                              const struct hk_service_message *message)
{
    uint64_t offset = message->word[1] - HEAP_BASE;
    uint64_t index = offset / RANGE_STRIDE_BYTES;
    uint64_t page = offset % RANGE_STRIDE_BYTES / HK_PAGE_BYTES;

    if (index >= RANGES || page >= ranges[index].pages)
        return HK_EFAULT;
    if (ranges[index].badge != message->badge)
        return HK_EPERM;
    return host->supply(host, message->word[1] - message->word[1] % HK_PAGE_BYTES,
                        HK_MAP_READ | HK_MAP_WRITE);
}

enum hk_status hk_memory_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct ranges *ranges = host->memory;

    if (ranges->broken &&
        (message->word[0] < HK_MEMORY_STATUS || message->word[0] == HK_PAGER_FAULT))
        return HK_EIO;
    switch (message->word[0]) {
    case HK_MEMORY_RESERVE:
        return reserve(host, ranges->range, message);
    case HK_MEMORY_RELEASE:
        return release(host, ranges->range, message);
    case HK_PAGER_FAULT:
        return page_in(host, ranges->range, message);
    case HK_MEMORY_STATUS:
        message->word[1] = ranges->found.restored;
        message->word[2] = ranges->found.lost;
        message->words = 3;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

void hk_memory_start(struct hk_service_host *host)
{
    struct ranges *ranges = host->memory;

    ranges->found = (struct hk_durable_tally){ 0, 0 };
    ranges->broken = !hk_durable_mend(host, 0, &ranges->found);
}
