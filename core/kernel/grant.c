/* SPDX-License-Identifier: MIT */
#include "kernel/grant.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"
#include "port/port.h"

struct hk_grant_split hk_grant_split(uint64_t from, uint64_t to, uint64_t bytes)
{
    uint64_t head_bytes = -from % HK_PAGE_BYTES;

    if ((from ^ to) % HK_PAGE_BYTES != 0 || bytes < head_bytes + HK_PAGE_BYTES)
        return (struct hk_grant_split){ .head_bytes = bytes };
    return (struct hk_grant_split){
        .head_bytes = head_bytes,
        .page_count = (bytes - head_bytes) / HK_PAGE_BYTES,
        .tail_bytes = (bytes - head_bytes) % HK_PAGE_BYTES,
    };
}

/* Make room at the receiver: its own page there goes. */
static void clear_page(struct hk_cpu *cpu, struct hk_process *receiver, uint64_t to)
{
    uint64_t physical;

    if (hk_space_unmap(cpu->kernel, &receiver->space, to, &physical) != HK_OK)
        return;
    hk_port_flush_page(cpu, to);
    hk_page_release(cpu->kernel, physical);
}

/* Move one page, or copy it when it is not the giver's alone. */
static enum hk_status give_page(struct hk_cpu *cpu, struct hk_process *giver, uint64_t from,
                                struct hk_process *receiver, uint64_t to, uint64_t *copied_bytes)
{
    void *window;
    enum hk_status status =
        hk_space_find(cpu->kernel, &giver->space, from, HK_MAP_READ, &window);

    if (status != HK_OK)
        return status;
    if (!hk_page_belongs(cpu->kernel, (uintptr_t)window - cpu->kernel->window, giver->pid)) {
        *copied_bytes += HK_PAGE_BYTES;
        return hk_space_copy(cpu->kernel, &receiver->space, to, &giver->space, from,
                             HK_PAGE_BYTES);
    }
    clear_page(cpu, receiver, to);
    return hk_space_move(cpu, giver, from, receiver, to);
}

static bool in_range(uint64_t address, uint64_t bytes)
{
    return address >= HK_USER_BASE && address <= HK_USER_IPC_BASE - bytes;
}

enum hk_status hk_grant(struct hk_cpu *cpu, struct hk_process *giver, uint64_t from,
                        struct hk_process *receiver, uint64_t to, uint64_t bytes,
                        uint64_t *copied_bytes)
{
    struct hk_kernel *kernel = cpu->kernel;
    struct hk_grant_split split = hk_grant_split(from, to, bytes);
    uint64_t copied = split.head_bytes + split.tail_bytes;
    uint64_t done = split.head_bytes;
    enum hk_status status;

    if (bytes > HK_GRANT_BYTES_MAX)
        return HK_ETOOBIG;
    if (!in_range(from, bytes) || !in_range(to, bytes))
        return HK_EINVAL;
    if (giver == receiver && from < to + bytes && to < from + bytes)
        return HK_EINVAL;
    status = hk_space_copy(kernel, &receiver->space, to, &giver->space, from, done);
    for (uint64_t i = 0; i < split.page_count && status == HK_OK; i++) {
        status = give_page(cpu, giver, from + done, receiver, to + done, &copied);
        done += HK_PAGE_BYTES;
    }
    if (status == HK_OK)
        status = hk_space_copy(kernel, &receiver->space, to + done, &giver->space, from + done,
                               split.tail_bytes);
    if (status == HK_OK)
        *copied_bytes = copied;
    return status;
}

/* grant(process, from, to, bytes) -> bytes copied */
hk_result hk_sys_grant(struct hk_cpu *cpu, uint64_t handle, uint64_t from, uint64_t to,
                       uint64_t bytes, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_process *receiver;
    struct hk_object *object;
    uint64_t copied_bytes;
    enum hk_status status =
        hk_cap_find(self, handle, HK_OBJECT_PROCESS, HK_RIGHT_PROCESS, &object);

    (void)e;
    if (status != HK_OK)
        return status;
    receiver = (struct hk_process *)(void *)object;
    if (receiver->state == HK_PROCESS_ENDED)
        return HK_EPEER;
    status = hk_grant(cpu, self, from, receiver, to, bytes, &copied_bytes);
    return status == HK_OK ? (hk_result)copied_bytes : status;
}
