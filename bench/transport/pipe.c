/* SPDX-License-Identifier: MIT */
/* Two pipes, one each way. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipe.h"
#include "transports.h"

/*
 * A long message should not need many turns; the system's default limit for users is 1 MiB. A
 * pipe holds 64 KiB by itself, and a message comes with its length before it.
 */
#define LONG_PIPE_BYTES (256 * 1024)
#define USUAL_MESSAGE_BYTES (64 * HK_KIB - HK_PAGE_BYTES)

static enum hk_status pipe_open_one(int fds[2], size_t message_bytes)
{
    if (pipe2(fds, O_CLOEXEC) != 0)
        return HK_ENOMEM;
    /* Only the writing end: a full pipe is noticed, an empty one is slept on. */
    if (fcntl(fds[1], F_SETFL, O_WRONLY | O_NONBLOCK) != 0)
        return HK_EIO;
    /* Refused beyond the user's share of pipe pages: then the default size has to do. */
    if (message_bytes > USUAL_MESSAGE_BYTES)
        (void)fcntl(fds[1], F_SETPIPE_SZ, LONG_PIPE_BYTES);
    return HK_OK;
}

enum hk_status hk_pipe_open(struct hk_link *link)
{
    struct hk_pipe_pair *state = malloc(sizeof(*state));
    enum hk_status status = HK_OK;

    if (!state)
        return HK_ENOMEM;
    *state = (struct hk_pipe_pair){.fds = {{-1, -1}, {-1, -1}}};
    link->state = state;
    for (int reader = 0; reader < 2 && status == HK_OK; reader++)
        status = pipe_open_one(state->fds[reader], link->options.message_bytes);
    for (int side = 0; side < 2 && status == HK_OK; side++)
        status = hk_stream_init(&state->streams[side], link->options.message_bytes,
                                state->fds[side][0], state->fds[!side][1], false);
    return status;
}

static enum hk_status pipe_send(struct hk_link *link, enum hk_side side, const void *data,
                                size_t bytes)
{
    struct hk_pipe_pair *state = link->state;

    return hk_stream_send(link, side, &state->streams[side], data, bytes);
}

enum hk_status hk_pipe_receive(struct hk_link *link, enum hk_side side, void *data, size_t capacity,
                               size_t *bytes)
{
    struct hk_pipe_pair *state = link->state;

    return hk_stream_receive(link, side, &state->streams[side], data, capacity, bytes);
}

void hk_pipe_close(struct hk_link *link)
{
    struct hk_pipe_pair *state = link->state;

    for (int i = 0; i < 2; i++) {
        hk_fd_close(&state->fds[i][0]);
        hk_fd_close(&state->fds[i][1]);
        hk_stream_fini(&state->streams[i]);
    }
    free(state);
}

const struct hk_transport hk_transport_pipe = {
    .name = "pipe",
    .summary = "two pipes: write and read",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = hk_pipe_open,
    .send = pipe_send,
    .receive = hk_pipe_receive,
    .close = hk_pipe_close,
};
