/* SPDX-License-Identifier: MIT */
/*
 * Ring: a bounded FIFO of fixed-size messages between one sender and one receiver.
 *
 * The memory is the caller's: the kernel gives it from its own pages, two
 * processes give a shared mapping. Only offsets are stored in it, so each side
 * may map it anywhere. It is lock-free and freestanding.
 *
 * Layout, in cache lines:
 *
 *   line 0        geometry, written once by hk_ring_init
 *   line 2        head: how many messages the receiver has released
 *   line 4...     slots; each begins with its sequence word, followed in the same
 *                 line by length, routing words and the first payload bytes
 *
 * Protocol. Position p (counted from 0, modulo 2^32) lives in slot p mod slots.
 * The sender writes the payload and then sequence = p + 1 (release). The receiver
 * polls that very word (acquire), so a message of up to HK_RING_INLINE_BYTES costs
 * one line transfer. The receiver never writes a sequence word; it publishes head
 * (release), which the sender reads (acquire) only when its private copy says full.
 * Either side's line is therefore touched by the other once per message at most. Who has a
 * ring each way tells the sender of releases in messages (hk_ring_learn): then head's line
 * stays with the receiver.
 * core/test/ring.pml is the model that spin checks.
 *
 * Trust. Each side keeps geometry and position in its private struct hk_ring_end
 * and never takes an address, a bound or an index from the shared memory. What the
 * peer writes there can change which bytes arrive and whether they do, nothing else.
 */
#ifndef HK_CORE_RING_H
#define HK_CORE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/base/units.h"

#define HK_RING_MAGIC 0x686b7231u /* "hkr1" */
#define HK_RING_SLOTS_MAX (1u << 24)
#define HK_RING_MESSAGE_BYTES_MAX (1u << 24)

/* Payload that shares the line of the sequence word. */
#define HK_RING_INLINE_BYTES (HK_CACHE_LINE_BYTES - 16u)

struct hk_ring_header {
    uint32_t magic;
    uint32_t slot_count;
    uint32_t message_bytes;
    uint32_t slot_bytes;
    /* Two lines apart, because adjacent-line prefetchers pair lines. */
    _Alignas(2 * HK_CACHE_LINE_BYTES) _Atomic uint32_t head;
    _Alignas(2 * HK_CACHE_LINE_BYTES) unsigned char slots[];
};

struct hk_ring_slot {
    _Atomic uint32_t sequence;
    _Atomic uint32_t bytes;
    uint32_t to;   /* carried for the user of the ring, who may trust them as far */
    uint32_t from; /* as it trusts the sender; the ring itself does not read them */
    unsigned char payload[];
};

/* One side's private view. Never placed in memory that the peer can write. */
struct hk_ring_end {
    struct hk_ring_header *header;
    uint64_t offset;        /* of the slot of position, from header->slots */
    uint64_t span_bytes;    /* of all slots together */
    uint32_t slot_bytes;
    uint32_t slot_count;
    uint32_t message_bytes; /* largest payload */
    uint32_t position;      /* next to send or to receive */
    uint32_t head;          /* sender: released positions as last seen */
    /* Two threads' ends never share a line, wherever they lie: that doubled the round trip. */
    unsigned char apart[2 * HK_CACHE_LINE_BYTES - 48];
};
_Static_assert(sizeof(struct hk_ring_end) == 2 * HK_CACHE_LINE_BYTES, "ends lie apart");

static inline uint32_t hk_ring_slot_bytes(uint32_t message_bytes)
{
    uint32_t bytes = (uint32_t)sizeof(struct hk_ring_slot) + message_bytes;
    return (bytes + HK_CACHE_LINE_BYTES - 1) & ~(HK_CACHE_LINE_BYTES - 1);
}

/*
 * Memory that a ring of this geometry needs.
 *
 * slot_count     [in]  1 ... HK_RING_SLOTS_MAX messages
 * message_bytes  [in]  largest payload, 1 ... HK_RING_MESSAGE_BYTES_MAX
 *
 * Returns bytes, a multiple of the cache line; 0 if the geometry is out of range.
 */
static inline uint64_t hk_ring_bytes(uint32_t slot_count, uint32_t message_bytes)
{
    if (slot_count == 0 || slot_count > HK_RING_SLOTS_MAX)
        return 0;
    if (message_bytes == 0 || message_bytes > HK_RING_MESSAGE_BYTES_MAX)
        return 0;
    return sizeof(struct hk_ring_header) + (uint64_t)slot_count * hk_ring_slot_bytes(message_bytes);
}

static inline struct hk_ring_slot *hk_ring_slot_at(const struct hk_ring_end *end, uint64_t offset)
{
    return (struct hk_ring_slot *)(void *)(end->header->slots + offset);
}

/*
 * Makes an empty ring in memory that nobody uses yet.
 *
 * memory         [out]  at least hk_ring_bytes() bytes, aligned to two cache lines
 * memory_bytes   [in]   what the caller has there
 * slot_count     [in]   as for hk_ring_bytes
 * message_bytes  [in]   as for hk_ring_bytes
 *
 * Returns HK_OK; HK_EINVAL for a bad geometry or alignment; HK_ENOSPC if the memory is too small.
 * Cost: one write per slot. Both sides call hk_ring_attach afterwards.
 */
static inline enum hk_status hk_ring_init(void *memory, uint64_t memory_bytes, uint32_t slot_count,
                                          uint32_t message_bytes)
{
    struct hk_ring_header *header = memory;
    uint64_t need_bytes = hk_ring_bytes(slot_count, message_bytes);

    if (need_bytes == 0 || (uintptr_t)memory % _Alignof(struct hk_ring_header) != 0)
        return HK_EINVAL;
    if (memory_bytes < need_bytes)
        return HK_ENOSPC;
    header->slot_count = slot_count;
    header->message_bytes = message_bytes;
    header->slot_bytes = hk_ring_slot_bytes(message_bytes);
    atomic_init(&header->head, 0);
    for (uint32_t i = 0; i < slot_count; i++) {
        struct hk_ring_slot *slot =
            (void *)(header->slots + (uint64_t)i * header->slot_bytes);
        /* Position i waits for i + 1, so zero reads as "not yet sent". */
        atomic_init(&slot->sequence, 0);
        atomic_init(&slot->bytes, 0);
    }
    header->magic = HK_RING_MAGIC;
    return HK_OK;
}

/*
 * Opens one side of a ring that has carried no message yet.
 *
 * end           [out]  private to this side
 * memory        [in]   as given to hk_ring_init, at this side's address
 * memory_bytes  [in]   mapped here; geometry that does not fit is refused
 *
 * Returns HK_OK; HK_EINVAL for a bad alignment; HK_EPARSE if the memory holds no ring that fits.
 * The geometry is read once: later changes by the peer have no effect on this side.
 */
static inline enum hk_status hk_ring_attach(struct hk_ring_end *end, void *memory,
                                            uint64_t memory_bytes)
{
    if ((uintptr_t)memory % _Alignof(struct hk_ring_header) != 0)
        return HK_EINVAL;
    if (memory_bytes < sizeof(struct hk_ring_header))
        return HK_EPARSE;

    const volatile struct hk_ring_header *seen = memory;
    uint32_t slot_count = seen->slot_count;
    uint32_t message_bytes = seen->message_bytes;
    uint64_t need_bytes = hk_ring_bytes(slot_count, message_bytes);

    if (seen->magic != HK_RING_MAGIC || need_bytes == 0 || need_bytes > memory_bytes)
        return HK_EPARSE;
    *end = (struct hk_ring_end){
        .header = memory,
        .span_bytes = need_bytes - sizeof(struct hk_ring_header),
        .slot_bytes = hk_ring_slot_bytes(message_bytes),
        .slot_count = slot_count,
        .message_bytes = message_bytes,
    };
    return HK_OK;
}

static inline void hk_ring_advance(struct hk_ring_end *end)
{
    end->position++;
    end->offset += end->slot_bytes;
    if (end->offset == end->span_bytes)
        end->offset = 0;
}

/*
 * Sender: gives the next free slot, to be filled in place.
 *
 * slot  [out]  payload of end->message_bytes bytes; to and from may be set too
 *
 * Returns HK_OK; HK_EFULL if the receiver has released too little; HK_EPARSE if it claims to have
 * released what was never sent. Reserving again before hk_ring_commit gives the same slot.
 */
static inline enum hk_status hk_ring_reserve(struct hk_ring_end *end, struct hk_ring_slot **slot)
{
    if (end->position - end->head >= end->slot_count) {
        /* Acquire: the receiver's reads of this slot are over before it is written again. */
        uint32_t head = atomic_load_explicit(&end->header->head, memory_order_acquire);
        if (end->position - head > end->slot_count)
            return HK_EPARSE;
        end->head = head;
        if (end->position - head == end->slot_count)
            return HK_EFULL;
    }
    *slot = hk_ring_slot_at(end, end->offset);
    return HK_OK;
}

/*
 * Sender: how many messages the receiver says it has released, where it says so elsewhere than in
 * head: two rings, one each way, carry it in their messages, and no line moves for it alone.
 *
 * released  [in]  read from a message that the receiver wrote after it had released them
 *
 * A number that is older than what is known, or of messages that were never sent, changes nothing.
 */
static inline void hk_ring_learn(struct hk_ring_end *end, uint32_t released)
{
    if (released - end->head <= end->position - end->head)
        end->head = released;
}

/*
 * Sender: hands the reserved slot to the receiver.
 *
 * bytes  [in]  payload written
 *
 * Returns HK_OK; HK_ETOOBIG if bytes exceeds end->message_bytes (nothing is sent).
 */
static inline enum hk_status hk_ring_commit(struct hk_ring_end *end, uint32_t bytes)
{
    struct hk_ring_slot *slot = hk_ring_slot_at(end, end->offset);

    if (bytes > end->message_bytes)
        return HK_ETOOBIG;
    atomic_store_explicit(&slot->bytes, bytes, memory_order_relaxed);
    /* Release: payload and length are visible to whoever sees this sequence. */
    atomic_store_explicit(&slot->sequence, end->position + 1, memory_order_release);
    hk_ring_advance(end);
    return HK_OK;
}

/*
 * Sender: copies one message in.
 *
 * data   [in]  bytes of payload
 * bytes  [in]  0 ... end->message_bytes
 *
 * Returns HK_OK; HK_ETOOBIG; HK_EFULL; HK_EPARSE as hk_ring_reserve.
 */
static inline enum hk_status hk_ring_send(struct hk_ring_end *end, const void *data, uint32_t bytes)
{
    struct hk_ring_slot *slot;

    if (bytes > end->message_bytes)
        return HK_ETOOBIG;
    enum hk_status status = hk_ring_reserve(end, &slot);
    if (status != HK_OK)
        return status;
    slot->to = 0;
    slot->from = 0;
    __builtin_memcpy(slot->payload, data, bytes);
    return hk_ring_commit(end, bytes);
}

/*
 * Receiver: the oldest message, in place.
 *
 * slot   [out]  valid until hk_ring_release; a hostile sender may change it while it is read
 * bytes  [out]  payload, at most end->message_bytes; use this and not slot->bytes
 *
 * Returns HK_OK; HK_EEMPTY; HK_EPARSE if the sender gave an impossible length
 * (hk_ring_release then drops that message).
 */
static inline enum hk_status hk_ring_peek(const struct hk_ring_end *end,
                                          struct hk_ring_slot **slot, uint32_t *bytes)
{
    struct hk_ring_slot *oldest = hk_ring_slot_at(end, end->offset);

    /* Acquire: pairs with the release in hk_ring_commit. */
    if (atomic_load_explicit(&oldest->sequence, memory_order_acquire) != end->position + 1)
        return HK_EEMPTY;
    uint32_t claimed_bytes = atomic_load_explicit(&oldest->bytes, memory_order_relaxed);
    if (claimed_bytes > end->message_bytes)
        return HK_EPARSE;
    *slot = oldest;
    *bytes = claimed_bytes;
    return HK_OK;
}

/* Receiver: gives the slot of the oldest message back to the sender; only after hk_ring_peek. */
static inline void hk_ring_release(struct hk_ring_end *end)
{
    hk_ring_advance(end);
    /* Release: all reads of the slot come before the sender may reuse it. */
    atomic_store_explicit(&end->header->head, end->position, memory_order_release);
}

/*
 * Receiver: copies the oldest message out and releases it.
 *
 * data      [out]  capacity bytes
 * capacity  [in]   room in data, bytes
 * bytes     [out]  payload received
 *
 * Returns HK_OK; HK_EEMPTY; HK_ETOOBIG if the message does not fit (it stays); HK_EPARSE as
 * hk_ring_peek.
 */
static inline enum hk_status hk_ring_receive(struct hk_ring_end *end, void *data, uint32_t capacity,
                                             uint32_t *bytes)
{
    struct hk_ring_slot *slot;
    uint32_t payload_bytes;

    enum hk_status status = hk_ring_peek(end, &slot, &payload_bytes);
    if (status != HK_OK)
        return status;
    if (payload_bytes > capacity)
        return HK_ETOOBIG;
    __builtin_memcpy(data, slot->payload, payload_bytes);
    hk_ring_release(end);
    *bytes = payload_bytes;
    return HK_OK;
}

#endif
