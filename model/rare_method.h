/* SPDX-License-Identifier: MIT */
/* What a method of hk_rare_methods consists of. */
#ifndef HK_MODEL_RARE_METHOD_H
#define HK_MODEL_RARE_METHOD_H

#include "hk/model/rare.h"

struct hk_rare_method {
    const char *name;
    bool sound;
    bool multiplicative; /* a draw is a product of many ratios */
    size_t batch_draws;
    size_t doubles_per_particle; /* of memory for a draw */

    bool (*applies)(const struct hk_rare_problem *problem);

    /* Completes a plan whose method and problem are set. */
    enum hk_status (*prepare)(struct hk_rare_plan *plan, struct hk_rng *rng);

    /*
     * One draw, relative to the plan's reference.
     *
     * memory  [in]      particle_count * doubles_per_particle values
     * work    [in,out]  step_count and trajectory_count grow
     */
    double (*draw)(const struct hk_rare_plan *plan, struct hk_rng *rng, double *memory,
                   struct hk_rare_total *work);
};

extern const struct hk_rare_method hk_rare_absolute;
extern const struct hk_rare_method hk_rare_siegmund;
extern const struct hk_rare_method hk_rare_conditional_tilt;
extern const struct hk_rare_method hk_rare_tilt;
extern const struct hk_rare_method hk_rare_asmussen_kroese;
extern const struct hk_rare_method hk_rare_recursion;
extern const struct hk_rare_method hk_rare_last_particle;
extern const struct hk_rare_method hk_rare_fixed_levels;
extern const struct hk_rare_method hk_rare_counting;
extern const struct hk_rare_method hk_rare_counting_cycles;
extern const struct hk_rare_method hk_rare_conditional_untilted;

/* P(D > x) for the sum of the problem's stages, for problems where that has a simple form. */
double rare_sum_survival(const struct hk_rare_problem *problem, double x_ns);
bool rare_has_sum_survival(const struct hk_rare_problem *problem);

/* The sum of count draws of a law. */
double rare_draw_sum(const struct hk_delay_law *law, unsigned count, struct hk_rng *rng);

/* The largest theta for which E e^(theta D) exists; 0 for laws that cannot be tilted. */
double rare_theta_limit(const struct hk_delay_law *law);

/* Of a heavy law: the value that it exceeds with probability e^-depth, and the depth of a value. */
double rare_at_depth(const struct hk_delay_law *law, double depth);
double rare_depth_at(const struct hk_delay_law *law, double x_ns);

/* Order of doubles for qsort, the largest first. */
int rare_descending(const void *a, const void *b);

#endif
