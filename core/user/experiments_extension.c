/* SPDX-License-Identifier: MIT */
/*
 * A packet filter as a program in the net service, compiled into the client, and in a server of its
 * own: what loading costs, what running costs, what a packet costs end to end, and what it costs
 * when the program is loaded for so many packets.
 */
#include "extension/verify.h"
#include "services/packet.h"
#include "user/experiments.h"
#include "user/filter.h"

#define PORT 7u
#define LOOPBACK 0x7f000001u
#define BYTES (HK_FILTER_WORDS * 8)

/* A row's parameter as hk_filter_unpack() takes it, with the packets per loading. */
#define PARAMETER(shape, size, count) ((uint64_t)(shape) << 63 | (uint64_t)(count) << 32 | (size))

static struct bench {
    struct hk_filter filter;
    uint64_t count;
    struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX];
    uint32_t length;
    uint64_t word[HK_FILTER_WORDS];
    uint64_t keep; /* the last verdict */
    struct hk_extension extension;
    unsigned char packet[HK_PACKET_HEADER_BYTES + BYTES];
    struct hk_verifier verifier;
} bench;

static const uint64_t no_maps[HK_EXTENSION_MAPS];

static void set_up(struct hk_lab *lab)
{
    bench.filter = hk_filter_unpack(lab->parameter);
    bench.count = lab->parameter << 1 >> 33;
    bench.length = hk_filter_program(&bench.filter, bench.program);
    hk_filter_datagram(bench.word);
    hk_client_init(&lab->client, lab->ipc_page);
}

static void tear_down(struct hk_lab *lab)
{
    hk_client_fini(&lab->client);
}

/* --- the program by itself ---------------------------------------------------------------- */

static void make_program(struct hk_lab *lab)
{
    set_up(lab);
    __builtin_memcpy(bench.packet + HK_PACKET_HEADER_BYTES, bench.word, BYTES);
    bench.extension = (struct hk_extension){ bench.program, bench.length, 0, NULL };
    if (hk_verify_begin(&bench.verifier, &bench.extension) != HK_OK ||
        hk_verify_step(&bench.verifier, UINT32_MAX) != HK_OK)
        lab->error = "the program is rejected";
}

static void check_verdict(struct hk_lab *lab)
{
    if (bench.keep != hk_filter_decide(&bench.filter, bench.word))
        lab->error = "the forms of the filter decide differently";
}

static void run_program(struct hk_lab *lab, uint64_t ops)
{
    do
        bench.keep = hk_extension_run(&bench.extension, bench.packet, sizeof(bench.packet));
    while (--ops > 0);
    check_verdict(lab);
}

static void run_inline(struct hk_lab *lab, uint64_t ops)
{
    do {
        bench.keep = hk_filter_decide(&bench.filter, bench.word);
        __asm__ volatile("" : : : "memory"); /* decided anew each time */
    } while (--ops > 0);
    check_verdict(lab);
}

/* --- in the net service --------------------------------------------------------------------- */

static void bind(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_BIND, PORT };

    set_up(lab);
    if (hk_client_call(&lab->client, HK_SERVICE_NET, 3, word) != HK_OK)
        lab->error = "the port cannot be had";
}

static void unbind(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_CLOSE, PORT };

    (void)hk_client_call(&lab->client, HK_SERVICE_NET, 2, word); /* a filter goes with its port */
    tear_down(lab);
    hk_lab_clear(lab);
}

static void load(struct hk_lab *lab)
{
    struct hk_client_verdict verdict;

    if (hk_client_filter(&lab->client, PORT, bench.program, bench.length, no_maps, &verdict) !=
        HK_OK)
        lab->error = "the program is not accepted";
    lab->processed = verdict.processed;
}

static void unload(struct hk_lab *lab)
{
    if (hk_client_unfilter(&lab->client, PORT) != HK_OK)
        lab->error = "the program cannot be removed";
}

static void run_load(struct hk_lab *lab, uint64_t ops)
{
    do {
        load(lab);
        unload(lab);
    } while (--ops > 0);
}

/* One packet from the port to itself: what it costs without any filter. */
static enum hk_status pass_packet(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_SEND, PORT, LOOPBACK, PORT, BYTES };
    enum hk_status status;

    __builtin_memcpy(lab->ipc_page, bench.word, BYTES);
    status = hk_client_call(&lab->client, HK_SERVICE_NET, hk_service_payload_words(BYTES), word);
    if (status != HK_OK)
        return status;
    word[0] = HK_NET_RECEIVE, word[1] = PORT;
    return hk_client_call(&lab->client, HK_SERVICE_NET, 2, word);
}

static void need_packet(struct hk_lab *lab)
{
    if (pass_packet(lab) != HK_OK)
        lab->error = "the packet that must pass does not";
}

static void run_event(struct hk_lab *lab, uint64_t ops)
{
    do
        need_packet(lab);
    while (--ops > 0);
}

static void run_event_inline(struct hk_lab *lab, uint64_t ops)
{
    do {
        need_packet(lab);
        bench.keep = hk_filter_decide(&bench.filter, lab->ipc_page);
    } while (--ops > 0);
    check_verdict(lab);
}

static void start_server(struct hk_lab *lab)
{
    bind(lab);
    hk_lab_peer(lab, HK_PEER_FILTER, HK_HANDLE_SELF);
}

static void run_event_server(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { lab->parameter };

        need_packet(lab);
        __builtin_memcpy(word + 1, lab->ipc_page, BYTES);
        if (hk_call_long(lab->handle, 1 + HK_FILTER_WORDS, word, &bench.keep, &word[0]) < 0) {
            lab->error = "the server does not answer";
            return;
        }
    } while (--ops > 0);
    check_verdict(lab);
}

/* An attached program lets the packet pass that it must, and no other. */
static void attach(struct hk_lab *lab)
{
    bind(lab);
    load(lab);
    bench.word[0]++;
    if (lab->error == NULL && pass_packet(lab) != HK_EEMPTY)
        lab->error = "the program lets a packet pass that it must drop";
    bench.word[0]--;
}

/* Loaded, a number of packets, and off again; as often as it takes for so many packets. */
static void run_cycle(struct hk_lab *lab, uint64_t ops)
{
    uint64_t cycles = ops > bench.count ? ops / bench.count : 1;

    do {
        load(lab);
        run_event(lab, bench.count);
        unload(lab);
    } while (--cycles > 0);
}

/* --- rows ---------------------------------------------------------------------------------- */

#define NET (HK_SERVICE_NET + 1)

#define ROW(name, shape, part, prepare, run, finish, size, ops, placed)                     \
    { "guest/extension/" part "/shape:" name "/size:" #size, prepare, run, finish,          \
      PARAMETER(shape, size, 0), ops, placed }
#define STRAIGHT(...) ROW("straight", HK_FILTER_STRAIGHT, __VA_ARGS__)
#define BRANCHY(...) ROW("branchy", HK_FILTER_BRANCHY, __VA_ARGS__)

/* F9 trains on every second size and number of branches, and is tested on the others. */
#define SIZES(part, prepare, run, finish, ops, placed)          \
    STRAIGHT(part, prepare, run, finish, 16, ops, placed),      \
    STRAIGHT(part, prepare, run, finish, 32, ops, placed),      \
    STRAIGHT(part, prepare, run, finish, 64, ops, placed),      \
    STRAIGHT(part, prepare, run, finish, 128, ops, placed),     \
    STRAIGHT(part, prepare, run, finish, 256, ops, placed),     \
    STRAIGHT(part, prepare, run, finish, 512, ops, placed),     \
    STRAIGHT(part, prepare, run, finish, 1024, ops, placed),    \
    STRAIGHT(part, prepare, run, finish, 2048, ops, placed)
#define BRANCHES(part, prepare, run, finish, ops, placed)       \
    BRANCHY(part, prepare, run, finish, 2, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 3, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 4, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 5, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 6, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 7, ops, placed),        \
    BRANCHY(part, prepare, run, finish, 8, ops, placed)
#define AMORTISED(size, count)                                                                   \
    { "guest/extension/amortised/shape:straight/size:" #size "/count:" #count, bind, run_cycle,  \
      unbind, PARAMETER(HK_FILTER_STRAIGHT, size, count), count, NET }
#define EVENTS(size)                                                                  \
    STRAIGHT("event_plain", bind, run_event, unbind, size, 4, NET),                   \
    STRAIGHT("event_ebpf", attach, run_event, unbind, size, 4, NET),                  \
    STRAIGHT("event_inline", bind, run_event_inline, unbind, size, 4, NET),           \
    STRAIGHT("event_server", start_server, run_event_server, unbind, size, 4, NET),   \
    AMORTISED(size, 1), AMORTISED(size, 10), AMORTISED(size, 100), AMORTISED(size, 200)

static const struct hk_experiment rows[] = {
    SIZES("load", bind, run_load, unbind, 1, NET),
    BRANCHES("load", bind, run_load, unbind, 1, NET),
    SIZES("run", make_program, run_program, tear_down, 2, 0),
    BRANCHES("run", make_program, run_program, tear_down, 2, 0),
    SIZES("inline", set_up, run_inline, tear_down, 2, 0),
    BRANCHES("inline", set_up, run_inline, tear_down, 2, 0),
    EVENTS(64), EVENTS(128),
};

const struct hk_experiment_table hk_experiments_extension = { rows, HK_ARRAY_COUNT(rows) };
