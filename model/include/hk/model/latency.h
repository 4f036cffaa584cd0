/* SPDX-License-Identifier: MIT */
/*
 * F3: latency of a request served in the kernel and by a user-space server.
 *
 *   T_k = 2 c_sys + 2 c_copy + t_k        T_u = 4 c_ipc + 4 c_copy + t_u
 *
 * c_ipc is the cost of one one-way transfer of an empty message, c_copy(L) what a
 * transferred message of L bytes costs beyond that, c_sys one entry of the system
 * call really used. All are means: only means add. Assumed: a serial path, costs
 * that do not depend on context, no queueing.
 */
#ifndef HK_MODEL_LATENCY_H
#define HK_MODEL_LATENCY_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/* How often each cost is paid. */
struct hk_latency_law {
    double kernel_entries;
    double kernel_copies;
    double user_transfers;
    double user_copies;
};

/* The textbook's 2, 2, 4, 4: application, server, driver and back. */
extern const struct hk_latency_law hk_latency_textbook;

/*
 * Law of a chain of servers, each in its own address space: 2 transfers and 2
 * copies per server; the textbook is the chain of 2.
 *
 * servers  [in]   1..64
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_latency_chain_law(unsigned servers, struct hk_latency_law *law);

/* Parameters measured apart from any target; standard errors over launches. All ns. */
struct hk_latency_costs {
    struct hk_estimate c_sys_ns;
    struct hk_estimate c_ipc_ns;
    struct hk_estimate c_copy_ns; /* at the message size in question */
    struct hk_estimate t_kernel_ns;
    struct hk_estimate t_user_ns;
    double ipc_copy_covariance_ns2; /* c_copy = one_way(L) - one_way(0): not independent */
};

/*
 * T_k with its error: Var = e^2 Var c_sys + k^2 Var c_copy + Var t_k.
 *
 * out  [out]  ns; count is the smallest of the counts that enter
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, a cost that is not finite, a
 * negative standard error or coefficient, or a covariance beyond
 * sd(c_ipc) sd(c_copy). Costs may be negative: an increment can be, within noise.
 */
enum hk_status hk_latency_kernel(const struct hk_latency_law *law,
                                 const struct hk_latency_costs *costs, struct hk_estimate *out);

/*
 * T_u with its error: textbook 16 Var c_ipc + 16 Var c_copy + 32 Cov + Var t_u.
 * Arguments and result as hk_latency_kernel.
 */
enum hk_status hk_latency_user(const struct hk_latency_law *law,
                               const struct hk_latency_costs *costs, struct hk_estimate *out);

/*
 * T_u - T_k with its error; c_copy enters once with the difference of its
 * coefficients, because both paths share its error.
 */
enum hk_status hk_latency_difference(const struct hk_latency_law *law,
                                     const struct hk_latency_costs *costs,
                                     struct hk_estimate *out);

/*
 * Batch size from which a server pays off: with m requests per crossing,
 * T_u(m) - T_k = 4 c_ipc / m + 2 c_copy - 2 c_sys + t_u - t_k; the root m*.
 *
 * out  [out]  requests per crossing, >= 0, with standard error by the delta method
 *
 * Returns HK_OK; HK_EINVAL as above; HK_ERANGE if no batch size pays off.
 */
enum hk_status hk_latency_break_even_batch(const struct hk_latency_law *law,
                                           const struct hk_latency_costs *costs,
                                           struct hk_estimate *out);

/*
 * Coefficient by intervention. A known delay is injected before every transfer
 * (or entry); the slope of the total over the delay is how often it is paid.
 */
struct hk_coefficient {
    double value;
    double standard_error;
    struct hk_interval interval;
    double nearest_integer;
    bool claim_contained;         /* the claimed integer lies in the interval */
    double neighbour_distance_se; /* to the nearer of claim - 1 and claim + 1, in standard errors */
    size_t count;
};

/*
 * Judge a structural coefficient from one slope per launch.
 *
 * slopes       [in]   launch_count finite slopes (hk_line_fit within each launch)
 * line_errors  [in]   their standard errors within the launch, >= 0; NULL: alike
 * claimed      [in]   the integer of the formula
 * confidence   [in]   inside (0, 1)
 *
 * A launch whose points are off its line weighs less: 1 / (e^2 + median e^2), so that none weighs
 * more than twice the middle one. The interval is Student's t on the weighted scatter of launches
 * (Hartung & Knapp 2001).
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if launch_count < 3 or all slopes are equal; HK_ENOMEM.
 */
enum hk_status hk_coefficient_test(const double *slopes, const double *line_errors,
                                   size_t launch_count, double claimed, double confidence,
                                   struct hk_coefficient *out);

/*
 * Stronger model: hops that know their context. Three address spaces cost more
 * per hop than two, so a chain grows by D per server, not by 2 c_ipc:
 *   T(m) = T(2) + (m - 2) D,   D = T(2) - T(1).
 */
struct hk_hop_model {
    double two_servers_ns;
    double hop_ns;
    double var_two_servers_ns2;
    double var_hop_ns2;
    double covariance_ns2;
    double launch_sd_ns; /* scatter of one launch's T(2): enters prediction intervals */
    size_t count;
};

/*
 * Fit the incremental model from chains of one and two servers.
 *
 * one_ns, two_ns  [in]   T(1) and T(2) of the same launches, same message size
 * launch_count    [in]   >= 3
 *
 * Returns HK_OK; HK_EINVAL (squares that overflow included); HK_ENOISE if
 * launch_count < 3.
 */
enum hk_status hk_hop_fit(const double *one_ns, const double *two_ns, size_t launch_count,
                          struct hk_hop_model *out);

/* A prediction: the mean with its error, and where one new launch will fall. */
struct hk_prediction {
    struct hk_estimate mean;
    struct hk_interval interval;
};

/*
 * Predict a chain of servers that was not in the fit.
 *
 * servers     [in]   3..64
 * confidence  [in]   inside (0, 1)
 * out         [out]  ns
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_hop_predict(const struct hk_hop_model *model, unsigned servers,
                              double confidence, struct hk_prediction *out);

#endif
