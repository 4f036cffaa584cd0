/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_BYTES sizeof(uint64_t)
/* Up to here copying into one buffer is cheaper than the kernel's walk over two. */
#define SHORT_BYTES 2048u

enum hk_status hk_stream_init(struct hk_stream *stream, size_t message_bytes, int read_fd,
                              int write_fd, bool socket)
{
    *stream = (struct hk_stream){.read_fd = read_fd,
                                 .write_fd = write_fd,
                                 .socket = socket,
                                 .in_capacity = HEADER_BYTES + message_bytes};
    stream->out = malloc(HEADER_BYTES + SHORT_BYTES);
    stream->in = malloc(stream->in_capacity);
    return stream->out && stream->in ? HK_OK : HK_ENOMEM;
}

void hk_stream_fini(struct hk_stream *stream)
{
    free(stream->out);
    free(stream->in);
    stream->out = NULL;
    stream->in = NULL;
}

static ssize_t stream_write(const struct hk_stream *s, const void *data, size_t bytes)
{
    return s->socket ? send(s->write_fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)
                     : write(s->write_fd, data, bytes);
}

static ssize_t stream_write2(const struct hk_stream *s, struct iovec parts[2])
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    return s->socket ? sendmsg(s->write_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
                     : writev(s->write_fd, parts, 2);
}

static ssize_t stream_read(const struct hk_stream *s, void *data, size_t bytes, int flags)
{
    return s->socket ? recv(s->read_fd, data, bytes, flags) : read(s->read_fd, data, bytes);
}

/* A full stream: waits for room, and takes in what the peer sends meanwhile. */
static enum hk_status wait_for_room(struct hk_link *link, enum hk_side side, struct hk_stream *s)
{
    struct pollfd fds[2] = {{.fd = s->write_fd, .events = POLLOUT},
                            {.fd = s->read_fd, .events = POLLIN}};
    bool take = s->in_bytes < s->in_capacity;

    if (poll(fds, take ? 2 : 1, -1) < 0)
        return hk_link_error(link, side, errno);
    if (!take || !(fds[1].revents & POLLIN))
        return HK_OK;
    ssize_t n = stream_read(s, s->in + s->in_bytes, s->in_capacity - s->in_bytes, 0);
    if (n < 0)
        return hk_link_error(link, side, errno);
    if (n == 0)
        return HK_EPEER;
    s->in_bytes += (size_t)n;
    return HK_OK;
}

/* Sends all of data, however often the stream fills up. */
static enum hk_status send_rest(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                const unsigned char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = stream_write(s, data, bytes);
        enum hk_status status = HK_OK;
        if (n >= 0) {
            data += n;
            bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            status = wait_for_room(link, side, s);
        } else {
            status = hk_link_error(link, side, errno);
        }
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status send_long(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                const void *data, size_t bytes)
{
    uint64_t header = bytes;
    struct iovec parts[2] = {{&header, HEADER_BYTES}, {(void *)(uintptr_t)data, bytes}};
    ssize_t n = stream_write2(s, parts);
    size_t done = n > 0 ? (size_t)n : 0;

    if (n < 0 && errno != EAGAIN) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    if (done < HEADER_BYTES) {
        enum hk_status status = send_rest(link, side, s, (unsigned char *)&header + done,
                                          HEADER_BYTES - done);
        if (status != HK_OK)
            return status;
        done = HEADER_BYTES;
    }
    done -= HEADER_BYTES;
    return send_rest(link, side, s, (const unsigned char *)data + done, bytes - done);
}

enum hk_status hk_stream_send(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                              const void *data, size_t bytes)
{
    uint64_t header = bytes;

    if (bytes > SHORT_BYTES)
        return send_long(link, side, s, data, bytes);
    memcpy(s->out, &header, HEADER_BYTES);
    memcpy(s->out + HEADER_BYTES, data, bytes);
    return send_rest(link, side, s, s->out, HEADER_BYTES + bytes);
}

/* Reads until `in` holds at least `need` bytes, asking for `want` at first. */
static enum hk_status fill(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                           size_t need, size_t want)
{
    while (s->in_bytes < need) {
        ssize_t n = stream_read(s, s->in + s->in_bytes, want - s->in_bytes, 0);
        if (n == 0)
            return HK_EPEER;
        if (n > 0) {
            s->in_bytes += (size_t)n;
            continue;
        }
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* Reads exactly `bytes` into data. */
static enum hk_status receive_rest(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                   unsigned char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = stream_read(s, data, bytes, MSG_WAITALL);
        if (n == 0)
            return HK_EPEER;
        if (n > 0) {
            data += n;
            bytes -= (size_t)n;
            continue;
        }
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* A message whose first bytes are in `in`, or that is expected to be short. */
static enum hk_status receive_buffered(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                       void *data, size_t capacity, size_t *bytes)
{
    size_t want = HEADER_BYTES + (s->expected_bytes > SHORT_BYTES ? 0 : s->expected_bytes);
    uint64_t header;
    enum hk_status status = fill(link, side, s, HEADER_BYTES, want);

    if (status != HK_OK)
        return status;
    memcpy(&header, s->in, HEADER_BYTES);
    if (header > capacity)
        return HK_ETOOBIG;
    size_t buffered = s->in_bytes - HEADER_BYTES;
    if (buffered > header)
        buffered = header;
    memcpy(data, s->in + HEADER_BYTES, buffered);
    s->in_bytes -= HEADER_BYTES + buffered;
    if (s->in_bytes > 0)
        memmove(s->in, s->in + HEADER_BYTES + buffered, s->in_bytes);
    if (buffered < header)
        status = receive_rest(link, side, s, (unsigned char *)data + buffered, header - buffered);
    if (status != HK_OK)
        return status;
    s->expected_bytes = header;
    *bytes = header;
    return HK_OK;
}

/* A message that is expected to be long: straight into data. */
static enum hk_status receive_long(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                   void *data, size_t capacity, size_t *bytes)
{
    uint64_t header;
    size_t expected = s->expected_bytes < capacity ? s->expected_bytes : capacity;
    struct iovec parts[2] = {{&header, HEADER_BYTES}, {data, expected}};
    ssize_t n = readv(s->read_fd, parts, 2);

    if (n == 0)
        return HK_EPEER;
    if (n < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        return status != HK_OK ? status : receive_buffered(link, side, s, data, capacity, bytes);
    }
    if ((size_t)n < HEADER_BYTES) {
        memcpy(s->in, &header, (size_t)n);
        s->in_bytes = (size_t)n;
        return receive_buffered(link, side, s, data, capacity, bytes);
    }
    size_t got = (size_t)n - HEADER_BYTES;
    if (header > capacity)
        return HK_ETOOBIG;
    if (got > header) {
        s->in_bytes = got - header;
        memcpy(s->in, (unsigned char *)data + header, s->in_bytes);
        got = header;
    }
    enum hk_status status = receive_rest(link, side, s, (unsigned char *)data + got, header - got);
    if (status != HK_OK)
        return status;
    s->expected_bytes = header;
    *bytes = header;
    return HK_OK;
}

enum hk_status hk_stream_receive(struct hk_link *link, enum hk_side side, struct hk_stream *s,
                                 void *data, size_t capacity, size_t *bytes)
{
    if (s->in_bytes == 0 && s->expected_bytes > SHORT_BYTES)
        return receive_long(link, side, s, data, capacity, bytes);
    return receive_buffered(link, side, s, data, capacity, bytes);
}
