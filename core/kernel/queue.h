/* SPDX-License-Identifier: MIT */
/*
 * Message queues: bounded FIFOs in which senders may wait for room. A queue lives
 * as long as anybody has a capability for it, so what a process sent can be
 * received after it ended.
 */
#ifndef HK_KERNEL_QUEUE_H
#define HK_KERNEL_QUEUE_H

#include "kernel/fifo.h"
#include "kernel/message.h"
#include "kernel/types.h"

/* Receivers sleep only while fifo is empty, senders only while it is full. */
struct hk_queue {
    struct hk_object object;
    struct hk_fifo fifo;
    struct hk_wait_queue receivers, senders;
};

/* Create an empty queue with one reference; see hk_fifo_init for the errors. */
enum hk_status hk_queue_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                               struct hk_queue **queue);

/*
 * Send one message without waiting; wakes exactly one sleeping receiver.
 *
 * Returns HK_OK; HK_EFULL; HK_ETOOBIG; HK_EFAULT. Cost O(1) plus the copy.
 */
enum hk_status hk_queue_send(struct hk_cpu *cpu, struct hk_queue *queue, uint32_t from,
                             const struct hk_buffer *data);

/*
 * Receive the oldest message without waiting; the first sleeping sender gets the room.
 *
 * Returns HK_OK; HK_EEMPTY; HK_ETOOBIG or HK_EFAULT (the message stays). Cost O(1) plus the copy.
 */
enum hk_status hk_queue_receive(struct hk_cpu *cpu, struct hk_queue *queue,
                                const struct hk_buffer *room, uint32_t *bytes);

/* For the row of hk_object_types[]. */
void hk_queue_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_queue_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
