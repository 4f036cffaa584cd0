/* SPDX-License-Identifier: MIT */
#include "kernel/shm.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"
#include "port/port.h"

static uint64_t *frames_of(const struct hk_kernel *kernel, const struct hk_shm *shm)
{
    return hk_window(kernel, shm->table);
}

enum hk_status hk_shm_create(struct hk_cpu *cpu, uint64_t pages, struct hk_shm **shm)
{
    struct hk_object *object;
    struct hk_shm *created;
    enum hk_status status;

    if (pages == 0)
        return HK_EINVAL;
    if (pages > HK_SHM_PAGES_MAX)
        return HK_ETOOBIG;
    status = hk_object_create(cpu->kernel, HK_OBJECT_SHM, &object);
    if (status != HK_OK)
        return status;
    created = (struct hk_shm *)(void *)object;
    status = hk_page_allocate(cpu->kernel, HK_PAGE_OWNER_KERNEL, &created->table);
    while (status == HK_OK && created->page_count < pages) {
        uint64_t *frame = &frames_of(cpu->kernel, created)[created->page_count];

        status = hk_page_allocate(cpu->kernel, HK_PAGE_OWNER_KERNEL, frame);
        created->page_count += status == HK_OK;
    }
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    *shm = created;
    return HK_OK;
}

void hk_shm_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_shm *shm = (struct hk_shm *)(void *)object;

    for (uint32_t i = 0; i < shm->page_count; i++)
        hk_page_release(cpu->kernel, frames_of(cpu->kernel, shm)[i]);
    hk_page_release(cpu->kernel, shm->table);
}

static void unmap_pages(struct hk_cpu *cpu, struct hk_process *process, uint64_t address,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = address + (uint64_t)i * HK_PAGE_BYTES;
        uint64_t physical;

        if (hk_space_unmap(cpu->kernel, &process->space, at, &physical) != HK_OK)
            continue;
        hk_port_flush_page(cpu, at);
        hk_page_release(cpu->kernel, physical);
    }
}

static bool in_range(uint64_t address, uint32_t count)
{
    return address % HK_PAGE_BYTES == 0 && address >= HK_USER_BASE &&
           address <= HK_USER_IPC_BASE - (uint64_t)count * HK_PAGE_BYTES;
}

enum hk_status hk_shm_map(struct hk_cpu *cpu, struct hk_shm *shm, struct hk_process *process,
                          uint64_t address, uint64_t protection)
{
    uint64_t *frames = frames_of(cpu->kernel, shm);

    if (!(protection & HK_MAP_READ) || (protection & ~(uint64_t)(HK_MAP_READ | HK_MAP_WRITE)) != 0)
        return HK_EINVAL;
    if (!in_range(address, shm->page_count))
        return HK_EINVAL;
    for (uint32_t i = 0; i < shm->page_count; i++) {
        enum hk_status status = hk_space_map(cpu->kernel, &process->space,
                                             address + (uint64_t)i * HK_PAGE_BYTES, frames[i],
                                             protection);

        if (status != HK_OK) {
            unmap_pages(cpu, process, address, i);
            return status;
        }
        hk_page_hold(cpu->kernel, frames[i]);
    }
    return HK_OK;
}

enum hk_status hk_shm_unmap(struct hk_cpu *cpu, struct hk_shm *shm, struct hk_process *process,
                            uint64_t address)
{
    const uint64_t *frames = frames_of(cpu->kernel, shm);

    if (!in_range(address, shm->page_count))
        return HK_ENOENT;
    for (uint32_t i = 0; i < shm->page_count; i++) {
        void *window;

        if (hk_space_find(cpu->kernel, &process->space, address + (uint64_t)i * HK_PAGE_BYTES,
                          HK_MAP_READ, &window) != HK_OK ||
            window != hk_window(cpu->kernel, frames[i]))
            return HK_ENOENT;
    }
    unmap_pages(cpu, process, address, shm->page_count);
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, uint64_t rights,
                           struct hk_shm **shm)
{
    struct hk_object *object;
    enum hk_status status =
        hk_cap_find(cpu->current->process, handle, HK_OBJECT_SHM, rights, &object);

    if (status == HK_OK)
        *shm = (struct hk_shm *)(void *)object;
    return status;
}

/* shm_create(pages) -> handle */
hk_result hk_sys_shm_create(struct hk_cpu *cpu, uint64_t pages, uint64_t b, uint64_t c, uint64_t d,
                            uint64_t e)
{
    struct hk_shm *shm;
    enum hk_status status = hk_shm_create(cpu, pages, &shm);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_cap_give(cpu, &shm->object, HK_RIGHT_SHM_READ |
                                                                HK_RIGHT_SHM_WRITE | HK_RIGHT_COPY)
                           : status;
}

/* shm_map(shm, address, HK_MAP_*) */
hk_result hk_sys_shm_map(struct hk_cpu *cpu, uint64_t handle, uint64_t address,
                         uint64_t protection, uint64_t d, uint64_t e)
{
    uint64_t rights = HK_RIGHT_SHM_READ;
    struct hk_shm *shm;
    enum hk_status status;

    (void)d, (void)e;
    if (protection & HK_MAP_WRITE)
        rights |= HK_RIGHT_SHM_WRITE;
    status = find(cpu, handle, rights, &shm);
    return status == HK_OK ? hk_shm_map(cpu, shm, cpu->current->process, address, protection)
                           : status;
}

/* shm_unmap(shm, address) */
hk_result hk_sys_shm_unmap(struct hk_cpu *cpu, uint64_t handle, uint64_t address, uint64_t c,
                           uint64_t d, uint64_t e)
{
    struct hk_shm *shm;
    enum hk_status status = find(cpu, handle, HK_RIGHT_SHM_READ, &shm);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_shm_unmap(cpu, shm, cpu->current->process, address) : status;
}
