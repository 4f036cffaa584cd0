/* SPDX-License-Identifier: MIT */
#include "user/compose.h"

/* A process with the endpoint and the memory, running. */
static enum hk_status start_process(struct hk_composition *composition,
                                    enum hk_service_number number, enum hk_server_fault fault,
                                    uint64_t after)
{
    struct hk_server *server = &composition->server[number];
    uint64_t endpoint = 0;
    int64_t memory, status = hk_server_create("server", server, &endpoint);

    if (status != HK_OK)
        return (enum hk_status)status;
    memory = hk_syscall5(HK_SYS_cap_copy, server->process, composition->memory[number],
                         HK_RIGHT_SHM_READ | HK_RIGHT_SHM_WRITE, 0, 0);
    status = memory < 0 ? memory : hk_syscall(HK_SYS_process_trust, server->process, 0, 0);
    if (status == HK_OK)
        status = hk_syscall(
            HK_SYS_process_start, server->process,
            hk_server_argument(number, endpoint, (uint64_t)memory, fault, after), 0);
    if (status != HK_OK)
        hk_server_stop(server);
    return (enum hk_status)status;
}

enum hk_status hk_compose_server(struct hk_composition *composition, enum hk_service_number number,
                                 enum hk_server_fault fault, uint64_t after)
{
    const char *name = hk_services[number].name;
    enum hk_status status;

    if (composition->memory[number] == HK_HANDLE_SELF) {
        int64_t memory = hk_syscall(HK_SYS_shm_create, hk_services[number].pages, 0, 0);

        if (memory < 0)
            return (enum hk_status)memory;
        composition->memory[number] = (uint64_t)memory;
    }
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
    char place[HK_COMMAND_LINE_BYTES];
    enum hk_status status;

    *composition = (struct hk_composition){ 0 };
    if (!hk_boot_value("place", place, sizeof(place)))
        place[0] = '\0';
    status = hk_composition_parse(place, hk_text_bytes(place), &composition->placement);
    for (uint32_t i = 0; i < HK_SERVICES && status == HK_OK; i++)
        if (!(composition->placement & 1u << i))
            status = hk_compose_server(composition, (enum hk_service_number)i, HK_SERVER_HANGS, 0);
    return status;
}

void hk_compose_stop(struct hk_composition *composition)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        if (composition->placement & 1u << i)
            continue;
        hk_server_stop(&composition->server[i]);
        (void)hk_syscall(HK_SYS_cap_drop, composition->memory[i], 0, 0);
    }
}
