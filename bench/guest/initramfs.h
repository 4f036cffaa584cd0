/* SPDX-License-Identifier: MIT */
/* The file system a Linux guest starts with. */
#ifndef HK_GUEST_INITRAMFS_H
#define HK_GUEST_INITRAMFS_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/guest/qemu.h"

/* What goes into it. */
struct hk_initramfs {
    const char *init;          /* program that becomes /init */
    const char *const *cells;  /* names for /cells, one per line; none may hold a line break */
    size_t cell_count;
    const char *const *modules; /* of the kernel, for /modules, by their own names */
    size_t module_count;
};

/*
 * Make an initramfs of /init, /cells and /modules in memory.
 *
 * fd         [out]  written on HK_OK only: a memory file at its start, inherited by children, to be
 *                   closed by the caller
 * error      [out]  on failure one line for people
 *
 * Format: cpio "newc", Linux Documentation/driver-api/early-userspace/buffer-format.rst.
 * Returns HK_OK; HK_ENOENT when the program or a module cannot be read; HK_ENOMEM.
 */
enum hk_status hk_initramfs_create(const struct hk_initramfs *contents, int *fd,
                                   char error[HK_QEMU_ERROR_BYTES]);

#endif
