/* SPDX-License-Identifier: MIT */
/*
 * Address spaces. The kernel never touches user memory through user addresses:
 * it walks the page tables and uses its own window on physical memory. So a bad
 * pointer is a status and not a fault, SMAP stays on at all times, and the same
 * code works on the hosted port's memory.
 */
#ifndef HK_KERNEL_SPACE_H
#define HK_KERNEL_SPACE_H

#include "kernel/types.h"

#define HK_SPACE_PAGES_MAX 8192 /* what one process may map: nobody takes all memory */

struct hk_space {
    uint64_t root;       /* physical address of the top table; 0 = none */
    uint32_t page_count; /* user pages mapped */
    bool cached_write;   /* the page looked up last: may the user write it, */
    uint64_t cached_page; /* where is it (HK_SPACE_NO_PAGE: none), */
    uint64_t cached_window; /* and where does the kernel see it */
};

#define HK_SPACE_NO_PAGE 1ull

enum hk_status hk_space_init(struct hk_kernel *kernel, struct hk_space *space);

/* Unmap and free everything, tables included. */
void hk_space_fini(struct hk_kernel *kernel, struct hk_space *space);

/*
 * Map one page frame.
 *
 * address   [in]  page-aligned user address, below HK_USER_END
 * physical  [in]  frame; the mapping takes one reference over from the caller
 * protection [in] HK_MAP_*
 *
 * Returns HK_OK; HK_EINVAL (alignment, range, write together with execute);
 * HK_EEXIST when something is mapped there; HK_ENOMEM for a table.
 */
enum hk_status hk_space_map(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                            uint64_t physical, uint64_t protection);

/*
 * Map one page of device registers, uncached. The kernel itself does not see it: as the buffer of a
 * system call it is HK_EFAULT. Returns as hk_space_map().
 */
enum hk_status hk_space_map_device(struct hk_kernel *kernel, struct hk_space *space,
                                   uint64_t address, uint64_t physical, uint64_t protection);

/* Allocate a zeroed frame for a process and map it; as hk_page_allocate() and hk_space_map(). */
enum hk_status hk_space_map_fresh(struct hk_kernel *kernel, struct hk_space *space, uint32_t pid,
                                  uint64_t address, uint64_t protection);

/* Unmap one page; the caller gets the mapping's reference. HK_ENOENT if nothing is there. */
enum hk_status hk_space_unmap(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                              uint64_t *physical);

/* Whether a page is there that lets the user do all of this. */
bool hk_space_permits(struct hk_kernel *kernel, const struct hk_space *space, uint64_t address,
                      uint64_t protection);

/* HK_OK where a mapped page is this process's alone; HK_ENOENT; HK_EPERM. */
enum hk_status hk_space_owned(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                              uint32_t pid);

/*
 * A range that one call may map or move: whole pages below the IPC pages, and no more than keep
 * interrupts off for a short time. HK_OK; HK_EINVAL; HK_ETOOBIG.
 */
enum hk_status hk_space_check_range(uint64_t address, uint64_t count);

/* Change the protection of one mapped page. */
enum hk_status hk_space_protect(struct hk_kernel *kernel, struct hk_space *space,
                                uint64_t address, uint64_t protection);

/* As hk_space_find(), by walking the tables; remembers the page for the next time. */
enum hk_status hk_space_walk(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                             uint64_t protection, void **window);

/*
 * Find the memory behind a user address.
 *
 * protection  [in]  HK_MAP_* the user must have there
 * window      [out] kernel pointer to that byte, valid to the end of its page
 *
 * Returns HK_OK; HK_EFAULT. Cost a few instructions for the page of the last time.
 */
static inline enum hk_status hk_space_find(struct hk_kernel *kernel, struct hk_space *space,
                                           uint64_t address, uint64_t protection, void **window)
{
    if (space->cached_page != (address & ~(uint64_t)(HK_PAGE_BYTES - 1)) ||
        (!space->cached_write && (protection & HK_MAP_WRITE)))
        return hk_space_walk(kernel, space, address, protection, window);
    *window = (void *)(space->cached_window + address % HK_PAGE_BYTES);
    return HK_OK;
}

/* The same if it is the page of the last time, else NULL: for paths that have another way. */
static inline void *hk_space_window(const struct hk_space *space, uint64_t address,
                                    uint64_t protection)
{
    if (space->cached_page != (address & ~(uint64_t)(HK_PAGE_BYTES - 1)) ||
        (!space->cached_write && (protection & HK_MAP_WRITE)))
        return NULL;
    return (void *)(space->cached_window + address % HK_PAGE_BYTES);
}

/*
 * Copy between user memory and kernel memory, or between two spaces. On
 * HK_EFAULT the part before the bad page may have been copied.
 */
enum hk_status hk_space_read(struct hk_kernel *kernel, struct hk_space *space,
                             uint64_t address, void *to, uint64_t bytes);
enum hk_status hk_space_write(struct hk_kernel *kernel, struct hk_space *space,
                              uint64_t address, const void *from, uint64_t bytes);
enum hk_status hk_space_copy(struct hk_kernel *kernel, struct hk_space *to,
                             uint64_t to_address, struct hk_space *from,
                             uint64_t from_address, uint64_t bytes);

/*
 * Move one mapped page to another process, writable there, without a copy.
 *
 * Returns HK_OK; HK_ENOENT when nothing is mapped at from_address; HK_EPERM when
 * the page is shared; HK_EEXIST when something is at to_address; HK_EINVAL,
 * HK_ENOMEM. After an error it is where it was, readable and writable.
 */
enum hk_status hk_space_move(struct hk_cpu *cpu, struct hk_process *from, uint64_t from_address,
                             struct hk_process *to, uint64_t to_address);

#endif
