/* SPDX-License-Identifier: MIT */
/* System calls and rendezvous. */
#include "user/experiments.h"

void hk_lab_peer(struct hk_lab *lab, enum hk_peer_role role, uint64_t next)
{
    struct hk_server *server = &lab->server[lab->server_count];

    if (lab->error != NULL)
        return;
    if (hk_peer_start(role, next, server) != HK_OK) {
        lab->error = "a peer process does not start";
        return;
    }
    lab->server_count++;
    lab->handle = server->endpoint;
}

void hk_lab_clear(struct hk_lab *lab)
{
    while (lab->server_count > 0)
        hk_server_stop(&lab->server[--lab->server_count]);
}

/* What the loop itself costs in every other row. */
static void nothing(struct hk_lab *lab, uint64_t ops)
{
    (void)lab;
    do
        __asm__ volatile("" : : : "memory");
    while (--ops > 0);
}

static void null_call(struct hk_lab *lab, uint64_t ops)
{
    (void)lab;
    do
        (void)hk_syscall0(HK_SYS_null);
    while (--ops > 0);
}

static void echo(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_ECHO, HK_HANDLE_SELF);
}

static void echo_long(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_ECHO_LONG, HK_HANDLE_SELF);
}

static void echo_any(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_ECHO_ANY, HK_HANDLE_SELF);
}

static void call(struct hk_lab *lab, uint64_t ops)
{
    uint64_t handle = lab->handle;
    uint64_t w0 = 2385, w1 = 7411;
    int64_t words;

    do
        words = hk_call(handle, 2, &w0, &w1);
    while (--ops > 0);
    if (words != 2 || w0 != 2385 || w1 != 7411)
        lab->error = "the reply is not what was sent";
}

static void call_empty(struct hk_lab *lab, uint64_t ops)
{
    uint64_t handle = lab->handle;
    uint64_t w0 = 0, w1 = 0;

    do
        (void)hk_call(handle, 0, &w0, &w1);
    while (--ops > 0);
}

static void call_long(struct hk_lab *lab, uint64_t ops)
{
    uint64_t handle = lab->handle;
    uint64_t words = lab->parameter;
    uint64_t w0, w1;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];

    for (uint64_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        word[i] = 2385 + i;
    do
        (void)hk_call_long(handle, words, word, &w0, &w1);
    while (--ops > 0);
    if (w0 != 2385 || w1 != 2386)
        lab->error = "the reply is not what was sent";
}

/* parameter: words, and of a chain the number of servers above bit 32 */
static uint64_t words_of(const struct hk_lab *lab)
{
    return lab->parameter & 0xffffffff;
}

static void call_any(struct hk_lab *lab, uint64_t ops)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 2385 };
    int64_t words;

    do {
        uint64_t handle = lab->handle;

        words = hk_user_ipc(HK_IPC_CALL_ANY + (int64_t)words_of(lab), &handle, word);
    } while (--ops > 0);
    if (words != (int64_t)words_of(lab))
        lab->error = "the reply is not what was sent";
}

/* The last of the chain answers, the others pass on. */
static void chain(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_ECHO, HK_HANDLE_SELF);
    for (uint64_t i = 1; i < lab->parameter; i++)
        hk_lab_peer(lab, HK_PEER_FORWARD, lab->handle);
}

static void chain_any(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_ECHO_ANY, HK_HANDLE_SELF);
    for (uint64_t i = 1; i < lab->parameter >> 32; i++)
        hk_lab_peer(lab, HK_PEER_FORWARD_ANY, lab->handle);
}

/* parameter: instructions of delay, number of servers above bit 32 */
static void delayed_chain(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_DELAY_ECHO, HK_HANDLE_SELF);
    for (uint64_t i = 1; i < lab->parameter >> 32; i++)
        hk_lab_peer(lab, HK_PEER_DELAY_FORWARD, lab->handle);
}

/* The delay before each send; its length is in the message, so that servers can do the same. */
static void delayed_call(struct hk_lab *lab, uint64_t ops)
{
    uint64_t handle = lab->handle, delay = lab->parameter & 0xffffffff;
    uint64_t w0 = 2385, w1 = delay;

    do {
        hk_peer_delay(delay);
        (void)hk_call(handle, 2, &w0, &w1);
    } while (--ops > 0);
    if (w0 != 2385 || w1 != delay)
        lab->error = "the reply is not what was sent";
}

static void sink(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_SINK, HK_HANDLE_SELF);
}

/* The sender goes on at once, so the receiver's turn comes by the yield. */
static void send(struct hk_lab *lab, uint64_t ops)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 2385 };

    do {
        uint64_t handle = lab->handle;

        if (hk_user_ipc(HK_IPC_SEND + 1, &handle, word) != 0)
            lab->error = "nobody takes the message";
        (void)hk_syscall0(HK_SYS_yield);
    } while (--ops > 0);
}

static void yielder(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_YIELD, HK_HANDLE_SELF);
}

static void yield(struct hk_lab *lab, uint64_t ops)
{
    (void)lab;
    do
        (void)hk_syscall0(HK_SYS_yield);
    while (--ops > 0);
}

#define ROUND_TRIP(variant, words, prepare, run)                                             \
    { "guest/round_trip/" variant "/spaces:2/words:" #words, prepare, run, hk_lab_clear,     \
      words, 0, 0 }

static const struct hk_experiment rows[] = {
    { "guest/harness/empty", NULL, nothing, NULL, 0, 0, 0 },
    { "guest/syscall/null", NULL, null_call, NULL, 0, 0, 0 },
    ROUND_TRIP("endpoint", 0, echo, call_empty),
    ROUND_TRIP("endpoint", 2, echo, call),
    ROUND_TRIP("endpoint", 10, echo_long, call_long),
    ROUND_TRIP("endpoint", 11, echo_long, call_long),
    ROUND_TRIP("endpoint_buffer", 2, echo_any, call_any),
    ROUND_TRIP("endpoint_buffer", 16, echo_any, call_any),
    ROUND_TRIP("endpoint_buffer", 32, echo_any, call_any),
    ROUND_TRIP("endpoint_buffer", 64, echo_any, call_any),
    ROUND_TRIP("endpoint_buffer", 256, echo_any, call_any),
    ROUND_TRIP("endpoint_buffer", 523, echo_any, call_any),
    { "guest/chain/endpoint/servers:1", chain, call, hk_lab_clear, 1, 0, 0 },
    { "guest/chain/endpoint/servers:2", chain, call, hk_lab_clear, 2, 0, 0 },
    { "guest/chain/endpoint/servers:3", chain, call, hk_lab_clear, 3, 0, 0 },
    { "guest/chain/endpoint/servers:4", chain, call, hk_lab_clear, 4, 0, 0 },
    { "guest/chain/endpoint/servers:5", chain, call, hk_lab_clear, 5, 0, 0 },
    { "guest/one_way/endpoint/spaces:2/words:1", sink, send, hk_lab_clear, 1, 0, 0 },
    { "guest/context_switch/yield/spaces:2", yielder, yield, hk_lab_clear, 0, 0, 0 },
};

#define CHAIN(servers, words)                                                                \
    { "guest/chain/endpoint_buffer/servers:" #servers "/words:" #words, chain_any, call_any,   \
      hk_lab_clear, (uint64_t)(servers) << 32 | (words), 8, 0 }
/* Sizes to learn from, and sizes in between. */
#define CHAINS(servers)                                                                      \
    CHAIN(servers, 16), CHAIN(servers, 64), CHAIN(servers, 192), CHAIN(servers, 512),         \
        CHAIN(servers, 32), CHAIN(servers, 96), CHAIN(servers, 256), CHAIN(servers, 384)
#define INJECT(servers, delay)                                                               \
    { "guest/inject/endpoint/servers:" #servers "/delay_instructions:" #delay, delayed_chain,  \
      delayed_call, hk_lab_clear, (uint64_t)(servers) << 32 | (delay), 8, 0 }
#define INJECTS(servers)                                                                     \
    INJECT(servers, 100), INJECT(servers, 500), INJECT(servers, 1000), INJECT(servers, 2000)

/* What F3 is judged on. */
static const struct hk_experiment twin_rows[] = {
    CHAINS(1), CHAINS(2), CHAINS(3), CHAINS(4), CHAINS(5), INJECTS(1), INJECTS(2),
};

const struct hk_experiment_table hk_experiments_twin = { twin_rows, HK_ARRAY_COUNT(twin_rows) };

const struct hk_experiment_table hk_experiments_call = { rows, HK_ARRAY_COUNT(rows) };
