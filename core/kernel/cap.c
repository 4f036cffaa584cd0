/* SPDX-License-Identifier: MIT */
#include "kernel/cap.h"

#include "kernel/endpoint.h"
#include "kernel/kernel.h"

enum hk_status hk_cap_insert(struct hk_process *process, struct hk_object *object,
                             uint64_t rights, uint64_t badge, uint64_t *handle)
{
    uint64_t allowed = hk_object_types[object->type].rights | HK_RIGHT_COPY;

    if ((rights & ~allowed) != 0)
        return HK_EINVAL;
    if (process->caps == NULL)
        return HK_EPEER;
    for (uint64_t i = process->caps_hint; i < HK_HANDLE_COUNT; i++) {
        struct hk_cap *cap = &process->caps[i];

        if (cap->object != NULL)
            continue;
        process->caps_hint = i + 1;
        cap->object = object;
        cap->rights = rights;
        cap->badge = badge;
        hk_object_hold(object);
        if (rights & HK_RIGHT_RECEIVE)
            ((struct hk_endpoint *)(void *)object)->receive_capabilities++;
        *handle = i;
        return HK_OK;
    }
    return HK_ENOSPC;
}

hk_result hk_cap_give(struct hk_cpu *cpu, struct hk_object *object, uint64_t rights)
{
    uint64_t handle;
    enum hk_status status = hk_cap_insert(cpu->current->process, object, rights, 0, &handle);

    hk_object_release(cpu, object);
    return status == HK_OK ? (hk_result)handle : status;
}

enum hk_status hk_cap_entry(struct hk_process *process, uint64_t handle, struct hk_cap **cap)
{
    if (handle >= HK_HANDLE_COUNT || process->caps == NULL ||
        process->caps[handle].object == NULL)
        return HK_EHANDLE;
    *cap = &process->caps[handle];
    return HK_OK;
}

enum hk_status hk_cap_find(struct hk_process *process, uint64_t handle, enum hk_object_type type,
                           uint64_t rights, struct hk_object **object)
{
    struct hk_cap *cap;
    enum hk_status status = hk_cap_entry(process, handle, &cap);

    if (status != HK_OK)
        return status;
    if (cap->object->type != type)
        return HK_EHANDLE;
    if ((cap->rights & rights) != rights)
        return HK_ERIGHT;
    *object = cap->object;
    return HK_OK;
}

enum hk_status hk_cap_drop(struct hk_cpu *cpu, struct hk_process *process, uint64_t handle)
{
    struct hk_cap *cap;
    struct hk_object *object;
    uint64_t rights;
    enum hk_status status = hk_cap_entry(process, handle, &cap);

    if (status != HK_OK)
        return status;
    object = cap->object;
    rights = cap->rights;
    /* the entry is free before anything else happens: a destroy may come back here */
    *cap = (struct hk_cap){ 0 };
    if (handle < process->caps_hint)
        process->caps_hint = handle;
    if (hk_object_types[object->type].released != NULL)
        hk_object_types[object->type].released(cpu, object, (uint32_t)rights);
    hk_object_release(cpu, object);
    return HK_OK;
}

void hk_cap_drop_all(struct hk_cpu *cpu, struct hk_process *process)
{
    for (uint64_t i = 0; i < HK_HANDLE_COUNT; i++)
        (void)hk_cap_drop(cpu, process, i);
}

/* cap_copy(process, handle, rights, badge): give a process a capability, with the same or fewer
 * rights. Only a holder of the receive right may choose the badge: it is what a server trusts. */
hk_result hk_sys_cap_copy(struct hk_cpu *cpu, uint64_t to, uint64_t handle, uint64_t rights,
                          uint64_t badge, uint64_t unused)
{
    struct hk_process *self = cpu->current->process;
    struct hk_object *target;
    struct hk_cap *cap;
    uint64_t new_handle;
    enum hk_status status;

    (void)unused;
    status = hk_cap_find(self, to, HK_OBJECT_PROCESS, HK_RIGHT_PROCESS, &target);
    if (status == HK_OK)
        status = hk_cap_entry(self, handle, &cap);
    if (status != HK_OK)
        return status;
    if (!(cap->rights & HK_RIGHT_COPY))
        return HK_ERIGHT;
    if (!(cap->rights & HK_RIGHT_RECEIVE))
        badge = cap->badge;
    status = hk_cap_insert((struct hk_process *)(void *)target, cap->object,
                           cap->rights & rights, badge, &new_handle);
    return status == HK_OK ? (hk_result)new_handle : status;
}

hk_result hk_sys_cap_drop(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
                          uint64_t e)
{
    (void)b, (void)c, (void)d, (void)e;
    return hk_cap_drop(cpu, cpu->current->process, handle);
}
