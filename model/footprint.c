/* SPDX-License-Identifier: MIT */
#include "hk/model/footprint.h"

#include <stdlib.h>

#include "check.h"

#define SERVERS_MAX 64u
#define HOPS_PER_SERVER 2.0

enum hk_status hk_chain_footprint(const struct hk_chain *chain, double *bytes)
{
    if (!chain || !bytes || chain->servers < 1 || chain->servers > SERVERS_MAX ||
        !check_not_negative(chain->server_bytes) || !check_not_negative(chain->kernel_bytes) ||
        !check_not_negative(chain->body_ns)) {
        return HK_EINVAL;
    }
    const double sum = chain->servers * chain->server_bytes + chain->kernel_bytes;
    if (!isfinite(sum)) {
        return HK_EINVAL;
    }
    *bytes = sum;
    return HK_OK;
}

enum hk_status hk_footprint_fit(const struct hk_chain *chains, const double *total_ns, size_t n,
                                size_t breaks_max, struct hk_copy_curve *hop)
{
    if (!chains || !total_ns || !hop) {
        return HK_EINVAL;
    }
    if (n == 0) {
        return HK_ENOISE;
    }
    double *bytes = malloc(2 * n * sizeof *bytes);
    if (!bytes) {
        return HK_ENOMEM;
    }
    double *hop_ns = bytes + n;
    enum hk_status status = HK_OK;
    for (size_t i = 0; status == HK_OK && i < n; i++) {
        status = hk_chain_footprint(&chains[i], &bytes[i]);
        if (status == HK_OK) {
            hop_ns[i] =
                (total_ns[i] - chains[i].body_ns) / (HOPS_PER_SERVER * chains[i].servers);
            status = check_positive(hop_ns[i]) ? HK_OK : HK_EINVAL;
        }
    }
    if (status == HK_OK) {
        status = hk_copy_curve_fit(bytes, hop_ns, n, breaks_max, hop);
    }
    free(bytes);
    return status;
}

enum hk_status hk_footprint_predict(const struct hk_copy_curve *hop,
                                    const struct hk_chain *chain, double confidence,
                                    struct hk_prediction *out)
{
    if (!hop || !out) {
        return HK_EINVAL;
    }
    double bytes;
    struct hk_estimate one;
    struct hk_interval interval;
    enum hk_status status = hk_chain_footprint(chain, &bytes);
    if (status == HK_OK) {
        status = hk_copy_curve_predict(hop, bytes, confidence, &one, &interval);
    }
    if (status != HK_OK) {
        return status;
    }
    const double hops = HOPS_PER_SERVER * chain->servers;
    *out = (struct hk_prediction){
        .mean = {hops * one.value + chain->body_ns, hops * one.standard_error, one.count},
        .interval = {hops * interval.lower + chain->body_ns,
                     hops * interval.upper + chain->body_ns, confidence},
    };
    return HK_OK;
}
