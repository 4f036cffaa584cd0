/* SPDX-License-Identifier: MIT */
/* Bits of page table entries, and the split of the address space. */
#ifndef HK_ARCH_PAGING_H
#define HK_ARCH_PAGING_H

#define HK_PTE_PRESENT 0x1ull
#define HK_PTE_WRITE 0x2ull
#define HK_PTE_USER 0x4ull
#define HK_PTE_UNCACHED 0x18ull /* write-through and cache-disable: device registers */
#define HK_PTE_DEVICE 0x200ull  /* ignored by the hardware: not memory */
#define HK_PTE_LARGE 0x80ull    /* in the second level: 2 MiB */
#define HK_PTE_NO_EXECUTE 0x8000000000000000ull
#define HK_PTE_ADDRESS 0x000ffffffffff000ull

#define HK_PAGE_LEVELS 4
#define HK_PAGE_ENTRIES 512
#define HK_PAGE_USER_ENTRIES 256 /* of the top table: the lower half is the user's */

/* Kernel addresses: all physical memory, and the image, which is linked 2 GiB below the top. */
#define HK_DIRECT_MAP 0xffff800000000000
#define HK_IMAGE_BASE 0xffffffff80000000

#endif
