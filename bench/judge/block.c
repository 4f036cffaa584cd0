/* SPDX-License-Identifier: MIT */
/*
 * F3 on a block device in a server: the kernel's nbd driver over a Unix stream, predicted from
 * primitives that were measured without it, as times and as counts.
 *
 * T_k is a loop device, which the kernel serves by a thread of its own. The textbook counts four
 * transfers over the stream. The first stronger model puts a round trip on top of the kernel's
 * path, as for other services (service.c): the request one way, the reply with the payload the
 * other. The second knows two things of the driver (docs/decisions/0420). The payload's way out of
 * the kernel is in both parts, so it is taken off once, as reads of a file in memory tell it. And
 * who waits for a reply is also woken when the stream's other side has taken the request: one
 * hand-over more, as eventfds tell it.
 */
#include <stdarg.h>
#include <stdio.h>

#include "contest.h"
#include "crossing.h"
#include "formulas.h"
#include "hk/base/units.h"

/* On the wire: struct nbd_request, and struct nbd_reply before the payload (uapi/linux/nbd.h). */
enum { REQUEST_BYTES = 28, REPLY_BYTES = 16 };

static const double margin = 0.10;
static const char *const worlds[] = {"native", "linux"};

/* All of them are held out; the stream was measured at none of these sizes. */
static const int sizes_bytes[] = {4096, 8192, 24576, 32768, 49152};

/* Of an operation of a world, measured apart from the served ones. */
struct primitives {
    struct hk_crossing stream;
    struct hk_estimate copy_out_ns_per_byte;
    struct hk_estimate hand_over_ns; /* a wake-up, a sleep, and the switch between them */
    bool has_driver;                 /* these two, which only the last model asks for */
    bool exact;
};

/* Mean cost; clears *exact where it is not counted. HK_ENOENT. */
__attribute__((format(printf, 4, 5))) static enum hk_status
read_cost(const struct hk_run *run, struct hk_estimate *mean, bool *exact, const char *format, ...)
{
    struct hk_cell_values cell;
    char name[HK_NAME_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (hk_cell_read_cost(run, &cell, "%s", name) != HK_OK || hk_cell_mean(&cell, mean) != HK_OK)
        return HK_ENOENT;
    *exact = *exact && cell.exact;
    return HK_OK;
}

/* The part of a read from memory that grows with the bytes. */
static enum hk_status read_copy_out(const struct hk_run *run, const char *world,
                                    struct primitives *p)
{
    static const int bytes[] = {4096, 65536};
    struct hk_estimate few, many;

    if (read_cost(run, &few, &p->exact, "%s/file_read/tmpfs/bytes:%d", world, bytes[0]) != HK_OK ||
        read_cost(run, &many, &p->exact, "%s/file_read/tmpfs/bytes:%d", world, bytes[1]) != HK_OK)
        return HK_ENOENT;
    const struct hk_estimate less = hk_estimate_times(&few, -1);
    const struct hk_estimate more = hk_estimate_sum(&many, &less);
    p->copy_out_ns_per_byte = hk_estimate_times(&more, 1.0 / (bytes[1] - bytes[0]));
    return HK_OK;
}

/* Half of a round trip over eventfds without the four calls, which one process can make alone. */
static enum hk_status read_hand_over(const struct hk_run *run, const char *world,
                                     struct primitives *p)
{
    struct hk_estimate round_trip, calls;

    if (read_cost(run, &round_trip, &p->exact,
                  "%s/round_trip/eventfd_shm/place:same_core/bytes:64", world) != HK_OK ||
        read_cost(run, &calls, &p->exact, "%s/syscall/eventfd_self/bytes:0", world) != HK_OK)
        return HK_ENOENT;
    const struct hk_estimate half = hk_estimate_times(&round_trip, 0.5);
    const struct hk_estimate less = hk_estimate_times(&calls, -1);
    p->hand_over_ns = hk_estimate_sum(&half, &less);
    return HK_OK;
}

/* HK_ENOENT when the run lacks those of the stream. */
static enum hk_status read_primitives(const struct hk_run *run, const char *world,
                                      struct primitives *p)
{
    char cells[HK_NAME_BYTES];

    snprintf(cells, sizeof cells, "%s/round_trip/unix_stream/place:same_core", world);
    const enum hk_status status = hk_crossing_read(run, cells, &p->stream);
    if (status != HK_OK)
        return status;
    p->exact = p->stream.exact;
    p->has_driver =
        read_copy_out(run, world, p) == HK_OK && read_hand_over(run, world, p) == HK_OK;
    return HK_OK;
}

/* The request one way, the reply and its payload the other. */
static enum hk_status round_trip(const struct hk_crossing *stream, double bytes,
                                 struct hk_estimate *out)
{
    struct hk_estimate request, reply;

    enum hk_status status = hk_crossing_one_way(stream, REQUEST_BYTES, &request);
    if (status == HK_OK)
        status = hk_crossing_one_way(stream, REPLY_BYTES + bytes, &reply);
    if (status == HK_OK)
        *out = hk_estimate_sum(&request, &reply);
    return status;
}

static enum hk_status predict(const struct primitives *p, const struct hk_estimate *kernel,
                              double bytes, struct hk_estimate out[HK_MODELS_MAX])
{
    const struct hk_estimate nothing = {0, 0, kernel->count}; /* the server has the bytes at hand */
    struct hk_estimate trip;

    enum hk_status status = hk_crossing_textbook(&p->stream, bytes, 1, &nothing, &out[0]);
    if (status == HK_OK)
        status = round_trip(&p->stream, bytes, &trip);
    if (status != HK_OK)
        return status;
    out[1] = hk_estimate_sum(kernel, &trip);
    if (!p->has_driver)
        return HK_OK;
    const struct hk_estimate less = hk_estimate_times(&p->copy_out_ns_per_byte, -bytes);
    const struct hk_estimate copied_once = hk_estimate_sum(&out[1], &less);
    out[2] = hk_estimate_sum(&copied_once, &p->hand_over_ns);
    return HK_OK;
}

static enum hk_status compare_size(const struct hk_run *training, const struct hk_run *target,
                                   const char *world, const struct primitives *p, int bytes,
                                   struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_estimate kernel, predicted[HK_MODELS_MAX];
    struct hk_cell_values served;
    struct hk_comparison c;
    bool exact = p->exact;

    if (hk_cell_read_cost(target, &served, "%s/block_read/nbd/bytes:%d", world, bytes) != HK_OK ||
        read_cost(training, &kernel, &exact, "%s/block_read/loop/bytes:%d", world, bytes) !=
            HK_OK ||
        hk_contest_measure(contest, &served, &c) != HK_OK ||
        predict(p, &kernel, bytes, predicted) != HK_OK)
        return HK_OK; /* not in this run */
    contest->timed |= !exact;
    enum hk_status status = HK_OK;
    for (size_t m = 0; m < contest->model_count && status == HK_OK; m++)
        status = hk_contest_predict(contest, m, judge, &c, &predicted[m]);
    return status;
}

/* Mean of the first of the counters that the launches of a cell have. */
static enum hk_status read_calls(const struct hk_run *run, const char *counter, const char *world,
                                 struct hk_estimate *calls)
{
    struct hk_cell_values cell;
    const enum hk_status status = hk_cell_read(run, counter, &cell, "%s/block_read/nbd/bytes:%d",
                                               world, sizes_bytes[0]);

    return status == HK_OK ? hk_cell_mean(&cell, calls) : status;
}

/*
 * What four transfers take for granted: a process sends each and a process receives it. Counted:
 * natively by process, in the guest all together. HK_ENOENT, HK_ENOISE when the run does not say.
 */
static enum hk_status read_assumption(const struct hk_run *run, const char *world,
                                      struct hk_assumption *out)
{
    struct hk_estimate calls, client, server;

    enum hk_status status = read_calls(run, "hk_ring_entries", world, &calls);
    if (status != HK_OK) {
        status = read_calls(run, "hk_client_syscalls_per_op", world, &client);
        if (status == HK_OK)
            status = read_calls(run, "hk_server_syscalls_per_op", world, &server);
        if (status == HK_OK)
            calls = hk_estimate_sum(&client, &server);
    }
    if (status == HK_OK)
        *out = (struct hk_assumption){.name = "system calls of a read", .unit = "", .expected = 8,
                                      .value = calls.value, .interval = hk_interval_95(&calls),
                                      .tolerance = 0.5};
    return status;
}

static enum hk_status judge_world(const struct hk_run *training, const struct hk_run *target,
                                  const char *world, struct hk_judge *judge)
{
    char regime[32];
    struct hk_contest contest = {.formula = "F3", .regime = regime, .margin = margin,
                                 .model_count = HK_MODELS_MAX,
                                 .models = {"textbook", "kernel path and a round trip",
                                            "copied once less, woken once more"}};
    struct hk_assumption assumption;
    struct primitives p;
    enum hk_status status = HK_OK;

    if (read_primitives(training, world, &p) != HK_OK)
        return HK_OK; /* not in this run */
    contest.model_count -= p.has_driver ? 0 : 1;
    snprintf(regime, sizeof regime, "%s/block/nbd", world);
    if (read_assumption(target, world, &assumption) == HK_OK)
        contest.assumption = &assumption;
    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes_bytes) && status == HK_OK; i++)
        status = compare_size(training, target, world, &p, sizes_bytes[i], &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

enum hk_status hk_block_validate(const struct hk_run *training, const struct hk_run *target,
                                 struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(worlds) && status == HK_OK; i++)
        status = judge_world(training, target, worlds[i], judge);
    return status;
}

static enum hk_status add_part(const struct hk_estimate *part, const char *world,
                               const char *symbol, struct hk_judge *judge)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F3/%s_block/%s", world, symbol);
    snprintf(source, sizeof source, "%s/{round_trip,syscall,file_read,block_read/loop}/*", world);
    return hk_judge_add_estimate(judge, name, part, source);
}

enum hk_status hk_block_fit(const struct hk_run *training, struct hk_rng *rng,
                            struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(worlds) && status == HK_OK; i++) {
        struct primitives p;
        if (read_primitives(training, worlds[i], &p) != HK_OK)
            continue;
        status = add_part(&p.stream.c_ipc_ns, worlds[i], "c_ipc_ns", judge);
        if (status == HK_OK && p.has_driver)
            status = add_part(&p.copy_out_ns_per_byte, worlds[i], "copy_out_ns_per_byte", judge);
        if (status == HK_OK && p.has_driver)
            status = add_part(&p.hand_over_ns, worlds[i], "hand_over_ns", judge);
    }
    return status;
}
