/* SPDX-License-Identifier: MIT */
/*
 * Pipes whose writer lends its pages (vmsplice) instead of copying them in; the
 * reader copies once. A lent page must not change until it has been read: so
 * there are calls only, and the answer says that the request was read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "pipe.h"
#include "transports.h"

struct vmsplice_state {
    struct hk_pipe_pair pipes; /* first: the pipe's own functions work on it */
    uint64_t headers[2];       /* by own side; lent too */
};

static enum hk_status vmsplice_open(struct hk_link *link)
{
    enum hk_status status = hk_pipe_open(link);
    struct vmsplice_state *state;

    if (status != HK_OK)
        return status;
    state = realloc(link->state, sizeof(*state));
    if (!state)
        return HK_ENOMEM;
    link->state = state;
    return HK_OK;
}

static enum hk_status vmsplice_send(struct hk_link *link, enum hk_side side, const void *data,
                                    size_t bytes)
{
    struct vmsplice_state *state = link->state;
    struct iovec parts[2] = {{&state->headers[side], sizeof(state->headers[side])},
                             {(void *)(uintptr_t)data, bytes}};
    struct iovec *part = parts;

    state->headers[side] = bytes;
    while (part < parts + 2 && (part == parts || part->iov_len > 0)) {
        ssize_t n = vmsplice(state->pipes.fds[hk_side_other(side)][1], part,
                             (size_t)(parts + 2 - part), 0);
        if (n < 0) {
            enum hk_status status = hk_link_error(link, side, errno);
            if (status != HK_OK)
                return status;
            continue;
        }
        size_t lent = (size_t)n;
        while (part < parts + 2 && lent >= part->iov_len)
            lent -= part++->iov_len;
        if (part < parts + 2) {
            part->iov_base = (unsigned char *)part->iov_base + lent;
            part->iov_len -= lent;
        }
    }
    return HK_OK;
}

const struct hk_transport hk_transport_vmsplice = {
    .name = "vmsplice",
    .summary = "pipes whose writer lends its pages: vmsplice and read, one copy",
    .flags = HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = vmsplice_open,
    .send = vmsplice_send,
    .receive = hk_pipe_receive,
    .close = hk_pipe_close,
};
