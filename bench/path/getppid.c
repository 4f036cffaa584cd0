/* SPDX-License-Identifier: MIT */
/* The cheapest system call there is: entry, exit and nothing between. */
#include <sys/syscall.h>
#include <unistd.h>

#include "paths.h"

static enum hk_status open_nothing(const struct hk_path_options *options, void **state)
{
    (void)options;
    *state = NULL;
    return HK_OK;
}

static enum hk_status run(void *state, uint64_t n)
{
    (void)state;
    for (uint64_t i = 0; i < n; i++)
        syscall(SYS_getppid);
    return HK_OK;
}

static void close_nothing(void *state)
{
    (void)state;
}

const struct hk_path hk_path_getppid = {
    .name = "getppid",
    .summary = "a system call that does nothing",
    .syscalls = 1,
    .open = open_nothing,
    .run = run,
    .close = close_nothing,
};
