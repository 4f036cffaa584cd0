/* SPDX-License-Identifier: MIT */
/* Shared memory: zeroed pages that several address spaces map. */
#ifndef HK_KERNEL_SHM_H
#define HK_KERNEL_SHM_H

#include "kernel/types.h"

#define HK_SHM_PAGES_MAX (HK_PAGE_BYTES / 8) /* their addresses fit one page */

/* Each frame has one reference of the object and one of each mapping. */
struct hk_shm {
    struct hk_object object;
    uint32_t page_count;
    uint64_t table; /* physical address of a page with the frames' addresses */
};

/*
 * Create shared memory with one reference; the pages belong to the kernel, so no
 * mapping of them can be made stronger than the capability it came from.
 *
 * Returns HK_OK; HK_EINVAL for 0 pages; HK_ETOOBIG above HK_SHM_PAGES_MAX; HK_ENOMEM.
 */
enum hk_status hk_shm_create(struct hk_cpu *cpu, uint64_t pages, struct hk_shm **shm);

/*
 * Map all pages, side by side; all or nothing.
 *
 * address     [in]  page-aligned, between HK_USER_BASE and HK_USER_IPC_BASE
 * protection  [in]  HK_MAP_READ, with or without HK_MAP_WRITE
 *
 * Returns HK_OK; HK_EINVAL; HK_EEXIST when a page is mapped there; HK_ENOMEM.
 */
enum hk_status hk_shm_map(struct hk_cpu *cpu, struct hk_shm *shm, struct hk_process *process,
                          uint64_t address, uint64_t protection);

/* Unmap all pages. HK_OK; HK_ENOENT when it is not mapped there (nothing is unmapped then). */
enum hk_status hk_shm_unmap(struct hk_cpu *cpu, struct hk_shm *shm, struct hk_process *process,
                            uint64_t address);

/* For the row of hk_object_types[]. */
void hk_shm_destroy(struct hk_cpu *cpu, struct hk_object *object);

#endif
