/* SPDX-License-Identifier: MIT */
#include "hk/model/overlap.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "check.h"
#include "hk/stats/quantile.h"

#define COUNT_MIN 5u
#define DIFFERENT_MIN 4u

static bool overlap_valid(const struct hk_overlap *o)
{
    return o && check_cost_estimate(&o->send_ns) && check_cost_estimate(&o->wake_ns) &&
           check_cost_estimate(&o->rest_ns) && check_cost_estimate(&o->receive_ns) &&
           check_not_negative(o->wake_sd_ns) && check_not_negative(o->rest_sd_ns);
}

enum hk_status hk_overlap_hop(const struct hk_overlap *overlap, struct hk_estimate *hop_ns)
{
    if (!hop_ns || !overlap_valid(overlap)) {
        return HK_EINVAL;
    }
    const double wake = overlap->wake_ns.value;
    const double rest = overlap->rest_ns.value;
    const double spread = hypot(overlap->wake_sd_ns, overlap->rest_sd_ns);
    double wake_last = wake >= rest ? 1.0 : 0.0; /* chance that the wake-up is the later one */
    double latest = fmax(wake, rest);
    if (spread > 0.0) {
        const double z = (wake - rest) / spread;
        wake_last = gsl_cdf_ugaussian_P(z);
        latest = wake * wake_last + rest * (1.0 - wake_last) + spread * gsl_ran_ugaussian_pdf(z);
    }
    /* d E max / d wake is the chance that the wake-up decides. */
    const double race = hypot(wake_last * overlap->wake_ns.standard_error,
                              (1.0 - wake_last) * overlap->rest_ns.standard_error);
    const double ends =
        hypot(overlap->send_ns.standard_error, overlap->receive_ns.standard_error);
    const struct hk_estimate hop = {
        .value = overlap->send_ns.value + latest + overlap->receive_ns.value,
        .standard_error = hypot(race, ends),
        .count = check_fewer(check_fewer(overlap->send_ns.count, overlap->receive_ns.count),
                             check_fewer(overlap->wake_ns.count, overlap->rest_ns.count)),
    };
    if (!check_finite_estimate(&hop)) {
        return HK_ERANGE;
    }
    *hop_ns = hop;
    return HK_OK;
}

struct hinge {
    double floor;
    double slack;
    double slope;
    double squares;
};

/* Best floor and slope for a given slack: a line over the excess delay. */
static struct hinge fit_at(const double *delay, const double *total, size_t n, double slack)
{
    double excess_mean = 0.0;
    double total_mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        excess_mean += (fmax(0.0, delay[i] - slack) - excess_mean) / (double)(i + 1);
        total_mean += (total[i] - total_mean) / (double)(i + 1);
    }
    double xx = 0.0;
    double xy = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double x = fmax(0.0, delay[i] - slack) - excess_mean;
        xx += x * x;
        xy += x * (total[i] - total_mean);
    }
    struct hinge hinge = {.slack = slack, .slope = xx > 0.0 ? xy / xx : 0.0};
    hinge.floor = total_mean - hinge.slope * excess_mean;
    for (size_t i = 0; i < n; i++) {
        const double residual =
            total[i] - hinge.floor - hinge.slope * fmax(0.0, delay[i] - slack);
        hinge.squares += residual * residual;
    }
    return hinge;
}

/* Where the mean of the first k totals meets the line through the others. */
static double crossing_after(const double *delay, const double *total, size_t n, size_t k)
{
    double floor = 0.0;
    for (size_t i = 0; i < k; i++) {
        floor += total[i] / (double)k;
    }
    const struct hinge line = fit_at(delay + k, total + k, n - k, delay[k]);
    return delay[k] + (floor - line.floor) / line.slope;
}

static bool delays_valid(const double *delay, size_t n, size_t *different)
{
    *different = 1;
    for (size_t i = 1; i < n; i++) {
        if (delay[i] < delay[i - 1]) {
            return false;
        }
        *different += delay[i] > delay[i - 1];
    }
    return true;
}

enum hk_status hk_overlap_slack(const double *delay_ns, const double *total_ns, size_t n,
                                struct hk_slack *out)
{
    if (!delay_ns || !total_ns || !out) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    size_t different;
    if (!hk_sample_finite(delay_ns, n) || !hk_sample_finite(total_ns, n) ||
        !delays_valid(delay_ns, n, &different)) {
        return HK_EINVAL;
    }
    if (different < DIFFERENT_MIN) {
        return HK_ENOISE;
    }
    /* The least-squares hinge bends at a delay, or where two free lines cross between two. */
    struct hinge best = fit_at(delay_ns, total_ns, n, delay_ns[0]);
    for (size_t k = 1; k + 1 < n; k++) {
        const double candidates[] = {delay_ns[k], crossing_after(delay_ns, total_ns, n, k)};
        for (int c = 0; c < 2; c++) {
            /* A bend beyond the last delay but one leaves one point for the slope. */
            if (!(candidates[c] >= delay_ns[0] && candidates[c] < delay_ns[n - 1])) {
                continue;
            }
            const struct hinge hinge = fit_at(delay_ns, total_ns, n, candidates[c]);
            best = hinge.squares < best.squares ? hinge : best;
        }
    }
    const struct hk_slack found = {
        .floor_ns = best.floor,
        .slack_ns = best.slack,
        .slope = best.slope,
        .residual_sd_ns = sqrt(best.squares / (double)(n - 3)),
        .count = n,
    };
    if (!isfinite(found.floor_ns) || !isfinite(found.residual_sd_ns) || !(found.slope > 0.0)) {
        return HK_ENOISE;
    }
    *out = found;
    return HK_OK;
}
