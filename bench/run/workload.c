/* SPDX-License-Identifier: MIT */
/*
 * The requests of a workload against the core's own services on this machine, without a guest:
 * each service in the client's process, or in a process of its own over a transport. The time is
 * that of a request without the client's thinking, which waits on the clock and is taken off as
 * long as it was. In it are the services' bodies, what they do at their time, the client's drawing
 * of the request, and two to four reads of the clock; what a kernel does for them in the guest
 * (hk/core/native.h) is a few loads and stores here.
 *
 * All blocks go on drawing, and a workload's requests differ: the mean of the blocks is the cost.
 */
#include <stdlib.h>
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/core/native.h"
#include "hk/guest/files.h"
#include "hk/guest/primitives.h"
#include "timed.h"

enum {
    BLOCKS_MAX = 256,
    BLOCKS_PER_BLOCK = 4, /* rare requests and periods need blocks longer than others */
    TRIES_PER_BLOCK = 3,
};

#define ALL_SERVERS (HK_SWEEP_PLACEMENTS - 1)

/* --- cells --------------------------------------------------------------------------------- */

static const char *const files[] = {"audio_workstation", "desktop", "file_compile", "sensor_node",
                                    "web_server"};

/* One service that is called often, half of them, all. */
static const uint32_t files_servers[] = {
    0, 1u << HK_SERVICE_FILE,
    1u << HK_SERVICE_FILE | 1u << HK_SERVICE_BLOCK | 1u << HK_SERVICE_DISPLAY |
        1u << HK_SERVICE_PRINT,
    ALL_SERVERS};

static enum hk_status add_cell(hk_cell_adder *add, void *context, const char *name,
                               uint32_t servers)
{
    return servers == 0 ? add(context, "native/workload/%s/servers:0", name)
                        : add(context, "native/workload/%s/over:pipe/servers:%u", name, servers);
}

/* Not in the quick run: it is the many cells together that make prices. */
static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (unsigned i = 0; i < HK_PRIMITIVES && status == HK_OK; i++) {
        struct hk_sweep_workload workload;
        hk_primitive_make(i, &workload);
        status = add_cell(add, context, workload.name, 0);
        if (status == HK_OK && i >= HK_PRIMITIVES_SINGLE)
            status = add_cell(add, context, workload.name, ALL_SERVERS);
    }
    for (size_t f = 0; f < HK_ARRAY_COUNT(files); f++)
        for (size_t s = 0; s < HK_ARRAY_COUNT(files_servers) && status == HK_OK; s++)
            status = add_cell(add, context, files[f], files_servers[s]);
    return status;
}

/* --- what all processes share ----------------------------------------------------------------- */

struct state {
    struct hk_sweep_workload workload;
    struct hk_native *native;
    const struct hk_clock *clock;
    const struct hk_transport *transport;
    struct hk_link links[HK_SERVICES];
    unsigned services[HK_SERVICES]; /* of each link */
    unsigned link_of[HK_SERVICES];
    size_t link_count;
};

static enum hk_status find_workload(struct hk_task *task, struct hk_sweep_workload *workload)
{
    struct hk_guest_files *paths;
    char name[HK_SWEEP_NAME_BYTES], error[512] = "";

    if (hk_name_part(task->name, 2, name, sizeof name) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "which workload?");
    for (unsigned i = 0; i < HK_PRIMITIVES; i++) {
        hk_primitive_make(i, workload);
        if (strcmp(workload->name, name) == 0)
            return HK_OK;
    }
    paths = malloc(sizeof *paths);
    if (paths == NULL)
        return HK_ENOMEM;
    enum hk_status status = hk_guest_files_own(paths, error);
    if (status == HK_OK)
        status = hk_sweep_workload_find(paths->workloads, name, workload, error);
    free(paths);
    return status == HK_OK ? HK_OK : hk_task_refuse(task, HK_ENOTSUP, "%.150s", error);
}

static uint64_t now_ns(void *context)
{
    const struct state *s = context;

    return (uint64_t)hk_clock_ns(s->clock, hk_clock_start(s->clock));
}

static void wait_until(void *context, uint64_t at_ns)
{
    while (now_ns(context) < at_ns)
        ;
}

static enum hk_status carry(void *context, unsigned service, void *message, size_t *bytes)
{
    struct state *s = context;

    return hk_link_call(&s->links[s->link_of[service]], message, *bytes, message,
                        HK_NATIVE_MESSAGE_BYTES_MAX, bytes);
}

static enum hk_status find_transport(struct hk_task *task, struct state *s)
{
    static const uint32_t unfit = HK_TRANSPORT_LOCAL | HK_TRANSPORT_THREADS;
    char name[48];

    if (hk_name_text(task->name, "over", name, sizeof name) != HK_OK ||
        hk_transport_find(name, &s->transport) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT,
                              "no transport of that name; hkbench list transports shows them");
    if ((s->transport->flags & unfit) != 0)
        return hk_task_refuse(task, HK_EINVAL, "%s has no server process", name);
    if ((s->transport->flags & HK_TRANSPORT_TWO_CPUS) != 0)
        return hk_task_refuse(task, HK_ENOTSUP, "%s spins: it needs two CPUs", name);
    if (s->transport->message_bytes_max < HK_NATIVE_MESSAGE_BYTES_MAX)
        return hk_task_refuse(task, HK_EINVAL, "%s carries no page", name);
    return hk_transport_probe(s->transport, task->reason);
}

static enum hk_status open_links(struct hk_task *task, struct state *s, uint32_t servers)
{
    static const struct hk_transport_options options = {
        .message_bytes = HK_NATIVE_MESSAGE_BYTES_MAX};
    enum hk_status status = servers == 0 ? HK_OK : find_transport(task, s);

    for (unsigned i = 0; i < HK_SERVICES && status == HK_OK; i++) {
        if ((servers >> i & 1) == 0)
            continue;
        s->services[s->link_count] = i;
        s->link_of[i] = (unsigned)s->link_count;
        status = hk_link_open(s->transport, &options, &s->links[s->link_count]);
        s->link_count += status == HK_OK;
    }
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    const int64_t servers = hk_task_int(task, "servers", -1);
    struct state *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HK_ENOMEM;
    task->state = s;
    s->clock = &task->clock;
    if (servers < 0 || servers > ALL_SERVERS)
        return hk_task_refuse(task, HK_EINVAL, "servers is 0 to %u, a bit for each service",
                              ALL_SERVERS);
    enum hk_status status = find_workload(task, &s->workload);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status == HK_OK)
        status = open_links(task, s, (uint32_t)servers);
    if (status != HK_OK)
        return status;
    task->server_count = s->link_count;
    task->expected = HK_EXPECT_NOTHING;
    const struct hk_native_options options = {
        .mix = &s->workload.mix, .servers = (uint32_t)servers, .now_ns = now_ns,
        .wait_until = wait_until, .carry = carry, .context = s};
    return hk_native_create(&options, &s->native);
}

static void close_task(struct hk_task *task)
{
    struct state *s = task->state;

    if (s == NULL)
        return;
    for (size_t i = 0; i < s->link_count; i++)
        hk_link_close(&s->links[i]);
    if (s->native != NULL)
        hk_native_destroy(s->native);
    free(s);
    task->state = NULL;
}

/* --- a server ----------------------------------------------------------------------------------- */

struct server {
    struct hk_native *native;
    unsigned service;
};

static enum hk_status answer(void *context, void *buffer, size_t capacity, size_t request_bytes,
                             size_t *reply_bytes)
{
    const struct server *server = context;

    (void)capacity;
    return hk_native_handle(server->native, server->service, buffer, request_bytes, reply_bytes);
}

static enum hk_status serve(struct hk_task *task, size_t number)
{
    struct state *s = task->state;
    struct server server = {s->native, s->services[number]};
    _Alignas(HK_PAGE_BYTES) unsigned char buffer[HK_NATIVE_MESSAGE_BYTES_MAX];

    /* An end held here that belongs to others would hide their death. */
    for (size_t i = 0; i < s->link_count; i++)
        if (i != number)
            hk_link_close(&s->links[i]);
    const enum hk_status status = hk_link_attach(&s->links[number], HK_SERVER);
    return status == HK_OK
               ? hk_link_serve(&s->links[number], buffer, sizeof buffer, answer, &server)
               : status;
}

/* --- the client ----------------------------------------------------------------------------------- */

/* A service that refuses what it must do is a row that did something else. */
static enum hk_status told(struct hk_task *task, enum hk_status status)
{
    const struct state *s = task->state;

    return status == HK_EROW ? hk_task_refuse(task, HK_EROW, "%s", hk_native_error(s->native))
                             : status;
}

static enum hk_status enter(struct hk_task *task)
{
    struct state *s = task->state;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < s->link_count && status == HK_OK; i++)
        status = hk_link_attach(&s->links[i], HK_CLIENT);
    return status == HK_OK ? told(task, hk_native_set_up(s->native)) : status;
}

static enum hk_status leave(struct hk_task *task)
{
    struct state *s = task->state;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < s->link_count; i++) {
        const enum hk_status one = hk_link_finish(&s->links[i]);
        status = status == HK_OK ? one : status;
    }
    return status;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct state *s = task->state;

    return told(task, hk_native_requests(s->native, n));
}

/* --- measuring -------------------------------------------------------------------------------------- */

struct blocks {
    uint64_t requests; /* of each */
    size_t kept_count;
    size_t all_count;
    double kept_ns[BLOCKS_MAX]; /* per request, without thinking */
    double all_ns[BLOCKS_MAX];
};

static enum hk_status measure_block(struct hk_task *task, bool watch_steal, struct blocks *b)
{
    const struct state *s = task->state;
    struct hk_native_tally before, after;
    struct hk_evidence evidence;
    double elapsed_ns;

    hk_native_tell(s->native, &before);
    const enum hk_status status =
        hk_timed_witness(task, b->requests, watch_steal, &elapsed_ns, &evidence);
    hk_native_tell(s->native, &after);
    if (status != HK_OK)
        return status;
    const double ns =
        (elapsed_ns - (double)(after.thought_ns - before.thought_ns)) / (double)b->requests;
    b->all_ns[b->all_count++] = ns;
    if (hk_guard_judge(&evidence) == HK_GUARD_KEEP)
        b->kept_ns[b->kept_count++] = ns;
    return HK_OK;
}

static enum hk_status measure_blocks(struct hk_task *task, bool watch_steal, struct blocks *b)
{
    const size_t asked = task->effort.block_count / BLOCKS_PER_BLOCK;
    const size_t wanted = asked < HK_BLOCKS_MIN ? HK_BLOCKS_MIN : asked;
    const size_t tries = TRIES_PER_BLOCK * wanted;
    enum hk_status status = HK_OK;

    while (status == HK_OK && b->kept_count < wanted &&
           b->all_count < (tries < BLOCKS_MAX ? tries : BLOCKS_MAX))
        status = measure_block(task, watch_steal, b);
    return status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct blocks *b = calloc(1, sizeof *b);
    double request_ns; /* with thinking */

    if (b == NULL)
        return HK_ENOMEM;
    const struct hk_surroundings before = hk_look_around(task);
    const bool watch_steal = before.has_host && before.host.steal_ns > 0;
    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &request_ns);
    b->requests = hk_block_operations(request_ns, BLOCKS_PER_BLOCK * task->effort.block_ns, 1);
    if (status == HK_OK)
        status = measure_blocks(task, watch_steal, b);
    if (status == HK_OK)
        status = hk_report_blocks(&(struct hk_blocks){b->requests, b->kept_ns, b->kept_count,
                                                      b->all_ns, b->all_count}, launch);
    if (status == HK_OK)
        status = hk_report_surroundings(task, &before, launch);
    task->effort.latency_ns = BLOCKS_PER_BLOCK * task->effort.block_ns; /* nothing is claimed */
    if (status == HK_OK)
        status = hk_timed_verify(task, request_ns, launch);
    free(b);
    return status;
}

const struct hk_experiment hk_experiment_workload = {
    .kind = "workload",
    .summary = "requests of a workload to the core's own services, in process or in servers",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .serve = serve,
    .enter = enter,
    .run = run,
    .leave = leave,
    .measure = measure,
};
