/* SPDX-License-Identifier: MIT */
/* What the command line asks to simulate, and where its law comes from. */
#ifndef HK_CLI_SIMULATE_MODEL_H
#define HK_CLI_SIMULATE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/model/rare.h"
#include "hk/model/tail.h"
#include "hk/model/tail_mixture.h"
#include "hk/result/result.h"

/* Numbers are texts here: 0 is not the same as nothing. */
struct hk_simulate_options {
    const char *reading;
    const char *law;
    const char *scale_ns;
    const char *shape;
    const char *rare_scale_ns;
    const char *headroom_ns;
    const char *probability;
    const char *period_ns;
    const char *ring_ns;
    const char *error_percent;
    const char *method;
    const char *cell;
    uint64_t stages;
    uint64_t samples;
    uint64_t seed;
    uint64_t threads;
    bool poisson;
    bool json;
};

struct hk_simulate_model {
    struct hk_rare_problem problem;
    bool has_target;      /* the head-room is to be found for it */
    double probability;
    double error_ratio;   /* of the Monte Carlo interval */
    double sample_count;  /* delays behind the parameters; 0: they are exact */
    double constant_ns;   /* part of every delay, taken off the head-room; 0 without a run */
    bool has_tail;        /* the law is the measured one with a fitted tail, of the deficits */
    struct hk_tail tail;
    bool has_mixture;     /* two exponentials beyond the threshold beat the GPD */
    struct hk_tail_mixture mixture;
    double *sorted_ns;    /* the tail's sample; released with hk_simulate_model_fini */
    char source[HK_NAME_BYTES];
};

/*
 * Read options, and the run where one is named.
 *
 * run_path  [in]   run folder, or NULL: the parameters are on the command line
 * model     [out]  released with hk_simulate_model_fini
 *
 * Prints one line with the remedy on failure. Returns HK_OK; HK_EINVAL for the command line and
 * the run; HK_ENOISE when the run has too few values.
 */
enum hk_status hk_simulate_model_init(const struct hk_simulate_options *options,
                                      const char *run_path, struct hk_simulate_model *model);
void hk_simulate_model_fini(struct hk_simulate_model *model);

#endif
