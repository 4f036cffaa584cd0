/* SPDX-License-Identifier: MIT */
/*
 * The bounded FIFO inside channels and queues: a ring (hk/core/ring.h) in the
 * kernel's own pages, both of whose ends the kernel holds, so that a message can
 * also be taken out of the middle.
 */
#ifndef HK_KERNEL_FIFO_H
#define HK_KERNEL_FIFO_H

#include "hk/core/ring.h"
#include "kernel/types.h"

#define HK_FIFO_BYTES_MAX HK_MIB /* of one FIFO's storage */

struct hk_fifo {
    struct hk_ring_end sender, receiver;
    uint64_t physical;
    uint32_t page_count; /* 0: no storage */
};

/*
 * Give an empty FIFO its storage.
 *
 * slots, message_bytes  [in]  messages and bytes in each, as a user asked for them
 *
 * Returns HK_OK; HK_EINVAL for a zero; HK_ETOOBIG above HK_FIFO_BYTES_MAX; HK_ENOMEM.
 */
enum hk_status hk_fifo_init(struct hk_kernel *kernel, struct hk_fifo *fifo, uint64_t slots,
                            uint64_t message_bytes);

/* Give the storage back; messages in it are lost. */
void hk_fifo_fini(struct hk_kernel *kernel, struct hk_fifo *fifo);

/* Number of messages inside. */
static inline uint32_t hk_fifo_count(const struct hk_fifo *fifo)
{
    return fifo->sender.position - fifo->receiver.position;
}

/*
 * Oldest message for a receiver.
 *
 * to     [in]   pid; messages to it and messages to 0 are its
 * slot   [out]  the message, readable until the next call
 * age    [out]  how many older messages are inside: what hk_fifo_take wants
 *
 * Returns HK_OK; HK_EEMPTY. Cost O(older messages).
 */
enum hk_status hk_fifo_find(const struct hk_fifo *fifo, uint32_t to, struct hk_ring_slot **slot,
                            uint32_t *age);

/*
 * Remove a message that hk_fifo_find found. The older ones keep their order: each
 * moves up by one slot, so that the room becomes free at once.
 */
void hk_fifo_take(struct hk_fifo *fifo, uint32_t age);

#endif
