/* SPDX-License-Identifier: MIT */
/*
 * A known delay before each send (or each system call): the slope of the cost over the
 * delay counts how many there are. It is a test of the method and of the model's whole
 * numbers at once.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "links.h"

static const int delays_ns[] = {0, 500, 1000, 2000, 4000};

/* --- per send, through one or two servers --------------------------------------- */

static enum hk_status expand_sends(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    static const char *const transports[] = {"pipe", "unix_seqpacket"};
    const size_t transport_count = mode == HK_RUN_FULL ? HK_ARRAY_COUNT(transports) : 1;
    enum hk_status status = HK_OK;

    for (size_t t = 0; t < transport_count; t++)
        for (int servers = 1; servers <= 2; servers++)
            for (size_t d = 0; d < HK_ARRAY_COUNT(delays_ns) && status == HK_OK; d++)
                status = add(context,
                             "native/inject/%s/place:same_core/servers:%d/bytes:64/delay_ns:%d",
                             transports[t], servers, delays_ns[d]);
    return status;
}

const struct hk_experiment hk_experiment_inject = {
    .kind = "inject",
    .summary = "a chain with a known delay before each send",
    .expand = expand_sends,
    .open = hk_chain_open,
    .close = hk_links_close,
    .serve = hk_links_serve,
    .enter = hk_links_enter,
    .run = hk_links_run,
    .verify = hk_links_verify,
    .leave = hk_links_leave,
};

/* --- per system call, in one process ----------------------------------------------- */

enum { MESSAGE_BYTES_MAX = 4096 };

struct self_pipe {
    int fds[2];
    size_t bytes;
    uint64_t delay_ticks;
    char buffer[MESSAGE_BYTES_MAX];
};

static enum hk_status expand_syscalls(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    (void)mode;
    for (size_t d = 0; d < HK_ARRAY_COUNT(delays_ns) && status == HK_OK; d++)
        status = add(context, "native/inject_syscall/pipe_self/bytes:64/delay_ns:%d",
                     delays_ns[d]);
    return status;
}

static enum hk_status open_self(struct hk_task *task)
{
    struct self_pipe *p = calloc(1, sizeof *p);
    const int64_t bytes = hk_task_int(task, "bytes", -1);
    const int64_t delay_ns = hk_task_int(task, "delay_ns", -1);

    if (p == NULL)
        return HK_ENOMEM;
    task->state = p;
    p->fds[0] = p->fds[1] = -1;
    if (bytes < 1 || bytes > MESSAGE_BYTES_MAX || delay_ns < 0)
        return hk_task_refuse(task, HK_EINVAL, "bytes:1 to %d and a delay_ns are needed",
                              MESSAGE_BYTES_MAX);
    p->bytes = (size_t)bytes;
    p->delay_ticks = hk_clock_ticks(&task->clock, (double)delay_ns);
    task->expected.client_syscalls_min = task->expected.client_syscalls_max = 2;
    if (pipe2(p->fds, O_CLOEXEC) != 0)
        return HK_ENOMEM;
    return hk_task_place(task);
}

static void close_self(struct hk_task *task)
{
    struct self_pipe *p = task->state;

    if (p == NULL)
        return;
    for (size_t i = 0; i < 2; i++)
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    free(p);
    task->state = NULL;
}

static enum hk_status run_self(struct hk_task *task, uint64_t n)
{
    struct self_pipe *p = task->state;
    const ssize_t bytes = (ssize_t)p->bytes;

    for (uint64_t i = 0; i < n; i++) {
        hk_clock_spin(&task->clock, p->delay_ticks);
        if (write(p->fds[1], p->buffer, p->bytes) != bytes)
            return HK_EIO;
        hk_clock_spin(&task->clock, p->delay_ticks);
        if (read(p->fds[0], p->buffer, p->bytes) != bytes)
            return HK_EIO;
    }
    return HK_OK;
}

const struct hk_experiment hk_experiment_inject_syscall = {
    .kind = "inject_syscall",
    .summary = "two system calls with a known delay before each",
    .expand = expand_syscalls,
    .open = open_self,
    .close = close_self,
    .run = run_self,
};
