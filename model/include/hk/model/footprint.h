/* SPDX-License-Identifier: MIT */
/*
 * F3 with hops that know how much memory the path touches: every hop of a chain of m
 * servers costs c(W), W = m W_server + W_kernel the bytes touched per request, because
 * what lies above a cache or TLB level is fetched again on every round,
 *   T(m) = 2 m c(m W_server + W_kernel) + body.
 * c is a segmented curve (hk_copy_curve over bytes). Fit on chains of one and two
 * servers with large footprints, use on longer ones with small: W must stay in range.
 */
#ifndef HK_MODEL_FOOTPRINT_H
#define HK_MODEL_FOOTPRINT_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/model/copy_curve.h"
#include "hk/model/latency.h"

struct hk_chain {
    unsigned servers;    /* 1..64 */
    double server_bytes; /* W_server: touched by each server per request, >= 0 */
    double kernel_bytes; /* W_kernel, >= 0 */
    double body_ns;      /* work without boundary, summed over the chain, >= 0 */
};

/* Bytes touched per request. HK_OK; HK_EINVAL. */
enum hk_status hk_chain_footprint(const struct hk_chain *chain, double *bytes);

/*
 * Fit the cost of a hop.
 *
 * chains      [in]   n chains
 * total_ns    [in]   n measured totals (launch means), above body_ns
 * breaks_max  [in]   as hk_copy_curve_fit
 * hop         [out]  ns per one-way hop over bytes
 *
 * Returns as hk_copy_curve_fit; HK_EINVAL for a total that is not above its body.
 */
enum hk_status hk_footprint_fit(const struct hk_chain *chains, const double *total_ns, size_t n,
                                size_t breaks_max, struct hk_copy_curve *hop);

/*
 * Predict a chain that was not in the fit.
 *
 * out  [out]  mean with its error, and the interval of one new launch
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if its footprint was not covered by the fit.
 */
enum hk_status hk_footprint_predict(const struct hk_copy_curve *hop,
                                    const struct hk_chain *chain, double confidence,
                                    struct hk_prediction *out);

#endif
