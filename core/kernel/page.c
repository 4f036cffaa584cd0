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

    if (index != HK_PAGE_END)
        pool->free_first = pool->pages[index].next;
    else if (pool->never_used < pool->count)
        index = pool->never_used++;
    else
        return HK_ENOMEM;
    pool->free_count--;
    pool->pages[index].owner = owner;
    pool->pages[index].references = 1;
    *physical = pool->base + (uint64_t)index * HK_PAGE_BYTES;
    hk_port_zero(hk_window(kernel, *physical), HK_PAGE_BYTES);
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

void hk_page_give(struct hk_kernel *kernel, uint64_t physical, uint32_t owner)
{
    uint32_t index = index_of(&kernel->pages, physical);

    if (index != HK_PAGE_END)
        kernel->pages.pages[index].owner = owner;
}
