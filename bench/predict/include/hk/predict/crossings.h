/* SPDX-License-Identifier: MIT */
/*
 * What crossing between a client and its services costs on this machine, F3 with the costs that a
 * native run gives: T_k = calls c_sys + messages c_copy in the kernel, T_u = 2 calls c_ipc + messages
 * c_copy to a server. The services' own work is left out: hk/predict/totals.h has it.
 */
#ifndef HK_PREDICT_CROSSINGS_H
#define HK_PREDICT_CROSSINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/replay.h"
#include "hk/result/result.h"
#include "hk/stats/estimate.h"

/* How often a request of a workload crosses, on average. */
struct hk_crossings {
    double kernel_calls;
    double server_calls;
    double messages;      /* calls that carry a payload, */
    double message_bytes; /* and how much each, on average */
    unsigned servers;     /* that are called at all */
};

/* Count them. set: of services in servers. */
void hk_crossings_count(const struct hk_replay *replay, uint32_t set, struct hk_crossings *out);

/*
 * The same natively, where a service in process is called directly: nothing is crossed and copied
 * but to servers, whose own work at its time is begun by a message too.
 */
void hk_crossings_count_servers(const struct hk_replay *replay, uint32_t set,
                                struct hk_crossings *out);

/* Costs of one transport, fitted on a native run. */
struct hk_crossing_costs {
    struct hk_estimate c_sys_ns;
    struct hk_estimate c_ipc_ns; /* one way, between two spaces */
    bool has_hop;
    struct hk_estimate hop_ns;   /* one way, among three spaces and more */
    struct hk_estimate copy_ns_per_byte[2]; /* the second from break_bytes on, in addition */
    double break_bytes;
};

/*
 * Fit the costs.
 *
 * subject  [in]  of F3: "pipe", "pipe_batch", "unix_seqpacket", ...
 *
 * Returns HK_OK; HK_ENOENT when the run has not the cells; else as F3's fit.
 */
enum hk_status hk_crossings_fit(const struct hk_run *run, const char *subject,
                                struct hk_crossing_costs *out);

/*
 * Time of all crossings of a request.
 *
 * out       [out]  mean, ns, with the error of the fitted costs
 * stronger  [out]  whether hops among three spaces took the place of c_ipc
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_crossings_predict(const struct hk_crossings *crossings,
                                    const struct hk_crossing_costs *costs, struct hk_estimate *out,
                                    bool *stronger);

#endif
