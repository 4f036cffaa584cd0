/* SPDX-License-Identifier: MIT */
#include "kernel/pager.h"

#include "kernel/composition.h"
#include "kernel/kernel.h"
#include "port/port.h"

static struct hk_region *region_of(const struct hk_process *process, uint64_t address)
{
    struct hk_region *region = process->regions;

    while (region != NULL && address - region->address >= region->bytes)
        region = region->next;
    return region;
}

static uint64_t page_of(uint64_t address)
{
    return address - address % HK_PAGE_BYTES;
}

bool hk_pager_fault(struct hk_cpu *cpu, uint64_t address, uint64_t access)
{
    struct hk_thread *self = cpu->current;
    const struct hk_region *region = region_of(self->process, address);
    bool refused = self->refused_page == page_of(address);

    self->refused_page = 0;
    if (region == NULL || refused || region->endpoint->receive_capabilities == 0)
        return false;
    self->wait.address = address;
    self->wait.word = access;
    self->wait.badge = region->badge;
    self->flags |= HK_THREAD_FAULTED;
    if (region->endpoint->instance != NULL) {
        hk_instance_fault(region->endpoint->instance, self);
        hk_pager_ended(cpu, self);
        return self->refused_page == 0;
    }
    hk_endpoint_fault(cpu, region->endpoint);
    hk_thread_time(cpu, self, region->timeout_ns);
    return true;
}

void hk_pager_deliver(const struct hk_thread *faulted, struct hk_thread *server)
{
    hk_port_zero(server->frame.word, sizeof(server->frame.word));
    hk_pager_message(faulted, server->frame.word);
    server->frame.rax = HK_PAGER_WORDS;
    server->frame.rdi = faulted->wait.badge;
}

void hk_pager_message(const struct hk_thread *faulted, uint64_t word[HK_PAGER_WORDS])
{
    word[0] = HK_PAGER_FAULT;
    word[1] = faulted->wait.address;
    word[2] = faulted->wait.word;
    word[3] = (uint64_t)faulted->process->pid << 32 | faulted->number;
}

/* What counts is not what the pager says but whether the page is there. */
void hk_pager_ended(struct hk_cpu *cpu, struct hk_thread *faulted)
{
    faulted->flags &= ~HK_THREAD_FAULTED;
    if (!hk_space_permits(cpu->kernel, &faulted->process->space, faulted->wait.address,
                          faulted->wait.word))
        faulted->refused_page = page_of(faulted->wait.address);
}

static enum hk_status map_fresh(struct hk_cpu *cpu, struct hk_process *process, uint64_t address,
                                uint64_t protection)
{
    struct hk_space *space = &process->space;
    enum hk_status status =
        hk_space_map_fresh(cpu->kernel, space, process->pid, address, protection);

    if (status != HK_EEXIST)
        return status;
    status = hk_space_owned(cpu->kernel, space, address, process->pid);
    if (status == HK_OK)
        status = hk_space_protect(cpu->kernel, space, address, protection);
    hk_port_flush_page(cpu, address);
    return status;
}

static enum hk_status move(struct hk_cpu *cpu, struct hk_process *giver, uint64_t from,
                           struct hk_process *to, uint64_t address, uint64_t protection)
{
    enum hk_status status = hk_space_move(cpu, giver, from, to, address);

    if (status == HK_OK && protection != (HK_MAP_READ | HK_MAP_WRITE))
        status = hk_space_protect(cpu->kernel, &to->space, address, protection);
    return status;
}

/* Pages in the region of a fault that is being served. */
static enum hk_status check_target(const struct hk_thread *faulted, uint64_t address,
                                   uint64_t count)
{
    const struct hk_region *region;
    uint64_t bytes = count * HK_PAGE_BYTES;
    enum hk_status status = hk_space_check_range(address, count);

    if (status != HK_OK)
        return status;
    if (faulted == NULL || !(faulted->flags & HK_THREAD_FAULTED))
        return HK_EPERM;
    region = region_of(faulted->process, faulted->wait.address);
    if (region == NULL || address < region->address || bytes > region->bytes ||
        address - region->address > region->bytes - bytes)
        return HK_EPERM;
    return HK_OK;
}

enum hk_status hk_pager_map(struct hk_cpu *cpu, struct hk_thread *faulted, uint64_t address,
                            uint64_t count, uint64_t protection, struct hk_process *giver,
                            uint64_t from)
{
    enum hk_status status = check_target(faulted, address, count);

    if (status == HK_OK && from != 0)
        status = hk_space_check_range(from, count);
    for (uint64_t i = 0; i < count && status == HK_OK; i++) {
        uint64_t at = i * HK_PAGE_BYTES;

        status = from == 0 ? map_fresh(cpu, faulted->process, address + at, protection)
                           : move(cpu, giver, from + at, faulted->process, address + at,
                                  protection);
    }
    return status;
}

void hk_region_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    hk_object_release(cpu, &((struct hk_region *)(void *)object)->endpoint->object);
}

void hk_pager_clear(struct hk_cpu *cpu, struct hk_process *process)
{
    while (process->regions != NULL) {
        struct hk_region *region = process->regions;

        process->regions = region->next;
        hk_object_release(cpu, &region->object);
    }
}

static bool is_free(const struct hk_process *process, uint64_t address, uint64_t bytes,
                    uint32_t *count)
{
    *count = 0;
    for (const struct hk_region *r = process->regions; r != NULL; r = r->next) {
        if (address < r->address + r->bytes && r->address < address + bytes)
            return false;
        ++*count;
    }
    return true;
}

static enum hk_status check_region(uint64_t address, uint64_t pages, uint64_t timeout_ns)
{
    uint64_t room = (HK_USER_IPC_BASE - HK_USER_BASE) / HK_PAGE_BYTES;

    if (address % HK_PAGE_BYTES != 0 || address < HK_USER_BASE || address >= HK_USER_IPC_BASE)
        return HK_EINVAL;
    if (pages == 0 || pages > room - (address - HK_USER_BASE) / HK_PAGE_BYTES)
        return HK_EINVAL;
    if (timeout_ns == 0 || timeout_ns > HK_PAGER_TIMEOUT_NS_MAX)
        return HK_EINVAL;
    return HK_OK;
}

static enum hk_status bind(struct hk_cpu *cpu, struct hk_process *process, struct hk_cap *cap,
                           uint64_t address, uint64_t bytes, uint64_t timeout_ns)
{
    struct hk_object *object;
    struct hk_region *region;
    uint32_t count;
    enum hk_status status;

    if (!is_free(process, address, bytes, &count))
        return HK_EEXIST;
    if (count == HK_REGIONS_PER_PROCESS)
        return HK_ENOSPC;
    status = hk_object_create(cpu->kernel, HK_OBJECT_REGION, &object);
    if (status != HK_OK)
        return status;
    region = (struct hk_region *)(void *)object;
    region->endpoint = (struct hk_endpoint *)(void *)cap->object;
    region->badge = cap->badge;
    region->address = address;
    region->bytes = bytes;
    region->timeout_ns = timeout_ns;
    region->next = process->regions;
    process->regions = region;
    hk_object_hold(cap->object);
    return HK_OK;
}

/* The process behind a handle that commands it, if it has not ended. */
static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_process **process)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_PROCESS,
                                        HK_RIGHT_PROCESS, &object);

    if (status != HK_OK)
        return status;
    *process = (struct hk_process *)(void *)object;
    return (*process)->state == HK_PROCESS_ENDED ? HK_EPEER : HK_OK;
}

/* pager_bind(process, address, pages, endpoint, timeout_ns) */
hk_result hk_sys_pager_bind(struct hk_cpu *cpu, uint64_t handle, uint64_t address, uint64_t pages,
                            uint64_t pager, uint64_t timeout_ns)
{
    struct hk_process *process;
    struct hk_object *endpoint;
    enum hk_status status = find(cpu, handle, &process);

    if (status == HK_OK)
        status = hk_cap_find(cpu->current->process, pager, HK_OBJECT_ENDPOINT, HK_RIGHT_CALL,
                             &endpoint);
    if (status == HK_OK)
        status = check_region(address, pages, timeout_ns);
    return status == HK_OK ? bind(cpu, process, &cpu->current->caps[pager], address,
                                  pages * HK_PAGE_BYTES, timeout_ns)
                           : status;
}

/* pager_unbind(process, address) */
hk_result hk_sys_pager_unbind(struct hk_cpu *cpu, uint64_t handle, uint64_t address, uint64_t c,
                              uint64_t d, uint64_t e)
{
    struct hk_process *process;
    struct hk_region *region;
    enum hk_status status = find(cpu, handle, &process);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    for (struct hk_region **link = &process->regions; *link != NULL; link = &(*link)->next) {
        region = *link;
        if (region->address != address)
            continue;
        *link = region->next;
        hk_object_release(cpu, &region->object);
        return HK_OK;
    }
    return HK_ENOENT;
}

/* pager_map(address, count, HK_MAP_*, from): for the client whose fault the caller serves */
hk_result hk_sys_pager_map(struct hk_cpu *cpu, uint64_t address, uint64_t count,
                           uint64_t protection, uint64_t from, uint64_t e)
{
    struct hk_thread *self = cpu->current;

    (void)e;
    return hk_pager_map(cpu, self->client, address, count, protection, self->process, from);
}
