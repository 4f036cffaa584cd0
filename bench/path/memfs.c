/* SPDX-License-Identifier: MIT */
#include "memfs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct inode {
    uint64_t folder; /* that holds its name; 0: this inode is free */
    bool is_folder;
    uint64_t bytes;
    char name[HK_MEMFS_NAME_BYTES];
};

/* Inode i is number i + HK_MEMFS_ROOT; its data begins at i times the largest size. */
struct hk_memfs {
    int fd;
    unsigned char *data;
    struct inode inodes[HK_MEMFS_INODES_MAX];
};

static const size_t data_bytes = (size_t)HK_MEMFS_INODES_MAX * HK_MEMFS_FILE_BYTES_MAX;

enum hk_status hk_memfs_create(struct hk_memfs **fs)
{
    struct hk_memfs *f = calloc(1, sizeof *f);

    if (f == NULL)
        return HK_ENOMEM;
    f->data = MAP_FAILED;
    f->fd = memfd_create("hk_memfs", MFD_CLOEXEC);
    if (f->fd >= 0 && ftruncate(f->fd, (off_t)data_bytes) == 0)
        f->data = mmap(NULL, data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (f->data == MAP_FAILED) {
        const enum hk_status status = f->fd < 0 ? HK_ENOTSUP : HK_ENOMEM;
        hk_memfs_destroy(f);
        return status;
    }
    f->inodes[0] = (struct inode){.folder = HK_MEMFS_ROOT, .is_folder = true};
    *fs = f;
    return HK_OK;
}

void hk_memfs_destroy(struct hk_memfs *fs)
{
    if (fs == NULL)
        return;
    if (fs->data != MAP_FAILED)
        munmap(fs->data, data_bytes);
    if (fs->fd >= 0)
        close(fs->fd);
    free(fs);
}

static size_t index_of(uint64_t inode)
{
    return (size_t)(inode - HK_MEMFS_ROOT);
}

/* NULL when there is no such inode. */
static const struct inode *find(const struct hk_memfs *fs, uint64_t inode)
{
    const size_t i = index_of(inode);

    return i < HK_MEMFS_INODES_MAX && fs->inodes[i].folder != 0 ? &fs->inodes[i] : NULL;
}

static struct hk_memfs_attributes describe(const struct hk_memfs *fs, const struct inode *n)
{
    return (struct hk_memfs_attributes){.inode = (uint64_t)(n - fs->inodes) + HK_MEMFS_ROOT,
                                        .bytes = n->bytes, .folder = n->is_folder};
}

enum hk_status hk_memfs_lookup(const struct hk_memfs *fs, uint64_t folder, const char *name,
                               struct hk_memfs_attributes *found)
{
    for (size_t i = 1; i < HK_MEMFS_INODES_MAX; i++) {
        const struct inode *n = &fs->inodes[i];
        if (n->folder == folder && strcmp(n->name, name) == 0) {
            *found = describe(fs, n);
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

enum hk_status hk_memfs_make(struct hk_memfs *fs, uint64_t folder, const char *name,
                             bool is_folder, struct hk_memfs_attributes *made)
{
    const struct inode *parent = find(fs, folder);
    struct hk_memfs_attributes there;

    if (parent == NULL || !parent->is_folder)
        return HK_ENOENT;
    if (name[0] == '\0' || strlen(name) >= HK_MEMFS_NAME_BYTES || strchr(name, '/') != NULL)
        return HK_EINVAL;
    if (hk_memfs_lookup(fs, folder, name, &there) == HK_OK)
        return HK_EEXIST;
    for (size_t i = 1; i < HK_MEMFS_INODES_MAX; i++) {
        struct inode *n = &fs->inodes[i];
        if (n->folder != 0)
            continue;
        *n = (struct inode){.folder = folder, .is_folder = is_folder};
        strcpy(n->name, name); /* its length was checked */
        *made = describe(fs, n);
        return HK_OK;
    }
    return HK_ENOSPC;
}

enum hk_status hk_memfs_attributes(const struct hk_memfs *fs, uint64_t inode,
                                   struct hk_memfs_attributes *attributes)
{
    const struct inode *n = find(fs, inode);

    if (n == NULL)
        return HK_ENOENT;
    *attributes = describe(fs, n);
    return HK_OK;
}

static unsigned char *data_of(const struct hk_memfs *fs, uint64_t inode)
{
    return fs->data + index_of(inode) * HK_MEMFS_FILE_BYTES_MAX;
}

enum hk_status hk_memfs_view(const struct hk_memfs *fs, uint64_t inode, uint64_t offset,
                             const unsigned char **data, size_t *bytes)
{
    const struct inode *n = find(fs, inode);

    if (n == NULL)
        return HK_ENOENT;
    if (n->is_folder)
        return HK_EINVAL;
    const uint64_t left = offset < n->bytes ? n->bytes - offset : 0;
    *data = data_of(fs, inode) + (left > 0 ? offset : 0);
    if (*bytes > left)
        *bytes = (size_t)left;
    return HK_OK;
}

enum hk_status hk_memfs_write(struct hk_memfs *fs, uint64_t inode, uint64_t offset,
                              const void *data, size_t bytes)
{
    struct inode *n = (struct inode *)(uintptr_t)find(fs, inode);

    if (n == NULL)
        return HK_ENOENT;
    if (n->is_folder)
        return HK_EINVAL;
    if (offset > HK_MEMFS_FILE_BYTES_MAX || bytes > HK_MEMFS_FILE_BYTES_MAX - offset)
        return HK_ENOSPC;
    memcpy(data_of(fs, inode) + offset, data, bytes);
    if (offset + bytes > n->bytes)
        n->bytes = offset + bytes;
    return HK_OK;
}

int hk_memfs_fd(const struct hk_memfs *fs)
{
    return fs->fd;
}

uint64_t hk_memfs_fd_offset(const struct hk_memfs *fs, const unsigned char *data)
{
    return (uint64_t)(data - fs->data);
}
