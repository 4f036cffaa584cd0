/* SPDX-License-Identifier: MIT */
#include "hk/stats/rate.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/proportion.h"

/* Where a ratio that could be found is searched, and how finely. */
#define LOG_RATIO_MAX 14.0
#define LOG_RATIO_STEP 1e-3

static bool count_valid(const struct hk_event_count *c)
{
    return c && isfinite(c->exposure) && c->exposure > 0.0 && c->events <= UINT_MAX;
}

/* The ratio of rates that a share of b in all events means. */
static double share_to_ratio(double share, double exposure_ratio)
{
    return share < 1.0 ? share / (1.0 - share) * exposure_ratio : INFINITY;
}

enum hk_status hk_rate_compare(const struct hk_event_count *a, const struct hk_event_count *b,
                               double confidence, struct hk_rate_test *out)
{
    if (!out || !count_valid(a) || !count_valid(b) || a->events + b->events > UINT_MAX ||
        !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    const uint64_t all = a->events + b->events;
    const double exposure_ratio = a->exposure / b->exposure;
    const double expected_share = b->exposure / (a->exposure + b->exposure);
    if (all == 0) {
        *out = (struct hk_rate_test){
            .ratio = NAN, .interval = {0.0, INFINITY, confidence},
            .p_two_sided = 1.0, .p_greater = 1.0, .p_less = 1.0};
        return HK_OK;
    }
    struct hk_interval share;
    double p_two_sided;
    enum hk_status status = hk_proportion_interval(b->events, all, confidence, &share);
    if (status == HK_OK) {
        status = hk_binomial_test(b->events, all, expected_share, &p_two_sided);
    }
    if (status != HK_OK) {
        return status;
    }
    const unsigned n = (unsigned)all;
    const unsigned k = (unsigned)b->events;
    *out = (struct hk_rate_test){
        .ratio = share_to_ratio((double)k / (double)n, exposure_ratio),
        .interval = {share_to_ratio(share.lower, exposure_ratio),
                     share_to_ratio(share.upper, exposure_ratio), confidence},
        .p_two_sided = p_two_sided,
        .p_greater = k == 0 ? 1.0 : gsl_cdf_binomial_Q(k - 1, expected_share, n),
        .p_less = gsl_cdf_binomial_P(k, expected_share, n),
    };
    return HK_OK;
}

/* Probability that the exact test finds a ratio of rates, at the number of events to expect. */
static double power_of(double ratio, double rate, const struct hk_event_count *a,
                       const struct hk_event_count *b, double alpha)
{
    const double all = rate * (a->exposure + ratio * b->exposure);
    const unsigned n = all < UINT_MAX / 2 ? (unsigned)lround(all) : UINT_MAX / 2;
    const double equal_share = b->exposure / (a->exposure + b->exposure);
    const double share = ratio * b->exposure / (a->exposure + ratio * b->exposure);
    unsigned too_few = 0; /* events of b that would not be enough */
    unsigned enough = n + 1;
    while (enough - too_few > 1) {
        const unsigned middle = too_few + (enough - too_few) / 2;
        if (gsl_cdf_binomial_Q(middle - 1, equal_share, n) <= alpha / 2.0) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    return enough > n ? 0.0 : gsl_cdf_binomial_Q(enough - 1, share, n);
}

enum hk_status hk_rate_detectable(const struct hk_event_count *a, const struct hk_event_count *b,
                                  double alpha, double power, double *ratio)
{
    if (!ratio || !count_valid(a) || !count_valid(b) || !(alpha > 0.0 && alpha < 1.0) ||
        !(power > 0.0 && power < 1.0)) {
        return HK_EINVAL;
    }
    const double rate = (double)(a->events + b->events) / (a->exposure + b->exposure);
    if (!(rate > 0.0)) {
        return HK_ENOISE;
    }
    double low = 0.0; /* of ln(ratio) */
    double high = LOG_RATIO_MAX;
    if (power_of(exp(high), rate, a, b, alpha) < power) {
        return HK_ERANGE;
    }
    while (high - low > LOG_RATIO_STEP) {
        const double middle = 0.5 * (low + high);
        if (power_of(exp(middle), rate, a, b, alpha) >= power) {
            high = middle;
        } else {
            low = middle;
        }
    }
    *ratio = exp(high);
    return HK_OK;
}
