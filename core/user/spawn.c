/* SPDX-License-Identifier: MIT */
#include "user/spawn.h"

enum hk_status hk_server_start(const char *name, struct hk_server *server)
{
    int64_t endpoint = hk_syscall0(HK_SYS_endpoint_create);
    int64_t process, theirs;

    if (endpoint < 0)
        return (enum hk_status)endpoint;
    process = hk_syscall(HK_SYS_process_create, (uint64_t)name, hk_text_bytes(name), 0);
    if (process < 0) {
        (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)endpoint, 0, 0);
        return (enum hk_status)process;
    }
    *server = (struct hk_server){ (uint64_t)process, (uint64_t)endpoint };
    theirs = hk_syscall5(HK_SYS_cap_copy, server->process, server->endpoint, HK_RIGHT_RECEIVE, 0,
                         0);
    if (theirs >= 0)
        theirs = hk_syscall(HK_SYS_process_start, server->process, (uint64_t)theirs, 0);
    if (theirs < 0)
        hk_server_stop(server);
    return theirs < 0 ? (enum hk_status)theirs : HK_OK;
}

void hk_server_stop(struct hk_server *server)
{
    (void)hk_syscall(HK_SYS_process_kill, server->process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, server->process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, server->endpoint, 0, 0);
}
