/* SPDX-License-Identifier: MIT */
#include "user/compose.h"

enum hk_status hk_compose_server(struct hk_composition *composition, enum hk_service_number number)
{
    struct hk_server *server = &composition->server[number];
    const char *name = hk_services[number].name;
    uint64_t theirs = 0;
    int64_t status = hk_server_create("server", server, &theirs);

    if (status != HK_OK)
        return (enum hk_status)status;
    status = hk_syscall(HK_SYS_process_trust, server->process, 0, 0);
    if (status == HK_OK)
        status = hk_syscall(HK_SYS_process_start, server->process, number | theirs << 8, 0);
    if (status == HK_OK)
        status = hk_syscall(HK_SYS_service_register, (uint64_t)name, hk_text_bytes(name),
                            server->endpoint);
    if (status != HK_OK)
        hk_server_stop(server);
    (void)hk_syscall0(HK_SYS_yield); /* it starts up, and waits */
    return (enum hk_status)status;
}

enum hk_status hk_compose(struct hk_composition *composition)
{
    char place[HK_COMMAND_LINE_BYTES];
    enum hk_status status;

    if (!hk_boot_value("place", place, sizeof(place)))
        place[0] = '\0';
    status = hk_composition_parse(place, hk_text_bytes(place), &composition->placement);
    for (uint32_t i = 0; i < HK_SERVICES && status == HK_OK; i++)
        if (!(composition->placement & 1u << i))
            status = hk_compose_server(composition, (enum hk_service_number)i);
    return status;
}

void hk_compose_stop(struct hk_composition *composition)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++)
        if (!(composition->placement & 1u << i))
            hk_server_stop(&composition->server[i]);
}

int64_t hk_service_handle(enum hk_service_number number)
{
    const char *name = hk_services[number].name;

    return hk_syscall(HK_SYS_service_lookup, (uint64_t)name, hk_text_bytes(name), HK_TIMEOUT_NOW);
}

enum hk_status hk_service_request(uint64_t handle, uint64_t words,
                                  uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    int64_t got = hk_user_ipc(hk_call_class(words) + (int64_t)words, &handle, word);

    if (got < 0)
        return (enum hk_status)got;
    return got == 0 ? HK_EPARSE : (enum hk_status)(int64_t)word[0];
}
