/* SPDX-License-Identifier: MIT */
/* The rows of hk_experiments, one file each. */
#ifndef HK_RUN_EXPERIMENTS_H
#define HK_RUN_EXPERIMENTS_H

#include "experiment.h"

extern const struct hk_experiment hk_experiment_syscall;
extern const struct hk_experiment hk_experiment_round_trip;

#endif
