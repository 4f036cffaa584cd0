/* SPDX-License-Identifier: MIT */
/*
 * What a process must not get: another's freed memory, an object it was not
 * given, the kernel's pages by way of a system call, or anything in a register.
 * Direct attempts that end in an exception are in faults.c.
 */
#include "user/peer.h"
#include "user/scenario.h"
#include "user/user.h"

#define PROBE_ADDRESS 0x0000100000000000
#define PROBE_PAGES 256
#define PROBE_ROUNDS 8

static bool expect(bool holds, const char *what)
{
    hk_say(holds ? "log" : "fail", what);
    return holds;
}

/* A process fills pages and dies; the next pages handed out come from those, zeroed. */
static bool freed_memory_is_zero(void)
{
    struct hk_server server;
    uint64_t dirty = 0;

    if (hk_peer_start(HK_PEER_FILL, HK_HANDLE_SELF, &server) != HK_OK)
        return false;
    (void)hk_syscall(HK_SYS_process_wait, server.process, HK_TIMEOUT_NONE, 0);
    hk_server_stop(&server);
    for (uint64_t round = 0; round < PROBE_ROUNDS; round++) {
        uint64_t address = PROBE_ADDRESS + round * PROBE_PAGES * HK_PAGE_BYTES;
        const volatile uint64_t *word = (const volatile uint64_t *)address;

        if (hk_syscall(HK_SYS_page_map, address, PROBE_PAGES, HK_MAP_READ) != HK_OK)
            return false;
        for (uint64_t i = 0; i < PROBE_PAGES * HK_PAGE_BYTES / sizeof(*word); i++)
            dirty |= word[i];
    }
    for (uint64_t round = 0; round < PROBE_ROUNDS; round++)
        (void)hk_syscall(HK_SYS_page_unmap,
                         PROBE_ADDRESS + round * PROBE_PAGES * HK_PAGE_BYTES, PROBE_PAGES, 0);
    return dirty == 0;
}

/* Only handle 0 exists in a process that was given nothing: no other number does anything. */
static bool handles_cannot_be_forged(void)
{
    for (uint64_t handle = 0; handle < 100000; handle += handle < 300 ? 1 : 997) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
        uint64_t high = handle << 32, copy = handle;

        if (hk_user_ipc(HK_IPC_CALL, &copy, word) != HK_EHANDLE)
            return false;
        copy = high | 1;
        if (hk_user_ipc(HK_IPC_CALL, &copy, word) != HK_EHANDLE ||
            hk_syscall(HK_SYS_process_kill, handle + 1, 0, 0) != HK_EHANDLE ||
            hk_syscall5(HK_SYS_cap_copy, 0, handle + 1, HK_RIGHTS_ALL, 0, 0) != HK_EHANDLE)
            return false;
    }
    return true;
}

/* A right that was not given does not come back by copying. */
static bool rights_cannot_grow(void)
{
    uint64_t endpoint = (uint64_t)hk_syscall0(HK_SYS_endpoint_create);
    int64_t weak = hk_syscall5(HK_SYS_cap_copy, HK_HANDLE_SELF, endpoint,
                               HK_RIGHT_CALL | HK_RIGHT_COPY, 7, 0);
    int64_t strong = hk_syscall5(HK_SYS_cap_copy, HK_HANDLE_SELF, (uint64_t)weak, HK_RIGHTS_ALL,
                                 8, 0);
    uint64_t handle = (uint64_t)strong, word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    bool good = weak > 0 && strong > 0 &&
                hk_user_ipc(HK_IPC_RECEIVE, &handle, word) == HK_ERIGHT;

    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)strong, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)weak, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, endpoint, 0, 0);
    return good;
}

static const uint64_t kernel_addresses[] = {
    0xffff800000000000, 0xffff800000100000, 0xffff8000fee00000,
    0xffffffff80100000, 0xffffffff80110000, HK_USER_END, HK_USER_END - 4,
};

/* The kernel refuses to read or write its own memory for a program. */
static bool kernel_pointers_are_refused(void)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(kernel_addresses); i++)
        if (hk_syscall(HK_SYS_log, kernel_addresses[i], 8, 0) != HK_EFAULT ||
            hk_syscall(HK_SYS_boot_info, kernel_addresses[i], HK_COMMAND_LINE_BYTES, 0) !=
                HK_EFAULT ||
            hk_syscall(HK_SYS_page_map, kernel_addresses[i] & ~0xfffull, 1, HK_MAP_READ) !=
                HK_EINVAL)
            return false;
    return hk_syscall(HK_SYS_page_map, PROBE_ADDRESS, 1,
                      HK_MAP_READ | HK_MAP_WRITE | HK_MAP_EXECUTE) == HK_EINVAL;
}

/* After a system call, its registers hold nothing. */
static bool call_leaves_no_register(void)
{
    uint64_t rax = HK_SYS_null, rdi = 1, rsi = 1, rdx = 1;
    register uint64_t r8 __asm__("r8") = 1;
    register uint64_t r9 __asm__("r9") = 1;
    register uint64_t r10 __asm__("r10") = 1;

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return (rax | rdi | rsi | rdx | r8 | r9 | r10) == 0;
}

/* After a short message, the registers beyond it hold nothing of the sender or the kernel. */
static bool message_leaves_no_register(void)
{
    struct hk_server server;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    uint64_t handle, rest = 0;

    for (size_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        word[i] = 0x5ec8e7;
    if (hk_peer_start(HK_PEER_ECHO, HK_HANDLE_SELF, &server) != HK_OK)
        return false;
    handle = server.endpoint;
    if (hk_user_ipc(HK_IPC_CALL + 4, &handle, word) != 2 || handle != 0)
        rest = 1;
    for (size_t i = HK_MESSAGE_SHORT_WORDS; i < HK_MESSAGE_REGISTER_WORDS; i++)
        rest |= word[i];
    hk_server_stop(&server);
    return rest == 0;
}

int hk_scenario_isolation(uint64_t *ipc_page)
{
    bool good;

    (void)ipc_page;
    good = expect(freed_memory_is_zero(), "freed memory of another process is zeroed");
    good &= expect(handles_cannot_be_forged(), "handles cannot be forged");
    good &= expect(rights_cannot_grow(), "rights cannot grow");
    good &= expect(kernel_pointers_are_refused(), "kernel addresses are refused");
    good &= expect(call_leaves_no_register(), "a system call leaves nothing in registers");
    good &= expect(message_leaves_no_register(), "a message leaves nothing in registers");
    return good ? 0 : 1;
}
