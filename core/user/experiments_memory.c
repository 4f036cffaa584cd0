/* SPDX-License-Identifier: MIT */
/* Mapping, moving and copying memory, over sizes and alignments. */
#include "user/experiments.h"
#include "user/pager.h"

#define HERE 0x0000100000000000
#define THERE 0x0000110000000000
#define PAGES(bytes) (((bytes) + 2 * HK_PAGE_BYTES - 1) / HK_PAGE_BYTES)

/* parameter: pages */
static void map_unmap(struct hk_lab *lab, uint64_t ops)
{
    do {
        if (hk_syscall(HK_SYS_page_map, HERE, lab->parameter, HK_MAP_READ | HK_MAP_WRITE) != 0 ||
            hk_syscall(HK_SYS_page_unmap, HERE, lab->parameter, 0) != 0)
            lab->error = "the pages cannot be mapped";
    } while (--ops > 0);
}

static void map_here(struct hk_lab *lab)
{
    if (hk_syscall(HK_SYS_page_map, HERE, lab->parameter, HK_MAP_READ | HK_MAP_WRITE) != 0)
        lab->error = "the pages cannot be mapped";
}

static void unmap_here(struct hk_lab *lab)
{
    (void)hk_syscall(HK_SYS_page_unmap, HERE, lab->parameter, 0);
}

static void protect(struct hk_lab *lab, uint64_t ops)
{
    do {
        (void)hk_syscall(HK_SYS_page_protect, HERE, lab->parameter, HK_MAP_READ);
        if (hk_syscall(HK_SYS_page_protect, HERE, lab->parameter,
                       HK_MAP_READ | HK_MAP_WRITE) != 0)
            lab->error = "the pages cannot be protected";
    } while (--ops > 0);
}

/* parameter: bytes, offset in the page above bit 32 */
static uint64_t bytes_of(const struct hk_lab *lab)
{
    return lab->parameter & 0xffffffff;
}

static uint64_t offset_of(const struct hk_lab *lab)
{
    return lab->parameter >> 32;
}

static void map_both(struct hk_lab *lab)
{
    uint64_t pages = PAGES(bytes_of(lab));

    if (hk_syscall(HK_SYS_page_map, HERE, pages, HK_MAP_READ | HK_MAP_WRITE) != 0 ||
        hk_syscall(HK_SYS_page_map, THERE, pages, HK_MAP_READ | HK_MAP_WRITE) != 0)
        lab->error = "the pages cannot be mapped";
}

static void unmap_both(struct hk_lab *lab)
{
    /* page by page: a grant has taken some away */
    for (uint64_t i = 0; i < PAGES(bytes_of(lab)); i++) {
        (void)hk_syscall(HK_SYS_page_unmap, HERE + i * HK_PAGE_BYTES, 1, 0);
        (void)hk_syscall(HK_SYS_page_unmap, THERE + i * HK_PAGE_BYTES, 1, 0);
    }
}

/*
 * As in the native experiments of these names: the buffer goes to the other place, an
 * operation this way and the next one back, and every page is touched where it is now.
 */
static void hand_over(struct hk_lab *lab, uint64_t ops, bool grant)
{
    uint64_t bytes = bytes_of(lab), offset = offset_of(lab);
    uint64_t from = HERE + offset, to = THERE + offset;

    do {
        uint64_t next = from;
        int64_t status =
            grant ? hk_syscall5(HK_SYS_grant, HK_HANDLE_SELF, from, to, bytes, 0)
                  : hk_syscall5(HK_SYS_page_remap, HK_HANDLE_SELF, from, to,
                                bytes / HK_PAGE_BYTES, 0);

        if (status < 0) {
            lab->error = "the buffer cannot be handed over";
            return;
        }
        for (uint64_t at = 0; at < bytes; at += HK_PAGE_BYTES)
            ++*(volatile unsigned char *)(to + at);
        from = to;
        to = next;
    } while (--ops > 0);
}

/* Head and tail are copied, whole pages move. */
static void grant(struct hk_lab *lab, uint64_t ops)
{
    hand_over(lab, ops, true);
}

static void remap(struct hk_lab *lab, uint64_t ops)
{
    hand_over(lab, ops, false);
}

static void map_here_whole(struct hk_lab *lab)
{
    lab->handle = bytes_of(lab) / HK_PAGE_BYTES;
    if (hk_syscall(HK_SYS_page_map, HERE, lab->handle, HK_MAP_READ | HK_MAP_WRITE) != 0)
        lab->error = "the pages cannot be mapped";
}

static void unmap_here_whole(struct hk_lab *lab)
{
    (void)hk_syscall(HK_SYS_page_unmap, HERE, lab->handle, 0);
}

static void copy(struct hk_lab *lab, uint64_t ops)
{
    uint64_t bytes = bytes_of(lab), offset = offset_of(lab);

    do
        __builtin_memcpy((void *)(THERE + offset), (void *)(HERE + offset), bytes);
    while (--ops > 0);
}

/* Every run of the row takes new pages of a region within one page table. */
#define FAULT_PAGES 400
#define FAULT_TIMEOUT_NS (100 * (uint64_t)HK_NS_PER_MS)

static void page_by_pager(struct hk_lab *lab)
{
    if (lab->error == NULL && hk_pager_start(HK_PAGER_FRESH, &lab->server[0]) != HK_OK)
        lab->error = "the pager does not start";
    if (lab->error != NULL)
        return;
    lab->server_count = 1;
    lab->handle = HERE;
    if (hk_syscall5(HK_SYS_pager_bind, HK_HANDLE_SELF, HERE, FAULT_PAGES,
                    lab->server[0].endpoint, FAULT_TIMEOUT_NS) != HK_OK)
        lab->error = "the region cannot be bound";
    /* its table, and as many frames on the free list as the row will take */
    for (uint64_t at = 0; at < FAULT_PAGES; at += FAULT_PAGES / 2) {
        (void)hk_syscall(HK_SYS_page_map, HERE + at * HK_PAGE_BYTES, FAULT_PAGES / 2,
                         HK_MAP_READ | HK_MAP_WRITE);
        (void)hk_syscall(HK_SYS_page_unmap, HERE + at * HK_PAGE_BYTES, FAULT_PAGES / 2, 0);
    }
}

static void touch_pages(struct hk_lab *lab, uint64_t ops)
{
    uint64_t at = lab->handle;

    do {
        *(volatile uint64_t *)at = 2385;
        at += HK_PAGE_BYTES;
    } while (--ops > 0);
    lab->handle = at;
}

static void unbind(struct hk_lab *lab)
{
    for (uint64_t at = HERE; at < lab->handle; at += HK_PAGE_BYTES)
        (void)hk_syscall(HK_SYS_page_unmap, at, 1, 0);
    (void)hk_syscall(HK_SYS_pager_unbind, HK_HANDLE_SELF, HERE, 0);
    hk_lab_clear(lab);
}

#define AT(offset, bytes) ((uint64_t)(offset) << 32 | (bytes))
#define REMAP(bytes)                                                                         \
    { "guest/remap/page_remap/bytes:" #bytes, map_here_whole, remap, unmap_here_whole, bytes, \
      16, 0 }
#define GRANT_AND_COPY(name, offset, bytes)                                                  \
    { "guest/remap/grant/" name, map_both, grant, unmap_both, AT(offset, bytes), 16, 0 },    \
    { "guest/copy/memcpy/" name, map_both, copy, unmap_both, AT(offset, bytes), 16, 0 }

static const struct hk_experiment rows[] = {
    { "guest/map_unmap/pages:1", NULL, map_unmap, NULL, 1, 0, 0 },
    { "guest/map_unmap/pages:16", NULL, map_unmap, NULL, 16, 16, 0 },
    { "guest/map_unmap/pages:64", NULL, map_unmap, NULL, 64, 16, 0 },
    { "guest/protect/pages:1", map_here, protect, unmap_here, 1, 0, 0 },
    { "guest/protect/pages:16", map_here, protect, unmap_here, 16, 16, 0 },
    REMAP(4096),
    REMAP(16384),
    REMAP(65536),
    REMAP(262144),
    { "guest/page_fault/pager/spaces:2", page_by_pager, touch_pages, unbind, 0, 0, 0 },
    GRANT_AND_COPY("bytes:64/offset:0", 0, 64),
    GRANT_AND_COPY("bytes:4096/offset:0", 0, 4096),
    GRANT_AND_COPY("bytes:4096/offset:1", 1, 4096),
    GRANT_AND_COPY("bytes:16384/offset:0", 0, 16384),
    GRANT_AND_COPY("bytes:16384/offset:2048", 2048, 16384),
    GRANT_AND_COPY("bytes:65536/offset:0", 0, 65536),
    GRANT_AND_COPY("bytes:65536/offset:1", 1, 65536),
    GRANT_AND_COPY("bytes:262144/offset:0", 0, 262144),
};

const struct hk_experiment_table hk_experiments_memory = { rows, HK_ARRAY_COUNT(rows) };
