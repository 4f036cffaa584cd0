/* SPDX-License-Identifier: MIT */
/*
 * F3 on real services: what the same service costs in a server, predicted from primitives
 * that were measured without it.
 *
 * The textbook counts four transfers and four copies, T_u = 4 c_ipc + 4 c_copy + t_u, with
 * c_ipc and c_copy from round trips of a pipe and t_u from the service's code called in
 * process. The stronger model puts one round trip for each request on top of what the kernel
 * needs for the same operation: T_u = T_k + 2 r c_ipc, and t_u where the kernel's path has none of
 * the service's work: a packet that a program turns around has met no stack.
 */
#include <stdio.h>
#include <string.h>

#include "contest.h"
#include "crossing.h"
#include "formulas.h"
#include "hk/base/units.h"

static const double margin = 0.10;

/* An operation in a server, in the kernel, and in process; requests to the server for it. */
struct service_case {
    const char *regime;
    const char *served;
    const char *kernel;
    const char *body; /* NULL: nothing to speak of */
    double bytes;     /* of the payload that is copied */
    double requests;
    bool kernel_lacks_body; /* the kernel's path does the crossing's part only */
};

#define FILE_CASE(operation, size)                                                                \
    {"native/file/fuse", "native/file_" operation "/fuse/cache:direct/bytes:" #size,              \
     "native/file_" operation "/tmpfs/bytes:" #size,                                              \
     "native/file_" operation "/memfs/bytes:" #size, size, 1, false}

#define NET_CASE(where, served, body, size)                                                       \
    {"native/net/" where, "native/net_echo/" served "/protocol:udp/bytes:" #size,                 \
     "native/net_echo/xdp/over:veth/protocol:udp/bytes:" #size, body, size, 1, true}
#define LWIP_CASE(where, served, size)                                                            \
    NET_CASE(where, served, "native/net_echo/lwip/over:memory/protocol:udp/bytes:" #size, size)
#define NET_CASES(CASE, ...)                                                                      \
    CASE(__VA_ARGS__, 64), CASE(__VA_ARGS__, 256), CASE(__VA_ARGS__, 512),                        \
        CASE(__VA_ARGS__, 1024), CASE(__VA_ARGS__, 1400)

#define FILTER_CASE(size)                                                                         \
    {"native/filter", "native/extension/event_server/shape:straight/size:" #size,                 \
     "native/extension/event_inline/shape:straight/size:" #size,                                  \
     "native/extension/inline/shape:straight/size:" #size, 64, 1, false}

/* All of them are held out: what predicts them comes from the round trips of a pipe. */
static const struct service_case cases[] = {
    {"native/file/fuse", "native/file_stat/fuse/cache:direct", "native/file_stat/tmpfs",
     "native/file_stat/memfs", 1, 1, false},
    {"native/file/fuse", "native/file_lookup/fuse/cache:direct", "native/file_lookup/tmpfs",
     "native/file_lookup/memfs", 1, 2, false},
    FILE_CASE("read", 4096),
    FILE_CASE("read", 16384),
    FILE_CASE("read", 65536),
    FILE_CASE("write", 4096),
    FILE_CASE("write", 16384),
    FILE_CASE("write", 65536),
    NET_CASES(LWIP_CASE, "lwip", "lwip/over:tap"),
    NET_CASES(LWIP_CASE, "lwip over packet sockets", "lwip/over:packet"),
    NET_CASES(NET_CASE, "afxdp", "afxdp/over:veth", NULL), /* its own work is next to nothing */
    FILTER_CASE(256),
    FILTER_CASE(4096),
};

static enum hk_status read_mean(const struct hk_run *run, const char *name,
                                struct hk_estimate *mean)
{
    struct hk_cell_values cell;
    const enum hk_status status = hk_cell_read(run, "cost_ns", &cell, "%s", name);

    return status == HK_OK ? hk_cell_mean(&cell, mean) : status;
}

static enum hk_status compare_case(const struct hk_run *training, const struct hk_run *target,
                                   const struct hk_crossing *pipe, const struct service_case *c,
                                   struct hk_contest *contest, struct hk_judge *judge)
{
    const struct hk_estimate nothing = {0, 0, pipe->c_ipc_ns.count};
    struct hk_estimate kernel, body = nothing, textbook;
    struct hk_cell_values served;
    struct hk_comparison comparison;

    if (hk_cell_read(target, "cost_ns", &served, "%s", c->served) != HK_OK ||
        read_mean(training, c->kernel, &kernel) != HK_OK ||
        (c->body != NULL && read_mean(training, c->body, &body) != HK_OK) ||
        hk_contest_measure(contest, &served, &comparison) != HK_OK ||
        hk_crossing_textbook(pipe, c->bytes, c->requests, &body, &textbook) != HK_OK)
        return HK_OK; /* not in this run */
    const struct hk_estimate trips = hk_estimate_times(&pipe->c_ipc_ns, 2 * c->requests);
    const struct hk_estimate crossed = hk_estimate_sum(&kernel, &trips);
    const struct hk_estimate over_kernel =
        hk_estimate_sum(&crossed, c->kernel_lacks_body ? &body : &nothing);
    enum hk_status status = hk_contest_predict(contest, 0, judge, &comparison, &textbook);
    if (status == HK_OK)
        status = hk_contest_predict(contest, 1, judge, &comparison, &over_kernel);
    return status;
}

static enum hk_status judge_regime(const struct hk_run *training, const struct hk_run *target,
                                   const struct hk_crossing *pipe, const char *regime,
                                   struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F3", .regime = regime, .margin = margin,
                                 .model_count = 2,
                                 .models = {"textbook", "kernel path and a round trip"}};
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(cases) && status == HK_OK; i++)
        if (strcmp(cases[i].regime, regime) == 0)
            status = compare_case(training, target, pipe, &cases[i], &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

/* T_k of each operation, and t_u of the code that serves it, as measured apart. */
static enum hk_status add_part(const struct hk_run *run, const char *cell, const char *symbol,
                               struct hk_judge *judge)
{
    struct hk_estimate mean;
    char name[HK_NAME_BYTES];

    if (cell == NULL || read_mean(run, cell, &mean) != HK_OK)
        return HK_OK; /* not in this run */
    snprintf(name, sizeof name, "F3/%.200s/%s", cell + strlen("native/"), symbol);
    return hk_judge_add_estimate(judge, name, &mean, cell);
}

enum hk_status hk_service_fit(const struct hk_run *training, struct hk_rng *rng,
                              struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases) && status == HK_OK; i++) {
        status = add_part(training, cases[i].kernel, "t_kernel_ns", judge);
        if (status == HK_OK)
            status = add_part(training, cases[i].body, "t_user_ns", judge);
    }
    return status;
}

enum hk_status hk_service_validate(const struct hk_run *training, const struct hk_run *target,
                                   struct hk_rng *rng, struct hk_judge *judge)
{
    struct hk_crossing pipe;
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    if (hk_crossing_read(training, "native/round_trip/pipe/place:same_core", &pipe) != HK_OK)
        return HK_OK; /* not in this run */
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases) && status == HK_OK; i++)
        if (i == 0 || strcmp(cases[i].regime, cases[i - 1].regime) != 0)
            status = judge_regime(training, target, &pipe, cases[i].regime, judge);
    return status;
}
