/* SPDX-License-Identifier: MIT */
/*
 * F4: throughput of a user-space file system over the in-kernel one,
 *   T = 2 / (1 + beta + 2 alpha).
 *
 * Per operation, b is the work without the payload copy, k the copy, z what takes
 * its place in the server (a remap), i one one-way transfer; request and reply
 * make two. With one client and no overlap, throughput is the inverse of cost:
 *   T = (b + k) / (b + z + 2 i).
 * The textbook has b = k as its unit: beta = z / k, alpha = i / k. In general, with
 * the copy's share phi = k / (b + k) and a = i / (b + k),
 *   T = 1 / (1 - phi (1 - beta) + 2 a).
 * Free transfers and remaps make T = 2 in the textbook, not 1: the in-kernel path
 * still copies.
 */
#ifndef HK_MODEL_THROUGHPUT_H
#define HK_MODEL_THROUGHPUT_H

#include <stdbool.h>

#include "hk/base/status.h"
#include "hk/model/copy_curve.h"
#include "hk/stats/estimate.h"

/*
 * F4 as it stands, with its error: sd(T) / T =
 * sqrt(Var beta + 4 Var alpha + 4 Cov) / (1 + beta + 2 alpha).
 *
 * alpha       [in]   transfer over copy, >= 0
 * beta        [in]   remap over copy, >= 0; above 1 for small payloads
 * covariance  [in]   of the two estimates; they share k, so it is rarely 0
 * out         [out]  a ratio; count is the smaller of the two
 *
 * Returns HK_OK; HK_EINVAL (a covariance beyond sd(alpha) sd(beta) included).
 */
enum hk_status hk_throughput_textbook(const struct hk_estimate *alpha,
                                      const struct hk_estimate *beta, double covariance,
                                      struct hk_estimate *out);

/*
 * General form.
 *
 * copy_share_ratio  [in]   phi, 0..1
 * beta              [in]   >= 0
 * transfer_share    [in]   a, >= 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the server's cost is 0 (phi = 1 and all free).
 */
enum hk_status hk_throughput_general(double copy_share_ratio, double beta, double transfer_share,
                                     double *ratio);

/* Costs per operation at one payload size; means of separate launches, ns. */
struct hk_throughput_costs {
    struct hk_estimate base_ns;     /* b: an operation with an empty payload, > 0 */
    struct hk_estimate copy_ns;     /* k: what the payload adds in the kernel, > 0 */
    struct hk_estimate remap_ns;    /* z: later faults and TLB work included, >= 0 */
    struct hk_estimate transfer_ns; /* i: one way, >= 0 */
};

struct hk_throughput {
    double copy_share_ratio;     /* phi */
    double beta;
    double transfer_share;       /* a */
    struct hk_estimate ratio;    /* T when every payload is remapped */
    struct hk_estimate adaptive; /* T when the cheaper of copy and remap is taken */
};

/*
 * T from costs, errors by the delta method (the four estimates independent).
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the result is not finite.
 */
enum hk_status hk_throughput_predict(const struct hk_throughput_costs *costs,
                                     struct hk_throughput *out);

/* The same over the payload size: k(L) and z(L) as fitted curves, their ranges respected. */
struct hk_throughput_curves {
    struct hk_estimate base_ns;
    struct hk_estimate transfer_ns;
    const struct hk_copy_curve *copy;
    const struct hk_copy_curve *remap;
};

/*
 * T(L).
 *
 * bytes  [in]  inside the range of both curves
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE outside a curve's range or where k(L) <= 0.
 */
enum hk_status hk_throughput_at(const struct hk_throughput_curves *curves, double bytes,
                                struct hk_throughput *out);

/* The payload from which the server is as fast as the kernel. */
struct hk_break_even_size {
    struct hk_estimate bytes;    /* k(L) - z(L) = 2 i; error by the delta method */
    struct hk_interval interval; /* sizes at which the data do not tell the two apart */
    bool bounded;                /* false: the interval ends where the curves do */
};

/*
 * Break-even payload, T(L*) = 1, with a Fieller-type interval (the set of L at which
 * k - z - 2 i does not differ from 0), which stays honest where the curves
 * are almost parallel and the delta method is not.
 *
 * curves      [in]   base_ns is not read: it cancels
 * confidence  [in]   inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the curves do not cross in their common range.
 * Source: Fieller 1954 (J. R. Statist. Soc. B 16(2)); Draper & Smith, section 3.2.
 */
enum hk_status hk_throughput_break_even(const struct hk_throughput_curves *curves,
                                        double confidence, struct hk_break_even_size *out);

#endif
