/* SPDX-License-Identifier: MIT */
#include "hk/predict/crossings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hk/judge/judge.h"
#include "hk/model/latency.h"

/* Messages with payload that a unit of work is, and bytes of it, docs/workloads.md. */
static const struct {
    double messages;
    double bytes;
} payload[HK_WORKS] = {
    [HK_WORK_READ] = {1, 0},           [HK_WORK_READ_BYTE] = {0, 1},
    [HK_WORK_WRITE] = {1, 0},          [HK_WORK_WRITE_BYTE] = {0, 1},
    [HK_WORK_REPLACE_WRITE] = {1, 0},  [HK_WORK_DATAGRAM] = {2, 0},
    [HK_WORK_DATAGRAM_BYTE] = {0, 2},  [HK_WORK_BLOCK_READ] = {1, 4096},
    [HK_WORK_BLOCK_WRITE] = {1, 4096}, [HK_WORK_AUDIO_WRITE] = {1, 0},
    [HK_WORK_AUDIO_BYTE] = {0, 1},     [HK_WORK_JOB_DATA] = {1, 0},
    [HK_WORK_JOB_BYTE] = {0, 1},
};

/* Units of own work at its time, each begun by a message. */
static const double wakes[HK_WORKS] = {
    [HK_WORK_BLOCK_WAKE] = 1, [HK_WORK_AUDIO_WAKE] = 1, [HK_WORK_ALARM_RING] = 1,
    [HK_WORK_BAND] = 1,
};

void hk_crossings_count_servers(const struct hk_replay *replay, uint32_t set,
                                struct hk_crossings *out)
{
    struct hk_crossings c;
    struct hk_replay moved = *replay;

    for (enum hk_work w = 0; w < HK_WORKS; w++)
        if (hk_work_service(w) == HK_SERVICE_CLIENT || (set >> hk_work_service(w) & 1) == 0)
            moved.work[w] = 0;
    hk_crossings_count(&moved, set, &c);
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        c.server_calls += moved.work[w] * wakes[w];
    *out = c;
}

void hk_crossings_count(const struct hk_replay *replay, uint32_t set, struct hk_crossings *out)
{
    struct hk_crossings c = {0};
    uint32_t called = 0;
    double bytes = 0;

    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        const unsigned service = hk_work_service(w);
        const double calls = replay->work[w] * hk_work_calls(w);
        if (service == HK_SERVICE_CLIENT)
            continue;
        if ((set >> service & 1) != 0) {
            c.server_calls += calls;
            called |= calls > 0 ? 1u << service : 0;
        } else {
            c.kernel_calls += calls;
        }
        c.messages += replay->work[w] * payload[w].messages;
        bytes += replay->work[w] * payload[w].bytes;
    }
    c.message_bytes = c.messages > 0 ? bytes / c.messages : 0;
    c.servers = (unsigned)__builtin_popcount(called);
    *out = c;
}

/* A parameter of F3 as an estimate. */
static enum hk_status parameter(const struct hk_judge *judge, const char *subject,
                                const char *symbol, struct hk_estimate *out)
{
    char name[HK_NAME_BYTES];
    const struct hk_parameter *p;

    snprintf(name, sizeof name, "F3/%.60s/%s", subject, symbol);
    const enum hk_status status = hk_judge_parameter(judge, name, &p);
    if (status != HK_OK)
        return status;
    *out = (struct hk_estimate){p->value, (p->upper - p->lower) / (2 * HK_Z_95), p->launches};
    return HK_OK;
}

static enum hk_status fit_f3(const struct hk_run *run, struct hk_judge *judge)
{
    for (size_t i = 0; i < hk_judge_formula_count; i++)
        if (strcmp(hk_judge_formulas[i].id, "F3") == 0)
            return hk_judge_formulas[i].fit(run, NULL, judge); /* it draws nothing */
    return HK_ENOENT;
}

static enum hk_status take_costs(const struct hk_judge *judge, const char *subject,
                                 struct hk_crossing_costs *out)
{
    struct hk_crossing_costs c = {.break_bytes = INFINITY};
    struct hk_estimate at;

    enum hk_status status = parameter(judge, subject, "c_sys_ns", &c.c_sys_ns);
    if (status == HK_OK)
        status = parameter(judge, subject, "c_ipc_ns", &c.c_ipc_ns);
    if (status == HK_OK)
        status = parameter(judge, subject, "one_way_ns_per_byte_1", &c.copy_ns_per_byte[0]);
    if (status != HK_OK)
        return status;
    c.has_hop = parameter(judge, subject, "hop_ns", &c.hop_ns) == HK_OK;
    if (parameter(judge, subject, "one_way_ns_per_byte_2", &c.copy_ns_per_byte[1]) == HK_OK &&
        parameter(judge, subject, "one_way_break_bytes_1", &at) == HK_OK)
        c.break_bytes = at.value;
    *out = c;
    return HK_OK;
}

enum hk_status hk_crossings_fit(const struct hk_run *run, const char *subject,
                                struct hk_crossing_costs *out)
{
    struct hk_judge judge;

    hk_judge_init(&judge);
    enum hk_status status = fit_f3(run, &judge);
    if (status == HK_OK)
        status = take_costs(&judge, subject, out);
    hk_judge_fini(&judge);
    return status;
}

/* c_copy of a message of so many bytes; a copy never gives time back. */
static struct hk_estimate copy_ns(const struct hk_crossing_costs *c, double bytes)
{
    const double beyond = bytes > c->break_bytes ? bytes - c->break_bytes : 0;
    const double ns = bytes * c->copy_ns_per_byte[0].value + beyond * c->copy_ns_per_byte[1].value;
    const double se = hypot(bytes * c->copy_ns_per_byte[0].standard_error,
                            beyond * c->copy_ns_per_byte[1].standard_error);

    return (struct hk_estimate){fmax(ns, 0), se, c->copy_ns_per_byte[0].count};
}

enum hk_status hk_crossings_predict(const struct hk_crossings *crossings,
                                    const struct hk_crossing_costs *costs, struct hk_estimate *out,
                                    bool *stronger)
{
    const bool hops = costs->has_hop && crossings->servers > 1;
    const struct hk_latency_law law = {
        .kernel_entries = crossings->kernel_calls,
        .user_transfers = 2 * crossings->server_calls,
        .user_copies = crossings->messages, /* of either path: the formula has one cost for both */
    };
    struct hk_latency_costs c = {
        .c_sys_ns = costs->c_sys_ns,
        .c_ipc_ns = hops ? costs->hop_ns : costs->c_ipc_ns,
        .c_copy_ns = copy_ns(costs, crossings->message_bytes),
    };
    struct hk_estimate kernel;
    struct hk_estimate user;

    c.t_kernel_ns.count = c.t_user_ns.count = c.c_sys_ns.count; /* nothing is done there */
    enum hk_status status = hk_latency_kernel(&law, &c, &kernel);
    if (status == HK_OK)
        status = hk_latency_user(&law, &c, &user);
    if (status != HK_OK)
        return status;
    *out = (struct hk_estimate){kernel.value + user.value,
                                hypot(kernel.standard_error, user.standard_error),
                                kernel.count < user.count ? kernel.count : user.count};
    *stronger = hops;
    return HK_OK;
}
