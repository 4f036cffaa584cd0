/* SPDX-License-Identifier: MIT */
/*
 * Sums of heavy-tailed stages. No tilt exists; instead the largest stage is
 * integrated given the others: n F(max(largest other, headroom - sum of others)).
 * The relative variance vanishes as the event gets rarer.
 *
 * Source: Asmussen & Kroese 2006 (Advances in Applied Probability 38(2)).
 */
#include <math.h>

#include "rare_method.h"

static bool heavy_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_DEVICE && hk_delay_is_heavy(&p->law);
}

static enum hk_status heavy_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const struct hk_rare_problem *p = &plan->problem;
    (void)rng;
    const double survival = hk_delay_survival(&p->law, p->headroom_ns);
    plan->log_reference = log(p->stage_count * survival);
    return survival > 0.0 ? HK_OK : HK_ERANGE;
}

static double heavy_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                         struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    double largest_ns = 0.0;
    double sum_ns = 0.0;
    (void)memory;
    for (unsigned i = 1; i < p->stage_count; i++) {
        const double stage_ns = hk_delay_draw(&p->law, rng);
        largest_ns = fmax(largest_ns, stage_ns);
        sum_ns += stage_ns;
    }
    work->step_count += p->stage_count - 1;
    work->trajectory_count += 1.0;
    const double from_ns = fmax(largest_ns, p->headroom_ns - sum_ns);
    return p->stage_count * hk_delay_survival(&p->law, from_ns) * exp(-plan->log_reference);
}

const struct hk_rare_method hk_rare_asmussen_kroese = {
    .name = "asmussen-kroese",
    .sound = true,
    .batch_draws = 4096,
    .applies = heavy_applies,
    .prepare = heavy_prepare,
    .draw = heavy_draw,
};
