/* SPDX-License-Identifier: MIT */
/*
 * A block device with a write-back cache. A write is acknowledged when its block is in
 * the cache, which survives the server: a cached block is never overwritten, but
 * replaced by another entry whose `order` is higher; one store makes it count.
 */
#include "services/commit.h"
#include "services/rows.h"

#define BLOCKS 128u /* of the RAM disk */
#define ENTRIES 48u
#define WRITE_BACK_NS (HK_NS_PER_MS / 2) /* the longest a block is dirty */
#define HEAD_PAGES 1u
#define EMPTY UINT64_MAX

struct entry {
    uint64_t block; /* EMPTY: free */
    uint64_t order; /* of the write: the newest entry of a block is the block */
    uint64_t dirty;
    uint64_t used;  /* when, in requests: the longest unused goes first */
};

struct cache {
    uint64_t started;
    uint64_t order, hits, misses;
    struct entry entry[ENTRIES];
    uint64_t dirty_count;  /* from here on: made again by start() */
    uint64_t clock;
    uint8_t entry_of[BLOCKS]; /* + 1; 0: not cached */
};

_Static_assert(HK_BLOCK_PAGES == HEAD_PAGES + ENTRIES + BLOCKS, "rows.h says as many pages");
_Static_assert(sizeof(struct cache) <= HEAD_PAGES * HK_PAGE_BYTES, "the head fits");

static char *data_of(struct cache *cache, const struct entry *entry)
{
    return (char *)cache + (HEAD_PAGES + (uint64_t)(entry - cache->entry)) * HK_PAGE_BYTES;
}

/* --- the device: a RAM disk behind the cache ----------------------------------- */

static char *disk_block(struct cache *cache, uint64_t block)
{
    return (char *)cache + (HEAD_PAGES + ENTRIES + block) * HK_PAGE_BYTES;
}

static void device_read(struct cache *cache, uint64_t block, void *to)
{
    __builtin_memcpy(to, disk_block(cache, block), HK_BLOCK_BYTES);
}

static void device_write(struct cache *cache, uint64_t block, const void *from)
{
    __builtin_memcpy(disk_block(cache, block), from, HK_BLOCK_BYTES);
}

/* --- the cache ------------------------------------------------------------------ */

static void write_back(struct cache *cache, struct entry *entry)
{
    device_write(cache, entry->block, data_of(cache, entry));
    hk_commit(entry->dirty, 0);
    cache->dirty_count--;
}

static uint64_t flush(struct cache *cache)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (cache->entry[i].block == EMPTY || !cache->entry[i].dirty)
            continue;
        write_back(cache, &cache->entry[i]);
        count++;
    }
    return count;
}

static struct entry *find(struct cache *cache, uint64_t block)
{
    return cache->entry_of[block] == 0 ? NULL : &cache->entry[cache->entry_of[block] - 1];
}

/* A free entry: the one unused for longest goes, and is written back first. */
static struct entry *take_entry(struct cache *cache)
{
    struct entry *oldest = &cache->entry[0];

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (cache->entry[i].block == EMPTY)
            return &cache->entry[i];
        if (cache->entry[i].used < oldest->used)
            oldest = &cache->entry[i];
    }
    if (oldest->dirty)
        write_back(cache, oldest);
    cache->entry_of[oldest->block] = 0;
    hk_commit(oldest->block, EMPTY);
    return oldest;
}

/* The data is in place: from here on the entry is the block. */
static void enter(struct cache *cache, struct entry *entry, uint64_t block, bool dirty)
{
    struct entry *before = find(cache, block);

    entry->order = ++cache->order;
    entry->dirty = dirty;
    entry->used = ++cache->clock;
    hk_commit(entry->block, block);
    cache->dirty_count += dirty;
    cache->entry_of[block] = (uint8_t)(entry - cache->entry + 1);
    if (before == NULL)
        return;
    cache->dirty_count -= before->dirty;
    hk_commit(before->block, EMPTY);
}

static enum hk_status read_block(struct cache *cache, struct hk_service_message *message)
{
    struct entry *entry = find(cache, message->word[1]);

    if (entry != NULL) {
        cache->hits++;
        entry->used = ++cache->clock;
    } else {
        uint64_t block = message->word[1];

        cache->misses++;
        entry = take_entry(cache);
        device_read(cache, block, data_of(cache, entry));
        enter(cache, entry, block, false);
    }
    __builtin_memcpy(message->buffer, data_of(cache, entry), HK_BLOCK_BYTES);
    message->word[1] = HK_BLOCK_BYTES;
    message->words = hk_service_payload_words(HK_BLOCK_BYTES);
    return HK_OK;
}

static enum hk_status write_block(struct hk_service_host *host, struct cache *cache,
                                  struct hk_service_message *message)
{
    uint64_t block = message->word[1];
    struct entry *entry = take_entry(cache);

    __builtin_memcpy(data_of(cache, entry), message->buffer, HK_BLOCK_BYTES);
    if (cache->dirty_count == 0)
        host->wake_at(host, host->clock_ns(host) + WRITE_BACK_NS);
    enter(cache, entry, block, true);
    message->word[1] = HK_BLOCK_BYTES;
    return HK_OK;
}

enum hk_status hk_block_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct cache *cache = host->memory;

    if (message->badge == HK_SERVICE_TIME_BADGE) {
        (void)flush(cache);
        return HK_OK;
    }
    switch (message->word[0]) {
    case HK_BLOCK_READ:
        return message->word[1] < BLOCKS ? read_block(cache, message) : HK_ERANGE;
    case HK_BLOCK_WRITE:
        return message->word[1] < BLOCKS ? write_block(host, cache, message) : HK_ERANGE;
    case HK_BLOCK_FLUSH:
        message->word[1] = flush(cache);
        return HK_OK;
    case HK_BLOCK_STATUS:
        message->word[1] = BLOCKS;
        message->word[2] = cache->dirty_count;
        message->word[3] = cache->hits;
        message->word[4] = cache->misses;
        message->words = 5;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

/* Of two entries of a block the newer counts: the older was about to go. */
static void index_entries(struct cache *cache)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &cache->entry[i];
        struct entry *other = entry->block == EMPTY ? NULL : find(cache, entry->block);

        if (entry->block == EMPTY)
            continue;
        if (other != NULL && other->order > entry->order) {
            entry->block = EMPTY;
            continue;
        }
        if (other != NULL) {
            cache->dirty_count -= other->dirty;
            other->block = EMPTY;
        }
        cache->entry_of[entry->block] = (uint8_t)(i + 1);
        cache->dirty_count += entry->dirty;
    }
}

void hk_block_start(struct hk_service_host *host)
{
    struct cache *cache = host->memory;

    for (uint32_t i = 0; i < ENTRIES && cache->started == 0; i++)
        cache->entry[i].block = EMPTY;
    hk_commit(cache->started, 1);
    cache->dirty_count = cache->clock = 0;
    __builtin_memset(cache->entry_of, 0, sizeof(cache->entry_of));
    for (uint32_t i = 0; i < ENTRIES; i++)
        cache->entry[i].used = 0;
    index_entries(cache);
    if (cache->dirty_count > 0)
        host->wake_at(host, host->clock_ns(host) + WRITE_BACK_NS);
}
