/* SPDX-License-Identifier: MIT */
/* The file system a Linux guest starts with. */
#ifndef HK_GUEST_INITRAMFS_H
#define HK_GUEST_INITRAMFS_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/guest/qemu.h"

/*
 * Make an initramfs of two files, /init and /cells, in memory.
 *
 * init_path  [in]   program that becomes /init
 * cells      [in]   names for /cells, one per line; none may hold a line break
 * fd         [out]  written on HK_OK only: a memory file at its start, inherited by children, to be
 *                   closed by the caller
 * error      [out]  on failure one line for people
 *
 * Format: cpio "newc", Linux Documentation/driver-api/early-userspace/buffer-format.rst.
 * Returns HK_OK; HK_ENOENT when the program cannot be read; HK_ENOMEM.
 */
enum hk_status hk_initramfs_create(const char *init_path, const char *const *cells, size_t count,
                                   int *fd, char error[HK_QEMU_ERROR_BYTES]);

#endif
