/* SPDX-License-Identifier: MIT */
#include "kernel/client.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/notification.h"
#include "kernel/syscall.h"
#include "port/port.h"

/* Mostly it is whose message is being answered: by a service in ring 0, or by a server. */
static struct hk_process *find(const struct hk_cpu *cpu, uint64_t pid)
{
    const struct hk_thread *current = cpu->current;
    struct hk_process *process = cpu->kernel->processes;

    if (current != NULL && current->client != NULL && current->client->process->pid == pid)
        return current->client->process;
    if (current != NULL && current->process->pid == pid)
        return current->process;
    while (process != NULL && process->pid != pid)
        process = process->next;
    return process;
}

enum hk_status hk_client_signal(struct hk_cpu *cpu, uint64_t pid, uint64_t bits)
{
    struct hk_process *client = find(cpu, pid);

    return client == NULL ? HK_ENOENT : hk_notification_signal(cpu, &client->signals, bits);
}

enum hk_status hk_client_lend(struct hk_cpu *cpu, uint64_t pid, uint64_t physical,
                              uint64_t address)
{
    struct hk_kernel *kernel = cpu->kernel;
    struct hk_process *client = find(cpu, pid);
    uint64_t before;
    enum hk_status status;

    if (client == NULL)
        return HK_ENOENT;
    if (address % HK_PAGE_BYTES != 0 || address < HK_USER_BASE ||
        address > HK_USER_IPC_BASE - HK_PAGE_BYTES)
        return HK_EINVAL;
    if (hk_space_unmap(kernel, &client->space, address, &before) == HK_OK) {
        hk_port_flush_page(cpu, address);
        hk_page_release(kernel, before);
    }
    if (client->space.page_count >= HK_SPACE_PAGES_MAX)
        return HK_ENOMEM;
    hk_page_hold(kernel, physical);
    status = hk_space_map(kernel, &client->space, address, physical, HK_MAP_READ);
    if (status != HK_OK)
        hk_page_release(kernel, physical);
    return status;
}

static enum hk_status check_system(struct hk_cpu *cpu)
{
    struct hk_object *self;

    return hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS, HK_RIGHT_SYSTEM,
                       &self);
}

/* The frame behind an address of the caller. */
static enum hk_status find_frame(struct hk_cpu *cpu, uint64_t address, uint64_t *physical)
{
    void *window;
    enum hk_status status = hk_space_find(cpu->kernel, &cpu->current->process->space, address,
                                          HK_MAP_READ, &window);

    if (status == HK_OK)
        *physical = ((uintptr_t)window - cpu->kernel->window) & ~(uint64_t)(HK_PAGE_BYTES - 1);
    return status;
}

/* process_signal(pid, bits) */
hk_result hk_sys_process_signal(struct hk_cpu *cpu, uint64_t pid, uint64_t bits, uint64_t c,
                                uint64_t d, uint64_t e)
{
    enum hk_status status = check_system(cpu);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_client_signal(cpu, pid, bits) : status;
}

/* signal_wait(timeout_ns) -> bits */
hk_result hk_sys_signal_wait(struct hk_cpu *cpu, uint64_t timeout_ns, uint64_t b, uint64_t c,
                             uint64_t d, uint64_t e)
{
    struct hk_notification *signals = &cpu->current->process->signals;
    uint64_t bits;

    (void)b, (void)c, (void)d, (void)e;
    if (hk_notification_take(signals, &bits) == HK_OK)
        return (hk_result)bits;
    if (timeout_ns == HK_TIMEOUT_NOW)
        return HK_EEMPTY;
    hk_wait_block(cpu, &signals->waiters, timeout_ns);
    return HK_OK;
}

/*
 * page_lend(pid, from, to): a page of shared memory, which stays the object's whoever
 * maps it; a page of the caller's own would come back with the client's rights to it
 */
hk_result hk_sys_page_lend(struct hk_cpu *cpu, uint64_t pid, uint64_t from, uint64_t to,
                           uint64_t d, uint64_t e)
{
    uint64_t physical;
    enum hk_status status = check_system(cpu);

    (void)d, (void)e;
    if (status == HK_OK)
        status = find_frame(cpu, from, &physical);
    if (status == HK_OK && hk_page_belongs(cpu->kernel, physical, cpu->current->process->pid))
        status = HK_EPERM;
    return status == HK_OK ? hk_client_lend(cpu, pid, physical, to) : status;
}

/* page_holders(address) -> number */
hk_result hk_sys_page_holders(struct hk_cpu *cpu, uint64_t address, uint64_t b, uint64_t c,
                              uint64_t d, uint64_t e)
{
    uint64_t physical;
    enum hk_status status = find_frame(cpu, address, &physical);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? (hk_result)hk_page_holders(cpu->kernel, physical) : status;
}
