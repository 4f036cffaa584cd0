/* SPDX-License-Identifier: MIT */
/* Figures of the acceptance table that are not in a run's verdicts. */
#ifndef HK_CLI_VALIDATE_FIGURES_H
#define HK_CLI_VALIDATE_FIGURES_H

#include <stdbool.h>

#include "hk/judge/acceptance.h"

enum { HK_FIGURES_MAX = 32 };

struct hk_figure_request {
    const struct hk_run *run;      /* that is judged */
    const struct hk_judge *judge;  /* its verdicts */
    uint64_t seed;
    size_t thread_count;
    bool quick;
};

/*
 * Simulate, run the mutants, read the other runs of this machine beside this one.
 *
 * figures  [out]  room for HK_FIGURES_MAX; what cannot be had is left out, with a line on stderr
 *                 where that is a fault
 * count    [out]
 *
 * Returns HK_OK; HK_EINTR; HK_ENOMEM; the status of the judge or of an estimator.
 */
enum hk_status hk_validate_figures(const struct hk_figure_request *request,
                                   struct hk_reached *figures, size_t *count);

#endif
