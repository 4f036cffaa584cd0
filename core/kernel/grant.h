/* SPDX-License-Identifier: MIT */
/*
 * Grants: a buffer changes its process. Whole pages inside it move without being
 * copied; what is before the first and behind the last page boundary is copied.
 */
#ifndef HK_KERNEL_GRANT_H
#define HK_KERNEL_GRANT_H

#include "kernel/types.h"

#define HK_GRANT_BYTES_MAX (4 * HK_MIB) /* of one grant: bounds the time with interrupts off */

/* How a buffer divides. */
struct hk_grant_split {
    uint64_t head_bytes; /* copied, before the first whole page */
    uint64_t page_count; /* whole pages, moved */
    uint64_t tail_bytes; /* copied, behind the last whole page */
};

/*
 * The partial-mapping law.
 *
 * from, to  [in]  addresses; pages can only move when both are at the same place
 *                 in their page
 * bytes     [in]  length
 *
 * For a uniformly distributed place in the page and at least 4095 bytes, 4095
 * bytes are copied on average, whatever the length.
 */
struct hk_grant_split hk_grant_split(uint64_t from, uint64_t to, uint64_t bytes);

/*
 * Move a buffer between processes, which may be one process if the ranges do not
 * overlap. A page moves if it belongs to the giver; it leaves the giver's space
 * and replaces what the receiver had there. Shared pages are copied. Head, tail
 * and copied pages need writable memory at the receiver.
 *
 * copied_bytes  [out]  bytes that were copied after all
 *
 * Returns HK_OK; HK_EINVAL for a bad range; HK_ETOOBIG above HK_GRANT_BYTES_MAX;
 * HK_EFAULT; HK_ENOMEM. After an error a leading part may have moved.
 */
enum hk_status hk_grant(struct hk_cpu *cpu, struct hk_process *giver, uint64_t from,
                        struct hk_process *receiver, uint64_t to, uint64_t bytes,
                        uint64_t *copied_bytes);

#endif
