/* SPDX-License-Identifier: MIT */
#include <liburing.h>
#include <stdlib.h>

#include "hk/transport/ipc.h"
#include "paths.h"

static enum hk_status nop_probe(char reason[HK_REASON_BYTES])
{
    struct io_uring ring;

    if (io_uring_queue_init(1, &ring, 0) < 0)
        return hk_path_refuse(reason, "io_uring is refused: sysctl kernel.io_uring_disabled=0, "
                                      "and a container that lets it through");
    io_uring_queue_exit(&ring);
    return HK_OK;
}

static enum hk_status nop_open(const struct hk_path_options *options, void **state)
{
    struct io_uring *ring;
    int error;

    if (options->bytes > 0)
        return HK_EINVAL;
    ring = malloc(sizeof(*ring));
    if (!ring)
        return HK_ENOMEM;
    error = io_uring_queue_init(2, ring, 0);
    if (error < 0) {
        free(ring);
        return hk_errno_status(-error);
    }
    *state = ring;
    return HK_OK;
}

static enum hk_status nop_run(void *state, uint64_t n)
{
    struct io_uring *ring = state;
    struct io_uring_cqe *done;

    for (uint64_t i = 0; i < n; i++) {
        io_uring_prep_nop(io_uring_get_sqe(ring));
        if (io_uring_submit_and_wait(ring, 1) != 1 || io_uring_peek_cqe(ring, &done) != 0)
            return HK_EIO;
        io_uring_cqe_seen(ring, done);
    }
    return HK_OK;
}

static void nop_close(void *state)
{
    io_uring_queue_exit(state);
    free(state);
}

const struct hk_path hk_path_io_uring_nop = {
    .name = "io_uring_nop",
    .summary = "an io_uring operation that does nothing",
    .transport = "io_uring",
    .syscalls = 1,
    .probe = nop_probe,
    .open = nop_open,
    .run = nop_run,
    .close = nop_close,
};
