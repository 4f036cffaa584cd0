/* SPDX-License-Identifier: MIT */
/*
 * Channels: bounded FIFOs of fixed-size messages, each for one process or for
 * whoever comes first. Sending never waits: "full" is a status.
 */
#ifndef HK_KERNEL_CHANNEL_H
#define HK_KERNEL_CHANNEL_H

#include "kernel/fifo.h"
#include "kernel/message.h"
#include "kernel/types.h"

/*
 * While somebody sleeps in receivers, no message in fifo is for it. So a message
 * that finds a sleeper goes straight to it and overtakes nothing.
 */
struct hk_channel {
    struct hk_object object;
    struct hk_fifo fifo;
    struct hk_wait_queue receivers;
};

/*
 * Create an empty channel.
 *
 * slots, message_bytes  [in]  capacity; see hk_fifo_init for the errors
 * channel               [out] one reference
 */
enum hk_status hk_channel_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                                 struct hk_channel **channel);

/*
 * Send one message.
 *
 * from  [in]  pid of the sender
 * to    [in]  pid of the receiver, 0 for anyone
 * data  [in]  at most message_bytes
 *
 * Returns HK_OK; HK_EFULL; HK_ETOOBIG; HK_EFAULT. Wakes exactly one receiver that
 * sleeps for it, if there is one. Cost O(sleepers) plus the copy.
 */
enum hk_status hk_channel_send(struct hk_cpu *cpu, struct hk_channel *channel, uint32_t from,
                               uint32_t to, const struct hk_buffer *data);

/*
 * Receive the oldest message to a process; messages to others stay in order.
 *
 * to     [in]   pid of the receiver
 * room   [in]   where the message goes
 * bytes  [out]  its length
 *
 * Returns HK_OK; HK_EEMPTY; HK_ETOOBIG or HK_EFAULT (the message stays).
 * Cost O(older messages to others) plus the copy.
 */
enum hk_status hk_channel_receive(struct hk_cpu *cpu, struct hk_channel *channel, uint32_t to,
                                  const struct hk_buffer *room, uint32_t *bytes);

/*
 * hk_channel_send() of kernel memory, inline: what a service in the kernel uses.
 *
 * Cost while nobody sleeps: about 25 instructions plus the copy.
 */
static inline enum hk_status hk_channel_put(struct hk_cpu *cpu, struct hk_channel *channel,
                                            uint32_t from, uint32_t to, const void *data,
                                            uint32_t bytes)
{
    struct hk_ring_end *end = &channel->fifo.sender;
    struct hk_ring_slot *slot;

    if (__builtin_expect(channel->receivers.first != NULL, 0)) {
        struct hk_buffer buffer = hk_buffer_kernel(data, bytes);

        return hk_channel_send(cpu, channel, from, to, &buffer);
    }
    if (bytes > end->message_bytes)
        return HK_ETOOBIG;
    enum hk_status status = hk_ring_reserve(end, &slot);
    if (status != HK_OK)
        return status;
    slot->to = to;
    slot->from = from;
    __builtin_memcpy(slot->payload, data, bytes);
    return hk_ring_commit(end, bytes);
}

/*
 * hk_channel_receive() into kernel memory, inline.
 *
 * Cost while the oldest message is the receiver's: about 25 instructions plus the copy.
 */
static inline enum hk_status hk_channel_get(struct hk_cpu *cpu, struct hk_channel *channel,
                                            uint32_t to, void *room, uint32_t capacity,
                                            uint32_t *bytes)
{
    struct hk_ring_end *end = &channel->fifo.receiver;
    struct hk_ring_slot *slot;
    uint32_t message_bytes;
    enum hk_status status = hk_ring_peek(end, &slot, &message_bytes);

    if (status != HK_OK)
        return status;
    if (__builtin_expect(slot->to != to && slot->to != 0, 0)) {
        struct hk_buffer buffer = hk_buffer_kernel(room, capacity);

        return hk_channel_receive(cpu, channel, to, &buffer, bytes);
    }
    if (message_bytes > capacity)
        return HK_ETOOBIG;
    __builtin_memcpy(room, slot->payload, message_bytes);
    hk_ring_release(end);
    *bytes = message_bytes;
    return HK_OK;
}

/* For the row of hk_object_types[]. */
void hk_channel_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_channel_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
