/* SPDX-License-Identifier: MIT */
/*
 * What a driver in user space needs of a device, as objects with capabilities:
 * ports, registers in memory, an interrupt line, and frames that the device
 * writes to. Who commands the system makes them; a driver that was given them
 * needs no other right.
 */
#ifndef HK_KERNEL_IO_H
#define HK_KERNEL_IO_H

#include "kernel/types.h"

struct hk_io {
    struct hk_object object;
    uint32_t kind; /* enum hk_io_kind */
    uint64_t base; /* first port, physical address, or line */
    uint64_t count; /* ports or pages */
};

/*
 * Create an object with one reference.
 *
 * base   [in]  first port; page-aligned physical address; line; 0 for HK_IO_DMA
 * count  [in]  ports; pages, of HK_IO_DMA at most HK_IO_DMA_PAGES_MAX; 1 for a line
 *
 * Returns HK_OK; HK_EINVAL for what no device can have; HK_EPERM for what is the kernel's: memory,
 * interrupt controllers, console; HK_ENOMEM.
 */
enum hk_status hk_io_create(struct hk_cpu *cpu, uint64_t kind, uint64_t base, uint64_t count,
                            struct hk_io **io);

/* For the row of hk_object_types[]: gives the frames of HK_IO_DMA back. */
void hk_io_destroy(struct hk_cpu *cpu, struct hk_object *object);

#endif
