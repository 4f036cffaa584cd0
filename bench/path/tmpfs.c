/* SPDX-License-Identifier: MIT */
/* The file service of the kernel: positioned reads and writes of a file in memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "paths.h"

struct tmpfs_state {
    int fd;
    struct hk_path_buffers buffers;
};

static void tmpfs_close(void *state)
{
    struct tmpfs_state *s = state;

    if (s->fd >= 0)
        close(s->fd);
    hk_path_buffers_fini(&s->buffers);
    free(s);
}

static enum hk_status tmpfs_open(const struct hk_path_options *options, void **state)
{
    struct tmpfs_state *s;

    if (options->bytes > HK_MIB)
        return HK_EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return HK_ENOMEM;
    s->fd = memfd_create("hk_path", MFD_CLOEXEC);
    enum hk_status status = s->fd >= 0 ? HK_OK : hk_errno_status(errno);
    if (status == HK_OK)
        status = hk_path_buffers_init(&s->buffers, options->bytes);
    /* The file has its pages before anything is timed. */
    if (status == HK_OK &&
        pwrite(s->fd, s->buffers.out, options->bytes, 0) != (ssize_t)options->bytes)
        status = hk_errno_status(errno);
    if (status != HK_OK) {
        tmpfs_close(s);
        return status;
    }
    *state = s;
    return HK_OK;
}

static enum hk_status pread_run(void *state, uint64_t n)
{
    const struct tmpfs_state *s = state;
    const size_t bytes = s->buffers.bytes;

    for (uint64_t i = 0; i < n; i++)
        if (pread(s->fd, s->buffers.in, bytes, 0) != (ssize_t)bytes)
            return HK_EIO;
    return HK_OK;
}

static enum hk_status pread_verify(void *state)
{
    const struct tmpfs_state *s = state;

    return hk_path_buffers_verify(&s->buffers);
}

static enum hk_status pwrite_run(void *state, uint64_t n)
{
    const struct tmpfs_state *s = state;
    const size_t bytes = s->buffers.bytes;

    for (uint64_t i = 0; i < n; i++)
        if (pwrite(s->fd, s->buffers.out, bytes, 0) != (ssize_t)bytes)
            return HK_EIO;
    return HK_OK;
}

/* Reads back what was written. */
static enum hk_status pwrite_verify(void *state)
{
    enum hk_status status = pread_run(state, 1);

    return status == HK_OK ? pread_verify(state) : status;
}

const struct hk_path hk_path_tmpfs_pread = {
    .name = "tmpfs_pread",
    .summary = "pread of a file in memory",
    .bytes_max = HK_MIB,
    .syscalls = 1,
    .open = tmpfs_open,
    .run = pread_run,
    .verify = pread_verify,
    .close = tmpfs_close,
};

const struct hk_path hk_path_tmpfs_pwrite = {
    .name = "tmpfs_pwrite",
    .summary = "pwrite of a file in memory",
    .bytes_max = HK_MIB,
    .syscalls = 1,
    .open = tmpfs_open,
    .run = pwrite_run,
    .verify = pwrite_verify,
    .close = tmpfs_close,
};
