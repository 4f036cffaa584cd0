/* SPDX-License-Identifier: MIT */
/*
 * Request and reply between a client and a server process over one transport; with peer:
 * the state of the server's CPU is set, with clients: others call the same server, with
 * rate_per_s: requests come one by one.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/counters/idle.h"
#include "links.h"
#include "sporadic.h"
#include "timed.h"

/* --- cells -------------------------------------------------------------------------- */

/* F3 trains on the first four and is tested on the others. */
static const int64_t model_bytes[] = {1, 4096, 16384, 65536, 256, 2048, 8192, 32768};
static const int64_t full_bytes[] = {0,     1,     256,   1024,   2048,   4096,   8192,
                                     16384, 32768, 65536, 131072, 262144, 1048576};

/*
 * The quick run's sizes beside the usual one. The second is chained by the full run alone, the third
 * by none: the driver of a block server crosses it.
 */
static const struct {
    const char *transport;
    size_t size_count; /* first of model_bytes */
} models[] = {{"pipe", HK_ARRAY_COUNT(model_bytes)}, {"unix_seqpacket", 4}, {"unix_stream", 4}};

/* What else may be said of a cell, for a few transports. */
struct variation {
    const char *transport;
    const char *keys; /* after the transport's name */
    bool quick;
};

static const struct variation variations[] = {
    {"pipe", "place:cross_core/bytes:64/peer:poll", true},
    {"pipe", "place:cross_core/bytes:64/peer:busy", true},
    {"pipe", "place:cross_core/bytes:64/peer:halt", true},
    {"futex_ring", "place:cross_core/bytes:64/peer:poll", true},
    {"futex_ring", "place:cross_core/bytes:64/peer:busy", true},
    {"futex_ring", "place:cross_core/bytes:64/peer:halt", true},
    {"unix_seqpacket", "place:cross_core/bytes:64/peer:poll", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/peer:busy", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/peer:halt", false},
    {"pipe", "place:same_core/bytes:64/clients:2", false},
    {"pipe", "place:same_core/bytes:64/clients:4", true},
    {"pipe", "place:same_core/bytes:64/clients:8", false},
    {"unix_seqpacket", "place:same_core/bytes:64/clients:4", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/clients:4", false},
    {"pipe", "place:same_core/bytes:64/rate_per_s:1000", true},
    {"pipe", "place:same_core/bytes:64/rate_per_s:100", true},
    {"pipe", "place:same_core/bytes:64/rate_per_s:10", false},
    {"pipe", "place:cross_core/bytes:64/rate_per_s:1000", true},
    {"pipe", "place:cross_core/bytes:64/rate_per_s:100", true},
    {"pipe", "place:cross_core/bytes:64/rate_per_s:10", false},
    {"futex_ring", "place:cross_core/bytes:64/rate_per_s:1000", false},
    {"futex_ring", "place:cross_core/bytes:64/rate_per_s:100", false},
    {"futex_ring", "place:cross_core/bytes:64/rate_per_s:10", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/rate_per_s:1000", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/rate_per_s:100", false},
    {"unix_seqpacket", "place:cross_core/bytes:64/rate_per_s:10", false},
};

static size_t model_size_count(const struct hk_transport *t)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(models); i++)
        if (strcmp(t->name, models[i].transport) == 0)
            return models[i].size_count;
    return 0;
}

static enum hk_status add_sizes(const struct hk_transport *t, const char *place,
                                const int64_t *bytes, size_t count, hk_cell_adder *add,
                                void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < count && status == HK_OK; i++)
        if ((uint64_t)bytes[i] <= t->message_bytes_max)
            status = add(context, "native/round_trip/%s/place:%s/bytes:%lld", t->name, place,
                         (long long)bytes[i]);
    return status;
}

static enum hk_status add_place(const struct hk_transport *t, const char *place,
                                enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    static const int64_t usual_bytes = 64;
    enum hk_status status = add_sizes(t, place, &usual_bytes, 1, add, context);

    if (status != HK_OK)
        return status;
    if (mode == HK_RUN_FULL)
        return add_sizes(t, place, full_bytes, HK_ARRAY_COUNT(full_bytes), add, context);
    return strcmp(place, "same_core") == 0
               ? add_sizes(t, place, model_bytes, model_size_count(t), add, context)
               : HK_OK;
}

static enum hk_status add_variations(const struct hk_transport *t, enum hk_run_mode mode,
                                     hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t v = 0; v < HK_ARRAY_COUNT(variations) && status == HK_OK; v++)
        if (strcmp(variations[v].transport, t->name) == 0 &&
            (variations[v].quick || mode == HK_RUN_FULL))
            status = add(context, "native/round_trip/%s/%s", t->name, variations[v].keys);
    return status;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    const enum hk_place place_count = mode == HK_RUN_FULL ? HK_PLACE_COUNT : HK_PLACE_SMT;

    for (size_t i = 0; i < hk_transport_count; i++) {
        const struct hk_transport *t = hk_transports[i];
        enum hk_status status = HK_OK;
        for (enum hk_place p = 0; p < place_count && status == HK_OK; p++) {
            if (p == HK_PLACE_SAME_CORE && (t->flags & HK_TRANSPORT_TWO_CPUS) != 0)
                continue; /* meaningless: both sides would spin on one CPU */
            if (p != HK_PLACE_SAME_CORE && (t->flags & HK_TRANSPORT_LOCAL) != 0)
                continue; /* there is no second side */
            status = add_place(t, hk_place_name(p), mode, add, context);
        }
        if (status == HK_OK)
            status = add_variations(t, mode, add, context);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* --- the state of the server's CPU ------------------------------------------------------ */

static enum hk_status prepare_peer(struct hk_task *task)
{
    struct hk_links *l = task->state;
    char peer[16];
    int32_t latency_us;

    if (hk_name_text(task->name, "peer", peer, sizeof peer) != HK_OK)
        return HK_OK;
    if (task->cpus[0] == task->cpus[1])
        return hk_task_refuse(task, HK_EINVAL, "the peer's CPU is the client's own");
    if (strcmp(peer, "poll") == 0)
        return hk_idle_hold_polling(&l->polling_fd, task->reason);
    if (strcmp(peer, "busy") == 0) {
        task->helper_count = 1;
        return HK_OK;
    }
    if (strcmp(peer, "halt") != 0)
        return hk_task_refuse(task, HK_EINVAL, "a peer polls (poll), is busy, or halts (halt)");
    if (hk_idle_latency_us(&latency_us) == HK_OK && latency_us == 0)
        return hk_task_refuse(task, HK_ENOTSUP, "another process keeps idle CPUs polling; find it "
                              "among those with /dev/cpu_dma_latency open");
    return HK_OK;
}

/* Lowest priority: the server always comes first, but its CPU never idles. */
static void keep_busy(void)
{
    const struct sched_param parameter = {0};

    if (sched_setscheduler(0, SCHED_IDLE, &parameter) != 0)
        return;
    for (;;)
        __builtin_ia32_pause();
}

/* --- several clients ---------------------------------------------------------------------- */

/* One of the other clients: calls until the server ends or the leader ends it. */
static void call_on(struct hk_task *task, size_t link)
{
    struct hk_links *l = task->state;
    size_t got;

    for (size_t i = 0; i < l->count; i++)
        if (i != link)
            hk_link_close(&l->links[i]);
    if (hk_link_attach(&l->links[link], HK_CLIENT) != HK_OK)
        return;
    while (hk_link_call(&l->links[link], l->request, l->bytes, l->reply, l->capacity, &got) ==
           HK_OK)
        ;
}

static void help(struct hk_task *task, size_t helper)
{
    const struct hk_links *l = task->state;

    if (l->count > 1) {
        if (hk_pin(task->cpus[0]) == HK_OK)
            call_on(task, helper + 1);
        /* The leader ends helpers; one that ends by itself would look like a death. */
        for (;;)
            pause();
    }
    if (hk_pin(task->cpus[1]) == HK_OK)
        keep_busy();
}

struct served_link {
    struct hk_task *task;
    size_t link;
    pthread_t thread;
};

static void *serve_link(void *context)
{
    struct served_link *s = context;
    struct hk_links *l = s->task->state;

    if (hk_link_attach(&l->links[s->link], HK_SERVER) == HK_OK)
        l->loop(s->task, &l->links[s->link], s->link);
    return NULL;
}

/* One server with a thread per client; ends with the measured client, which is the first. */
static enum hk_status serve(struct hk_task *task, size_t server)
{
    struct hk_links *l = task->state;
    struct served_link others[HK_SERVERS_MAX];

    if (l->count == 1)
        return hk_links_serve(task, server);
    for (size_t i = 1; i < l->count; i++) {
        others[i] = (struct served_link){.task = task, .link = i};
        if (pthread_create(&others[i].thread, NULL, serve_link, &others[i]) != 0)
            return HK_ENOMEM;
    }
    const enum hk_status status = hk_link_attach(&l->links[0], HK_SERVER);
    return status == HK_OK ? l->loop(task, &l->links[0], 0) : status;
}

/* --- the experiment ------------------------------------------------------------------------ */

static enum hk_status open_task(struct hk_task *task)
{
    const int64_t clients = hk_task_int(task, "clients", 1);

    if (clients < 1 || clients > HK_SERVERS_MAX)
        return hk_task_refuse(task, HK_EINVAL, "1 to %d clients", HK_SERVERS_MAX);
    const enum hk_status status = hk_links_open(task, (size_t)clients, false);
    if (status != HK_OK)
        return status;
    if (clients > 1) {
        task->server_count = 1;
        task->helper_count = (size_t)clients - 1;
        task->expected = HK_EXPECT_NOTHING; /* one wake-up may serve several */
    }
    return prepare_peer(task);
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    int64_t rate_per_s;

    if (hk_name_int(task->name, "rate_per_s", &rate_per_s) != HK_ENOENT)
        return hk_sporadic_measure(task, launch);
    return hk_timed_measure(task, launch);
}

const struct hk_experiment hk_experiment_round_trip = {
    .kind = "round_trip",
    .summary = "request and reply between two processes, back to back or at a rate",
    .expand = expand,
    .open = open_task,
    .close = hk_links_close,
    .serve = serve,
    .help = help,
    .enter = hk_links_enter,
    .run = hk_links_run,
    .verify = hk_links_verify,
    .leave = hk_links_leave,
    .measure = measure,
};
