/* SPDX-License-Identifier: MIT */
#include "bootstrap_finish.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"

#define UNDEFINED_RATIO_MAX 0.01

enum hk_status bootstrap_work_init(struct bootstrap_work *work, size_t replicate_count,
                                   size_t jackknife_count)
{
    *work = (struct bootstrap_work){
        .replicates = malloc(replicate_count * sizeof(double)),
        .replicate_count = replicate_count,
        .jackknife = malloc(jackknife_count * sizeof(double)),
        .jackknife_count = jackknife_count,
    };
    if (!work->replicates || !work->jackknife) {
        bootstrap_work_fini(work);
        return HK_ENOMEM;
    }
    return HK_OK;
}

void bootstrap_work_fini(struct bootstrap_work *work)
{
    free(work->replicates);
    free(work->jackknife);
    *work = (struct bootstrap_work){0};
}

enum hk_status bootstrap_options_check(const struct hk_bootstrap_options *options,
                                       size_t *replicates)
{
    if (!options || !(options->confidence_ratio > 0.0 && options->confidence_ratio < 1.0)) {
        return HK_EINVAL;
    }
    const size_t wanted = options->replicate_count ? options->replicate_count
                                                   : HK_BOOTSTRAP_REPLICATES_DEFAULT;
    if (wanted < HK_BOOTSTRAP_REPLICATES_MIN) {
        return HK_EINVAL;
    }
    *replicates = wanted;
    return HK_OK;
}

static size_t keep_finite(double *x, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i])) {
            x[kept++] = x[i];
        }
    }
    return kept;
}

/* Acceleration from the skewness of the jackknife values; 0 where it says nothing. */
static double acceleration(const struct bootstrap_work *work)
{
    const size_t n = work->jackknife_count;
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += work->jackknife[i] / (double)n;
    }
    double squares = 0.0;
    double cubes = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double d = mean - work->jackknife[i];
        squares += d * d;
        cubes += d * d * d;
    }
    const double a = cubes / (6.0 * pow(squares, 1.5));
    return isfinite(a) ? a : 0.0;
}

/* Share of replicates below the value, ties counted half, kept off 0 and 1. */
static double share_below(const double *sorted, size_t n, double value)
{
    double below = 0.0;
    for (size_t i = 0; i < n; i++) {
        below += sorted[i] < value ? 1.0 : 0.0;
        below += sorted[i] == value ? 0.5 : 0.0;
    }
    const double edge = 0.5 / (double)n;
    return fmin(1.0 - edge, fmax(edge, below / (double)n));
}

/* Level at which to read the replicates for a nominal level. */
static double adjusted_level(double level, double bias, double accelerate)
{
    const double z = bias + gsl_cdf_ugaussian_Pinv(level);
    const double shrink = 1.0 - accelerate * z;
    return shrink > 0.0 ? gsl_cdf_ugaussian_P(bias + z / shrink) : level;
}

enum hk_status bootstrap_finish(struct bootstrap_work *work, double value, double confidence,
                                size_t block_count, struct hk_bootstrap *out)
{
    const size_t wanted = work->replicate_count;
    const size_t kept = keep_finite(work->replicates, wanted);
    if (!isfinite(value) || (double)(wanted - kept) > UNDEFINED_RATIO_MAX * (double)wanted) {
        return HK_ENOISE;
    }
    struct hk_estimate mean;
    enum hk_status status = hk_mean_estimate(work->replicates, kept, &mean);
    if (status != HK_OK) {
        return status;
    }
    const double sd = mean.standard_error * sqrt((double)kept);
    status = hk_sample_sort(work->replicates, kept);
    if (status != HK_OK || work->replicates[0] == work->replicates[kept - 1]) {
        return HK_ENOISE;
    }
    const double bias = gsl_cdf_ugaussian_Pinv(share_below(work->replicates, kept, value));
    const double accelerate = acceleration(work);
    const double tail = (1.0 - confidence) / 2.0;
    struct hk_bootstrap result = {
        .value = value,
        .standard_error = sd,
        .interval.confidence_ratio = confidence,
        .block_count = block_count,
        .replicate_count = kept,
    };
    (void)hk_quantile(work->replicates, kept, adjusted_level(tail, bias, accelerate),
                      &result.interval.lower);
    (void)hk_quantile(work->replicates, kept, adjusted_level(1.0 - tail, bias, accelerate),
                      &result.interval.upper);
    *out = result;
    return HK_OK;
}
