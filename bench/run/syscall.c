/* SPDX-License-Identifier: MIT */
/* A service of the Linux kernel asked by its system calls: the neighbour of every transport. */
#include <stdlib.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/path/path.h"

struct path_state {
    const struct hk_path *path;
    void *state;
    bool opened;
};

static const int64_t quick_bytes[] = {64};
static const int64_t full_bytes[] = {1, 64, 256, 1024, 4096, 16384, 65536};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    const int64_t *bytes = mode == HK_RUN_FULL ? full_bytes : quick_bytes;
    const size_t count =
        mode == HK_RUN_FULL ? HK_ARRAY_COUNT(full_bytes) : HK_ARRAY_COUNT(quick_bytes);
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < hk_path_count && status == HK_OK; i++) {
        const struct hk_path *p = hk_paths[i];
        if (p->bytes_max == 0)
            status = add(context, "native/syscall/%s/bytes:0", p->name);
        for (size_t b = 0; b < count && p->bytes_max > 0 && status == HK_OK; b++)
            if ((uint64_t)bytes[b] <= p->bytes_max)
                status = add(context, "native/syscall/%s/bytes:%lld", p->name,
                             (long long)bytes[b]);
    }
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    char name[48];
    struct path_state *s = calloc(1, sizeof *s);
    const int64_t bytes = hk_task_int(task, "bytes", -1);

    if (s == NULL)
        return HK_ENOMEM;
    task->state = s;
    if (hk_name_part(task->name, 2, name, sizeof name) != HK_OK ||
        hk_path_find(name, &s->path) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT,
                              "no path of that name; hkbench list paths shows them");
    if (bytes < 0 || (uint64_t)bytes > s->path->bytes_max)
        return hk_task_refuse(task, HK_EINVAL, "%s takes 0 to %zu bytes", name,
                              s->path->bytes_max);
    if (s->path->syscalls >= 0) {
        task->expected.client_syscalls_min = s->path->syscalls;
        task->expected.client_syscalls_max = s->path->syscalls;
    }
    const enum hk_status status = hk_task_place(task);
    if (status != HK_OK || s->path->probe == NULL)
        return status;
    return s->path->probe(task->reason);
}

static void close_task(struct hk_task *task)
{
    free(task->state);
    task->state = NULL;
}

static enum hk_status enter(struct hk_task *task)
{
    struct path_state *s = task->state;
    const struct hk_path_options options = {.bytes = (size_t)hk_task_int(task, "bytes", 0)};
    const enum hk_status status = s->path->open(&options, &s->state);

    s->opened = status == HK_OK;
    return status;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    const struct path_state *s = task->state;

    return s->path->run(s->state, n);
}

static enum hk_status leave(struct hk_task *task)
{
    struct path_state *s = task->state;

    if (s->opened)
        s->path->close(s->state);
    s->opened = false;
    return HK_OK;
}

const struct hk_experiment hk_experiment_syscall = {
    .kind = "syscall",
    .summary = "a kernel service asked by system calls, no second process",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .enter = enter,
    .run = run,
    .leave = leave,
};
