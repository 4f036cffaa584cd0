/* SPDX-License-Identifier: MIT */
#include "kernel/semaphore.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/message.h"
#include "kernel/syscall.h"

enum hk_status hk_semaphore_create(struct hk_cpu *cpu, uint64_t count,
                                   struct hk_semaphore **semaphore)
{
    struct hk_object *object;
    enum hk_status status;

    if (count > HK_SEMAPHORE_COUNT_MAX)
        return HK_EINVAL;
    status = hk_object_create(cpu->kernel, HK_OBJECT_SEMAPHORE, &object);
    if (status != HK_OK)
        return status;
    *semaphore = (struct hk_semaphore *)(void *)object;
    (*semaphore)->count = (uint32_t)count;
    return HK_OK;
}

void hk_semaphore_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    hk_wait_wake_all(cpu, &((struct hk_semaphore *)(void *)object)->waiters, HK_EPEER);
}

void hk_semaphore_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    (void)rights;
    hk_peer_released(cpu, object, &((struct hk_semaphore *)(void *)object)->waiters);
}

enum hk_status hk_semaphore_post(struct hk_cpu *cpu, struct hk_semaphore *semaphore)
{
    if (hk_wait_wake_one(cpu, &semaphore->waiters, HK_OK) != NULL)
        return HK_OK;
    if (semaphore->count == HK_SEMAPHORE_COUNT_MAX)
        return HK_EFULL;
    semaphore->count++;
    return HK_OK;
}

enum hk_status hk_semaphore_take(struct hk_semaphore *semaphore)
{
    if (semaphore->count == 0)
        return HK_EEMPTY;
    semaphore->count--;
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_semaphore **semaphore)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_SEMAPHORE,
                                        HK_RIGHT_SEMAPHORE, &object);

    if (status == HK_OK)
        *semaphore = (struct hk_semaphore *)(void *)object;
    return status;
}

/* semaphore_create(count) -> handle */
hk_result hk_sys_semaphore_create(struct hk_cpu *cpu, uint64_t count, uint64_t b, uint64_t c,
                                  uint64_t d, uint64_t e)
{
    struct hk_semaphore *semaphore;
    enum hk_status status = hk_semaphore_create(cpu, count, &semaphore);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK
               ? hk_cap_give(cpu, &semaphore->object, HK_RIGHT_SEMAPHORE | HK_RIGHT_COPY)
               : status;
}

/* semaphore_post(semaphore) */
hk_result hk_sys_semaphore_post(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c,
                                uint64_t d, uint64_t e)
{
    struct hk_semaphore *semaphore;
    enum hk_status status = find(cpu, handle, &semaphore);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_semaphore_post(cpu, semaphore) : status;
}

/* semaphore_wait(semaphore, timeout_ns) */
hk_result hk_sys_semaphore_wait(struct hk_cpu *cpu, uint64_t handle, uint64_t timeout_ns,
                                uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_semaphore *semaphore;
    enum hk_status status = find(cpu, handle, &semaphore);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    status = hk_semaphore_take(semaphore);
    if (status != HK_EEMPTY || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(semaphore->object.references, cpu->current))
        return HK_EPEER;
    hk_wait_block(cpu, &semaphore->waiters, timeout_ns);
    return HK_OK;
}
