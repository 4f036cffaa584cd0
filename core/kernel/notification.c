/* SPDX-License-Identifier: MIT */
#include "kernel/notification.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/message.h"
#include "kernel/syscall.h"

enum hk_status hk_notification_create(struct hk_cpu *cpu, struct hk_notification **notification)
{
    struct hk_object *object;
    enum hk_status status = hk_object_create(cpu->kernel, HK_OBJECT_NOTIFICATION, &object);

    if (status == HK_OK)
        *notification = (struct hk_notification *)(void *)object;
    return status;
}

void hk_notification_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    hk_wait_wake_all(cpu, &((struct hk_notification *)(void *)object)->waiters, HK_EPEER);
}

void hk_notification_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    (void)rights;
    hk_peer_released(cpu, object, &((struct hk_notification *)(void *)object)->waiters);
}

enum hk_status hk_notification_signal(struct hk_cpu *cpu, struct hk_notification *notification,
                                      uint64_t bits)
{
    if (bits == 0 || (bits & ~(uint64_t)HK_NOTIFICATION_BITS) != 0)
        return HK_EINVAL;
    if (hk_wait_wake_one(cpu, &notification->waiters, (hk_result)bits) == NULL)
        notification->bits |= bits;
    return HK_OK;
}

enum hk_status hk_notification_take(struct hk_notification *notification, uint64_t *bits)
{
    if (notification->bits == 0)
        return HK_EEMPTY;
    *bits = notification->bits;
    notification->bits = 0;
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, uint64_t rights,
                           struct hk_notification **notification)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_NOTIFICATION,
                                        rights, &object);

    if (status == HK_OK)
        *notification = (struct hk_notification *)(void *)object;
    return status;
}

/* notification_create() -> handle */
hk_result hk_sys_notification_create(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c,
                                     uint64_t d, uint64_t e)
{
    struct hk_notification *notification;
    enum hk_status status = hk_notification_create(cpu, &notification);

    (void)a, (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_cap_give(cpu, &notification->object,
                                         HK_RIGHT_SIGNAL | HK_RIGHT_WAIT | HK_RIGHT_COPY)
                           : status;
}

/* notification_signal(notification, bits) */
hk_result hk_sys_notification_signal(struct hk_cpu *cpu, uint64_t handle, uint64_t bits,
                                     uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_notification *notification;
    enum hk_status status = find(cpu, handle, HK_RIGHT_SIGNAL, &notification);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_notification_signal(cpu, notification, bits) : status;
}

/* notification_wait(notification, timeout_ns) -> bits */
hk_result hk_sys_notification_wait(struct hk_cpu *cpu, uint64_t handle, uint64_t timeout_ns,
                                   uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_notification *notification;
    uint64_t bits;
    enum hk_status status = find(cpu, handle, HK_RIGHT_WAIT, &notification);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    status = hk_notification_take(notification, &bits);
    if (status == HK_OK)
        return (hk_result)bits;
    if (status != HK_EEMPTY || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(notification->object.references, cpu->current))
        return HK_EPEER;
    hk_wait_block(cpu, &notification->waiters, timeout_ns);
    return HK_OK;
}
