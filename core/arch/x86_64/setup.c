/* SPDX-License-Identifier: MIT */
/* The kernel's own page tables: what boot.S made in haste, done properly. */
#include "arch/x86_64/machine.h"
#include "arch/x86_64/paging.h"

#define LARGE_PAGE_BYTES (2 * HK_MIB)
#define DEVICES_FIRST 0xfea00000 /* virtio of microvm, I/O APIC, local APIC: a large page each */
#define DEVICES_LAST 0xfee00000

/* The table that entry leads to, made if it is not there. */
static uint64_t *next_table(struct hk_kernel *kernel, uint64_t *entry)
{
    uint64_t physical;

    if (!(*entry & HK_PTE_PRESENT)) {
        if (hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, &physical) != HK_OK)
            return NULL;
        *entry = physical | HK_PTE_PRESENT | HK_PTE_WRITE;
    }
    return hk_window(kernel, *entry & HK_PTE_ADDRESS);
}

/* The entry for an address at level 1 (2 MiB) or 0 (4 KiB). */
static uint64_t *kernel_entry(struct hk_kernel *kernel, uint64_t address, uint32_t level)
{
    uint64_t *table = hk_window(kernel, kernel->kernel_root);

    for (uint32_t at = HK_PAGE_LEVELS - 1; at > level && table != NULL; at--)
        table = next_table(kernel, &table[address >> (12 + 9 * at) & (HK_PAGE_ENTRIES - 1)]);
    if (table == NULL)
        return NULL;
    return &table[address >> (12 + 9 * level) & (HK_PAGE_ENTRIES - 1)];
}

static enum hk_status map_large(struct hk_kernel *kernel, uint64_t physical, uint64_t bits)
{
    uint64_t *entry = kernel_entry(kernel, HK_DIRECT_MAP + physical, 1);

    if (entry == NULL)
        return HK_ENOMEM;
    *entry = physical | bits | HK_PTE_PRESENT | HK_PTE_WRITE | HK_PTE_LARGE | HK_PTE_NO_EXECUTE;
    return HK_OK;
}

static enum hk_status map_small(struct hk_kernel *kernel, uint64_t address, uint64_t physical,
                                uint64_t bits)
{
    uint64_t *entry = kernel_entry(kernel, address, 0);

    if (entry == NULL)
        return HK_ENOMEM;
    *entry = physical | bits;
    return HK_OK;
}

/* What may be done to a page of the image; 0: guard, not mapped. */
static uint64_t image_bits(uint64_t address)
{
    if (address == (uint64_t)hk_kernel_stack_guard || address == (uint64_t)hk_fault_stack_guard)
        return 0;
    if (address < (uint64_t)hk_image_rodata)
        return HK_PTE_PRESENT;
    if (address < (uint64_t)hk_image_data)
        return HK_PTE_PRESENT | HK_PTE_NO_EXECUTE;
    return HK_PTE_PRESENT | HK_PTE_NO_EXECUTE | HK_PTE_WRITE;
}

/* The image where it is linked, and in the direct map: never writable where it is code. */
static enum hk_status map_image(struct hk_kernel *kernel)
{
    enum hk_status status = HK_OK;
    uint64_t first = (uint64_t)hk_image_text;

    for (uint64_t at = first; at < (uint64_t)hk_image_end && status == HK_OK;
         at += HK_PAGE_BYTES)
        status = map_small(kernel, at, at - HK_IMAGE_BASE, image_bits(at));
    return status;
}

/* Low memory with the image in it, in small pages. */
static enum hk_status map_low(struct hk_kernel *kernel, uint64_t end)
{
    enum hk_status status = HK_OK;

    for (uint64_t physical = 0; physical < end && status == HK_OK; physical += HK_PAGE_BYTES) {
        uint64_t image = physical + HK_IMAGE_BASE;
        uint64_t bits = HK_PTE_PRESENT | HK_PTE_NO_EXECUTE | HK_PTE_WRITE;

        if (image >= (uint64_t)hk_image_text && image < (uint64_t)hk_image_end) {
            bits = image_bits(image);
            if (bits != 0)
                bits |= HK_PTE_NO_EXECUTE;
        }
        status = map_small(kernel, HK_DIRECT_MAP + physical, physical, bits);
    }
    return status;
}

enum hk_status hk_paging_setup(struct hk_kernel *kernel, uint64_t memory_end)
{
    uint64_t image_end = (uint64_t)hk_image_end - HK_IMAGE_BASE;
    uint64_t low_end = (image_end + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    enum hk_status status =
        hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, &kernel->kernel_root);

    if (status == HK_OK)
        status = map_image(kernel);
    if (status == HK_OK)
        status = map_low(kernel, low_end);
    for (uint64_t at = low_end; at < memory_end && status == HK_OK; at += LARGE_PAGE_BYTES)
        status = map_large(kernel, at, 0);
    for (uint64_t at = DEVICES_FIRST; at <= DEVICES_LAST && status == HK_OK;
         at += LARGE_PAGE_BYTES)
        status = map_large(kernel, at, HK_PTE_UNCACHED);
    if (status == HK_OK)
        hk_write_cr3(kernel->kernel_root);
    return status;
}
