/* SPDX-License-Identifier: MIT */
/*
 * Supervises the fuzzing: processes with seed after seed, with and without the
 * right to command the system, two at a time so that they meet each other. A
 * process that sleeps for ever or dies is replaced. seed= and calls= come from the command line.
 */
#include "user/fuzz.h"
#include "user/peer.h"
#include "user/scenario.h"
#include "user/user.h"

#define PAIR 2
#define PATIENCE_NS (2 * (uint64_t)HK_NS_PER_MS)

/* One process of a pair, and the page it counts its calls in. */
struct fuzzer {
    int64_t process, page;
    volatile uint64_t *count;
};

static uint64_t number_option(const char *key, uint64_t otherwise)
{
    char text[24];
    uint64_t value = 0;

    if (!hk_boot_value(key, text, sizeof(text)))
        return otherwise;
    for (const char *at = text; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

/* A process that may call and receive at the shared endpoint, and has a stream and memory. */
static bool start(struct fuzzer *fuzzer, uint64_t slot, uint64_t seed, uint64_t endpoint,
                  uint64_t stream)
{
    uint64_t address = HK_FUZZ_COUNT_ADDRESS + slot * HK_PAGE_BYTES, process;

    fuzzer->count = (volatile uint64_t *)address;
    fuzzer->page = hk_syscall(HK_SYS_shm_create, 1, 0, 0);
    fuzzer->process = hk_syscall(HK_SYS_process_create, (uint64_t) "fuzz", 4, 0);
    if (fuzzer->page < 0 || fuzzer->process < 0 ||
        hk_syscall(HK_SYS_shm_map, (uint64_t)fuzzer->page, address,
                   HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return false;
    process = (uint64_t)fuzzer->process;
    (void)hk_syscall5(HK_SYS_cap_copy, process, (uint64_t)fuzzer->page, HK_RIGHTS_ALL, 0, 0);
    (void)hk_syscall5(HK_SYS_cap_copy, process, endpoint, HK_RIGHTS_ALL, seed, 0);
    (void)hk_syscall5(HK_SYS_cap_copy, process, stream, HK_RIGHTS_ALL, 0, 0);
    if (seed % 2 == 1)
        (void)hk_syscall(HK_SYS_process_trust, process, 0, 0);
    return hk_syscall(HK_SYS_process_start, process, seed, 0) == HK_OK;
}

/* Wait for its end, or end it; returns how many calls it has made. */
static uint64_t finish(struct fuzzer *fuzzer, uint64_t exits[8])
{
    uint64_t process = (uint64_t)fuzzer->process, count;
    int64_t exit = hk_syscall(HK_SYS_process_wait, process, PATIENCE_NS, 0);

    if (exit < 0) {
        (void)hk_syscall(HK_SYS_process_kill, process, 0, 0);
        exit = HK_EXIT_KILLED;
    }
    exits[exit & 7]++;
    count = *fuzzer->count;
    (void)hk_syscall(HK_SYS_shm_unmap, (uint64_t)fuzzer->page, (uint64_t)fuzzer->count, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)fuzzer->page, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, process, 0, 0);
    return count <= HK_FUZZ_CALLS ? count : 0; /* it may have garbled even that */
}

static bool still_works(void)
{
    struct hk_server server;
    uint64_t w0 = 2385, w1 = 7411;
    int64_t words;

    if (hk_peer_start(HK_PEER_ECHO, HK_HANDLE_SELF, &server) != HK_OK)
        return false;
    words = hk_call(server.endpoint, 2, &w0, &w1);
    hk_server_stop(&server);
    return words == 2 && w0 == 2385 && w1 == 7411;
}

int hk_scenario_fuzz(uint64_t *ipc_page)
{
    uint64_t seed = number_option("seed", 1), wanted = number_option("calls", 100000);
    uint64_t calls = 0, first = seed;
    uint64_t exits[8] = { 0 };
    struct hk_line line;
    bool good = true;

    (void)ipc_page;
    while (calls < wanted && good) {
        uint64_t endpoint = (uint64_t)hk_syscall0(HK_SYS_endpoint_create);
        uint64_t stream = (uint64_t)hk_syscall0(HK_SYS_stream_create);
        struct fuzzer pair[PAIR];

        for (size_t i = 0; i < PAIR; i++)
            good &= start(&pair[i], i, seed++, endpoint, stream);
        for (size_t i = 0; i < PAIR && good; i++)
            calls += finish(&pair[i], exits);
        (void)hk_syscall(HK_SYS_cap_drop, endpoint, 0, 0);
        (void)hk_syscall(HK_SYS_cap_drop, stream, 0, 0);
        /* a trusted one may have changed it */
        (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_ROUND_ROBIN, 0, 0);
        good = good && still_works();
    }
    hk_line_begin(&line, good ? "value" : "fail");
    hk_line_text(&line, "guest/fuzz");
    hk_line_field(&line, "first_seed", first);
    hk_line_field(&line, "last_seed", seed - 1);
    hk_line_field(&line, "calls", calls);
    hk_line_field(&line, "finished", exits[HK_EXIT_NORMAL]);
    hk_line_field(&line, "killed", exits[HK_EXIT_KILLED]);
    hk_line_field(&line, "faulted", exits[HK_EXIT_PAGE] + exits[HK_EXIT_ILLEGAL] +
                                        exits[HK_EXIT_STACK]);
    hk_line_end(&line);
    return good ? 0 : 1;
}
