/* SPDX-License-Identifier: MIT */
/*
 * Sums of light-tailed stages and the absolute timer: exponential tilting, and
 * integrating one delay instead of drawing it.
 *
 * Source: Asmussen & Glynn 2007, Stochastic Simulation, chapters V and VI.
 */
#include <math.h>

#include "rare_method.h"

#define BISECTIONS 200

static bool is_light(const struct hk_rare_problem *p)
{
    return rare_theta_limit(&p->law) > 0.0;
}

/* Theta for which a stage's tilted mean is headroom / stages; 0 where the event is not rare. */
static double centring_theta(const struct hk_rare_problem *p)
{
    const double target_ns = p->headroom_ns / p->stage_count;
    double low = 0.0;
    double high = rare_theta_limit(&p->law);
    for (int i = 0; i < BISECTIONS && high - low > 1e-15 * high; i++) {
        const double middle = low + (high - low) / 2.0;
        struct hk_delay_law tilted;
        double log_mgf;
        if (hk_delay_tilt(&p->law, middle, &tilted, &log_mgf) == HK_OK &&
            hk_delay_mean(&tilted) < target_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum hk_status set_tilt(struct hk_rare_plan *plan, double theta_per_ns, unsigned stages)
{
    double log_mgf;
    const enum hk_status status =
        hk_delay_tilt(&plan->problem.law, theta_per_ns, &plan->tilted, &log_mgf);
    plan->theta_per_ns = theta_per_ns;
    plan->log_reference = stages * log_mgf - theta_per_ns * plan->problem.headroom_ns;
    return status;
}

/* --- exponential tilt ------------------------------------------------------------------------ */

static bool tilt_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_DEVICE && is_light(p);
}

static enum hk_status tilt_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const struct hk_rare_problem *p = &plan->problem;
    (void)rng;
    if (p->law.kind == HK_DELAY_EXPONENTIAL && p->stage_count == 1) {
        /* For one exponential the least variance has a closed form. */
        const double a = p->headroom_ns / p->law.scale_ns;
        const double rate = (a + 1.0 - sqrt(a * a + 1.0)) / a;
        return set_tilt(plan, (1.0 - rate) / p->law.scale_ns, 1);
    }
    return set_tilt(plan, centring_theta(p), p->stage_count);
}

static double tilt_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                        struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const double beyond_ns =
        rare_draw_sum(&plan->tilted, p->stage_count, rng) - p->headroom_ns;
    (void)memory;
    work->step_count += p->stage_count;
    work->trajectory_count += 1.0;
    return beyond_ns > 0.0 ? exp(-plan->theta_per_ns * beyond_ns) : 0.0;
}

const struct hk_rare_method hk_rare_tilt = {
    .name = "tilt",
    .sound = true,
    .batch_draws = 4096,
    .applies = tilt_applies,
    .prepare = tilt_prepare,
    .draw = tilt_draw,
};

/* --- the last stage integrated --------------------------------------------------------------- */

static bool conditional_applies(const struct hk_rare_problem *p)
{
    return tilt_applies(p) && p->stage_count >= 2;
}

static enum hk_status conditional_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    (void)rng;
    return set_tilt(plan, centring_theta(&plan->problem), plan->problem.stage_count - 1);
}

static double conditional_draw(const struct hk_rare_plan *plan, struct hk_rng *rng,
                               double *memory, struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const double rest_ns =
        p->headroom_ns - rare_draw_sum(&plan->tilted, p->stage_count - 1, rng);
    (void)memory;
    work->step_count += p->stage_count - 1;
    work->trajectory_count += 1.0;
    return hk_delay_survival(&p->law, rest_ns) * exp(plan->theta_per_ns * rest_ns);
}

const struct hk_rare_method hk_rare_conditional_tilt = {
    .name = "conditional-tilt",
    .sound = true,
    .batch_draws = 1024,
    .applies = conditional_applies,
    .prepare = conditional_prepare,
    .draw = conditional_draw,
};

/* --- the same without tilting: a liar, kept so that it is seen to be caught ------------------ */

static bool untilted_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_DEVICE && p->stage_count >= 2;
}

static enum hk_status untilted_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    (void)rng;
    plan->tilted = plan->problem.law;
    plan->log_reference = log(hk_delay_survival(&plan->problem.law, plan->problem.headroom_ns));
    return HK_OK;
}

static double untilted_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                            struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const double sum_ns = rare_draw_sum(&p->law, p->stage_count - 1, rng);
    (void)memory;
    work->step_count += p->stage_count - 1;
    work->trajectory_count += 1.0;
    return exp(log(hk_delay_survival(&p->law, p->headroom_ns - sum_ns)) - plan->log_reference);
}

const struct hk_rare_method hk_rare_conditional_untilted = {
    .name = "conditional-untilted",
    .sound = false,
    .batch_draws = 4096,
    .applies = untilted_applies,
    .prepare = untilted_prepare,
    .draw = untilted_draw,
};

/* --- absolute timer: the later delay integrated ---------------------------------------------- */

static bool absolute_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_ABSOLUTE && rare_has_sum_survival(p);
}

static enum hk_status absolute_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const double survival = rare_sum_survival(&plan->problem, plan->problem.headroom_ns);
    (void)rng;
    plan->log_reference = log(survival);
    return survival > 0.0 ? HK_OK : HK_ERANGE;
}

/* For exponential delays the relative variance is 1/3 whatever the headroom. */
static double absolute_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                            struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const double before_ns = rare_draw_sum(&p->law, p->stage_count, rng);
    (void)memory;
    work->step_count += p->stage_count;
    work->trajectory_count += 1.0;
    return rare_sum_survival(p, p->headroom_ns + before_ns) * exp(-plan->log_reference);
}

const struct hk_rare_method hk_rare_absolute = {
    .name = "conditional",
    .sound = true,
    .batch_draws = 1024,
    .applies = absolute_applies,
    .prepare = absolute_prepare,
    .draw = absolute_draw,
};

/* --- counting: what everything else is measured against -------------------------------------- */

static bool counting_applies(const struct hk_rare_problem *p)
{
    return p->reading != HK_UNDERRUN_QUEUE; /* there, rare_splitting.c counts over cycles */
}

static enum hk_status counting_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    (void)plan;
    (void)rng;
    return HK_OK;
}

static double counting_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                            struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const bool absolute = p->reading == HK_UNDERRUN_ABSOLUTE;
    double deficit_ns = rare_draw_sum(&p->law, p->stage_count, rng);
    (void)memory;
    if (absolute) {
        deficit_ns -= rare_draw_sum(&p->law, p->stage_count, rng);
    }
    work->step_count += absolute ? 2 * p->stage_count : p->stage_count;
    work->trajectory_count += 1.0;
    return deficit_ns > p->headroom_ns ? 1.0 : 0.0;
}

const struct hk_rare_method hk_rare_counting = {
    .name = "counting",
    .sound = true,
    .batch_draws = 4096,
    .applies = counting_applies,
    .prepare = counting_prepare,
    .draw = counting_draw,
};
