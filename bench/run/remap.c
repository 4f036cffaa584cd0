/* SPDX-License-Identifier: MIT */
/*
 * Handing over pages instead of copying them, with the touch afterwards: the fault and
 * TLB work of a remap comes when the data are used, and belongs to its price.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"

enum mechanism { MREMAP, MEMFD };

static const char *const mechanisms[] = {[MREMAP] = "mremap", [MEMFD] = "memfd"};
static const int bytes[] = {4096, 16384, 65536, 262144, 1048576};

struct remap {
    enum mechanism mechanism;
    size_t bytes;
    unsigned char *windows[2]; /* mremap moves the pages from one to the other and back */
    unsigned side;
    int fd;                    /* memfd: two buffers one after the other, mapped in turn */
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    (void)mode;
    for (size_t m = 0; m < HK_ARRAY_COUNT(mechanisms); m++)
        for (size_t b = 0; b < HK_ARRAY_COUNT(bytes) && status == HK_OK; b++)
            status = add(context, "native/remap/%s/bytes:%d", mechanisms[m], bytes[b]);
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    const int64_t size = hk_task_int(task, "bytes", 0);
    struct remap *r = calloc(1, sizeof *r);
    char name[16];

    if (r == NULL)
        return HK_ENOMEM;
    task->state = r;
    r->fd = -1;
    if (size < 1 || size % HK_PAGE_BYTES != 0 ||
        hk_name_part(task->name, 2, name, sizeof name) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "whole pages only");
    r->bytes = (size_t)size;
    r->mechanism = strcmp(name, mechanisms[MREMAP]) == 0 ? MREMAP : MEMFD;
    if (strcmp(name, mechanisms[r->mechanism]) != 0)
        return hk_task_refuse(task, HK_ENOENT, "remap knows mremap and memfd");
    task->expected.client_syscalls_min = task->expected.client_syscalls_max = 1;
    return hk_task_place(task);
}

static void close_task(struct hk_task *task)
{
    free(task->state);
    task->state = NULL;
}

static enum hk_status enter(struct hk_task *task)
{
    struct remap *r = task->state;

    for (size_t w = 0; w < 2; w++) {
        r->windows[w] = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                             -1, 0);
        if (r->windows[w] == MAP_FAILED)
            return HK_ENOMEM;
        /* Small pages, as a buffer between processes has. */
        madvise(r->windows[w], r->bytes, MADV_NOHUGEPAGE);
        memset(r->windows[w], 1, r->bytes);
    }
    if (r->mechanism == MREMAP)
        return HK_OK;
    r->fd = memfd_create("hk_remap", MFD_CLOEXEC);
    if (r->fd < 0)
        return hk_task_refuse(task, HK_ENOTSUP, "no memfd in this kernel");
    if (ftruncate(r->fd, (off_t)(2 * r->bytes)) != 0)
        return HK_ENOMEM;
    void *all = mmap(NULL, 2 * r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (all == MAP_FAILED)
        return HK_ENOMEM;
    memset(all, 1, 2 * r->bytes);
    munmap(all, 2 * r->bytes);
    return HK_OK;
}

static bool hand_over(struct remap *r)
{
    const unsigned from = r->side, to = 1 - r->side;

    r->side = to;
    if (r->mechanism == MREMAP)
        return mremap(r->windows[from], r->bytes, r->bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                      r->windows[to]) == r->windows[to];
    return mmap(r->windows[0], r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd,
                (off_t)(to * r->bytes)) == r->windows[0];
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct remap *r = task->state;

    for (uint64_t i = 0; i < n; i++) {
        if (!hand_over(r))
            return HK_EIO;
        volatile unsigned char *pages = r->windows[r->mechanism == MREMAP ? r->side : 0];
        for (size_t at = 0; at < r->bytes; at += HK_PAGE_BYTES)
            pages[at]++;
    }
    return HK_OK;
}

static enum hk_status leave(struct hk_task *task)
{
    struct remap *r = task->state;

    if (r->fd >= 0)
        close(r->fd);
    return HK_OK; /* the mappings go with the process */
}

const struct hk_experiment hk_experiment_remap = {
    .kind = "remap",
    .summary = "pages handed over by remapping, and touched",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .enter = enter,
    .run = run,
    .leave = leave,
};
