/* SPDX-License-Identifier: MIT */
/* What every part of the kernel needs: integers, statuses, object headers. */
#ifndef HK_KERNEL_TYPES_H
#define HK_KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"
#include "hk/base/units.h"

struct hk_kernel;
struct hk_cpu;
struct hk_thread;
struct hk_process;
struct hk_endpoint;
struct hk_region;

/*
 * Result of a system call handler: a value >= 0 or a negative enum hk_status.
 * A handler that put the caller to sleep returns HK_OK; the caller's result is
 * then what the waker passes to hk_wait_wake_one() or hk_thread_wake().
 */
typedef int64_t hk_result;

/* Arguments a..e of a general system call, see abi.h. */
typedef hk_result hk_syscall_fn(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c,
                                uint64_t d, uint64_t e);

#define HK_CONTAINER(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Row numbers of hk_object_types[] (object.c). */
enum hk_object_type {
    HK_OBJECT_NONE,
    HK_OBJECT_PROCESS,
    HK_OBJECT_THREAD,
    HK_OBJECT_ENDPOINT,
    HK_OBJECT_TIMER,
    HK_OBJECT_CHANNEL,
    HK_OBJECT_QUEUE,
    HK_OBJECT_SEMAPHORE,
    HK_OBJECT_NOTIFICATION,
    HK_OBJECT_SHM,
    HK_OBJECT_STREAM,
    HK_OBJECT_REGION,
    HK_OBJECT_IO,
    HK_OBJECT_TYPES,
};

/* First member of every kernel object. */
struct hk_object {
    uint32_t type;       /* enum hk_object_type; HK_OBJECT_NONE while on the free list */
    uint32_t references; /* capabilities plus kernel-internal holders */
};

#endif
