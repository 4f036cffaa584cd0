/* SPDX-License-Identifier: MIT */
#include "hk/model/placement.h"

#include <string.h>

#include "check.h"

#define NODES_MAX (HK_SERVICES_MAX + 2u)
#define SUBMODULAR_ROUNDING 1e-12
#define FLOW_ZERO 1e-13 /* of the largest capacity: residuals below are rounding */
#define REFRESH_STEPS 4096u /* of the Gray code between exact recomputations */

static bool problem_valid(const struct hk_placement_problem *p)
{
    if (!p || !p->server_cost || p->service_count == 0 || p->service_count > HK_SERVICES_MAX ||
        (p->edge_count > 0 && !p->edges)) {
        return false;
    }
    /* Bounds far below overflow keep every sum finite. */
    for (size_t i = 0; i < p->service_count; i++) {
        if (!(fabs(p->server_cost[i]) <= 1e150)) {
            return false;
        }
    }
    for (size_t e = 0; e < p->edge_count; e++) {
        const struct hk_call_edge *edge = &p->edges[e];
        if (edge->first >= p->service_count || edge->second >= p->service_count ||
            edge->first == edge->second || !check_not_negative(edge->split_cost) ||
            !check_not_negative(edge->both_cost) || edge->split_cost > 1e150 ||
            edge->both_cost > 1e150) {
            return false;
        }
    }
    return true;
}

static double cost_of(const struct hk_placement_problem *p, uint64_t in_server)
{
    double cost = 0.0;
    for (size_t i = 0; i < p->service_count; i++) {
        cost += in_server >> i & 1 ? p->server_cost[i] : 0.0;
    }
    for (size_t e = 0; e < p->edge_count; e++) {
        const struct hk_call_edge *edge = &p->edges[e];
        const unsigned servers =
            (unsigned)(in_server >> edge->first & 1) + (unsigned)(in_server >> edge->second & 1);
        cost += servers == 1 ? edge->split_cost : 0.0;
        cost += servers == 2 ? edge->both_cost : 0.0;
    }
    return cost;
}

enum hk_status hk_placement_cost(const struct hk_placement_problem *problem, uint64_t in_server,
                                 double *cost)
{
    if (!cost || !problem_valid(problem) ||
        (problem->service_count < 64 && in_server >> problem->service_count != 0)) {
        return HK_EINVAL;
    }
    *cost = cost_of(problem, in_server);
    return HK_OK;
}

static bool is_submodular(const struct hk_placement_problem *p)
{
    for (size_t e = 0; e < p->edge_count; e++) {
        const double most = 2.0 * p->edges[e].split_cost;
        if (p->edges[e].both_cost > most * (1.0 + SUBMODULAR_ROUNDING)) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_placement_submodular(const struct hk_placement_problem *problem,
                                       bool *submodular)
{
    if (!submodular || !problem_valid(problem)) {
        return HK_EINVAL;
    }
    *submodular = is_submodular(problem);
    return HK_OK;
}

/*
 * Node 0 is the source (kernel), node 1 the sink (server), service i node i + 2. A
 * service on the sink's side of the cut runs in a server.
 */
struct network {
    size_t node_count;
    double zero;
    double residual[NODES_MAX][NODES_MAX];
    size_t level[NODES_MAX];
    size_t next[NODES_MAX];
};

enum { SOURCE, SINK, FIRST_SERVICE };

/*
 * split [x_i != x_j] + both [x_i = x_j = 1] =
 *   split x_i + (both - split) x_j + (2 split - both) (1 - x_i) x_j.
 */
static void network_init(struct network *net, const struct hk_placement_problem *p)
{
    double unary[HK_SERVICES_MAX];
    *net = (struct network){.node_count = p->service_count + FIRST_SERVICE};
    memcpy(unary, p->server_cost, p->service_count * sizeof *unary);
    for (size_t e = 0; e < p->edge_count; e++) {
        const struct hk_call_edge *edge = &p->edges[e];
        unary[edge->first] += edge->split_cost;
        unary[edge->second] += edge->both_cost - edge->split_cost;
        net->residual[edge->first + FIRST_SERVICE][edge->second + FIRST_SERVICE] +=
            fmax(0.0, 2.0 * edge->split_cost - edge->both_cost);
    }
    double largest = 0.0;
    for (size_t i = 0; i < p->service_count; i++) {
        const size_t node = i + FIRST_SERVICE;
        net->residual[unary[i] > 0.0 ? (size_t)SOURCE : node]
                     [unary[i] > 0.0 ? node : (size_t)SINK] += fabs(unary[i]);
        largest = fmax(largest, fabs(unary[i]));
        for (size_t j = FIRST_SERVICE; j < net->node_count; j++) {
            largest = fmax(largest, net->residual[node][j]);
        }
    }
    net->zero = largest * FLOW_ZERO;
}

/* Distances from the source along residual capacity; false if the sink is out of reach. */
static bool network_levels(struct network *net)
{
    size_t queue[NODES_MAX];
    size_t head = 0;
    size_t tail = 0;
    for (size_t v = 0; v < net->node_count; v++) {
        net->level[v] = SIZE_MAX;
        net->next[v] = 0;
    }
    net->level[SOURCE] = 0;
    queue[tail++] = SOURCE;
    while (head < tail) {
        const size_t v = queue[head++];
        for (size_t u = 0; u < net->node_count; u++) {
            if (net->level[u] == SIZE_MAX && net->residual[v][u] > net->zero) {
                net->level[u] = net->level[v] + 1;
                queue[tail++] = u;
            }
        }
    }
    return net->level[SINK] != SIZE_MAX;
}

/* Push at most `limit` from v to the sink along the levels; the recursion is a path. */
static double network_push(struct network *net, size_t v, double limit)
{
    if (v == SINK) {
        return limit;
    }
    for (; net->next[v] < net->node_count; net->next[v]++) {
        const size_t u = net->next[v];
        if (net->level[u] != net->level[v] + 1 || !(net->residual[v][u] > net->zero)) {
            continue;
        }
        const double pushed = network_push(net, u, fmin(limit, net->residual[v][u]));
        if (pushed > 0.0) {
            net->residual[v][u] -= pushed;
            net->residual[u][v] += pushed;
            return pushed;
        }
    }
    return 0.0;
}

/* Services from which the sink can still be reached: of equal cuts, the fewest servers. */
static uint64_t network_sink_side(const struct network *net)
{
    uint64_t side = 0;
    size_t queue[NODES_MAX] = {SINK};
    for (size_t head = 0, tail = 1; head < tail; head++) {
        for (size_t v = FIRST_SERVICE; v < net->node_count; v++) {
            const uint64_t bit = UINT64_C(1) << (v - FIRST_SERVICE);
            if (!(side & bit) && net->residual[v][queue[head]] > net->zero) {
                side |= bit;
                queue[tail++] = v;
            }
        }
    }
    return side;
}

enum hk_status hk_placement_cut(const struct hk_placement_problem *problem,
                                struct hk_placement *out)
{
    if (!out || !problem_valid(problem)) {
        return HK_EINVAL;
    }
    if (!is_submodular(problem)) {
        return HK_ERANGE;
    }
    struct network net;
    network_init(&net, problem);
    while (network_levels(&net)) {
        while (network_push(&net, SOURCE, INFINITY) > 0.0) {
            /* another path of this length */
        }
    }
    const uint64_t in_server = network_sink_side(&net);
    *out = (struct hk_placement){in_server, cost_of(problem, in_server)};
    return HK_OK;
}

/* Where the Gray code stands: the cost, and by how much each service's flip adds to it. */
struct walk {
    const struct hk_placement_problem *problem;
    double coupling[HK_ENUMERATED_MAX][HK_ENUMERATED_MAX]; /* both - 2 split */
    double alone[HK_ENUMERATED_MAX];                       /* u + split of all edges */
    double field[HK_ENUMERATED_MAX]; /* cost of x_i = 1 given the others */
    uint64_t mask;
    double cost;
};

static void walk_init(struct walk *walk, const struct hk_placement_problem *p)
{
    *walk = (struct walk){.problem = p};
    memcpy(walk->alone, p->server_cost, p->service_count * sizeof *walk->alone);
    for (size_t e = 0; e < p->edge_count; e++) {
        const struct hk_call_edge *edge = &p->edges[e];
        const double coupling = edge->both_cost - 2.0 * edge->split_cost;
        walk->alone[edge->first] += edge->split_cost;
        walk->alone[edge->second] += edge->split_cost;
        walk->coupling[edge->first][edge->second] += coupling;
        walk->coupling[edge->second][edge->first] += coupling;
    }
    memcpy(walk->field, walk->alone, sizeof walk->field);
}

/* Rounding adds up along the walk: start afresh from the mask. */
static void walk_refresh(struct walk *walk)
{
    const size_t n = walk->problem->service_count;
    walk->cost = cost_of(walk->problem, walk->mask);
    memcpy(walk->field, walk->alone, sizeof walk->field);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; walk->mask >> i & 1 && j < n; j++) {
            walk->field[j] += walk->coupling[i][j];
        }
    }
}

static void walk_flip(struct walk *walk, size_t i)
{
    const size_t n = walk->problem->service_count;
    const double sign = walk->mask >> i & 1 ? -1.0 : 1.0;
    const double *row = walk->coupling[i];
    walk->cost += sign * walk->field[i];
    walk->mask ^= UINT64_C(1) << i;
    for (size_t j = 0; j < n; j++) {
        walk->field[j] += sign * row[j];
    }
}

enum hk_status hk_placement_enumerate(const struct hk_placement_problem *problem,
                                      struct hk_placement *out, double *cost_all)
{
    if (!out || !problem_valid(problem)) {
        return HK_EINVAL;
    }
    if (problem->service_count > HK_ENUMERATED_MAX) {
        return HK_ETOOBIG;
    }
    struct walk walk;
    walk_init(&walk, problem);
    struct hk_placement best = {0};
    if (cost_all) {
        cost_all[0] = 0.0;
    }
    for (uint64_t step = 1; step < UINT64_C(1) << problem->service_count; step++) {
        walk_flip(&walk, (size_t)__builtin_ctzll(step));
        if (step % REFRESH_STEPS == 0) {
            walk_refresh(&walk);
        }
        if (cost_all) {
            cost_all[walk.mask] = walk.cost;
        }
        if (walk.cost < best.cost) {
            best = (struct hk_placement){walk.mask, walk.cost};
        }
    }
    best.cost = cost_of(problem, best.in_server);
    *out = best;
    return HK_OK;
}
