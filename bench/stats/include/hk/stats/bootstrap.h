/* SPDX-License-Identifier: MIT */
/*
 * Resampling: circular blocks for a dependent series, launches for clustered
 * data.
 *
 * Most statistics of timing are smooth functions of means (a variance, an
 * autocorrelation, a jitter, a ratio). Such a statistic is given as columns and a
 * function of the column means; prefix sums then make one replicate cost
 * O(n / block) instead of O(n).
 */
#ifndef HK_STATS_BOOTSTRAP_H
#define HK_STATS_BOOTSTRAP_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"
#include "hk/stats/rng.h"

#define HK_BOOTSTRAP_COLUMNS_MAX 8u
#define HK_BOOTSTRAP_STATISTICS_MAX 8u
#define HK_BOOTSTRAP_REPLICATES_MIN 100u
#define HK_BOOTSTRAP_REPLICATES_DEFAULT 2000u

/* Statistic of column means; returns a value that is not finite where it is undefined. */
typedef double (*hk_moment_fn)(const double *means, const void *context);

struct hk_moment_statistic {
    hk_moment_fn function;
    const void *context;
};

/* Statistic of a resampled series of n values; may reorder x. */
typedef double (*hk_sample_fn)(double *x, size_t n, const void *context);

struct hk_bootstrap_options {
    size_t block_count;      /* values per block; 0: choose by hk_block_length; 1: independent */
    size_t replicate_count;  /* 0: HK_BOOTSTRAP_REPLICATES_DEFAULT */
    double confidence_ratio; /* inside (0, 1) */
};

struct hk_bootstrap {
    double value;                /* statistic of the data as they are */
    double standard_error;       /* sd over the replicates */
    struct hk_interval interval; /* bias-corrected and accelerated */
    size_t block_count;          /* values per block used */
    size_t replicate_count;      /* replicates on which the statistic was finite */
};

/*
 * Block length for the circular block bootstrap of a series' mean.
 *
 * x       [in]   n finite values in time order
 * n       [in]   >= 8
 * length  [out]  1 .. ceil(min(3 sqrt n, n / 3))
 *
 * Returns HK_OK; HK_EINVAL for a null pointer or a value that is not finite;
 * HK_ENOISE if n < 8 or the series is constant; HK_ENOMEM.
 * Cost O(n log n).
 * Source: Politis & White 2004 (Econometric Reviews 23(1)) with the correction of
 * Patton, Politis & White 2009 (28(4)).
 */
enum hk_status hk_block_length(const double *x, size_t n, size_t *length);

/* A series as columns of the same length, in time order. */
struct hk_moment_data {
    const double *const *columns; /* column_count pointers to n values each */
    size_t column_count;
    size_t n;
};

/*
 * Block bootstrap of functions of column means; one set of resamples serves all.
 *
 * data             [in]   1..HK_BOOTSTRAP_COLUMNS_MAX columns of n >= 8 finite values
 * statistics       [in]   1..HK_BOOTSTRAP_STATISTICS_MAX functions with their contexts
 * statistic_count  [in]
 * options          [in]   block length 0 takes the longest that any column asks for,
 *                         at least the cube root of n, and at most 2000 blocks
 * rng              [in]   advanced
 * out              [out]  statistic_count results; none is written unless all are
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE if n < 8, if every
 * replicate gives the same value (constant data), or if a statistic is undefined
 * on the data or on more than 1 % of the replicates; HK_ENOMEM.
 * Cost O(columns * (n log n + replicates * n / block)): 0.1 s for n = 10^5.
 * Source: Politis & Romano 1992 (circular blocks); Efron 1987 (BCa), acceleration
 * by the jackknife over blocks.
 */
enum hk_status hk_bootstrap_moments(const struct hk_moment_data *data,
                                    const struct hk_moment_statistic *statistics,
                                    size_t statistic_count,
                                    const struct hk_bootstrap_options *options,
                                    struct hk_rng *rng, struct hk_bootstrap *out);

/*
 * Prediction interval of a positive statistic of the rows that follow a series: its value of the
 * series times percentiles of next / known, where every replicate draws both from the series, the
 * one as long as what follows and the other as long as what is known. The interval so holds the
 * errors of both, and rare large values, which a few rows have or have not, as they come.
 *
 * data        [in]   as hk_bootstrap_moments
 * statistic   [in]   of column means, > 0
 * next_count  [in]   rows that follow, >= 1
 * interval    [out]
 *
 * Returns as hk_bootstrap_moments; HK_ENOISE also if the statistic is not positive.
 * Cost O(columns * replicates * (n + next_count) / block).
 * Source: Politis 2015 (Model-Free Prediction and Regression) for predictive roots.
 */
enum hk_status hk_bootstrap_next(const struct hk_moment_data *data,
                                 const struct hk_moment_statistic *statistic, size_t next_count,
                                 const struct hk_bootstrap_options *options, struct hk_rng *rng,
                                 struct hk_interval *interval);

/*
 * Block bootstrap of any statistic of one series: it is recomputed on every
 * resampled copy. The jackknife behind the acceleration uses at most 64 blocks.
 *
 * x  [in]  n finite values in time order, n >= 2; with block_count 0, n >= 8
 *
 * Returns as hk_bootstrap_moments. Cost O(replicates * cost of the statistic).
 */
enum hk_status hk_bootstrap_sample(const double *x, size_t n, hk_sample_fn statistic,
                                   const void *context,
                                   const struct hk_bootstrap_options *options,
                                   struct hk_rng *rng, struct hk_bootstrap *out);

/* Launches as clusters: per launch, the sum of each column and the number of values. */
struct hk_cluster_data {
    const double *sums; /* cluster_count rows of column_count sums */
    const size_t *counts;
    size_t column_count;
    size_t cluster_count;
};

/*
 * Cluster bootstrap of a function of pooled column means: whole launches are
 * drawn, so that what is common to a launch is not counted as evidence.
 *
 * data     [in]  >= 5 clusters with at least one value each, finite sums
 * options  [in]  block_count is not used
 *
 * Returns as hk_bootstrap_moments; HK_ENOISE below 5 clusters.
 * Cost O(replicates * clusters * columns).
 * Source: Davison & Hinkley 1997, section 3.8.
 */
enum hk_status hk_bootstrap_clusters(const struct hk_cluster_data *data, hk_moment_fn statistic,
                                     const void *context,
                                     const struct hk_bootstrap_options *options,
                                     struct hk_rng *rng, struct hk_bootstrap *out);

#endif
