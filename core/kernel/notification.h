/* SPDX-License-Identifier: MIT */
/* Notifications: a word of sticky bits that one sleeper at a time takes as a whole. */
#ifndef HK_KERNEL_NOTIFICATION_H
#define HK_KERNEL_NOTIFICATION_H

#include "kernel/thread.h"
#include "kernel/types.h"

/* Bit 63 would make the result of a wait look like an error. */
#define HK_NOTIFICATION_BITS INT64_MAX

/* Somebody sleeps in waiters only while bits is 0. */
struct hk_notification {
    struct hk_object object;
    uint64_t bits;
    struct hk_wait_queue waiters;
};

/* Create a notification with one reference. HK_OK; HK_ENOMEM. */
enum hk_status hk_notification_create(struct hk_cpu *cpu, struct hk_notification **notification);

/*
 * Give bits to exactly one sleeper, or keep them with those already there.
 *
 * Returns HK_OK; HK_EINVAL for no bit or one outside HK_NOTIFICATION_BITS. Cost O(1).
 */
enum hk_status hk_notification_signal(struct hk_cpu *cpu, struct hk_notification *notification,
                                      uint64_t bits);

/* Take all bits without waiting. HK_OK; HK_EEMPTY. Cost O(1). */
enum hk_status hk_notification_take(struct hk_notification *notification, uint64_t *bits);

/* For the row of hk_object_types[]. */
void hk_notification_destroy(struct hk_cpu *cpu, struct hk_object *object);
void hk_notification_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);

#endif
