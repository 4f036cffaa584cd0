/* SPDX-License-Identifier: MIT */
#include "user/compose.h"

#include "services/durable.h"
#include "services/virtio.h"

#define REGISTERS 0x0000210000000000 /* where they are mapped for a moment */

/* A process with the endpoint and the memory, running. */
static enum hk_status start_process(struct hk_composition *composition,
                                    enum hk_service_number number, enum hk_server_fault fault,
                                    uint64_t after)
{
    struct hk_server *server = &composition->server[number];
    uint64_t endpoint = 0;
    int64_t memory, frames = HK_HANDLE_SELF;
    int64_t status = hk_server_create("server", server, &endpoint);

    if (status != HK_OK)
        return (enum hk_status)status;
    memory = hk_syscall5(HK_SYS_cap_copy, server->process, composition->memory[number],
                         HK_RIGHT_SHM_READ | HK_RIGHT_SHM_WRITE, 0, 0);
    if (composition->frames[number] != HK_HANDLE_SELF)
        frames = hk_syscall5(HK_SYS_cap_copy, server->process, composition->frames[number],
                             HK_RIGHT_IO, 0, 0);
    status = memory < 0 ? memory : frames < 0 ? frames : HK_OK;
    if (status == HK_OK)
        status = hk_syscall(HK_SYS_process_trust, server->process, 0, 0);
    if (status == HK_OK)
        status = hk_syscall(
            HK_SYS_process_start, server->process,
            hk_server_argument(number, endpoint, (uint64_t)memory, (uint64_t)frames, fault, after),
            0);
    if (status != HK_OK)
        hk_server_stop(server);
    return (enum hk_status)status;
}

/* What every server of a service works on; made for the first. */
static enum hk_status make_memory(struct hk_composition *composition,
                                  enum hk_service_number number)
{
    const struct hk_service *service = &hk_services[number];
    int64_t handle;

    if (composition->memory[number] != HK_HANDLE_SELF)
        return HK_OK;
    handle = hk_syscall(HK_SYS_shm_create, hk_durable_pages(service), 0, 0);
    if (handle < 0)
        return (enum hk_status)handle;
    composition->memory[number] = (uint64_t)handle;
    if (!(composition->devices & 1u << number))
        return HK_OK;
    handle = hk_syscall(HK_SYS_io_create, HK_IO_DMA, 0, service->device_pages);
    if (handle < 0)
        return (enum hk_status)handle;
    composition->frames[number] = (uint64_t)handle;
    return HK_OK;
}

enum hk_status hk_compose_server(struct hk_composition *composition, enum hk_service_number number,
                                 enum hk_server_fault fault, uint64_t after)
{
    const char *name = hk_services[number].name;
    enum hk_status status = make_memory(composition, number);

    if (status == HK_OK)
        status = start_process(composition, number, fault, after);
    if (status != HK_OK)
        return status;
    status = (enum hk_status)hk_syscall(HK_SYS_service_register, (uint64_t)name,
                                        hk_text_bytes(name), composition->server[number].endpoint);
    if (status != HK_OK)
        hk_server_stop(&composition->server[number]);
    (void)hk_syscall0(HK_SYS_yield); /* it starts up, and waits */
    return status;
}

enum hk_status hk_compose(struct hk_composition *composition)
{
    char text[HK_COMMAND_LINE_BYTES];
    enum hk_status status;

    *composition = (struct hk_composition){ 0 };
    if (!hk_boot_value("place", text, sizeof(text)))
        text[0] = '\0';
    status = hk_composition_parse(text, hk_text_bytes(text), &composition->placement);
    if (!hk_boot_value("devices", text, sizeof(text)))
        text[0] = '\0';
    if (status == HK_OK)
        status = hk_devices_parse(text, hk_text_bytes(text), &composition->devices);
    for (uint32_t i = 0; i < HK_SERVICES && status == HK_OK; i++)
        if (!(composition->placement & 1u << i))
            status = hk_compose_server(composition, (enum hk_service_number)i, HK_SERVER_HANGS, 0);
    return status;
}

/* The server is gone, but its device still has requests: they end before their frames go. */
static void stop_device(enum hk_device_kind kind)
{
    enum hk_virtio_device wanted =
        kind == HK_DEVICE_VIRTIO_NET ? HK_VIRTIO_NET : HK_VIRTIO_BLOCK;
    int64_t page = hk_syscall(HK_SYS_io_create, HK_IO_MEMORY, HK_VIRTIO_PHYSICAL, 1);
    volatile char *registers = (volatile char *)REGISTERS;
    uint32_t number;

    if (kind == HK_DEVICE_RAMFB || page < 0)
        return;
    if (hk_syscall(HK_SYS_io_map, (uint64_t)page, REGISTERS, HK_MAP_READ | HK_MAP_WRITE) == HK_OK &&
        hk_virtio_find(registers, wanted, &number) == HK_OK)
        hk_virtio_stop(registers + number * HK_VIRTIO_STRIDE_BYTES);
    (void)hk_syscall(HK_SYS_page_unmap, REGISTERS, 1, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)page, 0, 0);
}

void hk_compose_stop(struct hk_composition *composition)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        if (composition->placement & 1u << i)
            continue;
        hk_server_stop(&composition->server[i]);
        (void)hk_syscall(HK_SYS_cap_drop, composition->memory[i], 0, 0);
        if (composition->frames[i] == HK_HANDLE_SELF)
            continue;
        stop_device(hk_services[i].device);
        (void)hk_syscall(HK_SYS_cap_drop, composition->frames[i], 0, 0);
    }
}
