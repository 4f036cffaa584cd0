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

/* For the row of hk_object_types[]. */
void hk_channel_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_channel_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
