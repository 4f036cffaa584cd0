/* SPDX-License-Identifier: MIT */
/*
 * Messages over a byte stream, private to this folder: an 8-byte length, then
 * the payload. A short message is one write and one read: it is put together in
 * a buffer. A long one is one writev and one readv without a copy of ours. The
 * reader asks for as much as the last message had, so that equal messages need
 * no second call and never bring bytes of the next; what arrives too much is
 * kept for the next call.
 *
 * Both sides may send long messages at the same time: a writer that finds the
 * stream full takes in what its peer sent meanwhile.
 */
#ifndef HK_TRANSPORT_STREAM_H
#define HK_TRANSPORT_STREAM_H

#include "link.h"

struct hk_stream {
    int read_fd;
    int write_fd;
    bool socket;            /* recv/send with flags, else read/write of a pipe */
    unsigned char *out;     /* a short message with its length */
    unsigned char *in;      /* bytes read and not yet delivered */
    size_t in_bytes;
    size_t in_capacity;
    size_t expected_bytes;  /* payload of the last message */
};

/* Allocates the buffers for messages of at most message_bytes; descriptors are the caller's. */
enum hk_status hk_stream_init(struct hk_stream *stream, size_t message_bytes, int read_fd,
                              int write_fd, bool socket);

/* Releases the buffers; the descriptors are the caller's. */
void hk_stream_fini(struct hk_stream *stream);

enum hk_status hk_stream_send(struct hk_link *link, enum hk_side side, struct hk_stream *stream,
                              const void *data, size_t bytes);

enum hk_status hk_stream_receive(struct hk_link *link, enum hk_side side, struct hk_stream *stream,
                                 void *data, size_t capacity, size_t *bytes);

#endif
