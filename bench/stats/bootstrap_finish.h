/* SPDX-License-Identifier: MIT */
/* From replicates to an interval; shared by the resampling schemes. */
#ifndef HK_STATS_BOOTSTRAP_FINISH_H
#define HK_STATS_BOOTSTRAP_FINISH_H

#include "hk/stats/bootstrap.h"

struct bootstrap_work {
    double *replicates;
    size_t replicate_count;
    double *jackknife;
    size_t jackknife_count;
};

enum hk_status bootstrap_work_init(struct bootstrap_work *work, size_t replicate_count,
                                   size_t jackknife_count);
void bootstrap_work_fini(struct bootstrap_work *work);

/* Are the options sound? On HK_OK *replicates is the number to draw. */
enum hk_status bootstrap_options_check(const struct hk_bootstrap_options *options,
                                       size_t *replicates);

/*
 * Fill *out from filled work arrays (reordered). value is the statistic of the
 * data; block_count is only passed on.
 */
enum hk_status bootstrap_finish(struct bootstrap_work *work, double value, double confidence,
                                size_t block_count, struct hk_bootstrap *out);

#endif
