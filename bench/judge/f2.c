/* SPDX-License-Identifier: MIT */
/*
 * F2: what moving services out of the kernel costs is the sum of what moving each alone costs
 * (the p_i of j_i = alpha c_i + beta p_i do not depend on where the others live). Fitted on the
 * monolith and each service alone, judged on all sets of three services and more, by what they
 * add to the monolith. The stronger model adds what each pair costs more or less.
 */
#include <math.h>
#include <stdio.h>

#include "cells.h"
#include "formulas.h"
#include "hk/judge/placements.h"

static const double margin = 0.0769610411361284; /* ln 1.08: the p_i are to be right within 8 % */
static const double claimed_ratio_min = 1e-9;     /* a claim of nothing has no logarithm */

static enum hk_status add_parameter(struct hk_judge *judge, const struct hk_placements *p,
                                    const char *symbol, double value, uint32_t set)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F2/%.60s/%s", p->workload, symbol);
    snprintf(source, sizeof source, "guest/placement/%.60s/mask:%03u", p->workload,
             HK_PLACEMENTS - 1 - set);
    return hk_judge_add_exact(judge, name, value, p->launch_count, source);
}

static enum hk_status fit_workload(const struct hk_placements *p, struct hk_judge *judge)
{
    enum hk_status status =
        add_parameter(judge, p, "monolith_instructions", p->instructions[0], 0);

    for (uint32_t i = 0; i < HK_PLACED_SERVICES && status == HK_OK; i++) {
        char symbol[48];
        snprintf(symbol, sizeof symbol, "service_%u_added_instructions", i);
        status = add_parameter(judge, p, symbol, p->instructions[1u << i] - p->instructions[0],
                               1u << i);
    }
    return status;
}

enum hk_status hk_f2_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    char workload[HK_NAME_BYTES];
    size_t launch = 0;
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    while (status == HK_OK && hk_placements_next(training, &launch, workload)) {
        struct hk_placements p;
        if (hk_placements_read(training, workload, &p) == HK_OK)
            status = fit_workload(&p, judge);
    }
    return status;
}

/* What one model says of all sets. */
struct claim {
    const char *regime;
    const char *model;
    double predicted[HK_PLACEMENTS];
    size_t count; /* of sets compared */
};

/* Over the held-out sets that add something: comparisons, and the test of |ln(error)|. */
static enum hk_status compare(const struct hk_placements *measured, struct claim *claim,
                              struct hk_judge *judge, struct hk_equivalence *error)
{
    double errors[HK_PLACEMENTS];
    size_t n = 0;

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        struct hk_comparison row = {.formula = "F2", .quantity = "added_instructions"};
        const double added = measured->instructions[set] - measured->instructions[0];
        const double claimed = claim->predicted[set] - claim->predicted[0];
        if (__builtin_popcount(set) <= HK_PLACEMENTS_PAIRWISE || !(added > 0))
            continue; /* left out for all models alike, by what was measured alone */
        snprintf(row.regime, sizeof row.regime, "%s", claim->regime);
        snprintf(row.model, sizeof row.model, "%s", claim->model);
        snprintf(row.cell, sizeof row.cell, "guest/placement/%.60s/mask:%03u", measured->workload,
                 HK_PLACEMENTS - 1 - set);
        row.predicted = row.lower = row.upper = claimed;
        row.measured = row.measured_lower = row.measured_upper = added;
        const enum hk_status status = hk_judge_add_comparison(judge, &row);
        if (status != HK_OK)
            return status;
        /* Without its sign: sets that are too cheap must not excuse those that are too dear. */
        errors[n++] = fabs(log(fmax(claimed / added, claimed_ratio_min)));
    }
    claim->count = n;
    return hk_equivalence_test(errors, n, margin, 0.05, error);
}

static enum hk_status judge_workload(const struct hk_placements *training,
                                     const struct hk_placements *target, struct hk_judge *judge)
{
    char regime[96];
    struct claim additive = {.regime = regime, .model = "textbook"};
    struct claim pairwise = {.regime = regime, .model = "pairs"};
    double share = 0;
    struct hk_model_result stronger = {.name = pairwise.model};
    struct hk_evidence evidence = {.formula = "F2", .regime = regime, .scale = HK_ERROR_LN_RATIO,
                                   .assumption_count = 1, .replacements = &stronger,
                                   .replacement_count = 1};
    struct hk_verdict verdict;

    snprintf(regime, sizeof regime, "guest/placement/%.60s", target->workload);
    enum hk_status status =
        hk_placements_predict(training->instructions, HK_PLACEMENTS_ADDITIVE,
                                                  additive.predicted);
    if (status == HK_OK)
        status = hk_placements_predict(training->instructions, HK_PLACEMENTS_PAIRWISE,
                                       pairwise.predicted);
    if (status == HK_OK)
        status = hk_placements_interaction(training->instructions, &share);
    if (status == HK_OK)
        status = compare(target, &additive, judge, &evidence.error);
    if (status == HK_OK)
        status = compare(target, &pairwise, judge, &stronger.error);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F2", regime, "moving services adds nothing");
    const struct hk_assumption independence = {
        "interactions of pairs", "of what services add alone", 0, share, {share, share, 0.95},
        margin};
    evidence.assumptions = &independence;
    evidence.sample_count = additive.count;
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

enum hk_status hk_f2_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    char workload[HK_NAME_BYTES];
    size_t launch = 0;
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    while (status == HK_OK && hk_placements_next(target, &launch, workload)) {
        struct hk_placements known;
        struct hk_placements truth;
        if (hk_placements_read(training, workload, &known) == HK_OK &&
            hk_placements_read(target, workload, &truth) == HK_OK)
            status = judge_workload(&known, &truth, judge);
    }
    return status;
}
