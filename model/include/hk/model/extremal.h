/* SPDX-License-Identifier: MIT */
/*
 * Underruns come in clusters: extremal index by intervals, and what a tail says
 * per hour instead of per period.
 */
#ifndef HK_MODEL_EXTREMAL_H
#define HK_MODEL_EXTREMAL_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/model/tail.h"

/*
 * Extremal index by the times between exceedances: needs no run length, unlike hk_extremal_index.
 *
 * x      [in]   n finite values in time order
 * index  [out]  in (0, 1]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if fewer than 10 values exceed.
 * Source: Ferro & Segers 2003 (J. R. Statist. Soc. B 65(2)).
 */
enum hk_status hk_extremal_intervals(const double *x, size_t n, double threshold, double *index);

/* Rates that follow from a tail and its extremal index. */
struct hk_hourly {
    double events_per_hour;          /* periods beyond the head-room, each counted */
    double clusters_per_hour;        /* groups of them: what a listener hears as one */
    double hit_probability;          /* of at least one in an hour */
    struct hk_interval clusters_interval;
};

/*
 * Rates per hour of exceeding a head-room.
 *
 * tail         [in]  its extremal_index says how exceedances cluster
 * headroom_ns  [in]  finite
 * period_ns    [in]  > 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE as hk_tail_probability.
 */
enum hk_status hk_tail_hourly(const struct hk_tail *tail, double headroom_ns, double period_ns,
                              double confidence, struct hk_hourly *out);

/* Underruns in a stretch of time, counted one by one. */
struct hk_stretch {
    double expected_count;
    struct hk_interval interval; /* of what will be counted: whole numbers */
};

/*
 * How many periods of a stretch will exceed a head-room. Clusters come as a Poisson process,
 * their sizes are geometric with mean 1 / index: the count then has variance (2 - index) / index
 * times its mean, unless stretches are known to differ by more; the error of the probability adds.
 * The interval is that of the negative binomial law with this mean and variance.
 *
 * tail          [in]  its extremal_index says how exceedances cluster
 * headroom_ns   [in]  finite
 * period_count  [in]  > 0
 * spread_ratio  [in]  standard deviation of such stretches' counts over their mean; 0: not known
 * confidence    [in]  inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE as hk_tail_probability, or if a count beyond 2^31 may come.
 * Source: Johnson, Kemp & Kotz 2005 (Univariate Discrete Distributions), chapters 5 and 9:
 * Poisson counts of clusters of geometric size are the Polya-Aeppli law.
 */
enum hk_status hk_tail_stretch(const struct hk_tail *tail, double headroom_ns,
                               double period_count, double spread_ratio, double confidence,
                               struct hk_stretch *out);

/*
 * Return level: the head-room that a cluster exceeds once in so many hours.
 *
 * hours     [in]   > 0
 * level_ns  [out]
 * interval  [out]  may be null
 *
 * Returns HK_OK; HK_EINVAL, also where it would be exceeded in every period; HK_ERANGE and
 * HK_ENOISE as hk_tail_quantile.
 */
enum hk_status hk_tail_return_level(const struct hk_tail *tail, double period_ns, double hours,
                                    double confidence, double *level_ns,
                                    struct hk_interval *interval);

#endif
