/* SPDX-License-Identifier: MIT */
/*
 * The queue: level crossing of a random walk under Siegmund's change of measure.
 *
 * The stationary sojourn W + D is the maximum of a walk that starts with one
 * service and moves by service minus gap. Under the tilt theta* at which a move's
 * moment generating function is 1 the walk drifts up, crosses for certain, and
 * every path weighs E e^(theta* D) e^(-theta* level).
 *
 * Source: Siegmund 1976 (Annals of Statistics 4(4)); Asmussen & Glynn 2007, VI.2.
 */
#include <math.h>

#include "rare_method.h"

#define BISECTIONS 200

static bool siegmund_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_QUEUE && rare_theta_limit(&p->law) > 0.0 && p->ring_ns == 0.0;
}

/* ln E e^(theta (D - gap)); INFINITY where it does not exist. */
static double log_mgf_move(const struct hk_rare_problem *p, double theta_per_ns)
{
    struct hk_delay_law tilted;
    double log_mgf;
    if (hk_delay_tilt(&p->law, theta_per_ns, &tilted, &log_mgf) != HK_OK) {
        return INFINITY;
    }
    const double gap = p->poisson ? log1p(theta_per_ns * p->period_ns)
                                  : theta_per_ns * p->period_ns;
    return p->stage_count * log_mgf - gap;
}

/* Convex, 0 at 0, and it falls from there: the other zero is where it turns positive. */
static double siegmund_theta(const struct hk_rare_problem *p)
{
    double low = 0.0;
    double high = rare_theta_limit(&p->law);
    for (int i = 0; i < BISECTIONS && high - low > 1e-15 * high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (log_mgf_move(p, middle) > 0.0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

static enum hk_status siegmund_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const struct hk_rare_problem *p = &plan->problem;
    double log_mgf = 0.0;
    (void)rng;
    plan->theta_per_ns = siegmund_theta(p);
    if (!(plan->theta_per_ns > 0.0)) {
        return HK_ERANGE; /* utilisation so close to 1 that rounding decides */
    }
    const enum hk_status status =
        hk_delay_tilt(&p->law, plan->theta_per_ns, &plan->tilted, &log_mgf);
    plan->arrival_scale_ns = p->period_ns / (1.0 + plan->theta_per_ns * p->period_ns);
    plan->log_reference = p->stage_count * log_mgf - plan->theta_per_ns * p->headroom_ns;
    return status;
}

static double siegmund_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                            struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    double level_ns = rare_draw_sum(&plan->tilted, p->stage_count, rng);
    double services = 1.0;
    (void)memory;
    while (level_ns <= p->headroom_ns) {
        level_ns -= p->poisson ? hk_rng_exponential(rng, plan->arrival_scale_ns) : p->period_ns;
        level_ns += rare_draw_sum(&plan->tilted, p->stage_count, rng);
        services += 1.0;
    }
    work->step_count += services * p->stage_count;
    work->trajectory_count += 1.0;
    return exp(-plan->theta_per_ns * (level_ns - p->headroom_ns));
}

const struct hk_rare_method hk_rare_siegmund = {
    .name = "siegmund",
    .sound = true,
    .batch_draws = 256,
    .applies = siegmund_applies,
    .prepare = siegmund_prepare,
    .draw = siegmund_draw,
};
