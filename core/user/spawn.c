/* SPDX-License-Identifier: MIT */
#include "user/spawn.h"

#include "user/pager.h"
#include "user/peer.h"
#include "user/victim.h"

enum hk_status hk_server_create(const char *name, struct hk_server *server, uint64_t *theirs)
{
    int64_t endpoint = hk_syscall0(HK_SYS_endpoint_create);
    int64_t process, handle;

    if (endpoint < 0)
        return (enum hk_status)endpoint;
    process = hk_syscall(HK_SYS_process_create, (uint64_t)name, hk_text_bytes(name), 0);
    if (process < 0) {
        (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)endpoint, 0, 0);
        return (enum hk_status)process;
    }
    *server = (struct hk_server){ (uint64_t)process, (uint64_t)endpoint };
    handle = hk_syscall5(HK_SYS_cap_copy, server->process, server->endpoint, HK_RIGHT_RECEIVE, 0,
                         0);
    if (handle < 0) {
        hk_server_stop(server);
        return (enum hk_status)handle;
    }
    *theirs = (uint64_t)handle;
    return HK_OK;
}

void hk_server_stop(struct hk_server *server)
{
    (void)hk_syscall(HK_SYS_process_kill, server->process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, server->process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, server->endpoint, 0, 0);
}

/* Copy what it may call, run it, and let it come to where it waits. */
static enum hk_status start(struct hk_server *server, uint64_t role, uint64_t theirs, uint64_t next,
                            bool trusted)
{
    int64_t next_theirs = 0;

    if (next != HK_HANDLE_SELF)
        next_theirs = hk_syscall5(HK_SYS_cap_copy, server->process, next, HK_RIGHT_CALL, 0, 0);
    if (next_theirs >= 0 && trusted)
        (void)hk_syscall(HK_SYS_process_trust, server->process, 0, 0);
    if (next_theirs >= 0)
        next_theirs = hk_syscall(HK_SYS_process_start, server->process,
                                 role | theirs << 8 | (uint64_t)next_theirs << 16, 0);
    if (next_theirs < 0) {
        hk_server_stop(server);
        return (enum hk_status)next_theirs;
    }
    (void)hk_syscall0(HK_SYS_yield);
    return HK_OK;
}

enum hk_status hk_peer_start(enum hk_peer_role role, uint64_t next, struct hk_server *server)
{
    uint64_t theirs = 0;
    enum hk_status status = hk_server_create("peer", server, &theirs);

    return status == HK_OK ? start(server, role, theirs, next, role == HK_PEER_IRQ) : status;
}

bool hk_peer_give(const struct hk_server *server, uint64_t in, uint64_t out, uint64_t rights)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t endpoint = server->endpoint;
    int64_t theirs_in = hk_syscall5(HK_SYS_cap_copy, server->process, in, rights, 0, 0);
    int64_t theirs_out = hk_syscall5(HK_SYS_cap_copy, server->process, out, rights, 0, 0);
    bool given;

    word[0] = (uint64_t)theirs_in;
    word[1] = (uint64_t)theirs_out;
    given = theirs_in >= 0 && theirs_out >= 0 &&
            hk_user_ipc(HK_IPC_SEND + 2, &endpoint, word) == 0;
    (void)hk_syscall0(HK_SYS_yield); /* it takes them, and waits for input */
    return given;
}

enum hk_status hk_victim_start(enum hk_victim_fault fault, struct hk_server *server)
{
    uint64_t theirs = 0;
    enum hk_status status = hk_server_create("victim", server, &theirs);

    return status == HK_OK ? start(server, fault, theirs, HK_HANDLE_SELF, false) : status;
}

enum hk_status hk_pager_start(enum hk_pager_way way, struct hk_server *server)
{
    uint64_t theirs = 0;
    enum hk_status status = hk_server_create("pager", server, &theirs);

    return status == HK_OK ? start(server, way, theirs, HK_HANDLE_SELF, false) : status;
}

enum hk_status hk_serial_start(uint64_t ports, uint64_t line, uint64_t notification,
                               struct hk_server *server)
{
    enum hk_status status = hk_peer_start(HK_PEER_SERIAL, HK_HANDLE_SELF, server);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t endpoint = server->endpoint;

    if (status != HK_OK)
        return status;
    word[0] = (uint64_t)hk_syscall5(HK_SYS_cap_copy, server->process, ports, HK_RIGHT_IO, 0, 0);
    word[1] = (uint64_t)hk_syscall5(HK_SYS_cap_copy, server->process, line, HK_RIGHT_IO, 0, 0);
    word[2] = (uint64_t)hk_syscall5(HK_SYS_cap_copy, server->process, notification,
                                    HK_RIGHT_SIGNAL, 0, 0);
    status = (enum hk_status)hk_user_ipc(HK_IPC_SEND + 3, &endpoint, word);
    if (status != HK_OK)
        hk_server_stop(server);
    (void)hk_syscall0(HK_SYS_yield); /* it sets the device up, and waits */
    return status;
}
