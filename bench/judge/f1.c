/* SPDX-License-Identifier: MIT */
/*
 * F1: which architecture is best at which weights, U = w_S S + w_P P - w_C C, when P is predicted.
 *
 * Five placements of the guest's services under one workload. P is the monolith's cost over the
 * placement's, predicted from services moved alone (F2's sum: the textbook) or from pairs, and
 * counted. S is counted in the monolith, the share of the services' instructions that the placement
 * takes out of the kernel; C is declared, one protocol for each server. Weights are all there are.
 *
 * Two claims for each workload: the predicted winner is the counted one over at least 95 % of the
 * weights, and taking it costs at most 2 % of U's range in the mean.
 */
#include <math.h>
#include <stdio.h>

#include "cells.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/judge/placements.h"
#include "hk/model/utility.h"

static const double agreement_margin = 0.0512932943875505; /* -ln 0.95 */
static const double regret_margin = 0.0202027073175194;    /* -ln 0.98 */
static const double interaction_tolerance = 0.05;

/* In the order of a placement's bits. */
static const char *const services[HK_PLACED_SERVICES] = {"file",  "net",     "block", "audio",
                                                         "timer", "display", "print", "memory"};
enum { FILE_BIT = 1, NET = 2, BLOCK = 4, AUDIO = 8, TIMER = 16, DISPLAY = 32, PRINT = 64 };

/* Sets of services in servers. But for the monolith, which is the scale, all are held out. */
static const struct architecture {
    const char *name;
    uint32_t servers;
} architectures[] = {
    {"monolith", 0},
    {"strangers", FILE_BIT | NET | PRINT}, /* what parses input that others made */
    {"drivers", NET | BLOCK | AUDIO | DISPLAY},
    {"core", FILE_BIT | NET | BLOCK | AUDIO | DISPLAY | PRINT}, /* memory and timer stay */
    {"microkernel", HK_PLACEMENTS - 1},
};
enum { ARCHITECTURES = HK_ARRAY_COUNT(architectures), MODELS = 2 };

static const char *const model_names[MODELS] = {"textbook", "pairs"};

/* Shares of the services' instructions in the monolith. HK_ENOENT without such counters. */
static enum hk_status read_shares(const struct hk_run *run, const char *workload,
                                  double shares[HK_PLACED_SERVICES], size_t *launches)
{
    double sum = 0;

    *launches = 0;
    for (size_t i = 0; i < HK_PLACED_SERVICES; i++) {
        struct hk_cell_values cell;
        char counter[HK_NAME_BYTES];
        snprintf(counter, sizeof counter, "hk_instructions_%s", services[i]);
        const bool used = hk_cell_read(run, counter, &cell, "guest/placement/%s/mask:%03u",
                                       workload, HK_PLACEMENTS - 1) == HK_OK;
        shares[i] = used ? cell.values[0] : 0;
        *launches = used ? cell.count : *launches;
        sum += shares[i];
    }
    if (!(sum > 0))
        return HK_ENOENT;
    for (size_t i = 0; i < HK_PLACED_SERVICES; i++)
        shares[i] /= sum;
    return HK_OK;
}

static void fill(const double *instructions, const double shares[HK_PLACED_SERVICES],
                 struct hk_alternative alternatives[ARCHITECTURES])
{
    for (size_t a = 0; a < ARCHITECTURES; a++) {
        const uint32_t set = architectures[a].servers;
        double isolated = 0;
        for (size_t i = 0; i < HK_PLACED_SERVICES; i++)
            isolated += (set >> i & 1) != 0 ? shares[i] : 0;
        alternatives[a] = (struct hk_alternative){
            {isolated, instructions[0] / instructions[set],
             -(double)__builtin_popcount(set) / HK_PLACED_SERVICES}};
    }
}

static enum hk_status add_parameter(struct hk_judge *judge, const char *workload,
                                    const char *service, double share, size_t launches)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F1/%.60s/%s_share_ratio", workload, service);
    snprintf(source, sizeof source, "guest/placement/%.60s/mask:%03u", workload,
             HK_PLACEMENTS - 1);
    return hk_judge_add_exact(judge, name, share, launches, source);
}

enum hk_status hk_f1_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    char workload[HK_NAME_BYTES];
    double shares[HK_PLACED_SERVICES];
    size_t launch = 0, launches;
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    while (status == HK_OK && hk_placements_next(training, &launch, workload))
        if (read_shares(training, workload, shares, &launches) == HK_OK)
            for (size_t i = 0; i < HK_PLACED_SERVICES && status == HK_OK; i++)
                status = add_parameter(judge, workload, services[i], shares[i], launches);
    return status;
}

/* What is known of one workload, and what choosing by each model costs. */
struct study {
    const char *workload;
    bool exact;
    bool adds; /* services alone add something, so that interactions are a share of it */
    double interaction;
    struct hk_alternative measured[ARCHITECTURES];
    struct hk_alternative predicted[MODELS][ARCHITECTURES];
    struct hk_utility_regret regret[MODELS];
};

static enum hk_status study_make(const struct hk_placements *known,
                                 const struct hk_placements *truth,
                                 const double shares[HK_PLACED_SERVICES], struct study *s)
{
    static const enum hk_placements_order orders[MODELS] = {HK_PLACEMENTS_ADDITIVE,
                                                            HK_PLACEMENTS_PAIRWISE};
    double predicted[HK_PLACEMENTS];
    enum hk_status status = hk_placements_interaction(known->instructions, &s->interaction);

    s->adds = status == HK_OK;
    status = status == HK_ENOISE ? HK_OK : status;
    fill(truth->instructions, shares, s->measured);
    for (size_t m = 0; m < MODELS && status == HK_OK; m++) {
        status = hk_placements_predict(known->instructions, orders[m], predicted);
        if (status != HK_OK)
            return status;
        for (size_t a = 0; a < ARCHITECTURES; a++)
            if (!(predicted[architectures[a].servers] > 0))
                return HK_ENOISE; /* a sum of savings can fall below nothing */
        fill(predicted, shares, s->predicted[m]);
        status = hk_utility_regret(s->predicted[m], s->measured, NULL, ARCHITECTURES,
                                   &s->regret[m]);
    }
    return status;
}

static enum hk_status compare(const struct study *s, const char *regime, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    for (size_t a = 1; a < ARCHITECTURES; a++) {
        struct hk_comparison row = {.formula = "F1", .quantity = "performance_ratio"};
        snprintf(row.regime, sizeof row.regime, "%s", regime);
        snprintf(row.cell, sizeof row.cell, "guest/placement/%.60s/mask:%03u", s->workload,
                 HK_PLACEMENTS - 1 - architectures[a].servers);
        row.measured = row.measured_lower = row.measured_upper = s->measured[a].attribute[1];
        for (size_t m = 0; m < MODELS && status == HK_OK; m++) {
            snprintf(row.model, sizeof row.model, "%s", model_names[m]);
            row.predicted = row.lower = row.upper = s->predicted[m][a].attribute[1];
            status = hk_judge_add_comparison(judge, &row);
        }
    }
    return status;
}

/* What is left of 1 by each model: agreement itself, or what regret leaves of the range of U. */
static enum hk_status decide(const struct study *s, const char *regime, double margin,
                             const double kept[MODELS], struct hk_judge *judge)
{
    const struct hk_assumption independence = {
        "interactions of pairs", "of what services add alone", 0, s->interaction,
        {s->interaction, s->interaction, 1}, interaction_tolerance};
    struct hk_model_result stronger = {.name = model_names[1]};
    struct hk_evidence evidence = {.formula = "F1", .regime = regime, .scale = HK_ERROR_LN_RATIO,
                                   .replacements = &stronger, .replacement_count = 1,
                                   .sample_count = ARCHITECTURES, .exact = s->exact};
    struct hk_equivalence *errors[MODELS] = {&evidence.error, &stronger.error};
    struct hk_verdict verdict;
    enum hk_status status = HK_OK;

    for (size_t m = 0; m < MODELS && status == HK_OK; m++) {
        const double value = log(fmax(kept[m], 1e-9)); /* none left has no logarithm */
        const struct hk_interval point = {value, value, 1};
        status = hk_equivalence_from_interval(value, &point, margin, errors[m]);
    }
    /* Winners may agree although costs do not add up: whether they do is the question here. */
    evidence.assumptions = &independence;
    evidence.assumption_count =
        s->adds && evidence.error.outcome == HK_EQUIVALENCE_DIFFERENT ? 1 : 0;
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

/* The regimes of a workload's two verdicts. */
struct regimes {
    char winner[96];
    char regret[96];
};

static struct regimes regimes_of(const char *workload)
{
    struct regimes r;

    snprintf(r.winner, sizeof r.winner, "guest/placement/%.60s/winner", workload);
    snprintf(r.regret, sizeof r.regret, "guest/placement/%.60s/regret", workload);
    return r;
}

static enum hk_status judge_study(const struct study *s, struct hk_judge *judge)
{
    const struct regimes regimes = regimes_of(s->workload);
    double agreement[MODELS], left[MODELS];

    for (size_t m = 0; m < MODELS; m++) {
        const struct hk_utility_regret *r = &s->regret[m];
        agreement[m] = r->agreement_ratio;
        left[m] = r->range_mean > 0 ? 1 - r->regret_mean / r->range_mean : 1;
    }
    enum hk_status status = compare(s, regimes.winner, judge);
    if (status == HK_OK)
        status = decide(s, regimes.winner, agreement_margin, agreement, judge);
    return status == HK_OK ? decide(s, regimes.regret, regret_margin, left, judge) : status;
}

static enum hk_status add_undecided(const char *workload, struct hk_judge *judge)
{
    static const char why[] = "a sum of savings comes to less than nothing";
    const struct regimes regimes = regimes_of(workload);
    const enum hk_status status = hk_judge_add_undecided(judge, "F1", regimes.winner, why);

    return status == HK_OK ? hk_judge_add_undecided(judge, "F1", regimes.regret, why) : status;
}

enum hk_status hk_f1_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    char workload[HK_NAME_BYTES];
    double shares[HK_PLACED_SERVICES];
    size_t launch = 0, launches;
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    while (status == HK_OK && hk_placements_next(target, &launch, workload)) {
        struct hk_placements known, truth;
        struct study s = {.workload = workload};
        if (hk_placements_read(training, workload, &known) != HK_OK ||
            hk_placements_read(target, workload, &truth) != HK_OK ||
            read_shares(training, workload, shares, &launches) != HK_OK)
            continue; /* F2 says what is missing */
        s.exact = known.exact && truth.exact;
        status = study_make(&known, &truth, shares, &s);
        if (status == HK_OK)
            status = judge_study(&s, judge);
        else if (status == HK_ENOISE)
            status = add_undecided(workload, judge);
    }
    return status;
}
