/* SPDX-License-Identifier: MIT */
/*
 * F9: a verified kernel extension. Each of N invocations per load pays execution
 * and its share of verification,
 *   T_ext(N) = t_x + V / N,    V = v_0 + v_1 (instructions processed).
 * It beats the user-space path T_u from N* = V / (T_u - t_x) invocations on, and
 * never if t_x >= T_u.
 */
#ifndef HK_MODEL_EXTENSION_H
#define HK_MODEL_EXTENSION_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"
#include "hk/stats/line.h"

/*
 * Fit V over the verifier's work by least squares of relative errors; for V of
 * unseen programs use hk_extension_verify.
 *
 * processed  [in]   n counts >= 0: instructions the verifier processed (program
 *                   length only for programs without branches)
 * load_ns    [in]   n times > 0, the first load of a boot left out
 * n          [in]   >= 3
 * line       [out]  v_0 [ns], v_1 [ns/instruction]; residual_sd is relative
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 3 or all counts are equal; HK_ENOMEM.
 */
enum hk_status hk_extension_fit(const double *processed, const double *load_ns, size_t n,
                                struct hk_line *line);

/*
 * Predict V.
 *
 * processed   [in]   >= 0
 * confidence  [in]   inside (0, 1)
 * verify_ns   [out]  mean with its error
 * interval    [out]  of one load; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the line gives no positive time there.
 */
enum hk_status hk_extension_verify(const struct hk_line *line, double processed,
                                   double confidence, struct hk_estimate *verify_ns,
                                   struct hk_interval *interval);

/* Measured apart: t_x by repeated runs, V by loading, T_u on the user-space rig. */
struct hk_extension_costs {
    struct hk_estimate execute_ns; /* t_x, >= 0 */
    struct hk_estimate verify_ns;  /* V, >= 0 */
    struct hk_estimate user_ns;    /* T_u, >= 0; only break-even and policies read it */
};

/*
 * Mean cost per invocation, t_x + V / N. With reloads at rate nu and invocations
 * at rate lambda, N = lambda / nu.
 *
 * invocations  [in]  N per load, > 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the result is not finite.
 */
enum hk_status hk_extension_cost(const struct hk_extension_costs *costs, double invocations,
                                 struct hk_estimate *out);

/*
 * Break-even N*, by the delta method.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the extension never pays (t_x >= T_u).
 */
enum hk_status hk_extension_break_even(const struct hk_extension_costs *costs,
                                       struct hk_estimate *invocations);

/*
 * Program size from which on an extension never pays, t_x(n) = T_u.
 *
 * execute  [in]   t_x over instructions executed: intercept [ns], slope [ns/instruction]
 * user_ns  [in]   T_u, > 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if there is no such size (a slope <= 0 or an
 * intercept >= T_u).
 */
enum hk_status hk_extension_size_limit(const struct hk_line *execute, double user_ns,
                                       double *instructions);

/*
 * Lifetimes that are not known beforehand: the mean over loads of the cost per
 * invocation, E[t_x + V / N], against the naive t_x + V / E[N] (Jensen: never more).
 *
 * invocations  [in]   n lifetimes > 0, one per load
 * mean_ns      [out]  averaged over loads
 * naive_ns     [out]  averaged over invocations: what a loaded machine pays
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n = 0; HK_ERANGE if a sum is not finite.
 */
enum hk_status hk_extension_lifetimes(const struct hk_extension_costs *costs,
                                      const double *invocations, size_t n, double *mean_ns,
                                      double *naive_ns);

/*
 * Ski rental: N is unknown, so stay in user space at first and load before the
 * k-th invocation.
 */

/* Cost of N invocations when the load comes before the k-th (k >= 1); N < k never loads. */
double hk_extension_policy_ns(const struct hk_extension_costs *costs, double load_before,
                              double invocations);

/* Cost of the best choice in hindsight: user space throughout, or a load at once. */
double hk_extension_hindsight_ns(const struct hk_extension_costs *costs, double invocations);

struct hk_ski_rental {
    double load_before;       /* ceil(N*) */
    double competitive_ratio; /* worst policy / hindsight over all N; <= 2 */
};

/*
 * Deterministic policy: load before invocation ceil(N*).
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the extension never pays or N* > 2^53.
 * Source: Karlin, Manasse, Rudolph & Sleator 1988 (Algorithmica 3).
 */
enum hk_status hk_extension_ski_rental(const struct hk_extension_costs *costs,
                                       struct hk_ski_rental *out);

/*
 * Randomised policy against an adversary who does not see the draw: the best law
 * of the invocation before which to load. Its ratio tends to e / (e - 1) = 1.582
 * from below for large N* and t_x much smaller than T_u.
 *
 * probability        [out]  probability[i] of loading before invocation i + 1
 * capacity           [in]   >= ceil(N*)
 * count              [out]  values written
 * competitive_ratio  [out]  worst expected cost / hindsight over all N
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the extension never pays; HK_ETOOBIG if
 * ceil(N*) > capacity.
 * Cost O(N*).
 * Source: Karlin, Manasse, McGeoch & Owicki 1994 (Algorithmica 11), here for
 * whole invocations and with t_x > 0.
 */
enum hk_status hk_extension_ski_random(const struct hk_extension_costs *costs,
                                       double *probability, size_t capacity, size_t *count,
                                       double *competitive_ratio);

#endif
