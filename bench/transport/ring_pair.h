/* SPDX-License-Identifier: MIT */
/* Two rings of the kernel core in shared memory, one each way; private to this folder. */
#ifndef HK_TRANSPORT_RING_PAIR_H
#define HK_TRANSPORT_RING_PAIR_H

#include "hk/core/ring.h"
#include "link.h"

enum { HK_RING_SLOTS_TURN = 2, HK_RING_SLOTS_STREAM = 64 };

struct hk_ring_pair {
    void *memory;
    size_t memory_bytes;
    struct hk_ring_end out[2]; /* by own side */
    struct hk_ring_end in[2];
};

/*
 * Maps and initialises both rings for messages of at most message_bytes.
 *
 * slots_max  [in]  of each ring, >= 2: HK_RING_SLOTS_STREAM for those who sleep, so that a stream
 *                  seldom does; HK_RING_SLOTS_TURN for those who spin, whose messages go through
 *                  lines that both caches still hold
 *
 * Returns HK_OK; HK_ENOMEM. Undone by hk_ring_pair_close.
 */
enum hk_status hk_ring_pair_open(struct hk_ring_pair *pair, size_t message_bytes,
                                 uint32_t slots_max);

/* Faults this side's mapping in, so that no message pays for it. */
void hk_ring_pair_touch(struct hk_ring_pair *pair);

void hk_ring_pair_close(struct hk_ring_pair *pair);

/*
 * Puts a message in, waiting in small steps while the ring is full: for rings
 * whose receiver has a doorbell and whose sender has none.
 */
enum hk_status hk_ring_pair_send(struct hk_link *link, enum hk_side side, struct hk_ring_pair *pair,
                                 const void *data, size_t bytes);

/* Takes the message that a doorbell announced. */
enum hk_status hk_ring_pair_receive(struct hk_ring_pair *pair, enum hk_side side, void *data,
                                    size_t capacity, size_t *bytes);

#endif
