/* SPDX-License-Identifier: MIT */
/*
 * A memory manager: decides where each client may map pages and how many. The
 * kernel does the mapping; this is the policy. Clients are told apart by badge.
 */
#include "services/rows.h"

#define CLIENT_PAGES_MAX 1024
#define HEAP_BASE 0x0000100000000000
#define RANGE_STRIDE_BYTES (2 * CLIENT_PAGES_MAX * (uint64_t)HK_PAGE_BYTES)

struct range {
    uint64_t badge;
    uint64_t pages; /* 0: free */
};

#define RANGES (HK_PAGE_BYTES / sizeof(struct range))

static enum hk_status reserve(struct range *ranges, struct hk_service_message *message)
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
    ranges[empty] = (struct range){ message->badge, pages };
    /* ranges lie apart: running over the end of one meets nothing */
    message->word[1] = HEAP_BASE + empty * RANGE_STRIDE_BYTES;
    return HK_OK;
}

static enum hk_status release(struct range *ranges, struct hk_service_message *message)
{
    uint64_t offset = message->word[1] - HEAP_BASE;
    uint64_t index = offset / RANGE_STRIDE_BYTES;

    if (offset % RANGE_STRIDE_BYTES != 0 || index >= RANGES || ranges[index].pages == 0)
        return HK_EINVAL;
    if (ranges[index].badge != message->badge)
        return HK_EPERM;
    message->word[1] = ranges[index].pages;
    ranges[index].pages = 0;
    return HK_OK;
}

enum hk_status hk_memory_handle(struct hk_service_host *host, void *state,
                                struct hk_service_message *message)
{
    (void)host;
    switch (message->word[0]) {
    case HK_MEMORY_RESERVE:
        return reserve(state, message);
    case HK_MEMORY_RELEASE:
        return release(state, message);
    default:
        return HK_ENOSYS;
    }
}
