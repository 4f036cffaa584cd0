/* SPDX-License-Identifier: MIT */
/* A world being filled. The first failure stays, and what follows it does nothing. */
#ifndef HK_TRIAL_WORLD_INTERNAL_H
#define HK_TRIAL_WORLD_INTERNAL_H

#include "hk/trial/world.h"

struct hk_world {
    struct hk_run run; /* launches in the order of their making until all are there */
    size_t capacity;
    struct hk_rng *rng;
    const struct hk_world_plan *plan;
    enum hk_status status;
};

/* One named value, or values, of a launch. */
struct hk_world_counter {
    const char *name;
    double value;
};
struct hk_world_series {
    const char *name;
    const double *values;
    size_t count;
};

/*
 * launch_count launches of a cell with one counter: the true value, and noise on it. The cell's
 * name is given as a printf format.
 */
__attribute__((format(printf, 4, 5))) void hk_world_cell(struct hk_world *world,
                                                         const char *counter, double value,
                                                         const char *format, ...);

/* A second counter for all launches of a cell that is there, without noise. */
void hk_world_counter(struct hk_world *world, const char *cell, const char *counter, double value);

/* One launch, with its series as they are. */
void hk_world_launch(struct hk_world *world, const char *cell, uint32_t index,
                     enum hk_exactness exactness, const struct hk_world_counter *counters,
                     size_t counter_count, const struct hk_world_series *series,
                     size_t series_count);

/* 1 + noise_ratio * the next value of a source made by hk_world_noise. */
struct hk_noise_source hk_world_noise(struct hk_world *world);
double hk_world_factor(const struct hk_world *world, struct hk_noise_source *source);

/* Fills, one file per group of formulas. */
void hk_fill_hops_alike(struct hk_world *world);
void hk_fill_hops_dearer(struct hk_world *world);
void hk_fill_hops_of_three(struct hk_world *world);
void hk_fill_injection(struct hk_world *world);
/* Of mutants: 3, 5 and 3, or 1, 3 and 1 are paid where 2, 4 and 2 are claimed. */
void hk_fill_injection_more(struct hk_world *world);
void hk_fill_injection_less(struct hk_world *world);
void hk_fill_service_textbook(struct hk_world *world);
void hk_fill_service_one_trip(struct hk_world *world);
void hk_fill_share_half(struct hk_world *world);
void hk_fill_share_own(struct hk_world *world);
void hk_fill_independent(struct hk_world *world);
void hk_fill_dependent(struct hk_world *world);
void hk_fill_partial(struct hk_world *world);
void hk_fill_exponential(struct hk_world *world);
void hk_fill_lognormal(struct hk_world *world);
void hk_fill_autoregressive(struct hk_world *world);
void hk_fill_queued(struct hk_world *world);
void hk_fill_queue(struct hk_world *world);
void hk_fill_extension(struct hk_world *world);
void hk_fill_attachment(struct hk_world *world);
void hk_fill_additive(struct hk_world *world);
void hk_fill_pairs(struct hk_world *world);
void hk_fill_few_changes(struct hk_world *world);
void hk_fill_many_changes(struct hk_world *world);

enum hk_status hk_judge_rare(struct hk_world *world, struct hk_judge *judge);

#endif
