/* SPDX-License-Identifier: MIT */
/* Members of an `ar` archive, as the kernel's programs come. */
#ifndef HK_GUEST_ARCHIVE_H
#define HK_GUEST_ARCHIVE_H

#include <stddef.h>

#include "hk/base/status.h"

struct hk_archive_member {
    char name[17]; /* without the closing slash */
    const unsigned char *data;
    size_t bytes;
};

/*
 * The next member.
 *
 * archive   [in]      the file's bytes, any
 * position  [in,out]  0 to begin with
 * member    [out]     written only on success; data points into the archive
 *
 * Returns HK_OK; HK_ENOENT behind the last member; HK_EPARSE for what is no such archive.
 */
enum hk_status hk_archive_next(const unsigned char *archive, size_t bytes, size_t *position,
                               struct hk_archive_member *member);

#endif
