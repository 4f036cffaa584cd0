/* SPDX-License-Identifier: MIT */
#include "socket_pair.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What the kernel books for a packet beside its bytes, generously. */
#define PACKET_OVERHEAD_BYTES 4096u

enum hk_status hk_socket_pair_open(struct hk_link *link, int fds[2])
{
    struct hk_socket_pair *state = calloc(1, sizeof(*state));
    enum hk_status status = HK_OK;

    if (!state) {
        hk_fd_close(&fds[0]);
        hk_fd_close(&fds[1]);
        return HK_ENOMEM;
    }
    link->state = state;
    for (int side = 0; side < 2; side++) {
        state->fds[side] = fds[side];
        if (status == HK_OK && !(link->transport->flags & HK_TRANSPORT_DATAGRAM))
            status = hk_stream_init(&state->streams[side], link->options.message_bytes, fds[side],
                                    fds[side], true);
    }
    return status;
}

void hk_socket_room(int fd, size_t message_bytes)
{
    /* The kernel doubles what it is asked for, to account for its own records. */
    int want_bytes = (int)(message_bytes + PACKET_OVERHEAD_BYTES);
    int have_bytes;
    socklen_t length = sizeof(have_bytes);

    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have_bytes, &length) == 0 &&
        have_bytes < 2 * want_bytes)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want_bytes, sizeof(want_bytes));
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &have_bytes, &length) == 0 &&
        have_bytes < 2 * want_bytes)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want_bytes, sizeof(want_bytes));
}

enum hk_status hk_socket_pair_attach(struct hk_link *link, enum hk_side side)
{
    struct hk_socket_pair *state = link->state;

    hk_fd_close(&state->fds[hk_side_other(side)]);
    return HK_OK;
}

void hk_socket_pair_close(struct hk_link *link)
{
    struct hk_socket_pair *state = link->state;

    for (int side = 0; side < 2; side++) {
        hk_fd_close(&state->fds[side]);
        hk_stream_fini(&state->streams[side]);
    }
    free(state);
}

enum hk_status hk_socket_stream_send(struct hk_link *link, enum hk_side side, const void *data,
                                     size_t bytes)
{
    struct hk_socket_pair *state = link->state;

    return hk_stream_send(link, side, &state->streams[side], data, bytes);
}

enum hk_status hk_socket_stream_receive(struct hk_link *link, enum hk_side side, void *data,
                                        size_t capacity, size_t *bytes)
{
    struct hk_socket_pair *state = link->state;

    return hk_stream_receive(link, side, &state->streams[side], data, capacity, bytes);
}

enum hk_status hk_socket_packet_send(struct hk_link *link, enum hk_side side, const void *data,
                                     size_t bytes)
{
    struct hk_socket_pair *state = link->state;

    while (send(state->fds[side], data, bytes, MSG_NOSIGNAL) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

bool hk_socket_hung_up(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLRDHUP};

    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLHUP | POLLRDHUP));
}

enum hk_status hk_socket_packet_receive(struct hk_link *link, enum hk_side side, void *data,
                                        size_t capacity, size_t *bytes)
{
    struct hk_socket_pair *state = link->state;
    ssize_t n;

    while ((n = recv(state->fds[side], data, capacity, 0)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    if (n == 0 && hk_socket_hung_up(state->fds[side]))
        return HK_EPEER;
    *bytes = (size_t)n;
    return HK_OK;
}
