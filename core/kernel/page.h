/* SPDX-License-Identifier: MIT */
/*
 * Page frames: one record per frame, a last-in-first-out list of freed frames, and
 * above never_used the frames that nobody has had yet, which cost nothing at boot.
 * A frame is zeroed before anyone gets it, so freed memory tells nothing. The last
 * frame freed is handed out first because it is the likeliest to be in the cache.
 *
 * The hot path is inline; what is rare is in page.c.
 */
#ifndef HK_KERNEL_PAGE_H
#define HK_KERNEL_PAGE_H

#include "kernel/types.h"
#include "port/port.h"

#define HK_PAGE_OWNER_KERNEL 0u /* pid of the kernel's own pages */

/* One reference in hk_page.holders. */
#define HK_PAGE_REFERENCE (1ull << 32)

/*
 * One page frame. Owner (pid, low half) and number of references (high half) share
 * a word, so that one comparison answers "in use, by this owner, by nobody else".
 */
struct hk_page {
    uint64_t holders;     /* 0 references: free */
    struct hk_page *next; /* while free: the frame freed before it */
};

/* Frames base .. base + count pages; addresses are physical. */
struct hk_page_pool {
    struct hk_page *pages;
    uintptr_t origin;     /* where the record of physical address 0 would be */
    uintptr_t window;     /* kernel address of physical address 0 */
    uint64_t base;
    uint64_t never_used;  /* frames from here on have never been handed out */
    uint32_t count;
    uint32_t free_count;  /* freed or never used */
    struct hk_page *free; /* freed, last first */
    bool ran_out;         /* somebody has been refused a frame */
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

/* The next frame nobody has had, on no list; NULL when all have been used. */
struct hk_page *hk_page_fresh(struct hk_page_pool *pool);

/* hk_page_pool_free() for frames that are not simply the owner's alone. */
enum hk_status hk_page_pool_free_slowly(struct hk_page_pool *pool, uint32_t owner,
                                        uint64_t physical);

/*
 * Allocate one zeroed frame with one reference.
 *
 * owner     [in]   pid
 * physical  [out]  its address
 *
 * Returns HK_OK; HK_ENOMEM. Cost O(1): about ten instructions plus zeroing.
 */
static inline enum hk_status hk_page_pool_allocate(struct hk_page_pool *pool, uint32_t owner,
                                                   uint64_t *physical)
{
    struct hk_page *page = pool->free;
    uint64_t address;

    if (__builtin_expect(page != NULL, 1))
        pool->free = page->next;
    else if ((page = hk_page_fresh(pool)) == NULL)
        return HK_ENOMEM;
    pool->free_count--;
    page->holders = HK_PAGE_REFERENCE | owner;
    address = ((uintptr_t)page - pool->origin) * (HK_PAGE_BYTES / sizeof(struct hk_page));
    *physical = address;
    hk_port_zero((void *)(pool->window + address), HK_PAGE_BYTES);
    return HK_OK;
}

/* Index of the frame at an address; 2^52 and more for an address within a page. */
static inline uint64_t hk_page_index(const struct hk_page_pool *pool, uint64_t physical)
{
    uint64_t offset = physical - pool->base;

    return offset / HK_PAGE_BYTES | offset << 52; /* one rotation */
}

/*
 * Drop one reference; the last frees the frame.
 *
 * Returns HK_OK; HK_EINVAL for an address that is no frame or already free;
 * HK_EPERM when it is another owner's. Cost O(1): about twelve instructions.
 */
static inline enum hk_status hk_page_pool_free(struct hk_page_pool *pool, uint32_t owner,
                                               uint64_t physical)
{
    uint64_t index = hk_page_index(pool, physical);
    struct hk_page *page;

    if (__builtin_expect(index >= pool->never_used, 0))
        return HK_EINVAL;
    page = &pool->pages[index];
    if (__builtin_expect(page->holders != (HK_PAGE_REFERENCE | owner), 0))
        return hk_page_pool_free_slowly(pool, owner, physical);
    page->holders = 0;
    page->next = pool->free;
    pool->free = page;
    pool->free_count++;
    return HK_OK;
}

/* The same on the kernel's pool; inline in kernel/kernel.h. */
static inline enum hk_status hk_page_allocate(struct hk_kernel *kernel, uint32_t owner,
                                              uint64_t *physical);
static inline enum hk_status hk_page_free(struct hk_kernel *kernel, uint32_t owner,
                                          uint64_t physical);

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

/* Add a reference to an allocated frame (shared memory). */
void hk_page_hold(struct hk_kernel *kernel, uint64_t physical);

/* Drop a reference whoever the owner is: mappings of shared frames. */
void hk_page_release(struct hk_kernel *kernel, uint64_t physical);

/* As hk_page_release for each frame of a run. */
void hk_page_release_run(struct hk_kernel *kernel, uint64_t physical, uint32_t count);

/* Hand a frame to another owner (grant). */
void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner);

/* How many references an allocated frame has; 0 for what is none. */
uint32_t hk_page_holders(const struct hk_kernel *kernel, uint64_t physical);

/* Whether a frame is in use by this owner and by nobody else. */
bool hk_page_belongs(const struct hk_kernel *kernel, uint64_t physical, uint32_t owner);

#endif
