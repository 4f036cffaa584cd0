/* SPDX-License-Identifier: MIT */
/*
 * The judge on trial, and what can be checked without a run: figures for the rows of the
 * acceptance table that no measurement can fill. The same seed gives the same figures, however
 * many threads share the work.
 */
#ifndef HK_TRIAL_TRIAL_H
#define HK_TRIAL_TRIAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/judge/acceptance.h"

struct hk_trial_plan {
    uint64_t seed;
    size_t thread_count; /* 1..HK_TRIAL_THREADS_MAX */
    bool quick;          /* without the coverage of intervals, which takes most of the time */
    const volatile sig_atomic_t *stop; /* set: end early with HK_EINTR; or NULL */

    /* Called now and then by the first thread; or NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};

enum { HK_TRIAL_THREADS_MAX = 64, HK_TRIAL_FIGURES_MAX = 24 };

/*
 * Run all trials.
 *
 * figures  [out]  room for HK_TRIAL_FIGURES_MAX
 * count    [out]
 *
 * Returns HK_OK; HK_EINTR; HK_ENOMEM; the status of the judge or of an estimator.
 */
enum hk_status hk_trial_run(const struct hk_trial_plan *plan, struct hk_reached *figures,
                            size_t *count);

#endif
