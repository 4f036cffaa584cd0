/* SPDX-License-Identifier: MIT */
/* Byte streams: what a pipe is elsewhere, one page deep. */
#ifndef HK_KERNEL_STREAM_H
#define HK_KERNEL_STREAM_H

#include "kernel/message.h"
#include "kernel/types.h"

#define HK_STREAM_BYTES HK_PAGE_BYTES

/* Readers sleep only while the stream is empty, writers only while it is full. */
struct hk_stream {
    struct hk_object object;
    uint32_t written, read; /* bytes ever, modulo 2^32; at most HK_STREAM_BYTES apart */
    uint64_t buffer;        /* physical address of the page */
    struct hk_wait_queue readers, writers;
};

/* Create an empty stream with one reference. HK_OK; HK_ENOMEM. */
enum hk_status hk_stream_create(struct hk_cpu *cpu, struct hk_stream **stream);

/*
 * Write without waiting: to the first sleeping reader, else into the stream.
 *
 * data         [in]   1 byte or more
 * taken_bytes  [out]  how many went, at least one
 *
 * Returns HK_OK; HK_EFULL; HK_EFAULT. Cost O(1) plus the copy.
 */
enum hk_status hk_stream_write(struct hk_cpu *cpu, struct hk_stream *stream,
                               const struct hk_buffer *data, uint64_t *taken_bytes);

/*
 * Read what is there without waiting; a sleeping writer gets the room.
 *
 * got_bytes  [out]  how many came, at least one, at most room->bytes
 *
 * Returns HK_OK; HK_EEMPTY; HK_EFAULT (nothing is lost). Cost O(1) plus the copy.
 */
enum hk_status hk_stream_read(struct hk_cpu *cpu, struct hk_stream *stream,
                              const struct hk_buffer *room, uint64_t *got_bytes);

/* For the row of hk_object_types[]. */
void hk_stream_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_stream_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
