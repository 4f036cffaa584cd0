/* SPDX-License-Identifier: MIT */
#include "hk/trial/rare.h"

#include <math.h>

#include "hk/base/units.h"
#include "hk/stats/equivalence.h"
#include "hk/stats/proportion.h"
#include "world.h"

#define EXPONENTIAL {HK_DELAY_EXPONENTIAL, 1.0, 0.0, 0.0}
#define LOMAX {HK_DELAY_LOMAX, 1.0, 2.0, 0.0}

/* The queue's utilisation is 0.7. */
const struct hk_rare_case hk_rare_cases[] = {
    {"exponential", "tilt", HK_RARE_TILTED,
     {HK_UNDERRUN_DEVICE, EXPONENTIAL, 1, 1, 0, false, 0}, 250, 0},
    {"Erlang-4", "tilt", HK_RARE_TILTED,
     {HK_UNDERRUN_DEVICE, EXPONENTIAL, 4, 1, 0, false, 0}, 250, 0},
    {"Erlang-4", "conditional-tilt", HK_RARE_CONDITIONAL,
     {HK_UNDERRUN_DEVICE, EXPONENTIAL, 4, 1, 0, false, 0}, 500, 0},
    {"absolute timer", "conditional", HK_RARE_CONDITIONAL,
     {HK_UNDERRUN_ABSOLUTE, EXPONENTIAL, 1, 1, 0, false, 0}, 500, 0},
    {"D/M/1", "siegmund", HK_RARE_CONDITIONAL,
     {HK_UNDERRUN_QUEUE, EXPONENTIAL, 1, 1, 1.0 / 0.7, false, 0}, 200, 0},
    {"Erlang-4", "last-particle", HK_RARE_SPLIT,
     {HK_UNDERRUN_DEVICE, EXPONENTIAL, 4, 1, 0, false, 0}, 25, 50},
    {"sum of Lomax", "asmussen-kroese", HK_RARE_CONDITIONAL,
     {HK_UNDERRUN_DEVICE, LOMAX, 3, 1, 0, false, 0}, 50, 0},
};
const size_t hk_rare_case_count = HK_ARRAY_COUNT(hk_rare_cases);

static const double confidence = 0.95;

enum hk_status hk_rare_case_plan(const struct hk_rare_case *c, double probability, uint64_t seed,
                                 struct hk_rare_plan *plan)
{
    struct hk_rare_problem problem = c->problem;
    const enum hk_status status =
        hk_rare_headroom_needed(&c->problem, probability, seed, &problem.headroom_ns);

    if (status != HK_OK)
        return status;
    return hk_rare_plan_init(&problem, hk_rare_method_find(c->method), seed, plan);
}

enum hk_status hk_rare_case_estimate(const struct hk_rare_case *c, double probability,
                                     uint64_t seed, uint64_t batch_count,
                                     struct hk_rare_estimate *out)
{
    struct hk_rare_plan plan;
    struct hk_rare_total total = {0};
    enum hk_status status = hk_rare_case_plan(c, probability, seed, &plan);

    for (uint64_t i = 0; i < batch_count && status == HK_OK; i++) {
        struct hk_rare_total batch;
        status = hk_rare_batch(&plan, seed, i, &batch);
        if (status == HK_OK)
            hk_rare_merge(&total, &batch);
    }
    return status == HK_OK ? hk_rare_estimate(&plan, &total, confidence, out) : status;
}

enum hk_status hk_rare_case_cover(const struct hk_rare_case *c, double probability, uint64_t seed,
                                  uint64_t first, uint64_t count, uint64_t *hits)
{
    struct hk_rare_plan plan;
    uint64_t n = 0;
    enum hk_status status = hk_rare_case_plan(c, probability, seed, &plan);

    if (status == HK_OK && c->particle_count > 0)
        plan.particle_count = c->particle_count;
    for (uint64_t i = first; i < first + count && status == HK_OK; i++) {
        struct hk_rare_total batch;
        struct hk_rare_estimate e;
        status = hk_rare_batch(&plan, seed, i, &batch);
        if (status == HK_OK)
            status = hk_rare_estimate(&plan, &batch, confidence, &e);
        if (status == HK_OK)
            n += e.interval.lower <= probability && probability <= e.interval.upper;
    }
    if (status == HK_OK)
        *hits = n;
    return status;
}

enum hk_status hk_rare_liar_flagged(double probability, uint64_t seed, uint64_t count,
                                    uint64_t *flagged)
{
    static const struct hk_rare_case liar = {
        "Erlang-4", "conditional-untilted", HK_RARE_CONDITIONAL,
        {HK_UNDERRUN_DEVICE, EXPONENTIAL, 4, 1, 0, false, 0}, 8, 0};
    uint64_t n = 0;
    enum hk_status status = HK_OK;

    for (uint64_t i = 0; i < count && status == HK_OK; i++) {
        struct hk_rare_estimate e;
        status = hk_rare_case_estimate(&liar, probability, seed + i, liar.batch_count, &e);
        n += status == HK_OK && !e.reliable;
    }
    if (status == HK_OK)
        *flagged = n;
    return status;
}

/* --- as a world for the judge -------------------------------------------------------- */

enum { REPLICATES = 3000 };

static enum hk_status add_verdict(struct hk_judge *judge, const char *regime, size_t n,
                                  const struct hk_equivalence *error)
{
    const struct hk_evidence evidence = {.formula = "Rare", .regime = regime, .error = *error,
                                         .scale = HK_ERROR_LN_RATIO, .sample_count = n};
    struct hk_verdict verdict;
    const enum hk_status status = hk_verdict_decide(&evidence, &verdict);

    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

static enum hk_status judge_errors(uint64_t seed, struct hk_judge *judge)
{
    static const double margin = 0.20, probability = 1e-9;
    double worst = 0;
    struct hk_interval interval = {0, 0, 0.90};
    struct hk_equivalence error;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < hk_rare_case_count && status == HK_OK; i++) {
        const struct hk_rare_case *c = &hk_rare_cases[i];
        /* The margin is wide; only splitting needs all of it. */
        const uint64_t batches = c->family == HK_RARE_SPLIT ? c->batch_count : c->batch_count / 10;
        struct hk_rare_estimate e = {0};
        status = hk_rare_case_estimate(c, probability, seed, batches, &e);
        const double off = log(e.probability / probability);
        if (status != HK_OK || fabs(off) <= fabs(worst))
            continue;
        worst = off;
        interval.lower = off - HK_Z_90 * e.relative_error;
        interval.upper = off + HK_Z_90 * e.relative_error;
    }
    if (status == HK_OK)
        status = hk_equivalence_from_interval(worst, &interval, margin, &error);
    return status == HK_OK ? add_verdict(judge, "trial/closed forms", hk_rare_case_count, &error)
                           : status;
}

/* 93.6 to 96.4 % where 95 % are claimed. */
static enum hk_status judge_coverage(uint64_t seed, struct hk_judge *judge)
{
    static const double margin = 0.0146, floor_ratio = 1e-6;
    struct hk_interval share, interval = {0, 0, 0.90};
    struct hk_equivalence error;
    uint64_t hits = 0;
    enum hk_status status =
        hk_rare_case_cover(&hk_rare_cases[0], 1e-9, seed, 0, REPLICATES, &hits);

    if (status == HK_OK)
        status = hk_proportion_interval(hits, REPLICATES, 0.90, &share);
    if (status != HK_OK)
        return status;
    /* No interval held it: that has no logarithm, and is as wrong as can be. */
    interval.lower = log(fmax(share.lower, floor_ratio) / confidence);
    interval.upper = log(share.upper / confidence);
    status = hk_equivalence_from_interval(
        log(fmax((double)hits / REPLICATES, floor_ratio) / confidence), &interval, margin, &error);
    return status == HK_OK ? add_verdict(judge, "trial/intervals", REPLICATES, &error) : status;
}

enum hk_status hk_judge_rare(struct hk_world *w, struct hk_judge *judge)
{
    const enum hk_status status = judge_errors(w->plan->seed, judge);

    return status == HK_OK ? judge_coverage(w->plan->seed, judge) : status;
}
