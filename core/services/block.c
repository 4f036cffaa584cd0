/* SPDX-License-Identifier: MIT */
/*
 * A block device with a write-back cache. A write is acknowledged when its block is in
 * the cache, which survives the server: a cached block is never overwritten, but
 * replaced by another entry whose `order` is higher; one store makes it count.
 *
 * A server keeps two copies of the entries, of dirty blocks and of the RAM disk. A clean
 * block has its second copy on the device, so a successor begins without it.
 */
#include "hk/core/mix_draw.h"
#include "services/commit.h"
#include "services/durable.h"
#include "services/rows.h"
#include "services/virtio.h"

#define BLOCKS 128u /* of the RAM disk, and at most of another */
#define ENTRIES 48u
#define WRITE_BACK_NS (HK_NS_PER_MS / 2) /* the longest a block is dirty */
#define HEAD_PAGES 2u
#define EMPTY UINT64_MAX
#define END 0u /* of the order of entries, between its last and its first */

enum entry_state {
    CLEAN,
    DIRTY, /* newer than on the device */
    LOST,  /* that too, but both copies were damaged: an error until it is written again */
};

struct entry {
    uint64_t block; /* EMPTY: free */
    uint64_t order; /* of the write: the newest entry of a block is the block */
    uint64_t state; /* enum entry_state */
};

struct cache {
    uint64_t started;
    struct entry entry[ENTRIES];
    /* from here on, on a page of its own: made again by start() */
    _Alignas(HK_PAGE_BYTES) uint64_t order;
    uint64_t hits, misses;
    uint64_t dirty_count;
    uint64_t blocks;          /* of the device */
    uint8_t entry_of[BLOCKS]; /* + 1; 0: not cached */
    /* entries + 1, as they go: END, free ones, the longest unused, ..., and END again */
    uint8_t next[ENTRIES + 1], last[ENTRIES + 1];
    bool bad[BLOCKS];         /* both copies on the RAM disk were damaged */
    bool broken;              /* so were those of the entries: nothing is known */
    struct hk_durable_tally found;
};

_Static_assert(HK_BLOCK_PAGES == HEAD_PAGES + ENTRIES + BLOCKS, "rows.h says as many pages");
_Static_assert(sizeof(struct cache) <= HEAD_PAGES * HK_PAGE_BYTES, "the head fits");
_Static_assert(HK_MIX_BLOCKS - HK_MIX_CACHED_FIRST == ENTRIES, "workloads begin with a full cache");

static char *data_of(struct cache *cache, const struct entry *entry)
{
    return (char *)cache + (HEAD_PAGES + (uint64_t)(entry - cache->entry)) * HK_PAGE_BYTES;
}

/* --- the device: virtio, or a RAM disk behind the cache --------------------------- */

#define QUEUE_PAGE 0u /* of what the device sees */
#define REQUEST_PAGE 1u
#define DATA_PAGE 2u
#define SECTOR_BYTES 512u
#define PATIENCE_NS (2 * HK_NS_PER_S) /* the host of the device may be busy */

enum { VIRTIO_READ = 0, VIRTIO_WRITE = 1 };

/* Header and status of the one request that is under way. VIRTIO 1.1, section 5.2.6. */
struct request {
    uint32_t type, reserved;
    uint64_t sector;
    volatile uint8_t status; /* 0: done */
};

static void *device_page(struct hk_service_host *host, uint32_t page)
{
    return (char *)host->device.frames + page * (uint64_t)HK_PAGE_BYTES;
}

static uint64_t device_physical(struct hk_service_host *host, uint32_t page)
{
    return host->device.frames_physical + page * (uint64_t)HK_PAGE_BYTES;
}

/* One block to or from the data page. The device is asked until it answers: it is quick or broken. */
static enum hk_status virtio_transfer(struct hk_service_host *host, uint64_t block, uint32_t type)
{
    struct request *request = device_page(host, REQUEST_PAGE);
    struct hk_virtqueue *queue = device_page(host, QUEUE_PAGE);
    const struct hk_virtio_part parts[] = {
        { device_physical(host, REQUEST_PAGE), offsetof(struct request, status), false },
        { device_physical(host, DATA_PAGE), HK_BLOCK_BYTES, type == VIRTIO_READ },
        { device_physical(host, REQUEST_PAGE) + offsetof(struct request, status), 1, true },
    };
    uint64_t end_ns = host->clock_ns(host) + PATIENCE_NS;
    uint32_t slot, bytes;
    enum hk_status status;

    *request = (struct request){ .type = type, .sector = block * (HK_BLOCK_BYTES / SECTOR_BYTES),
                                 .status = 255 };
    hk_virtio_offer(host->device.registers, 0, queue, 0, parts, HK_ARRAY_COUNT(parts));
    while ((status = hk_virtio_take(queue, &slot, &bytes)) == HK_EEMPTY)
        if (host->clock_ns(host) > end_ns)
            return HK_ETIMEOUT;
    if (status != HK_OK)
        return status;
    return request->status == 0 ? HK_OK : HK_EIO;
}

static char *disk_block(struct hk_service_host *host, uint64_t block)
{
    return (char *)host->memory + (HEAD_PAGES + ENTRIES + block) * HK_PAGE_BYTES;
}

static enum hk_status device_read(struct hk_service_host *host, uint64_t block, void *to)
{
    const void *from = disk_block(host, block);
    enum hk_status status = HK_OK;

    if (host->device.registers != NULL) {
        status = virtio_transfer(host, block, VIRTIO_READ);
        from = device_page(host, DATA_PAGE);
    } else if (((const struct cache *)host->memory)->bad[block]) {
        status = HK_EIO;
    }
    if (status == HK_OK)
        __builtin_memcpy(to, from, HK_BLOCK_BYTES);
    return status;
}

/* from  [in]  a page of the cache that was sealed */
static enum hk_status device_write(struct hk_service_host *host, uint64_t block, const void *from)
{
    if (host->device.registers == NULL) {
        hk_durable_copy_page(host, disk_block(host, block), from);
        ((struct cache *)host->memory)->bad[block] = false;
        return HK_OK;
    }
    __builtin_memcpy(device_page(host, DATA_PAGE), from, HK_BLOCK_BYTES);
    return virtio_transfer(host, block, VIRTIO_WRITE);
}

/* Ready for requests again, whatever a predecessor asked of it; how many blocks there are. */
static uint64_t device_start(struct hk_service_host *host)
{
    struct hk_virtqueue *const queues[] = { host->device.frames };
    uint64_t blocks;

    if (host->device.registers == NULL)
        return BLOCKS;
    if (hk_virtio_start(host->device.registers, 0, queues, device_physical(host, QUEUE_PAGE), 1) !=
        HK_OK)
        return 0;
    blocks = hk_virtio_config(host->device.registers, 0) / (HK_BLOCK_BYTES / SECTOR_BYTES);
    return blocks < BLOCKS ? blocks : BLOCKS;
}

/* --- the cache ------------------------------------------------------------------ */

/* Entries change in this place; the cache's index follows. */
static void set_state(struct hk_service_host *host, struct entry *entry, enum entry_state state)
{
    hk_commit(entry->state, state);
    hk_durable_seal(host, &entry->state, sizeof(entry->state));
}

static void set_free(struct hk_service_host *host, struct entry *entry)
{
    hk_commit(entry->block, EMPTY);
    hk_durable_seal(host, &entry->block, sizeof(entry->block));
}

/* Entries by their number, that of entry_of. */

static uint32_t number_of(const struct cache *cache, const struct entry *entry)
{
    return (uint32_t)(entry - cache->entry) + 1;
}

static void put_after(struct cache *cache, uint32_t number, uint32_t other)
{
    cache->next[cache->last[number]] = cache->next[number];
    cache->last[cache->next[number]] = cache->last[number];
    cache->last[number] = (uint8_t)other;
    cache->next[number] = cache->next[other];
    cache->last[cache->next[other]] = (uint8_t)number;
    cache->next[other] = (uint8_t)number;
}

/* It was used: it goes after all others. */
static inline void goes_last(struct cache *cache, uint32_t number)
{
    if (cache->last[END] != number)
        put_after(cache, number, cache->last[END]);
}

/* It is free: it goes before all others. */
static inline void goes_first(struct cache *cache, uint32_t number)
{
    if (cache->next[END] != number)
        put_after(cache, number, END);
}

static enum hk_status write_back(struct hk_service_host *host, struct entry *entry)
{
    struct cache *cache = host->memory;
    enum hk_status status = device_write(host, entry->block, data_of(cache, entry));

    if (status != HK_OK)
        return status; /* it stays dirty */
    set_state(host, entry, CLEAN);
    cache->dirty_count--;
    return HK_OK;
}

/* Write back all that is dirty; stops at the first that fails. */
static enum hk_status flush(struct hk_service_host *host, uint64_t *count)
{
    struct cache *cache = host->memory;
    enum hk_status status = HK_OK;

    *count = 0;
    for (uint32_t i = 0; i < ENTRIES && status == HK_OK; i++) {
        if (cache->entry[i].block == EMPTY || cache->entry[i].state != DIRTY)
            continue;
        status = write_back(host, &cache->entry[i]);
        *count += status == HK_OK;
    }
    return status;
}

static struct entry *find(struct cache *cache, uint64_t block)
{
    return cache->entry_of[block] == 0 ? NULL : &cache->entry[cache->entry_of[block] - 1];
}

/* A free entry: the one unused for longest goes, and is written back first. */
static enum hk_status take_entry(struct hk_service_host *host, struct entry **entry)
{
    struct cache *cache = host->memory;
    struct entry *first;
    enum hk_status status = HK_OK;

    if (cache->next[END] == END)
        return HK_EIO; /* all are lost */
    first = &cache->entry[cache->next[END] - 1];
    if (first->block != EMPTY) {
        if (first->state == DIRTY)
            status = write_back(host, first);
        if (status != HK_OK)
            return status;
        cache->entry_of[first->block] = 0;
        set_free(host, first);
    }
    *entry = first;
    return HK_OK;
}

/* The data is in place: from here on the entry is the block. */
static void enter(struct hk_service_host *host, struct entry *entry, uint64_t block,
                  enum entry_state state)
{
    struct cache *cache = host->memory;
    struct entry *before = find(cache, block);

    entry->order = ++cache->order;
    entry->state = state;
    hk_commit(entry->block, block);
    hk_durable_seal(host, entry, sizeof(*entry));
    cache->dirty_count += state == DIRTY;
    cache->entry_of[block] = (uint8_t)number_of(cache, entry);
    goes_last(cache, cache->entry_of[block]);
    if (before == NULL)
        return;
    cache->dirty_count -= before->state == DIRTY;
    set_free(host, before);
    goes_first(cache, number_of(cache, before));
}

static enum hk_status read_block(struct hk_service_host *host, struct hk_service_message *message)
{
    struct cache *cache = host->memory;
    uint64_t block = message->word[1];
    struct entry *entry = find(cache, block);

    if (entry != NULL) {
        if (entry->state == LOST)
            return HK_EIO;
        cache->hits++;
        goes_last(cache, cache->entry_of[block]);
    } else {
        enum hk_status status = take_entry(host, &entry);

        cache->misses++;
        if (status == HK_OK)
            status = device_read(host, block, data_of(cache, entry));
        if (status != HK_OK)
            return status;
        enter(host, entry, block, CLEAN);
    }
    __builtin_memcpy(message->buffer, data_of(cache, entry), HK_BLOCK_BYTES);
    message->word[1] = HK_BLOCK_BYTES;
    message->words = hk_service_payload_words(HK_BLOCK_BYTES);
    return HK_OK;
}

static enum hk_status write_block(struct hk_service_host *host, struct hk_service_message *message)
{
    struct cache *cache = host->memory;
    uint64_t block = message->word[1];
    struct entry *entry;
    enum hk_status status = take_entry(host, &entry);

    if (status != HK_OK)
        return status;
    __builtin_memcpy(data_of(cache, entry), message->buffer, HK_BLOCK_BYTES);
    hk_durable_seal(host, data_of(cache, entry), HK_BLOCK_BYTES);
    if (cache->dirty_count == 0)
        host->wake_at(host, host->clock_ns(host) + WRITE_BACK_NS);
    enter(host, entry, block, DIRTY);
    message->word[1] = HK_BLOCK_BYTES;
    return HK_OK;
}

/* The time to write back has come. What fails is tried again, and told to who asks for a flush. */
static enum hk_status write_back_in_time(struct hk_service_host *host)
{
    uint64_t count;

    if (flush(host, &count) != HK_OK)
        host->wake_at(host, host->clock_ns(host) + WRITE_BACK_NS);
    return HK_OK;
}

enum hk_status hk_block_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct cache *cache = host->memory;

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return write_back_in_time(host);
    if (message->badge == HK_SERVICE_DEVICE_BADGE) {
        hk_virtio_acknowledge(host->device.registers); /* whoever asked has its answer */
        host->device_ack(host);
        return HK_OK;
    }
    if (cache->broken && message->word[0] < HK_BLOCK_STATUS)
        return HK_EIO;
    switch (message->word[0]) {
    case HK_BLOCK_READ:
        return message->word[1] < cache->blocks ? read_block(host, message) : HK_ERANGE;
    case HK_BLOCK_WRITE:
        return message->word[1] < cache->blocks ? write_block(host, message) : HK_ERANGE;
    case HK_BLOCK_FLUSH:
        return flush(host, &message->word[1]);
    case HK_BLOCK_STATUS:
        message->word[1] = cache->blocks;
        message->word[2] = cache->dirty_count;
        message->word[3] = cache->hits;
        message->word[4] = cache->misses;
        message->word[5] = cache->found.restored;
        message->word[6] = cache->found.lost;
        message->words = 7;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

/* --- start ------------------------------------------------------------------------ */

/* What can be had of a predecessor's blocks: dirty ones, and those of the RAM disk. */
static void mend_blocks(struct hk_service_host *host)
{
    struct cache *cache = host->memory;

    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &cache->entry[i];

        if (entry->block == EMPTY)
            continue;
        if (entry->state == CLEAN)
            set_free(host, entry);
        else if (!hk_durable_mend(host, HEAD_PAGES + i, &cache->found))
            set_state(host, entry, LOST);
    }
    for (uint32_t i = 0; i < BLOCKS && host->device.registers == NULL; i++)
        cache->bad[i] = !hk_durable_mend(host, HEAD_PAGES + ENTRIES + i, &cache->found);
}

/* Of two entries of a block the newer counts: the older was about to go. */
static void index_entries(struct hk_service_host *host)
{
    struct cache *cache = host->memory;

    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &cache->entry[i];
        struct entry *other = entry->block == EMPTY ? NULL : find(cache, entry->block);

        if (entry->block == EMPTY)
            continue;
        if (other != NULL && other->order > entry->order) {
            set_free(host, entry);
            continue;
        }
        if (other != NULL) {
            cache->dirty_count -= other->state == DIRTY;
            set_free(host, other);
        }
        cache->entry_of[entry->block] = (uint8_t)(i + 1);
        cache->dirty_count += entry->state == DIRTY;
        if (entry->order > cache->order)
            cache->order = entry->order;
    }
}

/* Lost entries are in no order: they wait for their block to be written again. */
static void order_entries(struct cache *cache)
{
    for (uint32_t i = 0; i <= ENTRIES; i++)
        cache->next[i] = cache->last[i] = (uint8_t)i;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (cache->entry[i].block == EMPTY)
            goes_first(cache, i + 1);
        else if (cache->entry[i].state != LOST)
            goes_last(cache, i + 1);
    }
}

static void make_empty(struct hk_service_host *host)
{
    struct cache *cache = host->memory;

    for (uint32_t i = 0; i < ENTRIES; i++)
        cache->entry[i].block = EMPTY;
    hk_commit(cache->started, 1);
    hk_durable_seal(host, cache, HK_PAGE_BYTES);
}

void hk_block_start(struct hk_service_host *host)
{
    struct cache *cache = host->memory;

    __builtin_memset((char *)cache + offsetof(struct cache, order), 0,
                     sizeof(*cache) - offsetof(struct cache, order));
    cache->broken = !hk_durable_mend(host, 0, &cache->found);
    if (cache->broken)
        return;
    if (cache->started == 0)
        make_empty(host);
    mend_blocks(host);
    index_entries(host);
    order_entries(cache);
    cache->blocks = device_start(host);
    if (cache->dirty_count > 0)
        host->wake_at(host, host->clock_ns(host) + WRITE_BACK_NS);
}
