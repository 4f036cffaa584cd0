/* SPDX-License-Identifier: MIT */
/* The file services, one file each, and what they share. file.c lists them. */
#ifndef HK_PATH_FILES_H
#define HK_PATH_FILES_H

#include <stdatomic.h>

#include "hk/path/file.h"
#include "memfs.h"

/* Seen by client and server. */
struct hk_file_shared {
    _Atomic uint64_t requests;
};

/* The file that everybody uses. */
#define HK_FILE_NAME "records"

extern const struct hk_file_service hk_file_service_memfs;
extern const struct hk_file_service hk_file_service_tmpfs;
extern const struct hk_file_service hk_file_service_ext4;
extern const struct hk_file_service hk_file_service_fuse;
extern const struct hk_file_service hk_file_service_loop;
extern const struct hk_file_service hk_file_service_nbd;
extern const struct hk_file_service hk_file_service_ublk;

/* A file system of our own with the file in it, filled with file->expected. */
enum hk_status hk_file_memfs(const struct hk_file *file, struct hk_memfs **fs);

/* Open the file in file->folder. HK_EIO, HK_ENOTSUP with the reason. */
enum hk_status hk_file_open_in_folder(struct hk_file *file, bool create,
                                      char reason[HK_REASON_BYTES]);

/* A device is as long as one read. HK_EINVAL with the reason when that is not whole pages. */
enum hk_status hk_block_check(const struct hk_file *file, char reason[HK_REASON_BYTES]);

/* The operations by system calls on file->fd and file->folder. */
enum hk_status hk_file_run_syscalls(struct hk_file *file, uint64_t n);

#endif
