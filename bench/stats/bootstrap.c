/* SPDX-License-Identifier: MIT */
#include "hk/stats/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap_finish.h"
#include "hk/stats/quantile.h"

#define COUNT_MIN 8u
#define CLUSTERS_MIN 5u
#define JACKKNIFE_BLOCKS_MAX 64u
#define BLOCKS_MAX 2000u

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/*
 * Prefix sums of centred columns, one row per prefix: the sum of any block is a
 * difference of two rows. Centring keeps that difference from cancelling.
 */
struct prefix {
    double *rows; /* (n + 1) rows of column_count */
    double centre[HK_BOOTSTRAP_COLUMNS_MAX];
    size_t column_count;
    size_t n;
};

static enum hk_status prefix_init(struct prefix *prefix, const struct hk_moment_data *data)
{
    const size_t columns = data->column_count;
    prefix->column_count = columns;
    prefix->n = data->n;
    prefix->rows = malloc((data->n + 1) * columns * sizeof(double));
    if (!prefix->rows) {
        return HK_ENOMEM;
    }
    for (size_t c = 0; c < columns; c++) {
        double mean = 0.0;
        for (size_t i = 0; i < data->n; i++) {
            mean += (data->columns[c][i] - mean) / (double)(i + 1);
        }
        prefix->centre[c] = mean;
        double sum = 0.0;
        prefix->rows[c] = 0.0;
        for (size_t i = 0; i < data->n; i++) {
            sum += data->columns[c][i] - mean;
            prefix->rows[(i + 1) * columns + c] = sum;
        }
    }
    return HK_OK;
}

/* Add sign times the sum of the circular block [start, start + length) to sums. */
static void add_block(const struct prefix *prefix, size_t start, size_t length, double sign,
                      double *sums)
{
    const size_t columns = prefix->column_count;
    const size_t end = start + length;
    const double *from = prefix->rows + start * columns;
    if (end <= prefix->n) {
        const double *to = prefix->rows + end * columns;
        for (size_t c = 0; c < columns; c++) {
            sums[c] += sign * (to[c] - from[c]);
        }
        return;
    }
    const double *all = prefix->rows + prefix->n * columns;
    const double *to = prefix->rows + (end - prefix->n) * columns;
    for (size_t c = 0; c < columns; c++) {
        sums[c] += sign * (all[c] - from[c] + to[c]);
    }
}

static void means_of(const struct prefix *prefix, const double *sums, size_t count,
                     double *means)
{
    for (size_t c = 0; c < prefix->column_count; c++) {
        means[c] = prefix->centre[c] + sums[c] / (double)count;
    }
}

/* Means of so many rows, drawn in blocks. */
static void resample_means(const struct prefix *prefix, size_t block, size_t count,
                           struct hk_rng *rng, double *means)
{
    double sums[HK_BOOTSTRAP_COLUMNS_MAX] = {0};
    for (size_t filled = 0; filled < count; filled += block) {
        const size_t start = hk_rng_below(rng, prefix->n);
        add_block(prefix, start, size_min(block, count - filled), 1.0, sums);
    }
    means_of(prefix, sums, count, means);
}

static void means_without_block(const struct prefix *prefix, size_t start, size_t block,
                                double *means)
{
    double sums[HK_BOOTSTRAP_COLUMNS_MAX] = {0};
    add_block(prefix, 0, prefix->n, 1.0, sums);
    add_block(prefix, start, block, -1.0, sums);
    means_of(prefix, sums, prefix->n - block, means);
}

/*
 * The longest block any column asks for, but at least the cube root of n, which is
 * the optimal rate and covers any shorter memory, and never more than BLOCKS_MAX
 * blocks: the spread of 2000 blocks is known to 2 %, more only cost time.
 */
static enum hk_status moment_block(const struct hk_moment_data *data, size_t *block)
{
    size_t longest = 0;
    for (size_t c = 0; c < data->column_count; c++) {
        size_t length;
        const enum hk_status status = hk_block_length(data->columns[c], data->n, &length);
        if (status == HK_OK) {
            longest = length > longest ? length : longest;
        } else if (status != HK_ENOISE) {
            return status; /* a constant column asks for nothing */
        }
    }
    if (longest == 0) {
        return HK_ENOISE;
    }
    const size_t rate = (size_t)cbrt((double)data->n);
    const size_t work = data->n / BLOCKS_MAX;
    *block = size_max(longest, size_max(rate, work));
    return HK_OK;
}

/* As the options say, or chosen. */
static enum hk_status block_of(const struct hk_moment_data *data,
                               const struct hk_bootstrap_options *options, size_t *block)
{
    size_t length = options->block_count;
    const enum hk_status status = length == 0 ? moment_block(data, &length) : HK_OK;
    if (status == HK_OK && length > data->n / 2) {
        return HK_ENOISE;
    }
    if (status == HK_OK) {
        *block = length;
    }
    return status;
}

static enum hk_status moment_data_check(const struct hk_moment_data *data)
{
    if (!data || !data->columns || data->column_count == 0 ||
        data->column_count > HK_BOOTSTRAP_COLUMNS_MAX) {
        return HK_EINVAL;
    }
    if (data->n < COUNT_MIN) {
        return HK_ENOISE;
    }
    for (size_t c = 0; c < data->column_count; c++) {
        if (!hk_sample_finite(data->columns[c], data->n)) {
            return HK_EINVAL;
        }
    }
    return HK_OK;
}

/* One resample serves every statistic: drawing the blocks is the cost. */
static void fill_replicates(const struct prefix *prefix, size_t block, struct hk_rng *rng,
                            const struct hk_moment_statistic *statistics, size_t count,
                            struct bootstrap_work *work)
{
    double means[HK_BOOTSTRAP_COLUMNS_MAX];
    for (size_t r = 0; r < work[0].replicate_count; r++) {
        resample_means(prefix, block, prefix->n, rng, means);
        for (size_t s = 0; s < count; s++) {
            work[s].replicates[r] = statistics[s].function(means, statistics[s].context);
        }
    }
    for (size_t j = 0; j < work[0].jackknife_count; j++) {
        means_without_block(prefix, j * block, block, means);
        for (size_t s = 0; s < count; s++) {
            work[s].jackknife[j] = statistics[s].function(means, statistics[s].context);
        }
    }
}

static bool statistics_valid(const struct hk_moment_statistic *statistics, size_t count)
{
    if (!statistics || count == 0 || count > HK_BOOTSTRAP_STATISTICS_MAX) {
        return false;
    }
    for (size_t s = 0; s < count; s++) {
        if (!statistics[s].function) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_bootstrap_moments(const struct hk_moment_data *data,
                                    const struct hk_moment_statistic *statistics,
                                    size_t statistic_count,
                                    const struct hk_bootstrap_options *options,
                                    struct hk_rng *rng, struct hk_bootstrap *out)
{
    size_t replicates;
    enum hk_status status = bootstrap_options_check(options, &replicates);
    if (status != HK_OK || !statistics_valid(statistics, statistic_count) || !rng || !out) {
        return HK_EINVAL;
    }
    status = moment_data_check(data);
    if (status != HK_OK) {
        return status;
    }
    size_t block;
    status = block_of(data, options, &block);
    if (status != HK_OK) {
        return status;
    }
    struct prefix prefix = {0};
    struct bootstrap_work work[HK_BOOTSTRAP_STATISTICS_MAX] = {0};
    struct hk_bootstrap results[HK_BOOTSTRAP_STATISTICS_MAX];
    status = prefix_init(&prefix, data);
    for (size_t s = 0; status == HK_OK && s < statistic_count; s++) {
        status = bootstrap_work_init(&work[s], replicates, data->n / block);
    }
    if (status != HK_OK) {
        goto done;
    }
    fill_replicates(&prefix, block, rng, statistics, statistic_count, work);
    for (size_t s = 0; status == HK_OK && s < statistic_count; s++) {
        const double value = statistics[s].function(prefix.centre, statistics[s].context);
        status = bootstrap_finish(&work[s], value, options->confidence_ratio, block, &results[s]);
    }
    if (status == HK_OK) {
        memcpy(out, results, statistic_count * sizeof *out);
    }
done:
    free(prefix.rows);
    for (size_t s = 0; s < statistic_count; s++) {
        bootstrap_work_fini(&work[s]);
    }
    return status;
}

/* A value times percentiles of ratios, which are put in order. */
static enum hk_status percentiles(double *ratios, size_t count, double value, double confidence,
                                  struct hk_interval *interval)
{
    const double outside = (1.0 - confidence) / 2.0;
    double lower;
    double upper;
    if (!(value > 0.0) || !hk_sample_finite(ratios, count)) {
        return HK_ENOISE;
    }
    (void)hk_sample_sort(ratios, count);
    if (ratios[0] == ratios[count - 1]) {
        return HK_ENOISE;
    }
    (void)hk_quantile(ratios, count, outside, &lower);
    (void)hk_quantile(ratios, count, 1.0 - outside, &upper);
    *interval = (struct hk_interval){value * lower, value * upper, confidence};
    return HK_OK;
}

enum hk_status hk_bootstrap_next(const struct hk_moment_data *data,
                                 const struct hk_moment_statistic *statistic, size_t next_count,
                                 const struct hk_bootstrap_options *options, struct hk_rng *rng,
                                 struct hk_interval *interval)
{
    size_t replicates;
    size_t block;
    enum hk_status status = bootstrap_options_check(options, &replicates);
    if (status != HK_OK || !statistics_valid(statistic, 1) || next_count == 0 || !rng ||
        !interval) {
        return HK_EINVAL;
    }
    status = moment_data_check(data);
    if (status == HK_OK) {
        status = block_of(data, options, &block);
    }
    if (status != HK_OK) {
        return status;
    }
    struct prefix prefix = {0};
    double *ratios = malloc(replicates * sizeof *ratios);
    status = ratios ? prefix_init(&prefix, data) : HK_ENOMEM;
    for (size_t r = 0; status == HK_OK && r < replicates; r++) {
        double known[HK_BOOTSTRAP_COLUMNS_MAX];
        double next[HK_BOOTSTRAP_COLUMNS_MAX];
        resample_means(&prefix, block, data->n, rng, known);
        resample_means(&prefix, block, next_count, rng, next);
        ratios[r] = statistic->function(next, statistic->context) /
                    statistic->function(known, statistic->context);
    }
    if (status == HK_OK) {
        const double value = statistic->function(prefix.centre, statistic->context);
        status = percentiles(ratios, replicates, value, options->confidence_ratio, interval);
    }
    free(prefix.rows);
    free(ratios);
    return status;
}

static double sample_replicate(const double *x, size_t n, size_t block, double *work,
                               struct hk_rng *rng, hk_sample_fn statistic, const void *context)
{
    for (size_t filled = 0; filled < n;) {
        const size_t start = hk_rng_below(rng, n);
        const size_t length = size_min(block, n - filled);
        const size_t straight = size_min(length, n - start);
        memcpy(work + filled, x + start, straight * sizeof *x);
        memcpy(work + filled + straight, x, (length - straight) * sizeof *x);
        filled += length;
    }
    return statistic(work, n, context);
}

static double sample_without_group(const double *x, size_t n, size_t first, size_t end,
                                   double *work, hk_sample_fn statistic, const void *context)
{
    memcpy(work, x, first * sizeof *x);
    memcpy(work + first, x + end, (n - end) * sizeof *x);
    return statistic(work, n - (end - first), context);
}

enum hk_status hk_bootstrap_sample(const double *x, size_t n, hk_sample_fn statistic,
                                   const void *context,
                                   const struct hk_bootstrap_options *options,
                                   struct hk_rng *rng, struct hk_bootstrap *out)
{
    size_t replicates;
    enum hk_status status = bootstrap_options_check(options, &replicates);
    if (status != HK_OK || !x || !statistic || !rng || !out) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    size_t block = options->block_count;
    if (block == 0) {
        status = hk_block_length(x, n, &block);
        if (status != HK_OK) {
            return status;
        }
    }
    if (block > n / 2) {
        return HK_ENOISE;
    }
    struct bootstrap_work work = {0};
    double *copy = malloc(n * sizeof *copy);
    status = copy ? bootstrap_work_init(&work, replicates,
                                        size_min(n / block, JACKKNIFE_BLOCKS_MAX))
                  : HK_ENOMEM;
    if (status != HK_OK) {
        goto done;
    }
    for (size_t r = 0; r < replicates; r++) {
        work.replicates[r] = sample_replicate(x, n, block, copy, rng, statistic, context);
    }
    const size_t groups = work.jackknife_count;
    for (size_t j = 0; j < groups; j++) {
        work.jackknife[j] = sample_without_group(x, n, j * n / groups, (j + 1) * n / groups,
                                                 copy, statistic, context);
    }
    memcpy(copy, x, n * sizeof *copy);
    status = bootstrap_finish(&work, statistic(copy, n, context), options->confidence_ratio,
                              block, out);
done:
    free(copy);
    bootstrap_work_fini(&work);
    return status;
}

/* Means pooled over the clusters picked, leaving one out if skip is a cluster. */
static double pooled(const struct hk_cluster_data *data, const size_t *picked, size_t skip,
                     hk_moment_fn statistic, const void *context)
{
    double means[HK_BOOTSTRAP_COLUMNS_MAX] = {0};
    double total = 0.0;
    for (size_t i = 0; i < data->cluster_count; i++) {
        const size_t cluster = picked ? picked[i] : i;
        if (cluster == skip) {
            continue;
        }
        total += (double)data->counts[cluster];
        for (size_t c = 0; c < data->column_count; c++) {
            means[c] += data->sums[cluster * data->column_count + c];
        }
    }
    for (size_t c = 0; c < data->column_count; c++) {
        means[c] /= total;
    }
    return statistic(means, context);
}

static enum hk_status cluster_data_check(const struct hk_cluster_data *data)
{
    if (!data || !data->sums || !data->counts || data->column_count == 0 ||
        data->column_count > HK_BOOTSTRAP_COLUMNS_MAX) {
        return HK_EINVAL;
    }
    if (data->cluster_count < CLUSTERS_MIN) {
        return HK_ENOISE;
    }
    for (size_t i = 0; i < data->cluster_count; i++) {
        if (data->counts[i] == 0) {
            return HK_EINVAL;
        }
    }
    return hk_sample_finite(data->sums, data->cluster_count * data->column_count) ? HK_OK
                                                                                  : HK_EINVAL;
}

enum hk_status hk_bootstrap_clusters(const struct hk_cluster_data *data, hk_moment_fn statistic,
                                     const void *context,
                                     const struct hk_bootstrap_options *options,
                                     struct hk_rng *rng, struct hk_bootstrap *out)
{
    size_t replicates;
    enum hk_status status = bootstrap_options_check(options, &replicates);
    if (status != HK_OK || !statistic || !rng || !out) {
        return HK_EINVAL;
    }
    status = cluster_data_check(data);
    if (status != HK_OK) {
        return status;
    }
    const size_t clusters = data->cluster_count;
    struct bootstrap_work work = {0};
    size_t *picked = malloc(clusters * sizeof *picked);
    status = picked ? bootstrap_work_init(&work, replicates, clusters) : HK_ENOMEM;
    if (status != HK_OK) {
        goto done;
    }
    for (size_t r = 0; r < replicates; r++) {
        for (size_t i = 0; i < clusters; i++) {
            picked[i] = hk_rng_below(rng, clusters);
        }
        work.replicates[r] = pooled(data, picked, clusters, statistic, context);
    }
    for (size_t j = 0; j < clusters; j++) {
        work.jackknife[j] = pooled(data, NULL, j, statistic, context);
    }
    status = bootstrap_finish(&work, pooled(data, NULL, clusters, statistic, context),
                              options->confidence_ratio, 1, out);
done:
    free(picked);
    bootstrap_work_fini(&work);
    return status;
}
