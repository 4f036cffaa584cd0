/* SPDX-License-Identifier: MIT */
/* The paired shift function: how far each quantile of a distribution moved. */
#ifndef HK_STATS_SHIFT_H
#define HK_STATS_SHIFT_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"
#include "hk/stats/rng.h"

#define HK_SHIFT_QUANTILES_MAX 16u
#define HK_SHIFT_LAUNCHES_MIN 6u

struct hk_shift_data {
    const double *differences; /* launch_count rows of quantile_count: ln Q_B(q) - ln Q_A(q) */
    size_t launch_count;       /* >= HK_SHIFT_LAUNCHES_MIN */
    size_t quantile_count;     /* 1..HK_SHIFT_QUANTILES_MAX */
};

struct hk_shift_point {
    double value;                /* mean over launches */
    double standard_error;       /* of the mean */
    struct hk_interval interval; /* all quantiles' intervals hold together at the confidence */
    double p_two_sided;          /* against no shift, of this quantile alone */
    double p_adjusted;           /* the same, family-wise over the quantiles */
};

/*
 * Estimate the shift of several quantiles with a simultaneous band.
 *
 * Whole launches are resampled, all their quantiles together, by random signs: of the centred
 * differences for the band, of the differences themselves for p, which is exact when a launch
 * is as likely to favour either side.
 *
 * confidence       [in]   of the band, inside (0, 1)
 * replicate_count  [in]   >= 99
 * rng              [in]   advanced
 * out              [out]  quantile_count points
 *
 * A quantile whose differences are all equal has no spread: its interval is that value, and
 * its p are 0, or 1 at zero.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE below HK_SHIFT_LAUNCHES_MIN launches; HK_ENOMEM.
 * Cost O(replicates * launches * quantiles).
 * Source: Doksum 1974 (Annals of Statistics 2) for the shift function; Westfall & Young 1993 for
 * the greatest |t|; Cameron, Gelbach & Miller 2008 (Rev. Econ. Stat. 90) for signs per cluster.
 */
enum hk_status hk_shift_band(const struct hk_shift_data *data, double confidence,
                             size_t replicate_count, struct hk_rng *rng,
                             struct hk_shift_point *out);

#endif
