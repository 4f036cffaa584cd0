/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void hk_bytes_fini(struct hk_bytes *buffer)
{
    free(buffer->data);
    *buffer = (struct hk_bytes){0};
}

enum hk_status hk_bytes_append(struct hk_bytes *buffer, const void *data, size_t bytes)
{
    if (bytes > buffer->capacity - buffer->bytes) {
        const size_t capacity = 2 * (buffer->bytes + bytes);
        char *grown = realloc(buffer->data, capacity);
        if (grown == NULL)
            return HK_ENOMEM;
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    if (bytes > 0)
        memcpy(buffer->data + buffer->bytes, data, bytes);
    buffer->bytes += bytes;
    return HK_OK;
}

enum hk_status hk_wire_encode(const struct hk_launch *launch, struct hk_bytes *buffer)
{
    const size_t start = buffer->bytes;
    char *text;

    enum hk_status status = hk_launch_encode(launch, &text);
    if (status != HK_OK)
        return status;
    status = hk_bytes_append(buffer, text, strlen(text));
    if (status == HK_OK)
        status = hk_bytes_append(buffer, "\n", 1);
    if (status != HK_OK)
        buffer->bytes = start;
    free(text);
    return status;
}

enum hk_status hk_wire_decode(const char *data, size_t bytes, struct hk_launch *launch,
                              size_t *used)
{
    char error[HK_TEXT_BYTES];
    const char *end = bytes > 0 ? memchr(data, '\n', bytes) : NULL;

    if (end == NULL)
        return HK_EEMPTY;
    const enum hk_status status = hk_launch_decode(data, (size_t)(end - data), launch, error);
    if (status == HK_OK)
        *used = (size_t)(end - data) + 1;
    return status;
}

enum hk_status hk_write_all(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        /* A socket whose other end is gone gives EPIPE here, not a signal. */
        ssize_t n = send(fd, at, bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK)
            n = write(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EPIPE || errno == ECONNRESET ? HK_EPEER : HK_EIO;
        at += n;
        bytes -= (size_t)n;
    }
    return HK_OK;
}
