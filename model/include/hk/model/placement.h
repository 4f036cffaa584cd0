/* SPDX-License-Identifier: MIT */
/*
 * Placement of services that call each other (stronger than F2, whose p_i does not
 * depend on where the others live):
 *   cost(x) = sum_i u_i x_i + sum_e split_e [x_i != x_j] + both_e [x_i = x_j = 1],
 * x_i = 1 when service i runs in a server. u_i is effort less benefit plus the calls
 * that applications make; an edge is a pair of services that call each other: two in
 * the kernel call for nothing, one of each costs an upcall or IPC, two servers cost
 * IPC between them (about 0 if they share a process). All in one unit.
 */
#ifndef HK_MODEL_PLACEMENT_H
#define HK_MODEL_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/model/migration.h"

struct hk_call_edge {
    size_t first;
    size_t second;
    double split_cost; /* rate times kappa_ku, >= 0 */
    double both_cost;  /* rate times kappa_uu, >= 0 */
};

struct hk_placement_problem {
    const double *server_cost; /* u_i: service_count finite values */
    size_t service_count;      /* 1..HK_SERVICES_MAX */
    const struct hk_call_edge *edges;
    size_t edge_count;
};

struct hk_placement {
    uint64_t in_server;
    double cost;
};

/*
 * Cost of one placement.
 *
 * Returns HK_OK; HK_EINVAL (an edge to itself, a negative cost, a bit without
 * service included).
 */
enum hk_status hk_placement_cost(const struct hk_placement_problem *problem, uint64_t in_server,
                                 double *cost);

/*
 * Is the cost submodular, both_e <= 2 split_e for every edge? Then servers do not
 * repel each other and a minimum cut finds the best placement.
 */
enum hk_status hk_placement_submodular(const struct hk_placement_problem *problem,
                                       bool *submodular);

/*
 * Best placement as a minimum s-t cut; of equally good ones, that with the fewest servers.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the cost is not submodular (use
 * hk_placement_enumerate). Cost: a maximum flow on n + 2 nodes.
 * Source: Kolmogorov & Zabih 2004 (IEEE TPAMI 26(2)); Stone 1977 (IEEE TSE 3(1)) for
 * programs on two processors.
 */
enum hk_status hk_placement_cut(const struct hk_placement_problem *problem,
                                struct hk_placement *out);

/*
 * Best of all 2^n placements, submodular or not, along a Gray code; if several cost
 * the same within rounding, one of them.
 *
 * cost_all  [out]  2^n costs by mask, for regrets; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ETOOBIG if n > HK_ENUMERATED_MAX.
 * Cost 2^n steps of n additions.
 */
enum hk_status hk_placement_enumerate(const struct hk_placement_problem *problem,
                                      struct hk_placement *out, double *cost_all);

#endif
