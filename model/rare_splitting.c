/* SPDX-License-Identifier: MIT */
/*
 * Multilevel splitting of a sum of stages: no law is needed beyond drawing a
 * stage that exceeds something. One draw of the estimator is a whole run of a
 * population; its mean over runs is free of bias, and its error is taken between
 * runs, because particles of one run share ancestors.
 *
 * Sources: Botev & Kroese 2008 (Methodology and Computing in Applied Probability
 * 10(4)) for fixed levels; Guyader, Hengartner & Matzner-Lober 2011 (Applied
 * Mathematics & Optimization 64(2)) for the last particle.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rare_method.h"

#define PARTICLE_DOUBLES (HK_RARE_STAGES_MAX + 1u) /* the stages, then their sum */
#define LEVEL_RATIO 0.2                            /* that survives a level: least variance */
#define PILOT_PARTICLES 2000u
#define FIXED_PARTICLES 500u
#define LAST_PARTICLES 100u

static double *particle(double *memory, size_t i)
{
    return memory + i * PARTICLE_DOUBLES;
}

static double *sum_of(double *x)
{
    return &x[HK_RARE_STAGES_MAX];
}

static void particle_start(const struct hk_rare_problem *p, struct hk_rng *rng, double *x)
{
    *sum_of(x) = 0.0;
    for (unsigned i = 0; i < p->stage_count; i++) {
        x[i] = hk_delay_draw(&p->law, rng);
        *sum_of(x) += x[i];
    }
}

/* Splits two stages' sum anew, given the sum: Metropolis' rule on an even split of it. */
static void share_pair(const struct hk_delay_law *law, struct hk_rng *rng, double *a, double *b)
{
    const double sum = *a + *b;
    const double part = hk_rng_uniform(rng) * sum;
    const double now = hk_delay_density(law, *a) * hk_delay_density(law, *b);
    const double then = hk_delay_density(law, part) * hk_delay_density(law, sum - part);
    if (then >= now || hk_rng_uniform(rng) * now < then) {
        *a = part;
        *b = sum - part;
    }
}

/*
 * Parts a clone from its ancestor: pairs of stages share their sums anew, then Gibbs moves give
 * each stage a new value, given the others and that the sum exceeds the level. Gibbs moves alone
 * shift a light stage by about its own mean, however far out the level is; and always in the same
 * order they would hand what is beyond the level to the same stage.
 */
static void particle_move(const struct hk_rare_problem *p, double level_ns, struct hk_rng *rng,
                          double *x)
{
    const unsigned n = p->stage_count;
    const size_t first = hk_rng_below(rng, n);
    double sum = 0.0;
    for (unsigned i = 0; i + 1 < n; i += 2) {
        share_pair(&p->law, rng, &x[(first + i) % n], &x[(first + i + 1) % n]);
    }
    for (unsigned i = 0; i < n; i++) {
        double *stage_ns = &x[(first + i) % n];
        const double others_ns = *sum_of(x) - *stage_ns;
        *stage_ns = hk_delay_draw_beyond(&p->law, fmax(0.0, level_ns - others_ns), rng);
        *sum_of(x) = others_ns + *stage_ns;
    }
    /* Sums by difference drift: made anew. */
    for (unsigned i = 0; i < n; i++) {
        sum += x[i];
    }
    *sum_of(x) = sum;
}

static unsigned move_steps(const struct hk_rare_problem *p)
{
    return p->stage_count + p->stage_count / 2;
}

static bool splitting_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_DEVICE;
}

/* --- last particle --------------------------------------------------------------------------- */

/* ln of the estimate of one run. */
static double last_particle_run(const struct hk_rare_problem *p, size_t n, struct hk_rng *rng,
                                double *memory, struct hk_rare_total *work)
{
    double log_p = 0.0;
    for (size_t i = 0; i < n; i++) {
        particle_start(p, rng, particle(memory, i));
    }
    work->step_count += (double)(n * p->stage_count);
    work->trajectory_count += (double)n;
    for (;;) {
        size_t worst = 0;
        for (size_t i = 1; i < n; i++) {
            if (*sum_of(particle(memory, i)) < *sum_of(particle(memory, worst))) {
                worst = i;
            }
        }
        const double level_ns = *sum_of(particle(memory, worst));
        if (level_ns > p->headroom_ns) {
            return log_p;
        }
        const size_t other = (worst + 1 + hk_rng_below(rng, n - 1)) % n;
        memcpy(particle(memory, worst), particle(memory, other),
               PARTICLE_DOUBLES * sizeof *memory);
        particle_move(p, level_ns, rng, particle(memory, worst));
        log_p += log1p(-1.0 / (double)n);
        work->step_count += move_steps(p);
        work->trajectory_count += 1.0;
    }
}

static enum hk_status last_particle_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    double memory[LAST_PARTICLES * PARTICLE_DOUBLES];
    struct hk_rare_total work = {0};
    plan->particle_count = LAST_PARTICLES;
    plan->log_reference = last_particle_run(&plan->problem, LAST_PARTICLES, rng, memory, &work);
    return HK_OK;
}

static double last_particle_draw(const struct hk_rare_plan *plan, struct hk_rng *rng,
                                 double *memory, struct hk_rare_total *work)
{
    return exp(last_particle_run(&plan->problem, plan->particle_count, rng, memory, work) -
               plan->log_reference);
}

const struct hk_rare_method hk_rare_last_particle = {
    .name = "last-particle",
    .sound = true,
    .multiplicative = true,
    .batch_draws = 8,
    .doubles_per_particle = PARTICLE_DOUBLES,
    .applies = splitting_applies,
    .prepare = last_particle_prepare,
    .draw = last_particle_draw,
};

/* --- fixed levels ---------------------------------------------------------------------------- */

/* Moves the survivors to the front, in their order; returns their number. */
static size_t gather(double *memory, size_t n, double level_ns)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (*sum_of(particle(memory, i)) > level_ns) {
            memmove(particle(memory, count++), particle(memory, i),
                    PARTICLE_DOUBLES * sizeof *memory);
        }
    }
    return count;
}

/*
 * Keep those beyond the level, fill up with their copies and move all. Where the copies begin is
 * drawn: each survivor has the same expected number of them. Returns the ratio that survived.
 */
static double climb(const struct hk_rare_problem *p, double level_ns, size_t n,
                    struct hk_rng *rng, double *memory, struct hk_rare_total *work)
{
    const size_t count = gather(memory, n, level_ns);
    if (count == 0) {
        return 0.0;
    }
    const size_t offset = hk_rng_below(rng, count);
    for (size_t i = count; i < n; i++) {
        memcpy(particle(memory, i), particle(memory, (offset + i) % count),
               PARTICLE_DOUBLES * sizeof *memory);
    }
    for (size_t i = 0; i < n; i++) {
        particle_move(p, level_ns, rng, particle(memory, i));
    }
    work->step_count += (double)(n * move_steps(p));
    work->trajectory_count += (double)n;
    return (double)count / (double)n;
}

static double fixed_levels_run(const struct hk_rare_plan *plan, struct hk_rng *rng,
                               double *memory, struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const size_t n = plan->particle_count;
    double estimate = 1.0;
    for (size_t i = 0; i < n; i++) {
        particle_start(p, rng, particle(memory, i));
    }
    work->step_count += (double)(n * p->stage_count);
    work->trajectory_count += (double)n;
    for (size_t l = 0; l < plan->level_count && estimate > 0.0; l++) {
        estimate *= climb(p, plan->levels_ns[l], n, rng, memory, work) / LEVEL_RATIO;
    }
    return estimate * (double)gather(memory, n, p->headroom_ns) / (double)n;
}

/* Levels from a pilot population: each is what the upper fifth of the last one exceeds. */
static enum hk_status place_levels(struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                                   double *sums)
{
    const size_t n = PILOT_PARTICLES;
    struct hk_rare_total work = {0};
    for (size_t i = 0; i < n; i++) {
        particle_start(&plan->problem, rng, particle(memory, i));
    }
    while (plan->level_count < HK_RARE_LEVELS_MAX) {
        for (size_t i = 0; i < n; i++) {
            sums[i] = *sum_of(particle(memory, i));
        }
        qsort(sums, n, sizeof *sums, rare_descending);
        const double level_ns = sums[(size_t)(LEVEL_RATIO * (double)n)];
        if (level_ns >= plan->problem.headroom_ns) {
            return HK_OK;
        }
        plan->levels_ns[plan->level_count++] = level_ns;
        (void)climb(&plan->problem, level_ns, n, rng, memory, &work);
    }
    return HK_ERANGE;
}

static enum hk_status fixed_levels_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    double *memory = malloc(PILOT_PARTICLES * (PARTICLE_DOUBLES + 1) * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    const enum hk_status status =
        place_levels(plan, rng, memory, memory + PILOT_PARTICLES * PARTICLE_DOUBLES);
    free(memory);
    plan->particle_count = FIXED_PARTICLES;
    plan->log_reference = (double)plan->level_count * log(LEVEL_RATIO);
    return status;
}

const struct hk_rare_method hk_rare_fixed_levels = {
    .name = "fixed-levels",
    .sound = true,
    .multiplicative = true,
    .batch_draws = 8,
    .doubles_per_particle = PARTICLE_DOUBLES,
    .applies = splitting_applies,
    .prepare = fixed_levels_prepare,
    .draw = fixed_levels_run,
};
