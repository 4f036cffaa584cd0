/* SPDX-License-Identifier: MIT */
/*
 * F2: which services leave the kernel, by j_i = alpha c_i + beta p_i, lowest first.
 *
 * With two budgets, max sum b_i x_i with sum c_i x_i <= E and sum p_i x_i <= L, the
 * Lagrangian says: migrate iff b_i >= alpha c_i + beta p_i. So alpha and beta are the
 * shadow prices of the budgets, and "lowest first" assumes equal benefits b_i and a
 * p_i that does not depend on where the others live. Sets of services are bit masks:
 * bit i is service i, set when it runs in a server.
 */
#ifndef HK_MODEL_MIGRATION_H
#define HK_MODEL_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_SERVICES_MAX 64u
#define HK_ENUMERATED_MAX 24u

struct hk_service {
    double benefit;     /* b: isolation gained, any unit, finite */
    double effort;      /* c: e.g. person-months or lines, >= 0 */
    double performance; /* p: e.g. ns lost per second; may be negative, a gain */
};

/*
 * Scores j_i; the unit of alpha c and beta p must be the same.
 *
 * services     [in]   n in 1..HK_SERVICES_MAX
 * alpha, beta  [in]   >= 0
 * scores       [out]  n values
 *
 * Returns HK_OK; HK_EINVAL (a score that is not finite included).
 */
enum hk_status hk_migration_scores(const struct hk_service *services, size_t n, double alpha,
                                   double beta, double *scores);

/*
 * Indices by ascending score, ties in the order given.
 *
 * scores  [in]   n finite values, n in 1..HK_SERVICES_MAX
 * order   [out]  n indices
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_migration_order(const double *scores, size_t n, size_t *order);

struct hk_budgets {
    double effort;      /* E, >= 0; INFINITY for no limit */
    double performance; /* L, >= 0; INFINITY for no limit */
};

struct hk_selection {
    uint64_t in_server;
    double benefit;
    double effort;
    double performance;
    bool proven; /* no better set exists */
};

/*
 * What the budgets are worth at the margin, and how much benefit any set can reach:
 * the dual of the linear relaxation.
 */
struct hk_shadow_prices {
    double alpha; /* benefit per unit of effort */
    double beta;  /* benefit per unit of performance */
    double bound; /* no set within the budgets has more benefit */
};

/*
 * Shadow prices and bound.
 *
 * budgets  [in]  at least one finite
 *
 * Returns HK_OK; HK_EINVAL. Cost O(n^2), some two hundred times.
 * The bound holds at any prices; they minimise it to about 1e-9.
 */
enum hk_status hk_migration_prices(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets,
                                   struct hk_shadow_prices *out);

/*
 * Greedy: services of b_i > alpha c_i + beta p_i first by benefit per price, each taken
 * if it still fits. The gap to hk_shadow_prices.bound is less than one benefit per
 * budget: the fractional services of the relaxation.
 *
 * prices  [in]   from hk_migration_prices
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_migration_greedy(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets,
                                   const struct hk_shadow_prices *prices,
                                   struct hk_selection *out);

/*
 * Best set, by branch and bound on the Lagrangian bound.
 *
 * node_limit  [in]   nodes to visit, >= 1; out->proven tells whether it was enough
 *
 * Returns HK_OK; HK_EINVAL.
 * Source: Martello & Toth 1990, Knapsack Problems, chapter 2 (bound by multipliers).
 */
enum hk_status hk_migration_select(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets, uint64_t node_limit,
                                   struct hk_selection *out);

/*
 * Best set, by looking at all 2^n: the check of the above.
 *
 * Returns HK_OK; HK_EINVAL; HK_ETOOBIG if n > HK_ENUMERATED_MAX; HK_ENOMEM.
 * Cost 2^n steps of three additions, from tables of the 2^(n/2) sums of each half.
 */
enum hk_status hk_migration_enumerate(const struct hk_service *services, size_t n,
                                      const struct hk_budgets *budgets,
                                      struct hk_selection *out);

#endif
