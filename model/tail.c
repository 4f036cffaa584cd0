/* SPDX-License-Identifier: MIT */
#include "hk/model/tail.h"

#include <math.h>
#include <stdint.h>

#include <gsl/gsl_cdf.h>

#include "gpd_profile.h"
#include "hk/base/units.h"
#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"

#define COUNT_MIN 300u
#define FORWARD_STOP_RATE 0.10
#define EXCEEDING_MIN_FOR_INDEX 10u
#define BISECTIONS 40
#define LOG_RATIO_MIN (-70.0) /* e^-70 of the exceedances: as good as never */

static const double candidate_quantiles[] = {0.85,  0.90,  0.925, 0.95,  0.97,  0.98,
                                             0.985, 0.99,  0.995, 0.998, 0.999, 0.9995};

#define CANDIDATES_MAX HK_ARRAY_COUNT(candidate_quantiles)

/* First index whose value is larger than the threshold. */
static size_t first_above(const double *sorted, size_t n, double threshold)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] > threshold) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Fit the law beyond one threshold; *tail is complete on HK_OK. */
static enum hk_status fit_at(const double *sorted, size_t n, double threshold,
                             const struct hk_tail_options *options, struct hk_tail *tail)
{
    const size_t first = first_above(sorted, n, threshold);
    const size_t count = n - first;
    if (count < HK_TAIL_EXCEEDANCES_MIN || sorted[first] == sorted[n - 1]) {
        return HK_ENOISE;
    }
    struct gpd_points points;
    struct gpd_parameters best;
    gpd_points_init(&points, sorted + first, count, threshold);
    const enum hk_status status = gpd_maximise(&points, &best);
    if (status != HK_OK) {
        return status;
    }
    /* Clusters carry the information of 1 / index as many independent values. */
    const double drop = gsl_cdf_chisq_Qinv(1.0 - options->confidence_ratio, 1.0) / 2.0 /
                        options->extremal_index;
    const double statistic =
        gpd_anderson(sorted + first, count, threshold, best.xi, best.sigma);
    *tail = (struct hk_tail){
        .sorted_ns = sorted,
        .count = n,
        .threshold_ns = threshold,
        .exceed_count = count,
        .exceed_ratio = (double)count / (double)n,
        .gpd =
            {
                .xi = best.xi,
                .sigma_ns = best.sigma,
                .log_likelihood = best.log_likelihood,
                .xi_interval = gpd_xi_interval(&points, &best, drop, options->confidence_ratio),
                .count = count,
            },
        .anderson_p = gpd_anderson_p(statistic, best.xi),
        .extremal_index = options->extremal_index,
    };
    return HK_OK;
}

/*
 * ForwardStop: reject the first k hypotheses, k the largest with
 * -(1/k) sum ln(1 - p_i) <= rate. Returns k.
 */
static size_t forward_stop(const struct hk_tail *tails, size_t count)
{
    double sum = 0.0;
    size_t rejected = 0;
    for (size_t i = 0; i < count; i++) {
        sum -= log1p(-tails[i].anderson_p);
        if (sum <= FORWARD_STOP_RATE * (double)(i + 1)) {
            rejected = i + 1;
        }
    }
    return rejected;
}

/* Does the shape at one threshold lie within the intervals of all higher ones? */
static bool shape_is_stable(const struct hk_tail *tails, size_t chosen, size_t count)
{
    for (size_t i = chosen + 1; i < count; i++) {
        const struct hk_interval *ci = &tails[i].gpd.xi_interval;
        if (tails[chosen].gpd.xi < ci->lower || tails[chosen].gpd.xi > ci->upper) {
            return false;
        }
    }
    return true;
}

static enum hk_status choose_threshold(const double *sorted, size_t n,
                                       const struct hk_tail_options *options,
                                       struct hk_tail *out)
{
    struct hk_tail tails[CANDIDATES_MAX];
    size_t count = 0;
    /* The share beyond must fall as n grows: convergence to the law is slow. */
    const double most = pow((double)n, 2.0 / 3.0);
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        double threshold;
        (void)hk_quantile(sorted, n, candidate_quantiles[i], &threshold);
        const bool repeated = count > 0 && threshold <= tails[count - 1].threshold_ns;
        const size_t beyond = n - first_above(sorted, n, threshold);
        if (repeated || (double)beyond > most) {
            continue;
        }
        if (fit_at(sorted, n, threshold, options, &tails[count]) == HK_OK) {
            count++;
        }
    }
    if (count == 0) {
        return HK_ENOISE;
    }
    size_t chosen = forward_stop(tails, count);
    while (chosen < count && !shape_is_stable(tails, chosen, count)) {
        chosen++;
    }
    *out = tails[chosen < count ? chosen : count - 1];
    return HK_OK;
}

enum hk_status hk_tail_fit(const double *sorted_ns, size_t n,
                           const struct hk_tail_options *options, struct hk_tail *out)
{
    if (!sorted_ns || !options || !out ||
        !(options->confidence_ratio > 0.0 && options->confidence_ratio < 1.0) ||
        !(options->extremal_index > 0.0 && options->extremal_index <= 1.0) ||
        !(options->threshold_quantile >= 0.0 && options->threshold_quantile < 1.0)) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(sorted_ns[i]) || (i > 0 && sorted_ns[i] < sorted_ns[i - 1])) {
            return HK_EINVAL;
        }
    }
    if (options->threshold_quantile > 0.0) {
        double threshold;
        (void)hk_quantile(sorted_ns, n, options->threshold_quantile, &threshold);
        return fit_at(sorted_ns, n, threshold, options, out);
    }
    return choose_threshold(sorted_ns, n, options, out);
}

static bool query_valid(const struct hk_tail *tail, double confidence)
{
    return tail && tail->sorted_ns && tail->count > 0 && tail->exceed_count > 0 &&
           confidence > 0.0 && confidence < 1.0;
}

/* Is anything about this distance beyond the sample defensible? */
static bool undefended(const struct hk_tail *tail, double x_ns)
{
    return x_ns > tail->sorted_ns[tail->count - 1] && tail->gpd.xi >= 1.0;
}

/* Everything a likelihood interval needs. */
struct profile {
    struct gpd_points points;
    double limit;       /* log likelihood on the edge of the interval */
    double zeta_log_sd; /* standard error of ln zeta */
    double z;           /* of the confidence */
};

static void profile_init(struct profile *profile, const struct hk_tail *tail, double confidence)
{
    const size_t first = tail->count - tail->exceed_count;
    gpd_points_init(&profile->points, tail->sorted_ns + first, tail->exceed_count,
                    tail->threshold_ns);
    profile->z = gsl_cdf_ugaussian_Qinv((1.0 - confidence) / 2.0);
    profile->limit = tail->gpd.log_likelihood -
                     profile->z * profile->z / 2.0 / tail->extremal_index;
    profile->zeta_log_sd = sqrt((1.0 - tail->exceed_ratio) /
                                ((double)tail->exceed_count * tail->extremal_index));
}

/* Bisect from an argument inside the interval to one outside, on the profile given. */
static double profile_edge(const struct profile *profile, double inside, double outside,
                           bool over_ratio, double fixed)
{
    for (int i = 0; i < BISECTIONS && fabs(outside - inside) > 1e-4 * fabs(inside); i++) {
        const double middle = inside + (outside - inside) / 2.0;
        const double log_likelihood =
            over_ratio ? gpd_profile_ratio(&profile->points, fixed, middle)
                       : gpd_profile_ratio(&profile->points, exp(middle), fixed);
        if (log_likelihood > profile->limit) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return inside;
}

/* Interval of ln(P(X > x) / zeta) for a distance beyond the threshold. */
static struct hk_interval ratio_interval(const struct profile *profile, double distance,
                                         double log_ratio)
{
    struct hk_interval ends;
    const double start = fmax(log_ratio, LOG_RATIO_MIN);
    ends.upper = profile_edge(profile, start, 0.0, true, distance);
    if (gpd_profile_ratio(&profile->points, distance, LOG_RATIO_MIN) > profile->limit) {
        ends.lower = -INFINITY;
    } else {
        ends.lower = profile_edge(profile, start, LOG_RATIO_MIN, true, distance);
    }
    return ends;
}

static void body_probability(const struct hk_tail *tail, double x_ns, double confidence,
                             struct hk_tail_probability *out)
{
    /* Clusters count once: the effective sample is index times the sample. */
    const double index = tail->extremal_index;
    const size_t above = tail->count - first_above(tail->sorted_ns, tail->count, x_ns);
    const uint64_t trials = (uint64_t)fmax(1.0, round((double)tail->count * index));
    const uint64_t events = (uint64_t)round((double)above * index);
    out->probability = (double)above / (double)tail->count;
    (void)hk_proportion_interval(events < trials ? events : trials, trials, confidence,
                                 &out->interval);
}

static void law_probability(const struct hk_tail *tail, double x_ns, double confidence,
                            struct hk_tail_probability *out)
{
    const double distance = x_ns - tail->threshold_ns;
    const double ratio = hk_gpd_survival(tail->gpd.xi, tail->gpd.sigma_ns, distance);
    const double log_ratio = ratio > 0.0 ? log(ratio) : LOG_RATIO_MIN;
    struct profile profile;
    profile_init(&profile, tail, confidence);
    const struct hk_interval ends = ratio_interval(&profile, distance, log_ratio);
    /* The share beyond the threshold is estimated too: independent, so in quadrature. */
    const double share = profile.z * profile.zeta_log_sd;
    const double up = hypot(ends.upper - log_ratio, share);
    const double down = hypot(log_ratio - ends.lower, share);
    out->probability = tail->exceed_ratio * ratio;
    out->interval.upper = fmin(1.0, tail->exceed_ratio * exp(log_ratio + up));
    out->interval.lower = ratio > 0.0 ? tail->exceed_ratio * exp(log_ratio - down) : 0.0;
    out->interval.confidence_ratio = confidence;
}

enum hk_status hk_tail_probability(const struct hk_tail *tail, double x_ns, double confidence,
                                   struct hk_tail_probability *out)
{
    if (!out || !query_valid(tail, confidence) || !isfinite(x_ns)) {
        return HK_EINVAL;
    }
    if (undefended(tail, x_ns)) {
        return HK_ERANGE;
    }
    struct hk_tail_probability result = {
        .extrapolated = x_ns > tail->sorted_ns[tail->count - 1],
    };
    if (x_ns <= tail->threshold_ns) {
        body_probability(tail, x_ns, confidence, &result);
    } else {
        law_probability(tail, x_ns, confidence, &result);
    }
    result.interval_decades = result.interval.lower > 0.0
                                  ? log10(result.interval.upper / result.interval.lower)
                                  : INFINITY;
    *out = result;
    return HK_OK;
}

static enum hk_status law_interval(const struct hk_tail *tail, double distance, double log_ratio,
                                   double confidence, struct hk_interval *out)
{
    struct profile profile;
    profile_init(&profile, tail, confidence);
    const double start = log(distance);
    const double far = start + log(1e9);
    if (gpd_profile_ratio(&profile.points, exp(far), log_ratio) > profile.limit) {
        return HK_ENOISE;
    }
    const double upper = exp(profile_edge(&profile, start, far, false, log_ratio));
    const double lower =
        exp(profile_edge(&profile, start, start - log(1e9), false, log_ratio));
    /* dx / d ln zeta = sigma r^-xi carries the error of zeta over. */
    const double slope = tail->gpd.sigma_ns * exp(-tail->gpd.xi * log_ratio);
    const double share = profile.z * profile.zeta_log_sd * slope;
    *out = (struct hk_interval){
        .lower = tail->threshold_ns + fmax(0.0, distance - hypot(distance - lower, share)),
        .upper = tail->threshold_ns + distance + hypot(upper - distance, share),
        .confidence_ratio = confidence,
    };
    return isfinite(out->upper) ? HK_OK : HK_ENOISE;
}

enum hk_status hk_tail_quantile(const struct hk_tail *tail, double p, double confidence,
                                double *x_ns, struct hk_interval *interval_ns)
{
    if (!x_ns || !query_valid(tail, confidence) || !(p > 0.0 && p < 1.0)) {
        return HK_EINVAL;
    }
    enum hk_status status = HK_OK;
    struct hk_interval interval = {0};
    double x;
    if (p >= tail->exceed_ratio) {
        (void)hk_quantile(tail->sorted_ns, tail->count, 1.0 - p, &x);
        if (interval_ns) {
            status = hk_quantile_interval(tail->sorted_ns, tail->count, 1.0 - p, confidence,
                                          &interval);
        }
    } else {
        const double ratio = p / tail->exceed_ratio;
        const double distance = hk_gpd_quantile(tail->gpd.xi, tail->gpd.sigma_ns, ratio);
        x = tail->threshold_ns + distance;
        if (!isfinite(x) || undefended(tail, x)) {
            return HK_ERANGE;
        }
        if (interval_ns) {
            status = law_interval(tail, distance, log(ratio), confidence, &interval);
        }
    }
    if (status != HK_OK) {
        return status;
    }
    *x_ns = x;
    if (interval_ns) {
        *interval_ns = interval;
    }
    return HK_OK;
}

enum hk_status hk_extremal_index(const double *x, size_t n, double threshold, size_t run,
                                 double *index)
{
    if (!index || run < 1 || !isfinite(threshold) || !hk_sample_finite(x, n)) {
        return HK_EINVAL;
    }
    size_t exceeding = 0;
    size_t clusters = 0;
    size_t quiet = run; /* values since the last exceedance; the first starts a cluster */
    for (size_t i = 0; i < n; i++) {
        if (x[i] > threshold) {
            exceeding++;
            clusters += quiet >= run;
            quiet = 0;
        } else {
            quiet++;
        }
    }
    if (exceeding < EXCEEDING_MIN_FOR_INDEX) {
        return HK_ENOISE;
    }
    *index = (double)clusters / (double)exceeding;
    return HK_OK;
}
