/* SPDX-License-Identifier: MIT */
#include "services/virtio.h"

#define SLOTS HK_VIRTQUEUE_SLOTS
#define MAGIC 0x74726976u
#define MODERN 2u
#define VERSION_1 1u /* bit 32 of the features: bit 0 of their second word */

/* Registers, as words. */
enum {
    REG_MAGIC = 0x00,
    REG_VERSION = 0x04,
    REG_DEVICE = 0x08,
    REG_DEVICE_FEATURES = 0x10,
    REG_DEVICE_FEATURES_SELECT = 0x14,
    REG_DRIVER_FEATURES = 0x20,
    REG_DRIVER_FEATURES_SELECT = 0x24,
    REG_QUEUE_SELECT = 0x30,
    REG_QUEUE_SIZE_MAX = 0x34,
    REG_QUEUE_SIZE = 0x38,
    REG_QUEUE_READY = 0x44,
    REG_QUEUE_NOTIFY = 0x50,
    REG_INTERRUPT_STATUS = 0x60,
    REG_INTERRUPT_ACK = 0x64,
    REG_STATUS = 0x70,
    REG_QUEUE_DESCRIPTORS = 0x80, /* low, then high word, of each */
    REG_QUEUE_AVAILABLE = 0x90,
    REG_QUEUE_USED = 0xa0,
    REG_CONFIG = 0x100,
};

enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
};

enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2 };

struct descriptor {
    uint64_t physical;
    uint32_t bytes;
    uint16_t flags, next;
};

/* Three descriptors for each slot: slot n has 3 n, 3 n + 1, 3 n + 2. */
struct hk_virtqueue {
    struct descriptor descriptor[64]; /* queue sizes are powers of two */
    struct {
        uint16_t flags, index, ring[64], event;
    } available;
    uint16_t taken; /* of used, by us */
    uint16_t offered;
    _Alignas(64) struct {
        uint16_t flags, index;
        struct {
            uint32_t id, bytes;
        } ring[64];
        uint16_t event;
    } used;
};
#define QUEUE_SIZE 64u
#define PARTS 3u
_Static_assert(sizeof(struct hk_virtqueue) <= 4096, "a queue is a page");
_Static_assert(SLOTS * PARTS <= QUEUE_SIZE, "there are descriptors for all slots");

static volatile uint32_t *word(volatile void *registers, uint32_t offset)
{
    return (volatile uint32_t *)((volatile char *)registers + offset);
}

/* x86 keeps the order of stores, and of loads; the compiler must, too. */
static void barrier(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

enum hk_status hk_virtio_find(volatile void *page, enum hk_virtio_device device,
                              uint32_t *number)
{
    for (uint32_t i = 0; i < HK_VIRTIO_TRANSPORTS; i++) {
        volatile void *registers = (volatile char *)page + i * HK_VIRTIO_STRIDE_BYTES;

        if (*word(registers, REG_MAGIC) != MAGIC ||
            *word(registers, REG_DEVICE) != (uint32_t)device)
            continue;
        *number = i;
        return HK_OK;
    }
    return HK_ENOENT;
}

static enum hk_status agree(volatile void *registers, uint32_t features)
{
    *word(registers, REG_DEVICE_FEATURES_SELECT) = 1;
    if ((*word(registers, REG_DEVICE_FEATURES) & VERSION_1) == 0)
        return HK_ENOTSUP;
    *word(registers, REG_DEVICE_FEATURES_SELECT) = 0;
    features &= *word(registers, REG_DEVICE_FEATURES);
    *word(registers, REG_DRIVER_FEATURES_SELECT) = 0;
    *word(registers, REG_DRIVER_FEATURES) = features;
    *word(registers, REG_DRIVER_FEATURES_SELECT) = 1;
    *word(registers, REG_DRIVER_FEATURES) = VERSION_1;
    *word(registers, REG_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    return *word(registers, REG_STATUS) & STATUS_FEATURES_OK ? HK_OK : HK_ENOTSUP;
}

static void set_address(volatile void *registers, uint32_t offset, uint64_t physical)
{
    *word(registers, offset) = (uint32_t)physical;
    *word(registers, offset + 4) = (uint32_t)(physical >> 32);
}

static enum hk_status set_queue(volatile void *registers, uint32_t number,
                                struct hk_virtqueue *queue, uint64_t physical)
{
    *word(registers, REG_QUEUE_SELECT) = number;
    if (*word(registers, REG_QUEUE_SIZE_MAX) < QUEUE_SIZE)
        return HK_ENOTSUP;
    __builtin_memset(queue, 0, sizeof(*queue));
    *word(registers, REG_QUEUE_SIZE) = QUEUE_SIZE;
    set_address(registers, REG_QUEUE_DESCRIPTORS, physical);
    set_address(registers, REG_QUEUE_AVAILABLE,
                physical + __builtin_offsetof(struct hk_virtqueue, available));
    set_address(registers, REG_QUEUE_USED,
                physical + __builtin_offsetof(struct hk_virtqueue, used));
    *word(registers, REG_QUEUE_READY) = 1;
    return HK_OK;
}

void hk_virtio_stop(volatile void *registers)
{
    *word(registers, REG_STATUS) = 0;
    while (*word(registers, REG_STATUS) != 0) {
    }
}

enum hk_status hk_virtio_start(volatile void *registers, uint32_t features,
                               struct hk_virtqueue *const queues[], uint64_t queue_physical,
                               uint32_t queue_count)
{
    enum hk_status status;

    if (*word(registers, REG_VERSION) != MODERN)
        return HK_ENOTSUP;
    hk_virtio_stop(registers); /* whatever a predecessor asked of it is over */
    *word(registers, REG_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    status = agree(registers, features);
    for (uint32_t i = 0; i < queue_count && status == HK_OK; i++)
        status = set_queue(registers, i, queues[i], queue_physical + i * 4096ull);
    if (status == HK_OK)
        *word(registers, REG_STATUS) =
            STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
    return status;
}

void hk_virtio_acknowledge(volatile void *registers)
{
    *word(registers, REG_INTERRUPT_ACK) = *word(registers, REG_INTERRUPT_STATUS);
}

uint64_t hk_virtio_config(volatile void *registers, uint32_t offset)
{
    uint64_t low = *word(registers, REG_CONFIG + offset);

    return low | (uint64_t)*word(registers, REG_CONFIG + offset + 4) << 32;
}

void hk_virtio_offer(volatile void *registers, uint32_t queue_number, struct hk_virtqueue *queue,
                     uint32_t slot, const struct hk_virtio_part *parts, uint32_t count)
{
    uint32_t first = slot * PARTS;

    for (uint32_t i = 0; i < count; i++) {
        bool last = i + 1 == count;

        queue->descriptor[first + i] = (struct descriptor){
            .physical = parts[i].physical,
            .bytes = parts[i].bytes,
            .flags = (uint16_t)((parts[i].device_writes ? DESCRIPTOR_WRITE : 0) |
                                (last ? 0 : DESCRIPTOR_NEXT)),
            .next = (uint16_t)(last ? 0 : first + i + 1),
        };
    }
    queue->available.ring[queue->offered % QUEUE_SIZE] = (uint16_t)first;
    barrier();
    *(volatile uint16_t *)&queue->available.index = ++queue->offered;
    barrier();
    *word(registers, REG_QUEUE_NOTIFY) = queue_number;
}

enum hk_status hk_virtio_take(struct hk_virtqueue *queue, uint32_t *slot, uint32_t *bytes)
{
    uint32_t id;

    if (*(volatile uint16_t *)&queue->used.index == queue->taken)
        return HK_EEMPTY;
    barrier();
    id = queue->used.ring[queue->taken % QUEUE_SIZE].id;
    *bytes = queue->used.ring[queue->taken % QUEUE_SIZE].bytes;
    queue->taken++;
    if (id % PARTS != 0 || id / PARTS >= SLOTS)
        return HK_EIO;
    *slot = id / PARTS;
    return HK_OK;
}
