/* SPDX-License-Identifier: MIT */
#include "kernel/io.h"

#include "kernel/cap.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "port/port.h"

#define PORT_COUNT 0x10000
#define PHYSICAL_END (1ull << 46)

static enum hk_status check_ports(uint64_t first, uint64_t count)
{
    if (count == 0 || first >= PORT_COUNT || count > PORT_COUNT - first)
        return HK_EINVAL;
    return hk_port_owns_ports(first, count) ? HK_EPERM : HK_OK;
}

static enum hk_status check_memory(const struct hk_kernel *kernel, uint64_t base, uint64_t count)
{
    if (base % HK_PAGE_BYTES != 0 || count == 0 || count > HK_IO_MEMORY_PAGES_MAX ||
        base >= PHYSICAL_END)
        return HK_EINVAL;
    return hk_port_owns_memory(kernel, base, count * HK_PAGE_BYTES) ? HK_EPERM : HK_OK;
}

static enum hk_status check(const struct hk_kernel *kernel, uint64_t kind, uint64_t base,
                            uint64_t count)
{
    switch (kind) {
    case HK_IO_PORTS:
        return check_ports(base, count);
    case HK_IO_MEMORY:
        return check_memory(kernel, base, count);
    case HK_IO_LINE:
        return base < HK_IRQ_COUNT && count == 1 ? HK_OK : HK_EINVAL;
    case HK_IO_DMA:
        return base == 0 && count > 0 && count <= HK_IO_DMA_PAGES_MAX ? HK_OK : HK_EINVAL;
    default:
        return HK_EINVAL;
    }
}

enum hk_status hk_io_create(struct hk_cpu *cpu, uint64_t kind, uint64_t base, uint64_t count,
                            struct hk_io **io)
{
    struct hk_object *object;
    struct hk_io *new;
    enum hk_status status = check(cpu->kernel, kind, base, count);

    if (status == HK_OK)
        status = hk_object_create(cpu->kernel, HK_OBJECT_IO, &object);
    if (status != HK_OK)
        return status;
    new = (struct hk_io *)(void *)object;
    new->base = base;
    if (kind == HK_IO_DMA)
        status = hk_page_allocate_run(cpu->kernel, HK_PAGE_OWNER_KERNEL, (uint32_t)count,
                                      &new->base);
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    new->kind = (uint32_t)kind;
    new->count = count;
    *io = new;
    return HK_OK;
}

void hk_io_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    const struct hk_io *io = (const struct hk_io *)(const void *)object;

    if (io->kind == HK_IO_DMA)
        hk_page_release_run(cpu->kernel, io->base, (uint32_t)io->count);
}

/* io_create(enum hk_io_kind, base, count) -> handle */
hk_result hk_sys_io_create(struct hk_cpu *cpu, uint64_t kind, uint64_t base, uint64_t count,
                           uint64_t d, uint64_t e)
{
    struct hk_object *self;
    struct hk_io *io;
    enum hk_status status = hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &self);

    (void)d, (void)e;
    if (status == HK_OK)
        status = hk_io_create(cpu, kind, base, count, &io);
    return status == HK_OK ? hk_cap_give(cpu, &io->object, HK_RIGHT_IO | HK_RIGHT_COPY) : status;
}

/* The object behind a handle, if it is of this kind. */
static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, uint32_t kinds,
                           const struct hk_io **io)
{
    struct hk_object *object;
    enum hk_status status =
        hk_cap_find(cpu->current->process, handle, HK_OBJECT_IO, HK_RIGHT_IO, &object);

    if (status != HK_OK)
        return status;
    *io = (const struct hk_io *)(const void *)object;
    return kinds >> (*io)->kind & 1 ? HK_OK : HK_EINVAL;
}

/* The port at an offset, for an access of so many bytes. */
static enum hk_status find_port(struct hk_cpu *cpu, uint64_t handle, uint64_t offset,
                                uint64_t bytes, uint16_t *port)
{
    const struct hk_io *io;
    enum hk_status status = find(cpu, handle, 1u << HK_IO_PORTS, &io);

    if (status != HK_OK)
        return status;
    if ((bytes != 1 && bytes != 2 && bytes != 4) || offset >= io->count ||
        bytes > io->count - offset)
        return HK_EINVAL;
    *port = (uint16_t)(io->base + offset);
    return HK_OK;
}

/* io_in(io, offset, bytes) -> value */
hk_result hk_sys_io_in(struct hk_cpu *cpu, uint64_t handle, uint64_t offset, uint64_t bytes,
                       uint64_t d, uint64_t e)
{
    uint16_t port;
    enum hk_status status = find_port(cpu, handle, offset, bytes, &port);

    (void)d, (void)e;
    return status == HK_OK ? (hk_result)hk_port_in(cpu, port, (uint32_t)bytes) : status;
}

/* io_out(io, offset, bytes, value) */
hk_result hk_sys_io_out(struct hk_cpu *cpu, uint64_t handle, uint64_t offset, uint64_t bytes,
                        uint64_t value, uint64_t e)
{
    uint16_t port;
    enum hk_status status = find_port(cpu, handle, offset, bytes, &port);

    (void)e;
    if (status == HK_OK)
        hk_port_out(cpu, port, (uint32_t)bytes, (uint32_t)value);
    return status;
}

static void unmap(struct hk_cpu *cpu, struct hk_space *space, uint64_t address, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t physical;

        (void)hk_space_unmap(cpu->kernel, space, address + i * HK_PAGE_BYTES, &physical);
        hk_page_release(cpu->kernel, physical); /* nothing where it is a device's */
    }
}

/* io_map(io, address, HK_MAP_*): registers uncached, frames as memory; whole or not at all */
hk_result hk_sys_io_map(struct hk_cpu *cpu, uint64_t handle, uint64_t address,
                        uint64_t protection, uint64_t d, uint64_t e)
{
    struct hk_space *space = &cpu->current->process->space;
    const struct hk_io *io;
    enum hk_status status = find(cpu, handle, 1u << HK_IO_MEMORY | 1u << HK_IO_DMA, &io);

    (void)d, (void)e;
    if (status == HK_OK)
        status = hk_space_check_range(address, io->count);
    if (status == HK_OK && (protection & HK_MAP_EXECUTE))
        status = HK_EINVAL;
    for (uint64_t i = 0; status == HK_OK && i < io->count; i++) {
        uint64_t physical = io->base + i * HK_PAGE_BYTES, at = address + i * HK_PAGE_BYTES;

        if (io->kind == HK_IO_MEMORY)
            status = hk_space_map_device(cpu->kernel, space, at, physical, protection);
        else
            status = hk_space_map(cpu->kernel, space, at, physical, protection);
        if (status != HK_OK)
            unmap(cpu, space, address, i);
        else
            hk_page_hold(cpu->kernel, physical);
    }
    return status;
}

/* io_base(io) -> first port, physical address, or line */
hk_result hk_sys_io_base(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
                         uint64_t e)
{
    const struct hk_io *io;
    enum hk_status status = find(cpu, handle, (1u << HK_IO_KINDS) - 1, &io);

    (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? (hk_result)io->base : status;
}

/* line_bind(io, endpoint, badge): its interrupts become messages */
hk_result hk_sys_line_bind(struct hk_cpu *cpu, uint64_t handle, uint64_t receiver, uint64_t badge,
                           uint64_t d, uint64_t e)
{
    const struct hk_io *io;
    struct hk_object *endpoint;
    enum hk_status status = find(cpu, handle, 1u << HK_IO_LINE, &io);

    (void)d, (void)e;
    if (status == HK_OK)
        status = hk_cap_find(cpu->current->process, receiver, HK_OBJECT_ENDPOINT,
                             HK_RIGHT_RECEIVE, &endpoint);
    if (status != HK_OK)
        return status;
    return hk_irq_attach(cpu, io->base, (struct hk_endpoint *)(void *)endpoint, badge);
}

/* line_ack(io): the next one may come */
hk_result hk_sys_line_ack(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
                          uint64_t e)
{
    const struct hk_io *io;
    enum hk_status status = find(cpu, handle, 1u << HK_IO_LINE, &io);

    (void)b, (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (cpu->kernel->irqs[io->base].event.endpoint == NULL)
        return HK_ENOENT;
    hk_irq_acknowledge(cpu, (uint32_t)io->base);
    return HK_OK;
}
