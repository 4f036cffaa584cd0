/* SPDX-License-Identifier: MIT */
/*
 * Underrun probabilities too small to be counted: 1e-9, 1e-12, and below.
 *
 * A problem says what is asked; a method is a row of a table that turns draws
 * into an estimate with far less variance than counting. Draws come in batches
 * of a fixed size, each with its own random stream; totals are merged in the
 * order of the batches. So the same seed gives the same bits however the batches
 * are spread over threads or machines. hk_rare_exact has the closed forms that
 * the methods are tested against.
 */
#ifndef HK_MODEL_RARE_H
#define HK_MODEL_RARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/model/delay_law.h"
#include "hk/model/underrun.h"
#include "hk/stats/estimate.h"

#define HK_RARE_STAGES_MAX 8u
#define HK_RARE_LEVELS_MAX 400u

/*
 * What is asked: the probability, per period, that the reading's deficit exceeds the headroom.
 *   device    P(D > h)
 *   absolute  P(D - D' > h), D' the delay of the wake-up before
 *   queue     P(W + D > h), W the work left over in Lindley's recursion, stationary
 * D is the sum of stage_count independent draws of the law.
 */
struct hk_rare_problem {
    enum hk_underrun_law reading;
    struct hk_delay_law law;
    unsigned stage_count; /* 1..HK_RARE_STAGES_MAX */
    double headroom_ns;   /* > 0 */
    double period_ns;     /* queue only: (mean) time between arrivals, > 0 */
    bool poisson;         /* queue only: arrivals at random instead of each period */
    double ring_ns;       /* queue only: backlog beyond it is dropped; 0: none is */
};

struct hk_rare_method;

/* The table of methods, in order of preference for the problems that they apply to. */
extern const struct hk_rare_method *const hk_rare_methods[];
extern const size_t hk_rare_method_count;

const char *hk_rare_method_name(const struct hk_rare_method *method);

/* NULL when there is none of this name. */
const struct hk_rare_method *hk_rare_method_find(const char *name);

/* Whether a method can be applied to a valid problem at all. */
bool hk_rare_method_applies(const struct hk_rare_method *method,
                            const struct hk_rare_problem *problem);

/* False for those kept only to show that they fail: their own error bar is wrong. */
bool hk_rare_method_is_sound(const struct hk_rare_method *method);

/* HK_OK; HK_EINVAL for a bad value; HK_ERANGE for a queue whose utilisation is >= 1. */
enum hk_status hk_rare_problem_check(const struct hk_rare_problem *problem);

/* A method made ready for a problem. */
struct hk_rare_plan {
    const struct hk_rare_method *method;
    struct hk_rare_problem problem;
    double log_reference;       /* draws are relative to e^log_reference */
    double reference_error;     /* its own relative standard error; 0 where it is exact */
    double theta_per_ns;        /* tilt */
    struct hk_delay_law tilted;
    double arrival_scale_ns;    /* mean of the tilted Poisson gap */
    double depth_rate;          /* heavy: of the largest other's depth */
    size_t level_count;         /* splitting: levels below the headroom */
    double levels_ns[HK_RARE_LEVELS_MAX];
    size_t particle_count;      /* trajectories per level and draw; 1 where nothing splits */
    double cycle_periods;       /* recursion: mean number of periods between regenerations */
};

/*
 * Prepare.
 *
 * method  [in]   NULL: the first sound row that applies
 * seed    [in]   of the pilot runs of splitting
 * plan    [out]
 *
 * Returns HK_OK; the statuses of hk_rare_problem_check; HK_ENOTSUP when the method does not apply;
 * HK_ERANGE when splitting finds no way to the headroom; HK_ENOMEM.
 */
enum hk_status hk_rare_plan_init(const struct hk_rare_problem *problem,
                                 const struct hk_rare_method *method, uint64_t seed,
                                 struct hk_rare_plan *plan);

/* Moments of some draws, relative to the plan's reference. Zero is the empty one. */
struct hk_rare_total {
    double draw_count;
    double mean;
    double sum_squares; /* of deviations from the mean */
    double max;         /* the largest draw */
    double log_mean;    /* of the draws' logarithms, where a draw is a product of ratios */
    double log_sum_squares;
    double log_count;   /* draws that had one: those that are not 0 */
    double step_count;  /* draws of the law it took: the work */
    double trajectory_count;
};

/*
 * One batch; batches with different indices are independent.
 *
 * Returns HK_OK; HK_ENOMEM. Thread-safe.
 */
enum hk_status hk_rare_batch(const struct hk_rare_plan *plan, uint64_t seed, uint64_t index,
                             struct hk_rare_total *out);

/* How many draws a batch has. */
size_t hk_rare_batch_draws(const struct hk_rare_plan *plan);

/* Add a batch to a total. The order decides about the last bits. */
void hk_rare_merge(struct hk_rare_total *total, const struct hk_rare_total *batch);

struct hk_rare_estimate {
    double probability;
    double log10_probability;    /* also where the probability underflows */
    double relative_error;       /* standard error / probability */
    struct hk_interval interval; /* Monte Carlo only; made on the logarithm */
    double relative_variance;    /* of one draw */
    double draw_count;
    double step_count;
    double naive_count;          /* draws that counting would take for the same error */
    double variance_reduction;   /* per trajectory, against counting */
    double dominance_ratio;      /* of the squared draws, the share of the largest one */
    bool reliable;               /* false: so few draws carry the variance that it means nothing */
};

/*
 * Estimate from a total.
 *
 * The interval is Student's on the logarithm of the mean. Draws of splitting are products of many
 * ratios, hence nearly lognormal, and few: there it is Cox's for a lognormal mean, which keeps
 * its coverage with eight draws where Student's does not (docs/decisions/0270).
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE below 2 draws or when no draw hit.
 * Source: Olsson 2005 (Journal of Statistics Education 13(1)) for the lognormal mean.
 */
enum hk_status hk_rare_estimate(const struct hk_rare_plan *plan, const struct hk_rare_total *total,
                                double confidence, struct hk_rare_estimate *out);

/* Prepare, run batches 0..batch_count - 1 and estimate, in one thread. */
enum hk_status hk_rare_run(const struct hk_rare_problem *problem,
                           const struct hk_rare_method *method, uint64_t seed,
                           uint64_t batch_count, double confidence, struct hk_rare_estimate *out);

/*
 * The probability without simulation, where there is a closed form or a quadrature.
 *
 * formula  [out]  what was evaluated, a constant string; may be null
 *
 * Returns HK_OK; the statuses of hk_rare_problem_check; HK_ENOTSUP when there is none;
 * HK_ENOISE when the numerics did not converge; HK_ENOMEM.
 * Relative error below 1e-8 down to probabilities of 1e-15.
 */
enum hk_status hk_rare_exact(const struct hk_rare_problem *problem, double *probability,
                             const char **formula);

/*
 * Standard error of ln P that comes from the law's parameters, when they were estimated from a
 * sample by maximum likelihood: delta method on the closed form, else on a short simulation.
 *
 * sample_count  [in]   independent draws of the law, >= 1
 * seed          [in]   of that simulation
 * log_error     [out]  0.59 is a decade between the ends of a 95 % interval
 *
 * Returns HK_OK; the statuses of hk_rare_run; HK_ENOISE where the parameters cannot be told apart.
 */
enum hk_status hk_rare_input_error(const struct hk_rare_problem *problem, double sample_count,
                                   uint64_t seed, double *log_error);

/*
 * The head-room at which a problem has a probability; its own head-room is not read, but valid.
 *
 * Returns HK_OK, where there is no closed form to the error of a short simulation; HK_EINVAL;
 * HK_ERANGE when no head-room is large enough, or utilisation >= 1; the statuses of hk_rare_run.
 */
enum hk_status hk_rare_headroom_needed(const struct hk_rare_problem *problem, double probability,
                                       uint64_t seed, double *headroom_ns);

#endif
