/* SPDX-License-Identifier: MIT */
/* The rare-event estimators against closed forms: error, coverage, variance, and the liar. */
#ifndef HK_TRIAL_RARE_H
#define HK_TRIAL_RARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/model/rare.h"

/* What is asked of a family of methods. */
enum hk_rare_family { HK_RARE_CONDITIONAL, HK_RARE_TILTED, HK_RARE_SPLIT, HK_RARE_FAMILIES };

struct hk_rare_case {
    const char *name;
    const char *method;
    enum hk_rare_family family;
    struct hk_rare_problem problem; /* headroom_ns follows from the probability */
    uint64_t batch_count;           /* that reach its family's error */
    size_t particle_count;          /* splitting, in batches that are replicates; 0: its own */
};

extern const struct hk_rare_case hk_rare_cases[];
extern const size_t hk_rare_case_count;

/*
 * A case at the headroom where its closed form has this probability, made ready.
 *
 * Returns HK_OK; the statuses of hk_rare_headroom_needed and hk_rare_plan_init.
 */
enum hk_status hk_rare_case_plan(const struct hk_rare_case *c, double probability, uint64_t seed,
                                 struct hk_rare_plan *plan);

/* Estimate from batches 0..batch_count - 1. Returns as hk_rare_run. */
enum hk_status hk_rare_case_estimate(const struct hk_rare_case *c, double probability,
                                     uint64_t seed, uint64_t batch_count,
                                     struct hk_rare_estimate *out);

/*
 * Of batches first..first + count - 1, each a replicate: how many 95 % intervals hold the truth.
 */
enum hk_status hk_rare_case_cover(const struct hk_rare_case *c, double probability, uint64_t seed,
                                  uint64_t first, uint64_t count, uint64_t *hits);

/*
 * The estimator kept to show that it lies, on Erlang stages: of `count` replicates, how many are
 * called unreliable by the estimate itself.
 */
enum hk_status hk_rare_liar_flagged(double probability, uint64_t seed, uint64_t count,
                                    uint64_t *flagged);

#endif
