/* SPDX-License-Identifier: MIT */
/* Stands in for io_uring.c where liburing is not installed. */
#include "paths.h"

static enum hk_status none_probe(char reason[HK_REASON_BYTES])
{
    return hk_path_refuse(reason, "built without liburing: install liburing-dev and build again");
}

static enum hk_status none_open(const struct hk_path_options *options, void **state)
{
    (void)options, (void)state;
    return HK_ENOTSUP;
}

static enum hk_status none_run(void *state, uint64_t n)
{
    (void)state, (void)n;
    return HK_ENOTSUP;
}

static void none_close(void *state)
{
    (void)state;
}

const struct hk_path hk_path_io_uring_nop = {
    .name = "io_uring_nop",
    .summary = "an io_uring operation that does nothing",
    .transport = "io_uring",
    .syscalls = 1,
    .probe = none_probe,
    .open = none_open,
    .run = none_run,
    .close = none_close,
};
