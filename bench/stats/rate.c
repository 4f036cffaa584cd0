/* SPDX-License-Identifier: MIT */
#include "hk/stats/rate.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/proportion.h"

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
