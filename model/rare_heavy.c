/* SPDX-License-Identifier: MIT */
/*
 * Sums of heavy-tailed stages. No tilt exists; instead the largest stage is
 * integrated given the others: n F(max(largest other, headroom - sum of others)).
 *
 * Drawn as they come, the others make weights without a useful variance: what one
 * of them adds grows as itself, and a delay may have no second moment. So the
 * leading term n F(headroom), which is known, is not drawn; of what the others add
 * to it, the draw first picks how large the largest of them is, then the rest below
 * it, all from a law with a heavier tail. The weights are then about as large
 * wherever the largest falls (docs/decisions/0402).
 *
 * Source: Asmussen & Kroese 2006 (Advances in Applied Probability 38(2)).
 */
#include <math.h>

#include "golden.h"
#include "rare_method.h"

#define DEPTH_POINTS 400
#define RATE_MIN 1e-3
#define RATE_STEPS 30 /* of golden section: to 1e-6, far finer than the rate matters */

double rare_at_depth(const struct hk_delay_law *law, double depth)
{
    return law->kind == HK_DELAY_LOMAX ? law->scale_ns * expm1(depth / law->shape)
                                       : law->scale_ns * pow(depth, 1.0 / law->shape);
}

double rare_depth_at(const struct hk_delay_law *law, double x_ns)
{
    return law->kind == HK_DELAY_LOMAX ? law->shape * log1p(x_ns / law->scale_ns)
                                       : pow(x_ns / law->scale_ns, law->shape);
}

static bool heavy_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_DEVICE && hk_delay_is_heavy(&p->law);
}

/* What the others add, relative to the leading term; below 0 where one of them is beyond it. */
static double gain(const struct hk_rare_problem *p, double largest_ns, double sum_ns)
{
    const double from_ns = fmax(largest_ns, p->headroom_ns - sum_ns);
    return expm1(rare_depth_at(&p->law, p->headroom_ns) - rare_depth_at(&p->law, from_ns));
}

/*
 * ln of the second moment of a draw with one other stage, but for a constant, when that stage's
 * depth is drawn from an exponential of this rate. Convex in the rate.
 */
static double log_second_moment(const void *context, double rate)
{
    const struct hk_rare_problem *p = context;
    const double step = rare_depth_at(&p->law, p->headroom_ns) / DEPTH_POINTS;
    double sum = 0.0;
    for (int i = 0; i < DEPTH_POINTS; i++) {
        const double depth = (i + 0.5) * step;
        const double other_ns = rare_at_depth(&p->law, depth);
        sum += exp(2.0 * log(gain(p, other_ns, other_ns)) - (2.0 - rate) * depth);
    }
    return log(sum) - log(rate);
}

static enum hk_status heavy_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const struct hk_rare_problem *p = &plan->problem;
    (void)rng;
    const double survival = hk_delay_survival(&p->law, p->headroom_ns);
    if (!(survival > 0.0)) {
        return HK_ERANGE;
    }
    plan->log_reference = log(p->stage_count * survival);
    plan->depth_rate = golden_minimise(log_second_moment, p, RATE_MIN, 1.0, RATE_STEPS);
    return HK_OK;
}

/* A depth below another (INFINITY: any) at a rate; the weight makes up for the rate. */
static double draw_depth(double rate, double end, struct hk_rng *rng, double *weight)
{
    const double share = -expm1(-rate * end);
    const double depth = -log1p(-share * hk_rng_uniform(rng)) / rate;
    *weight *= share / rate * exp((rate - 1.0) * depth);
    return depth;
}

/* The others' largest, any of them, by its depth; the rest, given that they are smaller. */
static double heavy_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                         struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const unsigned others = p->stage_count - 1;
    (void)memory;
    work->step_count += others;
    work->trajectory_count += 1.0;
    if (others == 0) {
        return 1.0;
    }
    const double rest_rate = (1.0 + plan->depth_rate) / 2.0; /* a full tilt of many would add up */
    double weight = others;
    const double depth = draw_depth(plan->depth_rate, INFINITY, rng, &weight);
    const double largest_ns = rare_at_depth(&p->law, depth);
    double sum_ns = largest_ns;
    for (unsigned i = 1; i < others; i++) {
        sum_ns += rare_at_depth(&p->law, draw_depth(rest_rate, depth, rng, &weight));
    }
    return 1.0 + weight * gain(p, largest_ns, sum_ns);
}

const struct hk_rare_method hk_rare_asmussen_kroese = {
    .name = "asmussen-kroese",
    .sound = true,
    .batch_draws = 1024,
    .applies = heavy_applies,
    .prepare = heavy_prepare,
    .draw = heavy_draw,
};
