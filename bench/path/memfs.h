/* SPDX-License-Identifier: MIT */
/*
 * A small file system in memory, written once: called in process it is the service's own
 * work; behind FUSE the same functions answer the kernel.
 */
#ifndef HK_PATH_MEMFS_H
#define HK_PATH_MEMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/base/units.h"

enum {
    HK_MEMFS_ROOT = 1, /* number of the root's inode, as FUSE has it */
    HK_MEMFS_INODES_MAX = 16,
    HK_MEMFS_NAME_BYTES = 32,
    HK_MEMFS_FILE_BYTES_MAX = 2 * HK_MIB,
};

struct hk_memfs_attributes {
    uint64_t inode;
    uint64_t bytes;
    bool folder;
};

struct hk_memfs;

/* An empty file system. HK_ENOMEM; HK_ENOTSUP when there is no memfd. */
enum hk_status hk_memfs_create(struct hk_memfs **fs);
void hk_memfs_destroy(struct hk_memfs *fs);

/* Make an empty file or folder. HK_ENOENT (no such folder), HK_EEXIST, HK_ENOSPC, HK_EINVAL. */
enum hk_status hk_memfs_make(struct hk_memfs *fs, uint64_t folder, const char *name,
                             bool is_folder, struct hk_memfs_attributes *made);

/* HK_ENOENT. */
enum hk_status hk_memfs_lookup(const struct hk_memfs *fs, uint64_t folder, const char *name,
                               struct hk_memfs_attributes *found);
enum hk_status hk_memfs_attributes(const struct hk_memfs *fs, uint64_t inode,
                                   struct hk_memfs_attributes *attributes);

/*
 * Find where bytes of a file lie.
 *
 * data   [out]  the bytes, valid until the file system is destroyed
 * bytes  [in,out]  asked for; there are, less at the file's end
 *
 * Returns HK_OK; HK_ENOENT; HK_EINVAL for a folder.
 */
enum hk_status hk_memfs_view(const struct hk_memfs *fs, uint64_t inode, uint64_t offset,
                             const unsigned char **data, size_t *bytes);

/* HK_ENOENT; HK_EINVAL for a folder; HK_ENOSPC beyond the largest size, and nothing is written. */
enum hk_status hk_memfs_write(struct hk_memfs *fs, uint64_t inode, uint64_t offset,
                              const void *data, size_t bytes);

/* The file behind the data, and where in it what hk_memfs_view gave lies: for splicing. */
int hk_memfs_fd(const struct hk_memfs *fs);
uint64_t hk_memfs_fd_offset(const struct hk_memfs *fs, const unsigned char *data);

#endif
