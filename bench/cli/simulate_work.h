/* SPDX-License-Identifier: MIT */
/* Batches of a simulation spread over threads and ranks, until the error is small enough. */
#ifndef HK_CLI_SIMULATE_WORK_H
#define HK_CLI_SIMULATE_WORK_H

#include <signal.h>
#include <stdbool.h>

#include "hk/base/status.h"
#include "hk/model/rare.h"
#include "ranks.h"

enum { HK_THREADS_MAX = 256 };

struct hk_simulation {
    const struct hk_rare_plan *plan;
    const struct hk_ranks *ranks;
    uint64_t seed;
    size_t thread_count;               /* 1..HK_THREADS_MAX */
    double error_ratio;                /* half the 95 % interval's width, relative, to reach */
    const volatile sig_atomic_t *stop; /* set: end after the batches that are running */
};

struct hk_simulated {
    struct hk_rare_estimate estimate;
    uint64_t batch_count;
    bool interrupted;
    bool reached; /* the error asked for */
};

/*
 * Simulate in rounds. How many batches a round has follows from the totals so far alone, and they
 * are merged in their order: with the same seed the result is the same bit for bit, whatever the
 * numbers of threads and ranks.
 *
 * Returns HK_OK, also when interrupted with something to show; HK_ENOISE when no draw hit;
 * HK_ENOMEM; HK_EPEER.
 */
enum hk_status hk_simulate(const struct hk_simulation *simulation, struct hk_simulated *out);

#endif
