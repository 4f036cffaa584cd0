/* SPDX-License-Identifier: MIT */
#include "kernel/page.h"

#include "kernel/kernel.h"

enum hk_status hk_page_init(struct hk_kernel *kernel, uint64_t base, uint64_t bytes)
{
    struct hk_page_pool *pool = &kernel->pages;
    uint64_t frames = bytes / HK_PAGE_BYTES;
    uint64_t table_pages =
        (frames * sizeof(struct hk_page) + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES;

    if (base % HK_PAGE_BYTES != 0 || frames > UINT32_MAX)
        return HK_EINVAL;
    if (frames <= table_pages)
        return HK_ENOMEM;
    *pool = (struct hk_page_pool){
        .pages = hk_window(kernel, base),
        .window = kernel->window,
        .base = base + table_pages * HK_PAGE_BYTES,
        .count = (uint32_t)(frames - table_pages),
        .free_count = (uint32_t)(frames - table_pages),
    };
    pool->origin =
        (uintptr_t)pool->pages - pool->base / HK_PAGE_BYTES * sizeof(struct hk_page);
    return HK_OK;
}

struct hk_page *hk_page_fresh(struct hk_page_pool *pool)
{
    if (pool->never_used < pool->count)
        return &pool->pages[pool->never_used++];
    pool->ran_out = true;
    return NULL;
}

/* Record of an allocated frame, or NULL. */
static struct hk_page *find(const struct hk_page_pool *pool, uint64_t physical)
{
    uint64_t index = hk_page_index(pool, physical);

    if (index >= pool->never_used || pool->pages[index].holders < HK_PAGE_REFERENCE)
        return NULL;
    return &pool->pages[index];
}

static void drop(struct hk_page_pool *pool, struct hk_page *page)
{
    page->holders -= HK_PAGE_REFERENCE;
    if (page->holders >= HK_PAGE_REFERENCE)
        return;
    page->next = pool->free;
    pool->free = page;
    pool->free_count++;
}

enum hk_status hk_page_pool_free_slowly(struct hk_page_pool *pool, uint32_t owner,
                                        uint64_t physical)
{
    struct hk_page *page = find(pool, physical);

    if (page == NULL)
        return HK_EINVAL;
    if ((uint32_t)page->holders != owner)
        return HK_EPERM;
    drop(pool, page);
    return HK_OK;
}

static bool is_free(const struct hk_page_pool *pool, uint32_t index)
{
    return index >= pool->never_used || pool->pages[index].holders < HK_PAGE_REFERENCE;
}

/* First of count free frames side by side; pool->count when there are none. */
static uint32_t find_run(const struct hk_page_pool *pool, uint32_t count)
{
    uint32_t length = 0;

    if (pool->count - pool->never_used >= count)
        return (uint32_t)pool->never_used;
    for (uint32_t index = 0; index < pool->count; index++) {
        length = is_free(pool, index) ? length + 1 : 0;
        if (length == count)
            return index + 1 - count;
    }
    return pool->count;
}

/* Take the frames first .. first + count off the free list. */
static void unlink_run(struct hk_page_pool *pool, uint32_t first, uint32_t count)
{
    struct hk_page **link = &pool->free;

    while (*link != NULL) {
        if ((uint64_t)(*link - pool->pages) - first < count)
            *link = (*link)->next;
        else
            link = &(*link)->next;
    }
    if (pool->never_used < first + count)
        pool->never_used = first + count;
}

enum hk_status hk_page_allocate_run(struct hk_kernel *kernel, uint32_t owner, uint32_t count,
                                    uint64_t *physical)
{
    struct hk_page_pool *pool = &kernel->pages;
    uint32_t first;

    if (count == 0)
        return HK_EINVAL;
    first = find_run(pool, count);
    if (first == pool->count)
        return HK_ENOMEM;
    unlink_run(pool, first, count);
    for (uint32_t index = first; index < first + count; index++)
        pool->pages[index].holders = HK_PAGE_REFERENCE | owner;
    pool->free_count -= count;
    *physical = pool->base + (uint64_t)first * HK_PAGE_BYTES;
    hk_port_zero(hk_window(kernel, *physical), (uint64_t)count * HK_PAGE_BYTES);
    return HK_OK;
}

void hk_page_hold(struct hk_kernel *kernel, uint64_t physical)
{
    struct hk_page *page = find(&kernel->pages, physical);

    if (page != NULL)
        page->holders += HK_PAGE_REFERENCE;
}

void hk_page_release(struct hk_kernel *kernel, uint64_t physical)
{
    struct hk_page *page = find(&kernel->pages, physical);

    if (page != NULL)
        drop(&kernel->pages, page);
}

void hk_page_release_run(struct hk_kernel *kernel, uint64_t physical, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        hk_page_release(kernel, physical + (uint64_t)i * HK_PAGE_BYTES);
}

void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner)
{
    struct hk_page *page = find(&kernel->pages, physical);

    if (page != NULL)
        page->holders = (page->holders & ~(uint64_t)UINT32_MAX) | owner;
}

uint32_t hk_page_holders(const struct hk_kernel *kernel, uint64_t physical)
{
    const struct hk_page *page = find(&kernel->pages, physical);

    return page == NULL ? 0 : (uint32_t)(page->holders / HK_PAGE_REFERENCE);
}

bool hk_page_belongs(const struct hk_kernel *kernel, uint64_t physical, uint32_t owner)
{
    const struct hk_page *page = find(&kernel->pages, physical);

    return page != NULL && page->holders == (HK_PAGE_REFERENCE | owner);
}
