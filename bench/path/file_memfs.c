/* SPDX-License-Identifier: MIT */
/* Our own file system called in process: the service's work without any boundary. */
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum hk_status hk_file_memfs(const struct hk_file *file, struct hk_memfs **fs)
{
    struct hk_memfs_attributes made;
    struct hk_memfs *created;

    enum hk_status status = hk_memfs_create(&created);
    if (status != HK_OK)
        return status;
    status = hk_memfs_make(created, HK_MEMFS_ROOT, HK_FILE_NAME, false, &made);
    if (status == HK_OK)
        status = hk_memfs_write(created, made.inode, 0, file->expected, file->options.bytes);
    if (status != HK_OK) {
        hk_memfs_destroy(created);
        return status;
    }
    *fs = created;
    return HK_OK;
}

static enum hk_status memfs_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    struct hk_memfs *fs;
    const enum hk_status status = hk_file_memfs(file, &fs);

    (void)reason;
    if (status == HK_OK)
        file->state = fs;
    return status;
}

static void memfs_close(struct hk_file *file)
{
    hk_memfs_destroy(file->state);
}

/* The first file made is the first inode after the root. */
static const uint64_t inode = HK_MEMFS_ROOT + 1;

static enum hk_status read_once(const struct hk_file *file)
{
    const unsigned char *data;
    size_t bytes = file->options.bytes;
    const enum hk_status status = hk_memfs_view(file->state, inode, 0, &data, &bytes);

    if (status != HK_OK || bytes != file->options.bytes)
        return HK_EIO;
    memcpy(file->buffer, data, bytes);
    __asm__ volatile("" : : "r"(file->buffer) : "memory"); /* the copy must happen */
    return HK_OK;
}

static enum hk_status run_once(struct hk_file *file)
{
    struct hk_memfs_attributes found = {0};
    enum hk_status status = HK_OK;

    switch (file->options.operation) {
    case HK_FILE_READ:
        return read_once(file);
    case HK_FILE_WRITE:
        return hk_memfs_write(file->state, inode, 0, file->buffer, file->options.bytes);
    case HK_FILE_STAT:
        status = hk_memfs_attributes(file->state, inode, &found);
        break;
    default:
        status = hk_memfs_lookup(file->state, HK_MEMFS_ROOT, HK_FILE_NAME, &found);
    }
    return status == HK_OK && found.bytes == file->options.bytes ? HK_OK : HK_EIO;
}

static enum hk_status memfs_run(struct hk_file *file, uint64_t n)
{
    enum hk_status status = HK_OK;

    for (uint64_t i = 0; i < n && status == HK_OK; i++)
        status = run_once(file);
    return status;
}

const struct hk_file_service hk_file_service_memfs = {
    .name = "memfs",
    .summary = "the served file system's own code, called in process",
    .caches = 1u << HK_FILE_KEPT,
    .syscalls = 0,
    .open = memfs_open,
    .close = memfs_close,
    .run = memfs_run,
};
