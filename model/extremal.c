/* SPDX-License-Identifier: MIT */
#include "hk/model/extremal.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "hk/stats/quantile.h"

#define NS_PER_HOUR (3600.0 * HK_NS_PER_S)
#define EXCEEDING_MIN 10u
#define COUNT_LIMIT 0x80000000u

enum hk_status hk_extremal_intervals(const double *x, size_t n, double threshold, double *index)
{
    if (!index || !isfinite(threshold) || !hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    size_t exceeding = 0;
    size_t last = 0;
    double longest = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > threshold)) {
            continue;
        }
        if (exceeding++ > 0) {
            const double gap = (double)(i - last);
            longest = fmax(longest, gap);
            sum += gap;
            squares += gap * gap;
        }
        last = i;
    }
    if (exceeding < EXCEEDING_MIN) {
        return HK_ENOISE;
    }
    const double gaps = (double)(exceeding - 1);
    if (longest > 2.0) {
        /* Gaps within clusters pull the estimate down: all are shortened, by one and by two. */
        squares += 2.0 * gaps - 3.0 * sum;
        sum -= gaps;
    }
    *index = fmin(1.0, 2.0 * sum * sum / (gaps * squares));
    return HK_OK;
}

enum hk_status hk_tail_hourly(const struct hk_tail *tail, double headroom_ns, double period_ns,
                              double confidence, struct hk_hourly *out)
{
    struct hk_tail_probability p;
    struct hk_hourly made;
    if (!out || !isfinite(period_ns) || !(period_ns > 0.0)) {
        return HK_EINVAL;
    }
    const enum hk_status status = hk_tail_probability(tail, headroom_ns, confidence, &p);
    if (status != HK_OK) {
        return status;
    }
    const double periods = NS_PER_HOUR / period_ns;
    const double clusters = periods * tail->extremal_index;
    made.events_per_hour = periods * p.probability;
    made.clusters_per_hour = clusters * p.probability;
    made.hit_probability = -expm1(-made.clusters_per_hour);
    made.clusters_interval = (struct hk_interval){clusters * p.interval.lower,
                                                  clusters * p.interval.upper,
                                                  p.interval.confidence_ratio};
    *out = made;
    return HK_OK;
}

/* Negative binomial law by mean and variance, the larger of the two. */
struct counted {
    double success; /* mean / variance */
    double size;
};

/* Smallest count that is not exceeded with probability share; COUNT_LIMIT: beyond. */
static unsigned count_quantile(const struct counted *law, double share)
{
    unsigned low = 0;
    unsigned high = COUNT_LIMIT;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (gsl_cdf_negative_binomial_P(middle, law->success, law->size) >= share) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

enum hk_status hk_tail_stretch(const struct hk_tail *tail, double headroom_ns,
                               double period_count, double spread_ratio, double confidence,
                               struct hk_stretch *out)
{
    struct hk_tail_probability p;
    if (!out || !isfinite(period_count) || !(period_count > 0.0) || !isfinite(spread_ratio) ||
        !(spread_ratio >= 0.0)) {
        return HK_EINVAL;
    }
    const enum hk_status status = hk_tail_probability(tail, headroom_ns, confidence, &p);
    if (status != HK_OK) {
        return status;
    }
    const double mean = period_count * p.probability;
    const double z = gsl_cdf_ugaussian_Qinv((1.0 - confidence) / 2.0);
    const double error = period_count * (p.interval.upper - p.interval.lower) / (2.0 * z);
    const double clusters = (2.0 - tail->extremal_index) / tail->extremal_index;
    const double spread = spread_ratio * mean;
    const double excess = fmax(clusters * mean, spread * spread) - mean + error * error;
    if (!(mean > 0.0) || !isfinite(excess) || !(excess > 0.0)) {
        return HK_ERANGE;
    }
    const struct counted law = {mean / (mean + excess), mean * mean / excess};
    const unsigned lower = count_quantile(&law, (1.0 - confidence) / 2.0);
    const unsigned upper = count_quantile(&law, (1.0 + confidence) / 2.0);
    if (upper == COUNT_LIMIT) {
        return HK_ERANGE;
    }
    *out = (struct hk_stretch){mean, {lower, upper, confidence}};
    return HK_OK;
}

enum hk_status hk_tail_return_level(const struct hk_tail *tail, double period_ns, double hours,
                                    double confidence, double *level_ns,
                                    struct hk_interval *interval)
{
    if (!tail || !isfinite(period_ns) || !(period_ns > 0.0) || !isfinite(hours) ||
        !(hours > 0.0)) {
        return HK_EINVAL;
    }
    const double p = period_ns / (hours * NS_PER_HOUR * tail->extremal_index);
    return hk_tail_quantile(tail, p, confidence, level_ns, interval);
}
