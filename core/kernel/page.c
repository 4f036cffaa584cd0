/* SPDX-License-Identifier: MIT */
#include "kernel/page.h"

#include "kernel/kernel.h"
#include "port/port.h"

enum hk_status hk_page_init(struct hk_kernel *kernel, uint64_t base, uint64_t bytes)
{
    struct hk_page_pool *pool = &kernel->pages;
    uint64_t frames = bytes / HK_PAGE_BYTES;
    uint64_t table_pages =
        (frames * sizeof(struct hk_page) + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES;

    if (base % HK_PAGE_BYTES != 0 || frames >= HK_PAGE_END)
        return HK_EINVAL;
    if (frames <= table_pages)
        return HK_ENOMEM;
    pool->pages = hk_window(kernel, base);
    pool->base = base + table_pages * HK_PAGE_BYTES;
    pool->count = (uint32_t)(frames - table_pages);
    pool->free_first = HK_PAGE_END;
    pool->free_count = pool->count;
    pool->never_used = 0;
    return HK_OK;
}

static uint64_t address_of(const struct hk_page_pool *pool, uint32_t index)
{
    return pool->base + (uint64_t)index * HK_PAGE_BYTES;
}

/* Index of an allocated frame, or HK_PAGE_END. */
static uint32_t index_of(const struct hk_page_pool *pool, uint64_t physical)
{
    uint64_t index = (physical - pool->base) / HK_PAGE_BYTES;

    if (physical < pool->base || physical % HK_PAGE_BYTES != 0 || index >= pool->never_used)
        return HK_PAGE_END;
    return pool->pages[index].references == 0 ? HK_PAGE_END : (uint32_t)index;
}

enum hk_status hk_page_allocate(struct hk_kernel *kernel, uint32_t owner, uint64_t *physical)
{
    struct hk_page_pool *pool = &kernel->pages;
    uint32_t index = pool->free_first;
    struct hk_page *page;

    if (index != HK_PAGE_END) {
        page = &pool->pages[index];
        pool->free_first = page->next;
    } else if (pool->never_used < pool->count) {
        index = pool->never_used++;
        page = &pool->pages[index];
        page->use_count = 0;
    } else {
        return HK_ENOMEM;
    }
    pool->free_count--;
    page->owner = owner;
    page->references = 1;
    page->use_count++;
    *physical = address_of(pool, index);
    hk_port_zero(hk_window(kernel, *physical), HK_PAGE_BYTES);
    return HK_OK;
}

static bool is_free(const struct hk_page_pool *pool, uint32_t index)
{
    return index >= pool->never_used || pool->pages[index].references == 0;
}

/* First of count free frames side by side, or HK_PAGE_END. */
static uint32_t find_run(const struct hk_page_pool *pool, uint32_t count)
{
    uint32_t length = 0;

    if (pool->count - pool->never_used >= count)
        return pool->never_used;
    for (uint32_t index = 0; index < pool->count; index++) {
        length = is_free(pool, index) ? length + 1 : 0;
        if (length == count)
            return index + 1 - count;
    }
    return HK_PAGE_END;
}

/* Take the frames first .. first + count off the free list. */
static void unlink_run(struct hk_page_pool *pool, uint32_t first, uint32_t count)
{
    uint32_t *link = &pool->free_first;

    while (*link != HK_PAGE_END) {
        if (*link - first < count)
            *link = pool->pages[*link].next;
        else
            link = &pool->pages[*link].next;
    }
    for (; pool->never_used < first + count; pool->never_used++)
        pool->pages[pool->never_used].use_count = 0;
}

enum hk_status hk_page_allocate_run(struct hk_kernel *kernel, uint32_t owner, uint32_t count,
                                    uint64_t *physical)
{
    struct hk_page_pool *pool = &kernel->pages;
    uint32_t first;

    if (count == 0)
        return HK_EINVAL;
    first = find_run(pool, count);
    if (first == HK_PAGE_END)
        return HK_ENOMEM;
    unlink_run(pool, first, count);
    for (uint32_t index = first; index < first + count; index++) {
        pool->pages[index].owner = owner;
        pool->pages[index].references = 1;
        pool->pages[index].use_count++;
    }
    pool->free_count -= count;
    *physical = address_of(pool, first);
    hk_port_zero(hk_window(kernel, *physical), (uint64_t)count * HK_PAGE_BYTES);
    return HK_OK;
}

static void drop(struct hk_page_pool *pool, uint32_t index)
{
    struct hk_page *page = &pool->pages[index];

    if (--page->references > 0)
        return;
    page->next = pool->free_first;
    pool->free_first = index;
    pool->free_count++;
}

enum hk_status hk_page_free(struct hk_kernel *kernel, uint32_t owner, uint64_t physical)
{
    uint32_t index = index_of(&kernel->pages, physical);

    if (index == HK_PAGE_END)
        return HK_EINVAL;
    if (kernel->pages.pages[index].owner != owner)
        return HK_EPERM;
    drop(&kernel->pages, index);
    return HK_OK;
}

void hk_page_hold(struct hk_kernel *kernel, uint64_t physical)
{
    uint32_t index = index_of(&kernel->pages, physical);

    if (index != HK_PAGE_END)
        kernel->pages.pages[index].references++;
}

void hk_page_release(struct hk_kernel *kernel, uint64_t physical)
{
    uint32_t index = index_of(&kernel->pages, physical);

    if (index != HK_PAGE_END)
        drop(&kernel->pages, index);
}

void hk_page_release_run(struct hk_kernel *kernel, uint64_t physical, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        hk_page_release(kernel, physical + (uint64_t)i * HK_PAGE_BYTES);
}

void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner)
{
    uint32_t index = index_of(&kernel->pages, physical);

    if (index != HK_PAGE_END)
        kernel->pages.pages[index].owner = owner;
}

bool hk_page_belongs(const struct hk_kernel *kernel, uint64_t physical, uint32_t owner)
{
    uint32_t index = index_of(&kernel->pages, physical);
    const struct hk_page *page;

    if (index == HK_PAGE_END)
        return false;
    page = &kernel->pages.pages[index];
    return page->owner == owner && page->references == 1;
}

uint32_t hk_page_use_count(const struct hk_kernel *kernel, uint64_t physical)
{
    uint32_t index = index_of(&kernel->pages, physical);

    return index == HK_PAGE_END ? 0 : kernel->pages.pages[index].use_count;
}
