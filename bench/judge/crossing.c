/* SPDX-License-Identifier: MIT */
#include "crossing.h"

#include "contest.h"
#include "hk/base/units.h"
#include "hk/model/latency.h"

static const int training_bytes[] = {1, 4096, 16384, 65536};

enum { SIZES = HK_ARRAY_COUNT(training_bytes) };

enum hk_status hk_crossing_read(const struct hk_run *run, const char *cells,
                                struct hk_crossing *out)
{
    double bytes[SIZES * HK_LAUNCHES_MAX], cost_ns[SIZES * HK_LAUNCHES_MAX];
    struct hk_cell_values cell;
    struct hk_estimate first;
    size_t n = 0;

    out->exact = true;
    for (size_t s = 0; s < SIZES; s++) {
        if (hk_cell_read_cost(run, &cell, "%s/bytes:%d", cells, training_bytes[s]) != HK_OK)
            return HK_ENOENT;
        if (s == 0 && hk_cell_mean(&cell, &first) != HK_OK)
            return HK_ENOENT;
        out->exact = out->exact && cell.exact;
        for (size_t i = 0; i < cell.count; i++, n++) {
            bytes[n] = training_bytes[s];
            cost_ns[n] = cell.values[i] / 2;
        }
    }
    out->c_ipc_ns = hk_estimate_times(&first, 0.5);
    return hk_copy_curve_fit(bytes, cost_ns, n, 1, &out->one_way) == HK_OK ? HK_OK : HK_ENOENT;
}

enum hk_status hk_crossing_one_way(const struct hk_crossing *crossing, double bytes,
                                   struct hk_estimate *out)
{
    const enum hk_status status =
        hk_copy_curve_predict(&crossing->one_way, bytes, 0.95, out, NULL);

    if (status == HK_OK && crossing->exact)
        out->standard_error = 0;
    return status;
}

enum hk_status hk_crossing_textbook(const struct hk_crossing *crossing, double bytes,
                                    double requests, const struct hk_estimate *body,
                                    struct hk_estimate *out)
{
    const struct hk_estimate *c_ipc = &crossing->c_ipc_ns;
    struct hk_estimate one_way, once;

    enum hk_status status = hk_crossing_one_way(crossing, bytes, &one_way);
    if (status != HK_OK)
        return status;
    const struct hk_estimate less = hk_estimate_times(c_ipc, -1);
    const struct hk_latency_costs costs = {
        .c_sys_ns = {0, 0, c_ipc->count},
        .c_ipc_ns = *c_ipc,
        .c_copy_ns = hk_estimate_sum(&one_way, &less), /* the increment over an empty message */
        .t_kernel_ns = {0, 0, c_ipc->count},
        .t_user_ns = *body,
        .ipc_copy_covariance_ns2 = -c_ipc->standard_error * c_ipc->standard_error,
    };
    status = hk_latency_user(&hk_latency_textbook, &costs, &once);
    if (status == HK_OK)
        *out = hk_estimate_times(&once, requests);
    return status;
}
