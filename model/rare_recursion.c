/* SPDX-License-Identifier: MIT */
/*
 * Splitting on the queue's recursion: needs nothing but one step of it, so that
 * a ring that drops work, or a law without a moment generating function, is no
 * harder than the textbook's queue.
 *
 * The recursion starts anew whenever the queue is empty. Per cycle between two
 * such moments, the expected number of periods beyond the headroom, divided by
 * the expected number of periods, is the stationary probability. Splitting
 * drives cycles to the headroom: from the states in which the runs of one level
 * entered the next, as many runs are started again.
 *
 * Source: L'Ecuyer, Demers & Tuffin 2007 (ACM TOMACS 17(2)): fixed effort.
 */
#include <math.h>
#include <stdlib.h>

#include "rare_method.h"

#define LEVEL_RATIO 0.2
#define PILOT_PARTICLES 2000u
#define PARTICLES 1000u
#define PILOT_CYCLES 200000u

static bool recursion_applies(const struct hk_rare_problem *p)
{
    return p->reading == HK_UNDERRUN_QUEUE;
}

static double service(const struct hk_rare_problem *p, struct hk_rng *rng,
                      struct hk_rare_total *work)
{
    work->step_count += p->stage_count;
    return rare_draw_sum(&p->law, p->stage_count, rng);
}

/* One period: what is left of the backlog, and the next service. False when it ran empty. */
static bool step(const struct hk_rare_problem *p, struct hk_rng *rng, double *backlog_ns,
                 struct hk_rare_total *work)
{
    double left_ns =
        *backlog_ns - (p->poisson ? hk_rng_exponential(rng, p->period_ns) : p->period_ns);
    if (left_ns <= 0.0) {
        return false;
    }
    if (p->ring_ns > 0.0) {
        left_ns = fmin(left_ns, p->ring_ns);
    }
    *backlog_ns = left_ns + service(p, rng, work);
    return true;
}

/* Run until the backlog exceeds the level (true, with its value) or the cycle ends. */
static bool reach(const struct hk_rare_problem *p, struct hk_rng *rng, double level_ns,
                  double *backlog_ns, struct hk_rare_total *work)
{
    while (*backlog_ns <= level_ns) {
        if (!step(p, rng, backlog_ns, work)) {
            return false;
        }
    }
    return true;
}

/*
 * A population of n between two levels: starts from count states in entered, or from empty queues
 * if there are none; leaves the states that reached the level in entered. Where the copies begin
 * is drawn: each state has the same expected number of them. next has n values, too.
 */
static size_t climb(const struct hk_rare_plan *plan, double level_ns, size_t n, size_t count,
                    struct hk_rng *rng, double *entered, double *next, struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const size_t offset = count > 0 ? hk_rng_below(rng, count) : 0;
    size_t reached = 0;
    for (size_t i = 0; i < n; i++) {
        double backlog_ns = count > 0 ? entered[(offset + i) % count] : service(p, rng, work);
        if (reach(p, rng, level_ns, &backlog_ns, work)) {
            next[reached++] = backlog_ns;
        }
    }
    for (size_t i = 0; i < reached; i++) {
        entered[i] = next[i];
    }
    work->trajectory_count += (double)n;
    return reached;
}

/* Periods beyond the headroom until the queue is empty, from a state that is beyond. */
static double periods_beyond(const struct hk_rare_problem *p, struct hk_rng *rng,
                             double backlog_ns, struct hk_rare_total *work)
{
    double count = 0.0;
    do {
        count += backlog_ns > p->headroom_ns;
    } while (step(p, rng, &backlog_ns, work));
    return count;
}

static double recursion_draw(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                             struct hk_rare_total *work)
{
    const struct hk_rare_problem *p = &plan->problem;
    const size_t n = plan->particle_count;
    double estimate = 1.0;
    size_t count = 0;
    for (size_t l = 0; l <= plan->level_count; l++) {
        const bool last = l == plan->level_count;
        count = climb(plan, last ? p->headroom_ns : plan->levels_ns[l], n, count, rng, memory,
                      memory + n, work);
        if (count == 0) {
            return 0.0;
        }
        estimate *= (double)count / (double)n / (last ? 1.0 : LEVEL_RATIO);
    }
    double beyond = 0.0;
    for (size_t i = 0; i < count; i++) {
        beyond += periods_beyond(p, rng, memory[i], work);
    }
    return estimate * beyond / (double)count;
}

/* Mean number of periods of a cycle, with its error. */
static void measure_cycles(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    const struct hk_rare_problem *p = &plan->problem;
    const double n = PILOT_CYCLES;
    struct hk_rare_total work = {0};
    double sum = 0.0;
    double squares = 0.0;
    for (unsigned i = 0; i < PILOT_CYCLES; i++) {
        double periods = 1.0;
        double backlog_ns = service(p, rng, &work);
        while (step(p, rng, &backlog_ns, &work)) {
            periods += 1.0;
        }
        sum += periods;
        squares += periods * periods;
    }
    plan->cycle_periods = sum / n;
    plan->reference_error = sqrt(fmax(0.0, squares * n / (sum * sum) - 1.0) / n);
}

/* The level that a fifth of the runs from the entered states exceed. */
static double next_level(const struct hk_rare_plan *plan, struct hk_rng *rng, const double *entered,
                         size_t count, double *highest)
{
    const struct hk_rare_problem *p = &plan->problem;
    struct hk_rare_total work = {0};
    for (size_t i = 0; i < PILOT_PARTICLES; i++) {
        double backlog_ns = count > 0 ? entered[i % count] : service(p, rng, &work);
        highest[i] = backlog_ns;
        while (backlog_ns <= p->headroom_ns && step(p, rng, &backlog_ns, &work)) {
            highest[i] = fmax(highest[i], backlog_ns);
        }
    }
    qsort(highest, PILOT_PARTICLES, sizeof *highest, rare_descending);
    return highest[(size_t)(LEVEL_RATIO * PILOT_PARTICLES)];
}

static enum hk_status place_levels(struct hk_rare_plan *plan, struct hk_rng *rng, double *memory)
{
    struct hk_rare_total work = {0};
    double *entered = memory;
    double *next = memory + PILOT_PARTICLES;
    size_t count = 0;
    while (plan->level_count < HK_RARE_LEVELS_MAX) {
        const double level_ns = next_level(plan, rng, entered, count, next);
        if (level_ns >= plan->problem.headroom_ns) {
            return HK_OK;
        }
        plan->levels_ns[plan->level_count++] = level_ns;
        count = climb(plan, level_ns, PILOT_PARTICLES, count, rng, entered, next, &work);
        if (count == 0) {
            return HK_ERANGE;
        }
    }
    return HK_ERANGE;
}

static enum hk_status recursion_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    double *memory = malloc(2 * PILOT_PARTICLES * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    const enum hk_status status = place_levels(plan, rng, memory);
    free(memory);
    measure_cycles(plan, rng);
    plan->particle_count = PARTICLES;
    plan->log_reference =
        (double)plan->level_count * log(LEVEL_RATIO) - log(plan->cycle_periods);
    return status;
}

const struct hk_rare_method hk_rare_recursion = {
    .name = "recursion",
    .sound = true,
    .multiplicative = true,
    .batch_draws = 8,
    .doubles_per_particle = 2,
    .applies = recursion_applies,
    .prepare = recursion_prepare,
    .draw = recursion_draw,
};

/* The same without levels: cycles are run and periods beyond the headroom counted. */
static enum hk_status cycles_prepare(struct hk_rare_plan *plan, struct hk_rng *rng)
{
    measure_cycles(plan, rng);
    plan->log_reference = -log(plan->cycle_periods);
    return HK_OK;
}

const struct hk_rare_method hk_rare_counting_cycles = {
    .name = "counting-cycles",
    .sound = true,
    .batch_draws = 4096,
    .doubles_per_particle = 2,
    .applies = recursion_applies,
    .prepare = cycles_prepare,
    .draw = recursion_draw,
};
