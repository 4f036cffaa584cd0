/* SPDX-License-Identifier: MIT */
/*
 * Kernel objects: pools of fixed-size records carved from pages, one row of
 * hk_object_types[] per type, reference counts. An object is destroyed when its
 * last reference goes.
 */
#ifndef HK_KERNEL_OBJECT_H
#define HK_KERNEL_OBJECT_H

#include "kernel/types.h"

/* What the kernel has to know about a type. A new type is a row in object.c. */
struct hk_object_row {
    const char *name;
    uint32_t bytes;  /* size of a record, at most HK_PAGE_BYTES */
    uint32_t rights; /* the HK_RIGHT_* that make sense for it, without HK_RIGHT_COPY */
    void (*destroy)(struct hk_cpu *cpu, struct hk_object *object);
    /* a capability with these rights has gone; NULL where nobody cares */
    void (*released)(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);
};

struct free_record;

struct hk_pool {
    struct free_record *free;
    uint32_t live_count;
    uint32_t page_count;
};

extern const struct hk_object_row hk_object_types[HK_OBJECT_TYPES];

/*
 * Take a zeroed record of a type with one reference.
 *
 * object  [out]  the record
 *
 * Returns HK_OK; HK_ENOMEM. Cost O(1) but for a page of records at times.
 */
enum hk_status hk_object_create(struct hk_kernel *kernel, enum hk_object_type type,
                                struct hk_object **object);

/* Add a reference. */
void hk_object_hold(struct hk_object *object);

/* Drop a reference; the last one destroys the object and frees its record. */
void hk_object_release(struct hk_cpu *cpu, struct hk_object *object);

/* Give all pages of empty pools back to the page allocator (clean shutdown). */
void hk_object_pools_trim(struct hk_kernel *kernel);

/* Number of live objects of all types. */
uint32_t hk_object_count(const struct hk_kernel *kernel);

#endif
