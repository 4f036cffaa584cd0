/* SPDX-License-Identifier: MIT */
/*
 * A packet filter that a client brings along: verified and run by the kernel (eBPF), compiled
 * into the client, or asked of a server. What loading costs, what running costs, what a
 * packet costs end to end, and what it costs when the program is loaded for so many packets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/path/filter.h"
#include "timed.h"

enum { CYCLES_MAX = 256, WARM_PACKETS = 100 };

struct extension {
    const struct part *part;
    struct hk_filter filter;
    struct hk_filter_program program;
    unsigned char packet[HK_FILTER_PACKET_BYTES];
    unsigned char back[HK_FILTER_PACKET_BYTES];
    uint32_t keep;       /* the last verdict */
    uint32_t count;      /* packets per loading */
    int fd;              /* of the loaded program; -1 */
    int sockets[2];      /* packets go from 0 to 1; -1 */
    struct hk_link link; /* to the server */
    bool linked;
};

/* How the filter is asked; rows of a cell's third element. */
struct part {
    const char *name;
    bool loads;   /* a program is loaded before anything is timed */
    bool packets; /* there is a socket that packets go through */
    bool attached;
    bool server;
    int syscalls; /* of the client per operation; -1: not claimed */
    enum hk_status (*run)(struct extension *e, uint64_t n);
};

/* --- what is timed ------------------------------------------------------------------------ */

static enum hk_status run_load(struct extension *e, uint64_t n)
{
    char reason[HK_REASON_BYTES];
    int fd;

    for (uint64_t i = 0; i < n; i++) {
        const enum hk_status status = hk_filter_load(&e->program, &fd, reason);
        if (status != HK_OK)
            return status;
        close(fd);
    }
    return HK_OK;
}

/* The kernel repeats by itself: one system call for all. */
static enum hk_status run_program(struct extension *e, uint64_t n)
{
    while (n > 0) {
        const uint32_t repeats = n < INT32_MAX ? (uint32_t)n : INT32_MAX;
        const enum hk_status status = hk_filter_run(e->fd, e->packet, repeats, &e->keep);
        if (status != HK_OK)
            return status;
        n -= repeats;
    }
    return HK_OK;
}

static enum hk_status run_inline(struct extension *e, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        e->keep = hk_filter_decide(&e->filter, e->packet);
        __asm__ volatile("" : : "r"(e) : "memory"); /* decided anew each time */
    }
    return HK_OK;
}

/* One packet through the socket: what it costs without any filter. */
static enum hk_status pass_packet(struct extension *e)
{
    if (send(e->sockets[0], e->packet, sizeof e->packet, 0) != (ssize_t)sizeof e->packet ||
        recv(e->sockets[1], e->back, sizeof e->back, 0) != (ssize_t)sizeof e->back)
        return HK_EIO;
    return HK_OK;
}

static enum hk_status run_event(struct extension *e, uint64_t n)
{
    enum hk_status status = HK_OK;

    for (uint64_t i = 0; i < n && status == HK_OK; i++)
        status = pass_packet(e);
    return status;
}

static enum hk_status run_event_inline(struct extension *e, uint64_t n)
{
    enum hk_status status = HK_OK;

    for (uint64_t i = 0; i < n && status == HK_OK; i++) {
        status = pass_packet(e);
        e->keep = hk_filter_decide(&e->filter, e->back);
    }
    return status;
}

static enum hk_status run_event_server(struct extension *e, uint64_t n)
{
    unsigned char reply[HK_FILTER_PACKET_BYTES];
    enum hk_status status = HK_OK;
    size_t got;

    for (uint64_t i = 0; i < n && status == HK_OK; i++) {
        status = pass_packet(e);
        if (status == HK_OK)
            status = hk_link_call(&e->link, e->back, sizeof e->back, reply, sizeof reply, &got);
        memcpy(&e->keep, reply, sizeof e->keep);
    }
    return status;
}

/* Load, attach, a number of packets, and off again: n times. */
static enum hk_status run_cycle(struct extension *e, uint64_t n)
{
    char reason[HK_REASON_BYTES];

    for (uint64_t i = 0; i < n; i++) {
        int fd;
        enum hk_status status = hk_filter_load(&e->program, &fd, reason);
        if (status != HK_OK)
            return status;
        status = hk_filter_attach(e->sockets[1], fd);
        if (status == HK_OK)
            status = run_event(e, e->count);
        hk_filter_attach(e->sockets[1], -1);
        close(fd);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static const struct part parts[] = {
    {.name = "load", .syscalls = 2, .run = run_load},
    {.name = "run", .loads = true, .syscalls = -1, .run = run_program},
    {.name = "inline", .syscalls = 0, .run = run_inline},
    {.name = "event_plain", .packets = true, .syscalls = 2, .run = run_event},
    {.name = "event_ebpf", .loads = true, .packets = true, .attached = true, .syscalls = 2,
     .run = run_event},
    {.name = "event_inline", .packets = true, .syscalls = 2, .run = run_event_inline},
    {.name = "event_server", .packets = true, .server = true, .syscalls = 4,
     .run = run_event_server},
    {.name = "amortised", .packets = true, .syscalls = -1, .run = run_cycle},
};

/* --- cells ---------------------------------------------------------------------------------- */

/* F9 trains on every second size and number of branches, and is tested on the others. */
static const unsigned sizes[] = {16,   32,   64,   128,  256,   512,   1024,
                                 2048, 4096, 8192, 16384, 32768, 65536};
static const unsigned branches[] = {2, 4, 6, 7, 8, 9, 10, 11, 12};
static const unsigned event_sizes[] = {256, 4096};
static const unsigned counts[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static enum hk_status add_shapes(const char *part, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes) && status == HK_OK; i++)
        status = add(context, "native/extension/%s/shape:straight/size:%u", part, sizes[i]);
    for (size_t i = 0; i < HK_ARRAY_COUNT(branches) && status == HK_OK; i++)
        status = add(context, "native/extension/%s/shape:branchy/size:%u", part, branches[i]);
    return status;
}

static enum hk_status add_events(unsigned size, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t p = 0; p < HK_ARRAY_COUNT(parts) && status == HK_OK; p++)
        if (parts[p].packets && parts[p].run != run_cycle)
            status = add(context, "native/extension/%s/shape:straight/size:%u", parts[p].name,
                         size);
    for (size_t c = 0; c < HK_ARRAY_COUNT(counts) && status == HK_OK; c++)
        status = add(context, "native/extension/amortised/shape:straight/size:%u/count:%u", size,
                     counts[c]);
    return status;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    if (mode != HK_RUN_FULL)
        return HK_OK;
    enum hk_status status = add_shapes("load", add, context);
    if (status == HK_OK)
        status = add_shapes("run", add, context);
    if (status == HK_OK)
        status = add_shapes("inline", add, context);
    for (size_t i = 0; i < HK_ARRAY_COUNT(event_sizes) && status == HK_OK; i++)
        status = add_events(event_sizes[i], add, context);
    return status;
}

static enum hk_status read_name(struct hk_task *task, struct extension *e)
{
    char name[24], shape[16] = "straight";
    const int64_t size = hk_task_int(task, "size", 0);
    const int64_t count = hk_task_int(task, "count", 1);

    if (hk_name_part(task->name, 2, name, sizeof name) == HK_OK)
        for (size_t p = 0; p < HK_ARRAY_COUNT(parts); p++)
            if (strcmp(parts[p].name, name) == 0)
                e->part = &parts[p];
    if (e->part == NULL)
        return hk_task_refuse(task, HK_ENOENT, "no such part; hkbench list --full shows them");
    hk_name_text(task->name, "shape", shape, sizeof shape);
    e->filter.shape = strcmp(shape, "branchy") == 0 ? HK_FILTER_BRANCHY : HK_FILTER_STRAIGHT;
    e->filter.size = size < 0 || size > UINT32_MAX ? 0 : (uint32_t)size;
    e->count = count < 1 || count > 10000000 ? 0 : (uint32_t)count;
    if (e->count == 0 || hk_filter_init(&e->filter, &e->program) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "size:%d to %d, of branches 1 to %d, and count: up "
                              "to 10000000 are needed", HK_FILTER_SIZE_MIN, HK_FILTER_SIZE_MAX,
                              HK_FILTER_BRANCHES_MAX);
    return HK_OK;
}

/* --- a launch ---------------------------------------------------------------------------------- */

static enum hk_status open_server(struct hk_task *task, struct extension *e)
{
    const struct hk_transport_options options = {.message_bytes = HK_FILTER_PACKET_BYTES};
    const struct hk_transport *pipe;

    enum hk_status status = hk_transport_find("pipe", &pipe);
    if (status == HK_OK)
        status = hk_link_open(pipe, &options, &e->link);
    e->linked = status == HK_OK;
    task->server_count = 1;
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    struct extension *e = calloc(1, sizeof *e);

    if (e == NULL)
        return HK_ENOMEM;
    task->state = e;
    e->fd = e->sockets[0] = e->sockets[1] = -1;
    enum hk_status status = read_name(task, e);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status != HK_OK)
        return status;
    hk_filter_packet(e->packet, task->seed);
    task->one_way = e->part->run == run_program; /* the kernel shows no single packet */
    task->by_cpu_time = e->part->run == run_load;
    task->expected.client_syscalls_min = e->part->syscalls;
    task->expected.client_syscalls_max = e->part->syscalls;
    if (e->part->server)
        status = open_server(task, e);
    if (status == HK_OK && e->part->packets &&
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, e->sockets) != 0)
        status = HK_ENOMEM;
    return status;
}

static void close_task(struct hk_task *task)
{
    struct extension *e = task->state;

    if (e == NULL)
        return;
    if (e->linked)
        hk_link_close(&e->link);
    for (size_t i = 0; i < 2; i++)
        if (e->sockets[i] >= 0)
            close(e->sockets[i]);
    if (e->fd >= 0)
        close(e->fd);
    hk_filter_fini(&e->program);
    free(e);
    task->state = NULL;
}

static enum hk_status decide_for_client(void *context, void *buffer, size_t capacity,
                                        size_t request_bytes, size_t *reply_bytes)
{
    const struct extension *e = context;
    const uint32_t keep = hk_filter_decide(&e->filter, buffer);

    (void)capacity, (void)request_bytes;
    memcpy(buffer, &keep, sizeof keep);
    *reply_bytes = sizeof keep;
    return HK_OK;
}

static enum hk_status serve(struct hk_task *task, size_t server)
{
    struct extension *e = task->state;
    unsigned char buffer[HK_FILTER_PACKET_BYTES];
    const enum hk_status status = hk_link_attach(&e->link, HK_SERVER);

    (void)server;
    return status == HK_OK
               ? hk_link_serve(&e->link, buffer, sizeof buffer, decide_for_client, e)
               : status;
}

static enum hk_status enter(struct hk_task *task)
{
    struct extension *e = task->state;
    enum hk_status status = HK_OK;
    int fd;

    if (e->part->server)
        return hk_link_attach(&e->link, HK_CLIENT);
    if (e->part->loads) {
        status = hk_filter_load(&e->program, &e->fd, task->reason);
    } else if (e->part->run == run_load || e->part->run == run_cycle) {
        status = hk_filter_load(&e->program, &fd, task->reason); /* whether it may be loaded */
        if (status == HK_OK)
            close(fd);
    }
    if (status == HK_OK && e->part->attached)
        status = hk_filter_attach(e->sockets[1], e->fd);
    return status;
}

static enum hk_status leave(struct hk_task *task)
{
    struct extension *e = task->state;

    return e->part->server ? hk_link_finish(&e->link) : HK_OK;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct extension *e = task->state;

    return e->part->run(e, n);
}

/* An attached program lets the packet pass that it must, and no other. */
static enum hk_status verify_attached(struct hk_task *task, struct extension *e)
{
    unsigned char packet[HK_FILTER_PACKET_BYTES];

    memcpy(packet, e->packet, sizeof packet);
    hk_filter_spoil(packet);
    send(e->sockets[0], packet, sizeof packet, 0);
    if (recv(e->sockets[1], packet, sizeof packet, MSG_DONTWAIT) >= 0)
        return hk_task_refuse(task, HK_EROW, "the program lets a packet pass that it must drop");
    if (run_event(e, 1) != HK_OK || memcmp(e->back, e->packet, sizeof e->back) != 0)
        return hk_task_refuse(task, HK_EROW, "the packet that must pass does not");
    return HK_OK;
}

static enum hk_status verify(struct hk_task *task)
{
    struct extension *e = task->state;
    const bool decides = e->part->run == run_program || e->part->run == run_inline ||
                         e->part->run == run_event_inline || e->part->run == run_event_server;

    if (e->part->attached)
        return verify_attached(task, e);
    if (!decides)
        return HK_OK;
    const enum hk_status status = e->part->run(e, 1);
    if (status == HK_OK && e->keep != hk_filter_decide(&e->filter, e->packet))
        return hk_task_refuse(task, HK_EROW, "the forms of the filter decide differently");
    return status;
}

/*
 * A cycle of any length is a block of its own, and may take seconds: nobody is left alone for that
 * long. It never waits, so its cost is its CPU time, as that of loading.
 */
static enum hk_status measure_cycle(struct hk_task *task, struct extension *e, double *packet_ns)
{
    const uint64_t before_ns = hk_task_cpu_ns(task);
    const enum hk_status status = run_cycle(e, 1);

    *packet_ns = (double)(hk_task_cpu_ns(task) - before_ns) / e->count;
    return status;
}

static enum hk_status measure_cycles(struct hk_task *task, struct extension *e,
                                     struct hk_launch *launch)
{
    const struct hk_surroundings before = hk_look_around(task);
    const uint64_t start_ns = hk_monotonic_ns();
    double packet_ns[CYCLES_MAX];
    size_t count = 0;

    enum hk_status status = run_event(e, WARM_PACKETS);
    do { /* of a million packets one takes seconds: it must do */
        if (status == HK_OK)
            status = measure_cycle(task, e, &packet_ns[count++]);
    } while (status == HK_OK && count < CYCLES_MAX && count < task->effort.block_count &&
             hk_monotonic_ns() - start_ns < task->effort.blocks_ns_max);
    if (status == HK_OK)
        status = hk_report_costs(packet_ns, count, launch);
    return status == HK_OK ? hk_report_surroundings(task, &before, launch) : status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct extension *e = task->state;
    uint64_t processed;

    enum hk_status status = e->part->run == run_cycle ? measure_cycles(task, e, launch)
                                                      : hk_timed_measure(task, launch);
    if (status == HK_OK && e->part->run == run_load) {
        status = hk_filter_processed(&e->program, &processed);
        if (status == HK_OK)
            status = hk_launch_add_counter(launch, "hk_processed_count", (double)processed);
    }
    return status;
}

const struct hk_experiment hk_experiment_extension = {
    .kind = "extension",
    .summary = "a packet filter as eBPF in the kernel, compiled in, or in a server",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .serve = serve,
    .enter = enter,
    .run = run,
    .verify = verify,
    .leave = leave,
    .measure = measure,
};
