/* SPDX-License-Identifier: MIT */
#include "contest.h"

#include <math.h>
#include <stdio.h>

enum hk_status hk_contest_measure(struct hk_contest *contest,
                                  const struct hk_cell_values *cell, struct hk_comparison *c)
{
    struct hk_estimate measured;
    const enum hk_status status = hk_cell_mean(cell, &measured);

    if (status != HK_OK)
        return status;
    contest->timed |= !cell->exact;
    const struct hk_interval interval = hk_interval_95(&measured);
    *c = (struct hk_comparison){.quantity = "cost_ns", .measured = measured.value,
                                .measured_lower = interval.lower,
                                .measured_upper = interval.upper};
    snprintf(c->formula, sizeof c->formula, "%s", contest->formula);
    snprintf(c->regime, sizeof c->regime, "%s", contest->regime);
    snprintf(c->cell, sizeof c->cell, "%s", cell->cell);
    return HK_OK;
}

enum hk_status hk_contest_predict(struct hk_contest *contest, size_t model,
                                  struct hk_judge *judge, struct hk_comparison *c,
                                  const struct hk_estimate *mean)
{
    const struct hk_interval interval = hk_interval_95(mean);

    if (!(mean->value > 0)) {
        contest->unpredicted[model]++;
        return HK_OK;
    }
    snprintf(c->model, sizeof c->model, "%s", contest->models[model]);
    c->predicted = mean->value;
    c->lower = interval.lower;
    c->upper = interval.upper;
    contest->timed |= mean->standard_error > 0;
    struct hk_errors *errors = &contest->errors[model];
    errors->scale = contest->scale;
    return hk_errors_add(errors, judge, c);
}

/* A formula without a cost for a cell is neither right nor off by some amount there. */
static enum hk_status add_unpredicted(const struct hk_contest *contest, size_t asked,
                                      struct hk_judge *judge)
{
    char why[128];

    snprintf(why, sizeof why, "%s comes to nothing or less in %zu of %zu cells",
             contest->models[0], contest->unpredicted[0], asked);
    return hk_judge_add_undecided(judge, contest->formula, contest->regime, why);
}

enum hk_status hk_contest_decide(const struct hk_contest *contest, struct hk_judge *judge)
{
    const size_t n = contest->errors[0].count + contest->unpredicted[0];
    struct hk_model_result stronger[HK_MODELS_MAX];
    struct hk_evidence evidence = {.formula = contest->formula, .regime = contest->regime,
                                   .scale = contest->scale, .replacements = stronger,
                                   .assumptions = contest->assumption,
                                   .assumption_count = contest->assumption != NULL ? 1 : 0,
                                   .sample_count = n, .exact = !contest->timed};
    struct hk_verdict verdict;

    if (n == 0)
        return HK_OK; /* nothing of it in this run */
    if (contest->unpredicted[0] > 0)
        return add_unpredicted(contest, n, judge);
    enum hk_status (*const test)(const struct hk_errors *, double, struct hk_equivalence *) =
        contest->timed ? hk_errors_test : hk_errors_test_worst;
    enum hk_status status = test(&contest->errors[0], contest->margin, &evidence.error);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, contest->formula, contest->regime,
                                      "fewer than 3 held-out observations");
    for (size_t m = 1; m < contest->model_count && status == HK_OK; m++) {
        const struct hk_errors *e = &contest->errors[m];
        struct hk_model_result *r = &stronger[evidence.replacement_count];
        *r = (struct hk_model_result){.name = contest->models[m]};
        if (e->count != n)
            continue; /* it says nothing of some cells, so it does not hold */
        status = test(e, contest->margin, &r->error);
        evidence.replacement_count++;
    }
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

struct hk_estimate hk_estimate_sum(const struct hk_estimate *a, const struct hk_estimate *b)
{
    return (struct hk_estimate){a->value + b->value, hypot(a->standard_error, b->standard_error),
                                a->count < b->count ? a->count : b->count};
}

struct hk_estimate hk_estimate_times(const struct hk_estimate *a, double factor)
{
    return (struct hk_estimate){factor * a->value, fabs(factor) * a->standard_error, a->count};
}
