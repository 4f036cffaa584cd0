/* SPDX-License-Identifier: MIT */
/*
 * Launches between the processes of a run: the line that launches.jsonl would hold, so that
 * a torn answer is noticed by its missing end.
 */
#ifndef HK_RUN_WIRE_H
#define HK_RUN_WIRE_H

#include "hk/result/result.h"

struct hk_bytes {
    char *data;
    size_t bytes;
    size_t capacity;
};

void hk_bytes_fini(struct hk_bytes *buffer);

/* Append. HK_ENOMEM. */
enum hk_status hk_bytes_append(struct hk_bytes *buffer, const void *data, size_t bytes);

/* Append one launch as a line. HK_ENOMEM; HK_EINVAL when a text is no UTF-8. */
enum hk_status hk_wire_encode(const struct hk_launch *launch, struct hk_bytes *buffer);

/*
 * Take the first line off.
 *
 * data, bytes  [in]   what has been received
 * used         [out]  length of the line
 *
 * Returns HK_OK; HK_EEMPTY when the line is not complete; HK_EPARSE; HK_ENOMEM.
 */
enum hk_status hk_wire_decode(const char *data, size_t bytes, struct hk_launch *launch,
                              size_t *used);

/* Write all of it, through short writes and interrupts. HK_EPEER, HK_EIO. */
enum hk_status hk_write_all(int fd, const void *data, size_t bytes);

#endif
