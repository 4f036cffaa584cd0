/* SPDX-License-Identifier: MIT */
/*
 * Address spaces as 4-level page tables. Plain memory operations through the
 * kernel's window, so the hosted port runs the same code.
 */
#include "arch/x86_64/paging.h"

#include "kernel/kernel.h"
#include "port/port.h"

static uint32_t index_at(uint64_t address, uint32_t level)
{
    return (uint32_t)(address >> (12 + 9 * level)) % HK_PAGE_ENTRIES;
}

/*
 * The last-level entry for an address, or NULL when a table on the way is
 * missing and could not be made.
 */
static uint64_t *entry_of(struct hk_kernel *kernel, uint64_t root, uint64_t address, bool make)
{
    uint64_t *table = hk_window(kernel, root);

#pragma GCC unroll 3 /* constant shifts: half the instructions of a walk */
    for (uint32_t level = HK_PAGE_LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[index_at(address, level)];

        if (!(*entry & HK_PTE_PRESENT)) {
            uint64_t physical;

            if (!make ||
                hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, &physical) != HK_OK)
                return NULL;
            *entry = physical | HK_PTE_PRESENT | HK_PTE_WRITE | HK_PTE_USER;
        }
        table = hk_window(kernel, *entry & HK_PTE_ADDRESS);
    }
    return &table[index_at(address, 0)];
}

static bool is_user_page(uint64_t address)
{
    return address % HK_PAGE_BYTES == 0 && address < HK_USER_END;
}

/* W^X: HK_EINVAL for both, and for what no page can be (not readable). */
static enum hk_status bits_of(uint64_t protection, uint64_t *bits)
{
    bool write = protection & HK_MAP_WRITE;
    bool execute = protection & HK_MAP_EXECUTE;

    if ((write && execute) || !(protection & HK_MAP_READ) ||
        (protection & ~(uint64_t)(HK_MAP_READ | HK_MAP_WRITE | HK_MAP_EXECUTE)) != 0)
        return HK_EINVAL;
    *bits = HK_PTE_PRESENT | HK_PTE_USER | (write ? HK_PTE_WRITE : 0) |
            (execute ? 0 : HK_PTE_NO_EXECUTE);
    return HK_OK;
}

enum hk_status hk_space_init(struct hk_kernel *kernel, struct hk_space *space)
{
    uint64_t root;
    enum hk_status status = hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, &root);

    if (status != HK_OK)
        return status;
    if (kernel->kernel_root != 0) {
        const uint64_t *from = hk_window(kernel, kernel->kernel_root);
        uint64_t *to = hk_window(kernel, root);

        hk_port_copy(to + HK_PAGE_USER_ENTRIES, from + HK_PAGE_USER_ENTRIES,
                     (HK_PAGE_ENTRIES - HK_PAGE_USER_ENTRIES) * sizeof(*to));
    }
    space->root = root;
    space->page_count = 0;
    space->cached_page = HK_SPACE_NO_PAGE;
    return HK_OK;
}

/* Free what the first `count` entries of a table lead to: tables, and at level 0 pages. */
static void free_entries(struct hk_kernel *kernel, uint64_t physical, uint32_t level,
                         uint32_t count)
{
    const uint64_t *table = hk_window(kernel, physical);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t next = table[i] & HK_PTE_ADDRESS;

        if (!(table[i] & HK_PTE_PRESENT))
            continue;
        if (level > 0)
            free_entries(kernel, next, level - 1, HK_PAGE_ENTRIES);
        hk_page_release(kernel, next);
    }
}

void hk_space_fini(struct hk_kernel *kernel, struct hk_space *space)
{
    if (space->root == 0)
        return;
    free_entries(kernel, space->root, HK_PAGE_LEVELS - 1, HK_PAGE_USER_ENTRIES);
    hk_page_release(kernel, space->root);
    space->root = 0;
    space->page_count = 0;
    space->cached_page = HK_SPACE_NO_PAGE;
}

static inline enum hk_status map_page(struct hk_kernel *kernel, struct hk_space *space,
                                      uint64_t address, uint64_t physical, uint64_t protection,
                                      uint64_t more_bits)
{
    uint64_t bits;
    uint64_t *entry;
    enum hk_status status = bits_of(protection, &bits);

    if (status != HK_OK)
        return status;
    if (!is_user_page(address) || physical % HK_PAGE_BYTES != 0)
        return HK_EINVAL;
    entry = entry_of(kernel, space->root, address, true);
    if (entry == NULL)
        return HK_ENOMEM;
    if (*entry & HK_PTE_PRESENT)
        return HK_EEXIST;
    *entry = physical | bits | more_bits;
    space->page_count++;
    return HK_OK;
}

enum hk_status hk_space_map(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                            uint64_t physical, uint64_t protection)
{
    return map_page(kernel, space, address, physical, protection, 0);
}

enum hk_status hk_space_map_device(struct hk_kernel *kernel, struct hk_space *space,
                                   uint64_t address, uint64_t physical, uint64_t protection)
{
    return map_page(kernel, space, address, physical, protection,
                    HK_PTE_UNCACHED | HK_PTE_DEVICE);
}

enum hk_status hk_space_unmap(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                              uint64_t *physical)
{
    uint64_t *entry;

    if (!is_user_page(address))
        return HK_EINVAL;
    entry = entry_of(kernel, space->root, address, false);
    if (entry == NULL || !(*entry & HK_PTE_PRESENT))
        return HK_ENOENT;
    *physical = *entry & HK_PTE_ADDRESS;
    *entry = 0;
    space->page_count--;
    space->cached_page = HK_SPACE_NO_PAGE;
    return HK_OK;
}

enum hk_status hk_space_protect(struct hk_kernel *kernel, struct hk_space *space,
                                uint64_t address, uint64_t protection)
{
    uint64_t bits;
    uint64_t *entry;
    enum hk_status status = bits_of(protection, &bits);

    if (status != HK_OK)
        return status;
    if (!is_user_page(address))
        return HK_EINVAL;
    entry = entry_of(kernel, space->root, address, false);
    if (entry == NULL || !(*entry & HK_PTE_PRESENT))
        return HK_ENOENT;
    *entry = (*entry & HK_PTE_ADDRESS) | bits;
    space->cached_page = HK_SPACE_NO_PAGE;
    return HK_OK;
}

bool hk_space_permits(struct hk_kernel *kernel, const struct hk_space *space, uint64_t address,
                      uint64_t protection)
{
    const uint64_t *entry;

    if (address >= HK_USER_END || space->root == 0)
        return false;
    entry = entry_of(kernel, space->root, address, false);
    return entry != NULL && (*entry & HK_PTE_PRESENT) &&
           !((protection & HK_MAP_WRITE) && !(*entry & HK_PTE_WRITE)) &&
           !((protection & HK_MAP_EXECUTE) && (*entry & HK_PTE_NO_EXECUTE));
}

enum hk_status hk_space_walk(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                             uint64_t protection, void **window)
{
    uint64_t offset = address % HK_PAGE_BYTES;
    const uint64_t *entry;

    if (address >= HK_USER_END || space->root == 0)
        return HK_EFAULT;
    entry = entry_of(kernel, space->root, address, false);
    if (entry == NULL || (*entry & (HK_PTE_PRESENT | HK_PTE_DEVICE)) != HK_PTE_PRESENT ||
        ((protection & HK_MAP_WRITE) && !(*entry & HK_PTE_WRITE)))
        return HK_EFAULT;
    space->cached_page = address - offset;
    space->cached_window = (uint64_t)hk_window(kernel, *entry & HK_PTE_ADDRESS);
    space->cached_write = (*entry & HK_PTE_WRITE) != 0;
    *window = (void *)(space->cached_window + offset);
    return HK_OK;
}
