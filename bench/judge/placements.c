/* SPDX-License-Identifier: MIT */
#include "hk/judge/placements.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "hk/model/placement.h"
#include "hk/stats/dependence.h"
#include "hk/stats/error.h"

enum { PAIRS = HK_PLACED_SERVICES * (HK_PLACED_SERVICES - 1) / 2 };

static const char prefix[] = "guest/placement/";

static double pair_interaction(const double *y, size_t i, size_t j)
{
    return y[1u << i | 1u << j] - y[1u << i] - y[1u << j] + y[0];
}

static size_t bits(uint32_t set)
{
    return (size_t)__builtin_popcount(set);
}

enum hk_status hk_placement_read(const struct hk_run *run, const char *workload, uint32_t set,
                                 struct hk_placement_cell *out)
{
    char name[HK_NAME_BYTES + 32];
    struct hk_placement_cell cell = {.exact = true};
    const struct hk_launch *first = NULL;
    size_t count = 0;
    double sum = 0;

    if (strlen(workload) >= HK_NAME_BYTES || set >= HK_PLACEMENTS)
        return HK_EINVAL;
    snprintf(name, sizeof name, "%s%s/mask:%03u", prefix, workload, HK_PLACEMENTS - 1 - set);
    if (hk_run_cell(run, name, &first, &count) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < count; i++) {
        double value = 0;
        if (first[i].state != HK_LAUNCH_OK || !hk_launch_instructions(&first[i], &value) ||
            !(value > 0))
            continue;
        cell.exact = cell.exact && first[i].exactness == HK_EXACT;
        cell.launch = &first[i];
        cell.launch_count++;
        sum += value;
    }
    if (cell.launch_count == 0)
        return HK_ENOENT;
    cell.instructions = sum / (double)cell.launch_count;
    *out = cell;
    return HK_OK;
}

enum hk_status hk_placements_read(const struct hk_run *run, const char *workload,
                                  struct hk_placements *out)
{
    struct hk_placements p = {.exact = true, .launch_count = SIZE_MAX};

    if (strlen(workload) >= sizeof p.workload)
        return HK_EINVAL;
    strcpy(p.workload, workload);
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        struct hk_placement_cell cell = {0};
        if (hk_placement_read(run, workload, set, &cell) == HK_OK) {
            p.found_count++;
            p.exact = p.exact && cell.exact;
            p.instructions[set] = cell.instructions;
        }
        p.launch_count = cell.launch_count < p.launch_count ? cell.launch_count : p.launch_count;
    }
    *out = p;
    return p.found_count == HK_PLACEMENTS ? HK_OK : HK_ENOENT;
}

bool hk_placements_next(const struct hk_run *run, size_t *launch, char workload[HK_NAME_BYTES])
{
    const size_t skip = sizeof prefix - 1;
    size_t i = *launch;

    while (i < run->launch_count && strncmp(run->launches[i].name, prefix, skip) != 0)
        i++;
    if (i == run->launch_count)
        return false;
    const size_t bytes = strcspn(run->launches[i].name + skip, "/");
    snprintf(workload, HK_NAME_BYTES, "%.*s", (int)bytes, run->launches[i].name + skip);
    const char *first = run->launches[i].name;
    while (i < run->launch_count && strncmp(run->launches[i].name, first, skip + bytes + 1) == 0)
        i++; /* launches are sorted by name */
    *launch = i;
    return true;
}

/* x_i y_j costs I more: as the graph's edge, a pair apart saves when I is below 0. */
static struct hk_call_edge edge(size_t i, size_t j, double interaction)
{
    return (struct hk_call_edge){
        .first = i,
        .second = j,
        .split_cost = interaction < 0 ? -interaction / 2 : 0,
        .both_cost = interaction > 0 ? interaction : 0,
    };
}

enum hk_status hk_placements_predict(const double *instructions, enum hk_placements_order order,
                                     double *predicted)
{
    double server_cost[HK_PLACED_SERVICES];
    struct hk_call_edge edges[PAIRS];
    size_t edge_count = 0;
    struct hk_placement best;

    if (!instructions || !predicted ||
        (order != HK_PLACEMENTS_ADDITIVE && order != HK_PLACEMENTS_PAIRWISE))
        return HK_EINVAL;
    const double base = instructions[0];
    for (size_t i = 0; i < HK_PLACED_SERVICES; i++)
        server_cost[i] = instructions[1u << i] - base;
    for (size_t i = 0; i < HK_PLACED_SERVICES && order == HK_PLACEMENTS_PAIRWISE; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct hk_call_edge e = edge(i, j, pair_interaction(instructions, i, j));
            server_cost[i] -= e.split_cost; /* the edge charges it to one alone */
            server_cost[j] -= e.split_cost;
            edges[edge_count++] = e;
        }
    }
    const struct hk_placement_problem problem = {server_cost, HK_PLACED_SERVICES, edges,
                                                 edge_count};
    double added[HK_PLACEMENTS];
    const enum hk_status status = hk_placement_enumerate(&problem, &best, added);
    if (status != HK_OK)
        return status;
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        predicted[set] = base + added[set];
    return HK_OK;
}

/* Held-out sets' total costs, and those of the sets that add something. */
struct held_out {
    size_t count;
    double measured[HK_PLACEMENTS];
    double predicted[HK_PLACEMENTS];
    size_t added_count;
    double measured_added[HK_PLACEMENTS];
    double predicted_added[HK_PLACEMENTS];
};

static void collect(const double *measured, const double *predicted, struct held_out *h)
{
    *h = (struct held_out){0};
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        if (bits(set) <= HK_PLACEMENTS_PAIRWISE)
            continue;
        h->measured[h->count] = measured[set];
        h->predicted[h->count++] = predicted[set];
        if (!(measured[set] > measured[0]) || !(predicted[set] > predicted[0]))
            continue;
        h->measured_added[h->added_count] = measured[set] - measured[0];
        h->predicted_added[h->added_count++] = predicted[set] - predicted[0];
    }
}

enum hk_status hk_placements_judge(const double *measured, const double *predicted,
                                   struct hk_placements_fit *out)
{
    struct held_out h;
    struct hk_error_summary added;
    struct hk_error_summary total;
    double tau = 0;

    if (!measured || !predicted || !out)
        return HK_EINVAL;
    collect(measured, predicted, &h);
    enum hk_status status =
        hk_error_summarise(h.predicted_added, h.measured_added, h.added_count, &added);
    if (status == HK_OK)
        status = hk_error_summarise(h.predicted, h.measured, h.count, &total);
    if (status == HK_OK)
        status = hk_kendall_tau_b(h.predicted, h.measured, h.count, &tau);
    if (status != HK_OK)
        return status;
    *out = (struct hk_placements_fit){
        .added_error_median = added.absolute_median,
        .added_error_p95 = added.absolute_p95,
        .total_error_median = total.absolute_median,
        .tau_b = tau,
        .count = h.count,
        .not_positive = h.count - h.added_count,
    };
    return HK_OK;
}

enum hk_status hk_placements_interaction(const double *instructions, double *share_ratio)
{
    double alone = 0;
    double pairs = 0;

    if (!instructions || !share_ratio)
        return HK_EINVAL;
    for (size_t i = 0; i < HK_PLACED_SERVICES; i++) {
        alone += instructions[1u << i] - instructions[0];
        for (size_t j = 0; j < i; j++)
            pairs += fabs(pair_interaction(instructions, i, j));
    }
    if (!isfinite(alone) || !isfinite(pairs))
        return HK_EINVAL;
    if (!(alone > 0))
        return HK_ENOISE;
    *share_ratio = pairs / alone;
    return HK_OK;
}
