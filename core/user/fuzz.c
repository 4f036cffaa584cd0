/* SPDX-License-Identifier: MIT */
/*
 * The program "fuzz": makes system calls that mean nothing, from one seed. It may
 * end in any way; the machine may not. Arguments are drawn near what is valid, so
 * that calls get past their first check; every other process is its neighbour.
 */
#include "user/fuzz.h"
#include "user/user.h"

static uint64_t next(uint64_t *state)
{
    /* xorshift64*: Vigna, ACM TOMS 42(4), 2016 */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

static const uint64_t addresses[] = {
    0,
    HK_USER_BASE,
    HK_USER_STACK_TOP - 64,
    HK_USER_STACK_TOP - 4096 - 8,
    HK_USER_STACK_TOP - HK_USER_STACK_PAGES * 4096ull,
    HK_USER_IPC_BASE,
    HK_USER_IPC_BASE + 8192,
    HK_USER_END - 1,
    HK_USER_END,
    0x0000100000000000,
    0x0000100000001000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffff800000000000, /* the kernel's window */
    0xffff800000100000,
    0xffff8000fee00000,
    0xffffffff80100000, /* its code */
    0xffffffffffffffff,
};

/* A number of one of the kinds that calls take. */
static uint64_t draw(uint64_t *state)
{
    uint64_t random = next(state);

    switch (random >> 60) {
    case 0: case 1: case 2: case 3: case 4:
        return random % 12; /* a handle that may exist, a small count, a protection */
    case 5: case 6:
        return random % (HK_HANDLE_COUNT + 2);
    case 7: case 8: case 9:
        return addresses[random % HK_ARRAY_COUNT(addresses)];
    case 10:
        return addresses[random % HK_ARRAY_COUNT(addresses)] + (random >> 32) % 8192;
    case 11:
        return (random >> 32) % 8192; /* bytes */
    case 12:
        return 1ull << (random % 64);
    case 13:
        return -(random % 10000);
    default:
        return random;
    }
}

/* The general calls a seed may not make: they would end the run, or the process too soon. */
static bool is_left_out(uint64_t number)
{
    return number == HK_SYS_exit || number == HK_SYS_power_off || number == HK_SYS_thread_exit ||
           number == HK_SYS_log || number == HK_SYS_io_out; /* ports that reset the machine */
}

static void general_call(uint64_t *state)
{
    uint64_t number = HK_SYS_FIRST - 12 + next(state) % (HK_SYS_END - HK_SYS_FIRST + 16);
    uint64_t a = draw(state), b = draw(state), c = draw(state), d = draw(state);

    if (number <= HK_MESSAGE_SHORT_WORDS || is_left_out(number))
        number = HK_SYS_null;
    /* the last argument is a time-out in many calls: rarely a long one */
    if (hk_syscall5((enum hk_syscall)number, a, b, c, d, next(state) % 3000) == HK_OK &&
        number == HK_SYS_pager_bind)
        *(volatile uint64_t *)b = 2385; /* whoever calls for it may serve this fault, or end us */
}

static void ipc_call(uint64_t *state)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    uint64_t handle = draw(state);
    int64_t tag = -(int64_t)(next(state) % 10 * HK_IPC_CLASS_WORDS) +
                  (int64_t)(next(state) % 16 == 0 ? next(state) % 1100 : next(state) % 13);

    if (tag >= HK_SYS_FIRST) /* that would be a general call, whatever its number */
        tag = HK_SYS_FIRST - 1;
    for (size_t i = 0; i < HK_ARRAY_COUNT(word); i++)
        word[i] = draw(state);
    (void)hk_user_ipc(tag, &handle, word);
}

int main(uint64_t seed, uint64_t *ipc_page)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    uint64_t calls = 0;
    volatile uint64_t *count = (volatile uint64_t *)HK_FUZZ_COUNT_ADDRESS;

    (void)ipc_page;
    if (hk_syscall(HK_SYS_shm_map, HK_FUZZ_COUNT_HANDLE, HK_FUZZ_COUNT_ADDRESS,
                   HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return 1;
    while (calls < HK_FUZZ_CALLS) {
        if (calls % 64 == 0) /* a wait that nobody ends would end the process's usefulness */
            (void)hk_syscall(HK_SYS_ipc_timeout, 2000, 0, 0);
        if (next(&state) % 4 == 0)
            ipc_call(&state);
        else
            general_call(&state);
        *count = ++calls; /* somebody may have unmapped it by now: that ends us */
    }
    return 0;
}
