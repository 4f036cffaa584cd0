/* SPDX-License-Identifier: MIT */
#include "place_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "hk/model/migration.h"
#include "hk/stats/rng.h"

#define FACTOR_STEP 1.01
#define FACTOR_MAX 1000.0
#define BISECTIONS 60
#define DOUBT_SEED 310

double hk_place_added_ratio(const double *instructions, uint32_t set)
{
    return instructions[set] / instructions[0] - 1;
}

static double sum_of(const double *values, uint32_t set)
{
    double sum = 0;

    for (size_t i = 0; i < HK_SERVICES; i++)
        sum += (set >> i & 1) != 0 ? values[i] : 0;
    return sum;
}

double hk_place_benefit(const struct hk_place_services *services, uint32_t set)
{
    return sum_of(services->benefit_points, set);
}

double hk_place_effort(const struct hk_place_services *services, uint32_t set)
{
    return sum_of(services->effort_days, set);
}

double hk_place_area(const struct hk_place_study *study, uint32_t set)
{
    for (size_t i = 0; i < study->winner_count; i++)
        if (study->winners[i].index == set)
            return study->winners[i].region.area_ratio;
    return 0;
}

/* --- utility --------------------------------------------------------------------------------- */

/* F1's attributes: share of the points isolated, of the monolith's speed, of the days not spent. */
static struct hk_alternative attributes(const struct hk_place_services *s,
                                        const double *instructions, double crossing_factor,
                                        uint32_t set)
{
    const double added = hk_place_added_ratio(instructions, set);

    return (struct hk_alternative){{hk_place_benefit(s, set) / s->benefit_points_sum,
                                    1 / (1 + crossing_factor * added),
                                    -hk_place_effort(s, set) / s->effort_days_sum}};
}

static double utility(const double *weights, const struct hk_alternative *a)
{
    double u = 0;

    for (size_t k = 0; k < HK_ATTRIBUTES; k++)
        u += weights[k] * a->attribute[k];
    return u;
}

static uint32_t best_set(const struct hk_place_services *s, const double *instructions,
                         double crossing_factor)
{
    uint32_t best = 0;
    double most = -INFINITY;

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        const struct hk_alternative a = attributes(s, instructions, crossing_factor, set);
        const double u = utility(s->weights, &a);
        if (u > most) {
            most = u;
            best = set;
        }
    }
    return best;
}

/* --- budget ---------------------------------------------------------------------------------- */

/* Most benefit within the budget; of equals the cheaper one. The monolith adds nothing. */
static uint32_t best_within(const struct hk_place_services *s, const double *instructions,
                            double budget_ratio)
{
    uint32_t best = 0;

    for (uint32_t set = 1; set < HK_PLACEMENTS; set++) {
        const double more = hk_place_benefit(s, set) - hk_place_benefit(s, best);
        if (hk_place_added_ratio(instructions, set) > budget_ratio)
            continue;
        if (more > 0 || (more == 0 && instructions[set] < instructions[best]))
            best = set;
    }
    return best;
}

/* --- migration order ------------------------------------------------------------------------- */

/*
 * F2 with the prices that F1's weights imply: moving i wins w_S b_i / sum b, costs w_C c_i / sum c
 * and, to first order, w_P p_i of the monolith's cost.
 */
static enum hk_status order_services(struct hk_place_study *study)
{
    const struct hk_place_services *s = study->services;
    const double *y = study->truth->instructions;
    struct hk_service rows[HK_SERVICES];
    double scores[HK_SERVICES];
    size_t order[HK_SERVICES];

    for (size_t i = 0; i < HK_SERVICES; i++)
        rows[i] = (struct hk_service){s->benefit_points[i], s->effort_days[i],
                                      y[1u << i] - y[0]};
    enum hk_status status = hk_migration_scores(rows, HK_SERVICES,
                                                s->weights[2] / s->effort_days_sum,
                                                s->weights[1] / y[0], scores);
    if (status == HK_OK)
        status = hk_migration_order(scores, HK_SERVICES, order);
    if (status != HK_OK)
        return status;
    uint32_t set = 0;
    for (size_t k = 0; k < HK_SERVICES; k++) {
        const size_t i = order[k];
        double least = INFINITY;
        set |= 1u << i;
        for (uint32_t other = 1; other < HK_PLACEMENTS; other++)
            if (__builtin_popcount(other) == __builtin_popcount(set))
                least = fmin(least, hk_place_added_ratio(y, other));
        study->steps[k] = (struct hk_place_step){
            .service = i,
            .score = scores[i],
            .worth = s->weights[0] * s->benefit_points[i] / s->benefit_points_sum,
            .alone_ratio = hk_place_added_ratio(y, 1u << i),
            .added_ratio = hk_place_added_ratio(y, set),
            .least_ratio = least,
        };
    }
    return HK_OK;
}

/* --- fronts and regions ---------------------------------------------------------------------- */

static enum hk_status find_fronts(struct hk_place_study *study)
{
    double pair[HK_PLACEMENTS][2];
    double all[HK_PLACEMENTS][HK_ATTRIBUTES];

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        pair[set][0] = hk_place_benefit(study->services, set);
        pair[set][1] = -study->truth->instructions[set];
        memcpy(all[set], study->measured[set].attribute, sizeof all[set]);
    }
    const enum hk_status status = hk_pareto_front(pair[0], HK_PLACEMENTS, 2, study->on_front);
    return status == HK_OK
               ? hk_pareto_front(all[0], HK_PLACEMENTS, HK_ATTRIBUTES, study->undominated)
               : status;
}

static int by_area_falling(const void *a, const void *b)
{
    const double left = ((const struct hk_utility_winner *)a)->region.area_ratio;
    const double right = ((const struct hk_utility_winner *)b)->region.area_ratio;

    return (left < right) - (left > right);
}

/* Only winners by prediction or measurement matter, so the regret over all weights is exact. */
static enum hk_status regret_over_weights(const struct hk_place_study *study,
                                          const struct hk_alternative *predicted,
                                          struct hk_utility_regret *out)
{
    struct hk_utility_winner winners[HK_ALTERNATIVES_MAX];
    struct hk_alternative claimed[HK_ALTERNATIVES_MAX];
    struct hk_alternative real[HK_ALTERNATIVES_MAX];
    bool taken[HK_PLACEMENTS] = {false};
    size_t count = 0;
    size_t n = 0;
    enum hk_status status = hk_utility_winners(predicted, HK_PLACEMENTS, winners, &count);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        taken[winners[i].index] = true;
    for (size_t i = 0; i < study->winner_count; i++)
        taken[study->winners[i].index] = true;
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        if (!taken[set])
            continue;
        if (n == HK_ALTERNATIVES_MAX)
            return HK_ETOOBIG;
        claimed[n] = predicted[set];
        real[n++] = study->measured[set];
    }
    return hk_utility_regret(claimed, real, NULL, n, out);
}

/* --- models ---------------------------------------------------------------------------------- */

static enum hk_status study_model(const struct hk_place_study *study,
                                  enum hk_placements_order order, struct hk_place_model *m)
{
    const double *y = study->truth->instructions;
    const struct hk_place_services *s = study->services;
    struct hk_alternative predicted[HK_PLACEMENTS];
    double worst = INFINITY;

    enum hk_status status = hk_placements_predict(y, order, m->instructions);
    if (status != HK_OK)
        return status;
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        if (!(m->instructions[set] > 0))
            return HK_ERANGE;
        predicted[set] = attributes(s, m->instructions, 1, set);
        worst = fmin(worst, utility(s->weights, &study->measured[set]));
    }
    status = hk_placements_judge(y, m->instructions, &m->fit);
    m->judged = status == HK_OK;
    if (status != HK_OK && status != HK_ENOISE)
        return status;
    const double most = utility(s->weights, &study->measured[study->best]);
    m->best = best_set(s, m->instructions, 1);
    if (most > worst)
        m->regret_ratio =
            (most - utility(s->weights, &study->measured[m->best])) / (most - worst);
    m->budget_set = best_within(s, m->instructions, study->budget_ratio);
    m->budget_added_ratio = hk_place_added_ratio(y, m->budget_set);
    return regret_over_weights(study, predicted, &m->regret);
}

/* --- what would change the answer ------------------------------------------------------------ */

/* The first factor from 1 on, upwards or downwards, with another best placement. */
static struct hk_place_change find_change(const struct hk_place_study *study, double step)
{
    const double *y = study->truth->instructions;
    double same = 1;
    double other = 1;

    while (other < FACTOR_MAX && other > 1 / FACTOR_MAX) {
        other *= step;
        if (best_set(study->services, y, other) != study->best)
            break;
        same = other;
    }
    if (best_set(study->services, y, other) == study->best)
        return (struct hk_place_change){.found = false};
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = (same + other) / 2;
        if (best_set(study->services, y, middle) == study->best)
            same = middle;
        else
            other = middle;
    }
    return (struct hk_place_change){true, other, best_set(study->services, y, other)};
}

enum { DOUBT_ISOLATION, DOUBT_PERFORMANCE, DOUBT_CROSSING, DOUBT_BENEFITS,
       DOUBT_EFFORTS = DOUBT_BENEFITS + HK_SERVICES };

void hk_place_doubt_name(size_t i, char *text, size_t bytes)
{
    static const char *const fixed[] = {"weight of isolation", "weight of performance",
                                        "cost of crossing"};

    if (i < HK_ARRAY_COUNT(fixed))
        snprintf(text, bytes, "%s", fixed[i]);
    else if (i < DOUBT_EFFORTS)
        snprintf(text, bytes, "benefit of %s",
                 hk_mix_service_name((enum hk_service_number)(i - DOUBT_BENEFITS)));
    else
        snprintf(text, bytes, "effort of %s",
                 hk_mix_service_name((enum hk_service_number)(i - DOUBT_EFFORTS)));
}

/* 1 when the answer is another with each stated number times its factor. */
static double answer_changes(const double *factors, const void *context)
{
    const struct hk_place_study *study = context;
    struct hk_place_services s = *study->services;

    s.weights[0] *= factors[DOUBT_ISOLATION];
    s.weights[1] *= factors[DOUBT_PERFORMANCE];
    s.benefit_points_sum = 0;
    s.effort_days_sum = 0;
    for (size_t i = 0; i < HK_SERVICES; i++) {
        s.benefit_points[i] *= factors[DOUBT_BENEFITS + i];
        s.effort_days[i] *= factors[DOUBT_EFFORTS + i];
        s.benefit_points_sum += s.benefit_points[i];
        s.effort_days_sum += s.effort_days[i];
    }
    return best_set(&s, study->truth->instructions, factors[DOUBT_CROSSING]) != study->best;
}

static enum hk_status find_doubts(struct hk_place_study *study)
{
    static const struct hk_sensitivity_options options = {.point_count = 128, .shift_count = 2};
    struct hk_parameter_range ranges[HK_PLACE_DOUBTS];
    struct hk_rng *rng = NULL;

    for (size_t i = 0; i < HK_PLACE_DOUBTS; i++)
        ranges[i] = (struct hk_parameter_range){0.5, 2, true};
    enum hk_status status = hk_rng_create(DOUBT_SEED, 0, &rng);
    if (status != HK_OK)
        return status;
    status = hk_sensitivity_indices(answer_changes, study, ranges, HK_PLACE_DOUBTS, &options, rng,
                                    study->doubts);
    hk_rng_destroy(rng);
    study->doubted = status == HK_OK;
    return status == HK_ENOISE ? HK_OK : status; /* the answer is always the same */
}

enum hk_status hk_place_study_make(const struct hk_placements *truth,
                                   const struct hk_place_services *services, double budget_ratio,
                                   struct hk_place_study *study)
{
    *study = (struct hk_place_study){
        .truth = truth,
        .services = services,
        .budget_ratio = budget_ratio,
        .models = {{.name = "additive", .cells_count = 9}, {.name = "pairs", .cells_count = 37}},
    };
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        study->measured[set] = attributes(services, truth->instructions, 1, set);
    study->best = best_set(services, truth->instructions, 1);
    study->budget_set = best_within(services, truth->instructions, budget_ratio);
    enum hk_status status = order_services(study);
    if (status == HK_OK)
        status = find_fronts(study);
    if (status == HK_OK)
        status = hk_utility_winners(study->measured, HK_PLACEMENTS, study->winners,
                                    &study->winner_count);
    qsort(study->winners, study->winner_count, sizeof study->winners[0], by_area_falling);
    if (status == HK_OK)
        status = study_model(study, HK_PLACEMENTS_ADDITIVE, &study->models[0]);
    if (status == HK_OK)
        status = study_model(study, HK_PLACEMENTS_PAIRWISE, &study->models[1]);
    if (status != HK_OK)
        return status;
    study->dearer = find_change(study, FACTOR_STEP);
    study->cheaper = find_change(study, 1 / FACTOR_STEP);
    return find_doubts(study);
}
