/* SPDX-License-Identifier: MIT */
/*
 * What the placements of one workload say together with what people say of the services: which
 * placement to take, in which order to move, who wins at which weights, and how much it costs to
 * have trusted a prediction. Values in, values out.
 */
#ifndef HK_CLI_PLACE_STUDY_H
#define HK_CLI_PLACE_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/judge/placements.h"
#include "hk/model/sensitivity.h"
#include "hk/model/utility.h"
#include "place_services.h"

#define HK_SERVERS_ALL (HK_PLACEMENTS - 1) /* the microkernel */
/* How far a stated number may be wrong: two weights, the cost of crossing, 8 benefits, 8 efforts. */
#define HK_PLACE_DOUBTS (3u + 2u * HK_SERVICES)

/* A prediction of all sets, how it fares, and what choosing by it costs. */
struct hk_place_model {
    const char *name;
    size_t cells_count; /* trained on */
    double instructions[HK_PLACEMENTS];
    bool judged;
    struct hk_placements_fit fit; /* if judged */
    uint32_t best;                /* at the stated weights */
    double regret_ratio;          /* of U there, of the range from worst to best */
    struct hk_utility_regret regret; /* over all weights */
    uint32_t budget_set;          /* most benefit within the budget of added instructions */
    double budget_added_ratio;    /* what that one really adds */
};

struct hk_place_step {
    size_t service;
    double score;       /* j_i of F2: alpha c_i + beta p_i */
    double worth;       /* what its isolation is worth on the same scale; moved if above */
    double alone_ratio; /* added when moved alone, of the monolith's cost */
    double added_ratio; /* measured, with all before it */
    double least_ratio; /* measured, of the cheapest set of as many services */
};

struct hk_place_change { /* the answer changes when crossings cost `factor` times as much */
    bool found;
    double factor;
    uint32_t then;
};

struct hk_place_study {
    const struct hk_placements *truth;
    const struct hk_place_services *services;
    double budget_ratio;
    struct hk_place_model models[2]; /* additive, pairwise */
    struct hk_place_step steps[HK_SERVICES];
    struct hk_alternative measured[HK_PLACEMENTS]; /* isolation, performance, - effort; 0..1 */
    bool on_front[HK_PLACEMENTS];                  /* instructions against benefit */
    bool undominated[HK_PLACEMENTS];               /* all three attributes */
    struct hk_utility_winner winners[HK_ALTERNATIVES_MAX];
    size_t winner_count;
    uint32_t best;       /* at the stated weights */
    uint32_t budget_set; /* most benefit within the budget, measured */
    struct hk_place_change dearer;
    struct hk_place_change cheaper;
    bool doubted; /* doubling or halving stated numbers changes the answer, and this is which */
    struct hk_sensitivity doubts[HK_PLACE_DOUBTS];
};

/*
 * Study one workload.
 *
 * truth, services  [in]   kept by the study
 * budget_ratio     [in]   added instructions allowed, of the monolith's cost
 * study            [out]
 *
 * Returns HK_OK; HK_ETOOBIG if more placements win somewhere than regions are kept for;
 * HK_EINVAL; HK_ENOMEM. The same input gives the same bits.
 */
enum hk_status hk_place_study_make(const struct hk_placements *truth,
                                   const struct hk_place_services *services, double budget_ratio,
                                   struct hk_place_study *study);

/* Added instructions of a set, of the monolith's cost. */
double hk_place_added_ratio(const double *instructions, uint32_t set);

/* Sums of points and days of a set's services. */
double hk_place_benefit(const struct hk_place_services *services, uint32_t set);
double hk_place_effort(const struct hk_place_services *services, uint32_t set);

/* Share of all weights at which a set wins; 0 for most. */
double hk_place_area(const struct hk_place_study *study, uint32_t set);

/* What stated number the i-th doubt is about: "isolation weight", "cost of crossing", ... */
void hk_place_doubt_name(size_t i, char *text, size_t bytes);

#endif
