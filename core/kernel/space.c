/* SPDX-License-Identifier: MIT */
/* Copies to and from user memory, and the system calls on mappings; tables are under arch/. */
#include "kernel/space.h"

#include "kernel/kernel.h"
#include "port/port.h"

static uint64_t left_in_page(uint64_t address)
{
    return HK_PAGE_BYTES - address % HK_PAGE_BYTES;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

enum hk_status hk_space_read(struct hk_kernel *kernel, struct hk_space *space,
                             uint64_t address, void *to, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        uint64_t part = least(bytes - done, left_in_page(address + done));
        void *window;
        enum hk_status status =
            hk_space_find(kernel, space, address + done, HK_MAP_READ, &window);

        if (status != HK_OK)
            return status;
        hk_port_copy((char *)to + done, window, part);
        done += part;
    }
    return HK_OK;
}

enum hk_status hk_space_write(struct hk_kernel *kernel, struct hk_space *space,
                              uint64_t address, const void *from, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        uint64_t part = least(bytes - done, left_in_page(address + done));
        void *window;
        enum hk_status status =
            hk_space_find(kernel, space, address + done, HK_MAP_WRITE, &window);

        if (status != HK_OK)
            return status;
        hk_port_copy(window, (const char *)from + done, part);
        done += part;
    }
    return HK_OK;
}

enum hk_status hk_space_copy(struct hk_kernel *kernel, struct hk_space *to,
                             uint64_t to_address, struct hk_space *from,
                             uint64_t from_address, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        uint64_t part = least(bytes - done, left_in_page(from_address + done));
        void *window;
        enum hk_status status =
            hk_space_find(kernel, from, from_address + done, HK_MAP_READ, &window);

        if (status == HK_OK)
            status = hk_space_write(kernel, to, to_address + done, window, part);
        if (status != HK_OK)
            return status;
        done += part;
    }
    return HK_OK;
}

enum hk_status hk_space_map_fresh(struct hk_kernel *kernel, struct hk_space *space, uint32_t pid,
                                  uint64_t address, uint64_t protection)
{
    uint64_t physical;
    enum hk_status status;

    if (space->page_count >= HK_SPACE_PAGES_MAX)
        return HK_ENOMEM;
    status = hk_page_allocate(kernel, pid, &physical);
    if (status != HK_OK)
        return status;
    status = hk_space_map(kernel, space, address, physical, protection);
    if (status != HK_OK)
        hk_page_release(kernel, physical);
    return status;
}

/* A range of whole pages below the IPC pages; more per call would keep interrupts off too long. */
#define RANGE_PAGES_MAX 256

enum hk_status hk_space_check_range(uint64_t address, uint64_t count)
{
    if (address % HK_PAGE_BYTES != 0 || count == 0)
        return HK_EINVAL;
    if (count > RANGE_PAGES_MAX)
        return HK_ETOOBIG;
    if (address < HK_USER_BASE || address > HK_USER_IPC_BASE - count * HK_PAGE_BYTES)
        return HK_EINVAL;
    return HK_OK;
}

/* Shared pages are not the process's own: what it may do with them its capability said. */
enum hk_status hk_space_owned(struct hk_kernel *kernel, struct hk_space *space, uint64_t address,
                              uint32_t pid)
{
    void *window;
    enum hk_status status = hk_space_find(kernel, space, address, HK_MAP_READ, &window);

    if (status != HK_OK)
        return HK_ENOENT;
    return hk_page_belongs(kernel, (uintptr_t)window - kernel->window, pid) ? HK_OK : HK_EPERM;
}

/* Unmap pages and flush them; stops at the first that is not there. */
static enum hk_status unmap_range(struct hk_cpu *cpu, struct hk_space *space, uint64_t address,
                                  uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = address + i * HK_PAGE_BYTES;
        uint64_t physical;
        enum hk_status status = hk_space_unmap(cpu->kernel, space, at, &physical);

        if (status != HK_OK)
            return status;
        hk_port_flush_page(cpu, at);
        hk_page_release(cpu->kernel, physical);
    }
    return HK_OK;
}

hk_result hk_sys_page_map(struct hk_cpu *cpu, uint64_t address, uint64_t count,
                          uint64_t protection, uint64_t d, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    enum hk_status status = hk_space_check_range(address, count);

    (void)d, (void)e;
    for (uint64_t i = 0; i < count && status == HK_OK; i++) {
        status = hk_space_map_fresh(cpu->kernel, &self->space, self->pid,
                                    address + i * HK_PAGE_BYTES, protection);
        if (status != HK_OK)
            (void)unmap_range(cpu, &self->space, address, i); /* all or nothing */
    }
    return status;
}

hk_result hk_sys_page_unmap(struct hk_cpu *cpu, uint64_t address, uint64_t count, uint64_t c,
                            uint64_t d, uint64_t e)
{
    enum hk_status status = hk_space_check_range(address, count);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? unmap_range(cpu, &cpu->current->process->space, address, count)
                           : status;
}

hk_result hk_sys_page_protect(struct hk_cpu *cpu, uint64_t address, uint64_t count,
                              uint64_t protection, uint64_t d, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_space *space = &self->space;
    enum hk_status status = hk_space_check_range(address, count);

    (void)d, (void)e;
    for (uint64_t i = 0; i < count && status == HK_OK; i++) {
        uint64_t at = address + i * HK_PAGE_BYTES;

        status = hk_space_owned(cpu->kernel, space, at, self->pid);
        if (status == HK_OK)
            status = hk_space_protect(cpu->kernel, space, at, protection);
        hk_port_flush_page(cpu, at);
    }
    return status;
}

/* page_remap(process, from, to, count): the pages leave the caller and appear, writable, over
 * there; stops at the first page that cannot move, with those before it moved. */
hk_result hk_sys_page_remap(struct hk_cpu *cpu, uint64_t handle, uint64_t from, uint64_t to,
                            uint64_t count, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_process *target;
    struct hk_object *object;
    enum hk_status status =
        hk_cap_find(self, handle, HK_OBJECT_PROCESS, HK_RIGHT_PROCESS, &object);

    (void)e;
    if (status == HK_OK)
        status = hk_space_check_range(from, count);
    if (status == HK_OK)
        status = hk_space_check_range(to, count);
    if (status != HK_OK)
        return status;
    target = (struct hk_process *)(void *)object;
    if (target->state == HK_PROCESS_ENDED)
        return HK_EPEER;
    for (uint64_t i = 0; i < count && status == HK_OK; i++)
        status = hk_space_move(cpu, self, from + i * HK_PAGE_BYTES, target,
                               to + i * HK_PAGE_BYTES);
    return status;
}

enum hk_status hk_space_move(struct hk_cpu *cpu, struct hk_process *from, uint64_t from_address,
                             struct hk_process *to, uint64_t to_address)
{
    uint64_t physical;
    enum hk_status status;

    if (to->space.page_count >= HK_SPACE_PAGES_MAX)
        return HK_ENOMEM;
    status = hk_space_owned(cpu->kernel, &from->space, from_address, from->pid);
    if (status != HK_OK)
        return status;
    status = hk_space_unmap(cpu->kernel, &from->space, from_address, &physical);
    if (status != HK_OK)
        return status;
    status = hk_space_map(cpu->kernel, &to->space, to_address, physical,
                          HK_MAP_READ | HK_MAP_WRITE);
    if (status != HK_OK) {
        /* its tables are still there, so this cannot fail */
        (void)hk_space_map(cpu->kernel, &from->space, from_address, physical,
                           HK_MAP_READ | HK_MAP_WRITE);
        return status;
    }
    hk_page_give(cpu->kernel, physical, to->pid);
    hk_port_flush_page(cpu, from_address);
    return HK_OK;
}
