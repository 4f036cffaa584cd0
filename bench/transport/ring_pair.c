/* SPDX-License-Identifier: MIT */
#include "ring_pair.h"

#include <sys/mman.h>

/* Long messages get few slots and short ones enough to stream: a ring that fits a cache. */
#define RING_BYTES (256u * HK_KIB)
#define SLOTS_MIN 2u

static uint32_t slots_for(uint32_t message_bytes, uint32_t slots_max)
{
    uint32_t slots = RING_BYTES / hk_ring_slot_bytes(message_bytes);

    return slots < SLOTS_MIN ? SLOTS_MIN : slots > slots_max ? slots_max : slots;
}

enum hk_status hk_ring_pair_open(struct hk_ring_pair *pair, size_t message_bytes,
                                 uint32_t slots_max)
{
    uint32_t slots = slots_for((uint32_t)message_bytes, slots_max);
    uint64_t ring_bytes = hk_ring_bytes(slots, (uint32_t)message_bytes);
    /* Whole pages each, so that the rings share no line. */
    uint64_t stride_bytes = (ring_bytes + HK_PAGE_BYTES - 1) & ~(uint64_t)(HK_PAGE_BYTES - 1);
    unsigned char *memory = mmap(NULL, 2 * stride_bytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return HK_ENOMEM;
    *pair = (struct hk_ring_pair){.memory = memory, .memory_bytes = 2 * stride_bytes};
    for (int side = 0; side < 2; side++) {
        unsigned char *ring = memory + (uint64_t)side * stride_bytes;
        enum hk_status status = hk_ring_init(ring, ring_bytes, slots, (uint32_t)message_bytes);
        if (status == HK_OK)
            status = hk_ring_attach(&pair->out[side], ring, ring_bytes);
        if (status == HK_OK)
            status = hk_ring_attach(&pair->in[!side], ring, ring_bytes);
        if (status != HK_OK) {
            hk_ring_pair_close(pair);
            return status;
        }
    }
    return HK_OK;
}

void hk_ring_pair_touch(struct hk_ring_pair *pair)
{
    /* Kernels before 5.14 refuse; then the first messages fault the pages in. */
    (void)madvise(pair->memory, pair->memory_bytes, MADV_POPULATE_WRITE);
}

void hk_ring_pair_close(struct hk_ring_pair *pair)
{
    if (pair->memory)
        munmap(pair->memory, pair->memory_bytes);
    pair->memory = NULL;
}

enum hk_status hk_ring_pair_send(struct hk_link *link, enum hk_side side, struct hk_ring_pair *pair,
                                 const void *data, size_t bytes)
{
    enum hk_status status;

    while ((status = hk_ring_send(&pair->out[side], data, (uint32_t)bytes)) == HK_EFULL) {
        status = hk_link_pause(link, side);
        if (status != HK_OK)
            return status;
    }
    return status;
}

enum hk_status hk_ring_pair_receive(struct hk_ring_pair *pair, enum hk_side side, void *data,
                                    size_t capacity, size_t *bytes)
{
    uint32_t room = capacity > UINT32_MAX ? UINT32_MAX : (uint32_t)capacity;
    uint32_t got;
    enum hk_status status = hk_ring_receive(&pair->in[side], data, room, &got);

    if (status == HK_OK)
        *bytes = got;
    /* Announced but not there: the peer does not keep to the protocol. */
    return status == HK_EEMPTY ? HK_EPARSE : status;
}
