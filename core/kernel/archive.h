/* SPDX-License-Identifier: MIT */
/* The programs that come with the kernel, in one `ar` archive. */
#ifndef HK_KERNEL_ARCHIVE_H
#define HK_KERNEL_ARCHIVE_H

#include "kernel/types.h"

/*
 * Enter the members of an archive into kernel->modules.
 *
 * data, bytes  [in]  the file; must stay where it is; nothing in it is trusted
 *
 * Returns HK_OK; HK_EPARSE for what is no such archive; HK_ENOSPC for more than
 * HK_MODULE_COUNT members. Members before the error stay entered.
 */
enum hk_status hk_archive_open(struct hk_kernel *kernel, const unsigned char *data,
                               uint64_t bytes);

#endif
