/* SPDX-License-Identifier: MIT */
/* Paths that need no object: no kernel at all, null system calls, the clock, giving way. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "paths.h"

static enum hk_status nothing_open(const struct hk_path_options *options, void **state)
{
    if (options->bytes > 0)
        return HK_EINVAL;
    *state = NULL;
    return HK_OK;
}

static void nothing_close(void *state)
{
    (void)state;
}

static enum hk_status getppid_run(void *state, uint64_t n)
{
    (void)state;
    for (uint64_t i = 0; i < n; i++)
        syscall(SYS_getppid);
    return HK_OK;
}

static enum hk_status vdso_clock_run(void *state, uint64_t n)
{
    struct timespec now;

    (void)state;
    for (uint64_t i = 0; i < n; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    return HK_OK;
}

static enum hk_status clock_syscall_run(void *state, uint64_t n)
{
    struct timespec now;

    (void)state;
    for (uint64_t i = 0; i < n; i++)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return HK_OK;
}

static enum hk_status sched_yield_run(void *state, uint64_t n)
{
    (void)state;
    for (uint64_t i = 0; i < n; i++)
        sched_yield();
    return HK_OK;
}

/* A time that was over long ago. */
static const struct timespec past = {.tv_nsec = 1};

static enum hk_status nanosleep_past_run(void *state, uint64_t n)
{
    (void)state;
    for (uint64_t i = 0; i < n; i++)
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) != 0)
            return HK_EINTR;
    return HK_OK;
}

static enum hk_status timerfd_open(const struct hk_path_options *options, void **state)
{
    int *fd;

    if (options->bytes > 0)
        return HK_EINVAL;
    fd = malloc(sizeof(*fd));
    if (!fd)
        return HK_ENOMEM;
    *fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (*fd < 0) {
        free(fd);
        return hk_errno_status(errno);
    }
    *state = fd;
    return HK_OK;
}

static enum hk_status timerfd_run(void *state, uint64_t n)
{
    const int *fd = state;
    const struct itimerspec expired = {.it_value = past};
    uint64_t count;

    for (uint64_t i = 0; i < n; i++)
        if (timerfd_settime(*fd, TFD_TIMER_ABSTIME, &expired, NULL) != 0 ||
            read(*fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
            return hk_errno_status(errno);
    return HK_OK;
}

static void timerfd_close(void *state)
{
    int *fd = state;

    close(*fd);
    free(fd);
}

static enum hk_status memcpy_open(const struct hk_path_options *options, void **state)
{
    struct hk_path_buffers *buffers;

    if (options->bytes > HK_MIB)
        return HK_EINVAL;
    buffers = malloc(sizeof(*buffers));
    if (!buffers)
        return HK_ENOMEM;
    enum hk_status status = hk_path_buffers_init(buffers, options->bytes);
    if (status != HK_OK) {
        free(buffers);
        return status;
    }
    *state = buffers;
    return HK_OK;
}

static enum hk_status memcpy_run(void *state, uint64_t n)
{
    const struct hk_path_buffers *buffers = state;

    for (uint64_t i = 0; i < n; i++) {
        memcpy(buffers->in, buffers->out, buffers->bytes);
        /* Every copy is made: the next one may not be merged with it. */
        __asm__ volatile("" : : "r"(buffers->in) : "memory");
    }
    return HK_OK;
}

static enum hk_status memcpy_verify(void *state)
{
    return hk_path_buffers_verify(state);
}

static void memcpy_close(void *state)
{
    hk_path_buffers_fini(state);
    free(state);
}

const struct hk_path hk_path_memcpy = {
    .name = "memcpy",
    .summary = "a copy inside the process: no kernel",
    .transport = "inline",
    .bytes_max = HK_MIB,
    .syscalls = 0,
    .open = memcpy_open,
    .run = memcpy_run,
    .verify = memcpy_verify,
    .close = memcpy_close,
};

#define NOTHING_ROW(row, text, count)                                                             \
    const struct hk_path hk_path_##row = {                                                        \
        .name = #row,                                                                             \
        .summary = text,                                                                          \
        .syscalls = count,                                                                        \
        .open = nothing_open,                                                                     \
        .run = row##_run,                                                                         \
        .close = nothing_close,                                                                   \
    }

NOTHING_ROW(getppid, "the null system call", 1);
NOTHING_ROW(vdso_clock, "clock_gettime without a crossing", 0);
NOTHING_ROW(clock_syscall, "clock_gettime with a crossing", 1);
NOTHING_ROW(sched_yield, "sched_yield with nobody to yield to", 1);

const struct hk_path hk_path_clock_nanosleep_past = {
    .name = "clock_nanosleep_past",
    .summary = "an absolute sleep whose time is over",
    .syscalls = 1,
    .open = nothing_open,
    .run = nanosleep_past_run,
    .close = nothing_close,
};

const struct hk_path hk_path_timerfd_read_expired = {
    .name = "timerfd_read_expired",
    .summary = "a timerfd set to a time in the past, and read",
    .syscalls = 2,
    .open = timerfd_open,
    .run = timerfd_run,
    .close = timerfd_close,
};
