/* SPDX-License-Identifier: MIT */
#include "user/pager.h"

#define STORE 0x0000200000000000 /* where pages are made before they go */

static uint64_t page_of(uint64_t address)
{
    return address - address % HK_PAGE_BYTES;
}

static void map(uint64_t page, uint64_t from)
{
    (void)hk_syscall5(HK_SYS_pager_map, page, 1, HK_MAP_READ | HK_MAP_WRITE, from, 0);
}

static void fresh(uint64_t address)
{
    map(page_of(address), 0);
}

static void filled(uint64_t address)
{
    uint64_t *word = (uint64_t *)STORE;

    if (hk_syscall(HK_SYS_page_map, STORE, 1, HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return;
    for (uint64_t i = 0; i < HK_PAGE_BYTES / sizeof(*word); i++)
        word[i] = HK_PAGER_PATTERN;
    map(page_of(address), STORE);
}

static void refuses(uint64_t address)
{
    (void)address;
}

static void elsewhere(uint64_t address)
{
    map(page_of(address) + HK_PAGE_BYTES, 0);
}

static void sleeps(uint64_t address)
{
    (void)address;
    (void)hk_syscall(HK_SYS_sleep, INT64_MAX, 0, 0);
}

static void loops(uint64_t address)
{
    (void)address;
    for (;;)
        __asm__ volatile("" : : : "memory");
}

static void exits(uint64_t address)
{
    (void)address;
    (void)hk_syscall(HK_SYS_exit, 0, 0, 0);
}

static void crashes(uint64_t address)
{
    *(volatile uint64_t *)(address % HK_PAGE_BYTES) = 0;
}

static void (*const ways[HK_PAGER_WAYS])(uint64_t address) = {
    [HK_PAGER_FRESH] = fresh,     [HK_PAGER_FILLED] = filled,
    [HK_PAGER_REFUSES] = refuses, [HK_PAGER_ELSEWHERE] = elsewhere,
    [HK_PAGER_IGNORES] = refuses, [HK_PAGER_SLEEPS] = sleeps,
    [HK_PAGER_LOOPS] = loops,     [HK_PAGER_EXITS] = exits,
    [HK_PAGER_CRASHES] = crashes,
};

/* argument: way, endpoint, one byte each */
int main(uint64_t argument, uint64_t *ipc_page)
{
    uint64_t way = argument & 0xff, endpoint = argument >> 8 & 0xff;
    int64_t tag = way == HK_PAGER_IGNORES ? HK_IPC_RECEIVE : HK_IPC_REPLY_WAIT;
    uint64_t badge, w0 = 0, w1 = 0;
    int64_t words;

    (void)ipc_page;
    if (way >= HK_PAGER_WAYS)
        return 1;
    words = hk_reply_wait(endpoint, 0, &badge, &w0, &w1);
    while (words >= 0) {
        if (words == HK_PAGER_WORDS && w0 == HK_PAGER_FAULT)
            ways[way](w1);
        words = hk_wait_message(tag, endpoint, &badge, &w0, &w1);
    }
    return 2;
}
