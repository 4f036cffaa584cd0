/* SPDX-License-Identifier: MIT */
/*
 * Page frames: a LIFO free list over a table with one record per frame. A frame
 * is zeroed before anyone gets it, so freed memory tells nothing.
 */
#ifndef HK_KERNEL_PAGE_H
#define HK_KERNEL_PAGE_H

#include "kernel/types.h"

#define HK_PAGE_OWNER_KERNEL 0u /* pid of the kernel's own pages */

/* One page frame. */
struct hk_page {
    uint32_t next;       /* free list: index of the next, HK_PAGE_END at its end */
    uint32_t owner;      /* pid that allocated it */
    uint32_t references; /* 0 = free; shared frames have more than one */
};

#define HK_PAGE_END 0xffffffffu

/* Frames base .. base + count - 1 pages; addresses are physical. */
struct hk_page_pool {
    struct hk_page *pages;
    uint64_t base;
    uint32_t count;
    uint32_t free_first;
    uint32_t free_count;
    uint32_t never_used;  /* frames from here on have never been handed out */
};

/*
 * Take over a physical range; its first pages hold the table.
 *
 * base, bytes  [in]  page-aligned; reached through the kernel's window
 */
enum hk_status hk_page_init(struct hk_kernel *kernel, uint64_t base, uint64_t bytes);

/* Allocate one zeroed frame. HK_ENOMEM. Cost O(1) plus zeroing. */
enum hk_status hk_page_allocate(struct hk_kernel *kernel, uint32_t owner, uint64_t *physical);

/*
 * Drop one reference; the last frees the frame.
 *
 * Returns HK_OK; HK_EINVAL for an address that is no frame or already free;
 * HK_EPERM when it is another owner's. Cost O(1).
 */
enum hk_status hk_page_free(struct hk_kernel *kernel, uint32_t owner, uint64_t physical);

/* Add a reference to an allocated frame (shared memory). */
void hk_page_hold(struct hk_kernel *kernel, uint64_t physical);

/* Drop a reference whoever the owner is: mappings of shared frames. */
void hk_page_release(struct hk_kernel *kernel, uint64_t physical);

/* Hand a frame to another owner (grant). */
void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner);

#endif
