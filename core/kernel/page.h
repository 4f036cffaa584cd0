/* SPDX-License-Identifier: MIT */
/*
 * Page frames: one record per frame, a last-in-first-out list of freed frames, and
 * above never_used the frames that nobody has had yet, which cost nothing at boot.
 * A frame is zeroed before anyone gets it, so freed memory tells nothing. The last
 * frame freed is handed out first because it is the likeliest to be in the cache.
 */
#ifndef HK_KERNEL_PAGE_H
#define HK_KERNEL_PAGE_H

#include "kernel/types.h"

#define HK_PAGE_OWNER_KERNEL 0u /* pid of the kernel's own pages */

/* One page frame; 16 bytes, so that a frame's record is found by a shift. */
struct hk_page {
    uint32_t next;       /* while free: the frame freed before it, or HK_PAGE_END */
    uint32_t owner;      /* pid that allocated it */
    uint32_t references; /* 0 = free; shared frames have more than one */
    uint32_t use_count;  /* times handed out; 1: nobody had it before */
};

#define HK_PAGE_END 0xffffffffu

/* Frames base .. base + count pages; addresses are physical. */
struct hk_page_pool {
    struct hk_page *pages;
    uint64_t base;
    uint32_t count;
    uint32_t free_first;
    uint32_t free_count; /* freed or never used */
    uint32_t never_used; /* frames from here on have never been handed out */
};

/*
 * Take over a physical range; its first pages hold the table.
 *
 * base, bytes  [in]  page-aligned; reached through the kernel's window
 *
 * Returns HK_OK; HK_EINVAL for a bad alignment; HK_ENOMEM when no frame is left
 * beside the table. Cost O(1): a record is written when its frame is first used.
 */
enum hk_status hk_page_init(struct hk_kernel *kernel, uint64_t base, uint64_t bytes);

/*
 * Allocate one zeroed frame with one reference.
 *
 * owner     [in]   pid
 * physical  [out]  its address
 *
 * Returns HK_OK; HK_ENOMEM. Cost O(1) plus zeroing.
 */
enum hk_status hk_page_allocate(struct hk_kernel *kernel, uint32_t owner, uint64_t *physical);

/*
 * Allocate frames that lie side by side, zeroed, each with one reference.
 *
 * count     [in]   1 ...
 * physical  [out]  address of the first
 *
 * Returns HK_OK; HK_EINVAL for 0; HK_ENOMEM. Cost O(1) plus zeroing while never used
 * frames last, then O(frames) to find a gap.
 */
enum hk_status hk_page_allocate_run(struct hk_kernel *kernel, uint32_t owner, uint32_t count,
                                    uint64_t *physical);

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

/* As hk_page_release for each frame of a run. */
void hk_page_release_run(struct hk_kernel *kernel, uint64_t physical, uint32_t count);

/* Hand a frame to another owner (grant). */
void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner);

/* Whether a frame is in use by this owner and by nobody else. */
bool hk_page_belongs(const struct hk_kernel *kernel, uint64_t physical, uint32_t owner);

/* How often a frame was handed out, this time included; 0 for an address that is no frame. */
uint32_t hk_page_use_count(const struct hk_kernel *kernel, uint64_t physical);

#endif
