/* SPDX-License-Identifier: MIT */
/* Counting semaphores. */
#ifndef HK_KERNEL_SEMAPHORE_H
#define HK_KERNEL_SEMAPHORE_H

#include "kernel/thread.h"
#include "kernel/types.h"

#define HK_SEMAPHORE_COUNT_MAX INT32_MAX

/* Somebody sleeps in waiters only while count is 0. */
struct hk_semaphore {
    struct hk_object object;
    uint32_t count;
    struct hk_wait_queue waiters;
};

/* Create a semaphore with one reference. HK_OK; HK_EINVAL above HK_SEMAPHORE_COUNT_MAX; HK_ENOMEM. */
enum hk_status hk_semaphore_create(struct hk_cpu *cpu, uint64_t count,
                                   struct hk_semaphore **semaphore);

/* Wake exactly one sleeper, or count up. HK_OK; HK_EFULL at HK_SEMAPHORE_COUNT_MAX. Cost O(1). */
enum hk_status hk_semaphore_post(struct hk_cpu *cpu, struct hk_semaphore *semaphore);

/* Count down without waiting. HK_OK; HK_EEMPTY at 0. Cost O(1). */
enum hk_status hk_semaphore_take(struct hk_semaphore *semaphore);

/* For the row of hk_object_types[]. */
void hk_semaphore_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_semaphore_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
