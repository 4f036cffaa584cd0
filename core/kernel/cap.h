/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: a flat table per process, one page the user can neither read nor
 * write. A handle is an index; everything else about it comes from the table.
 */
#ifndef HK_KERNEL_CAP_H
#define HK_KERNEL_CAP_H

#include "kernel/thread.h"
#include "kernel/types.h"

/* The IPC fast path reads these fields: see arch/x86_64/offsets.h. */
struct hk_cap {
    struct hk_object *object; /* NULL: free entry */
    uint64_t badge;           /* what the receiver is told about the sender */
    uint64_t rights;          /* HK_RIGHT_*; each belongs to one object type */
    uint64_t reserved;        /* pads an entry to 32 bytes: index by shift */
};

/*
 * Put a capability into a free entry of a table; holds the object.
 *
 * handle  [out]  its index
 *
 * Returns HK_OK; HK_ENOSPC; HK_EINVAL when a right does not belong to the
 * object's type. Takes the lowest free index. Cost O(1) in the usual order of giving back.
 */
enum hk_status hk_cap_insert(struct hk_process *process, struct hk_object *object,
                             uint64_t rights, uint64_t badge, uint64_t *handle);

/*
 * Give a new object to the current process; the creator's reference goes over to
 * the capability, so that a full table destroys the object.
 *
 * Returns the handle, or the status of hk_cap_insert().
 */
hk_result hk_cap_give(struct hk_cpu *cpu, struct hk_object *object, uint64_t rights);

/*
 * Find an object by handle, with type and rights checked.
 *
 * Returns HK_OK; HK_EHANDLE for a bad index, a free entry or another type;
 * HK_ERIGHT when one of the rights is missing. Cost O(1).
 */
enum hk_status hk_cap_find(struct hk_process *process, uint64_t handle, enum hk_object_type type,
                           uint64_t rights, struct hk_object **object);

/*
 * Whether the thread may do this through that handle, in a few instructions: one
 * bit says type and right, and thread->caps[handle].object is the object. When
 * it is false, hk_cap_find() knows why.
 *
 * right  [in]  one HK_RIGHT_* that belongs to one type
 */
static inline bool hk_cap_has(const struct hk_thread *thread, uint64_t handle, uint64_t right)
{
    return handle < HK_HANDLE_COUNT && (thread->caps[handle].rights & right) != 0;
}

/* As hk_cap_find() without regard to type; returns the entry itself. */
enum hk_status hk_cap_entry(struct hk_process *process, uint64_t handle, struct hk_cap **cap);

/* Free an entry; releases the object. HK_EHANDLE when it is not in use. */
enum hk_status hk_cap_drop(struct hk_cpu *cpu, struct hk_process *process, uint64_t handle);

/* Free all entries (end of a process). */
void hk_cap_drop_all(struct hk_cpu *cpu, struct hk_process *process);

#endif
