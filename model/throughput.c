/* SPDX-License-Identifier: MIT */
#include "hk/model/throughput.h"

#include <gsl/gsl_cdf.h>

#include "check.h"

#define TRANSFERS 2.0 /* request and reply */
#define BISECTIONS 60
#define STEPS_MAX 400
#define STEP_RATIO 1.05 /* sizes are searched on a logarithmic grid, then bisected */
#define CONFIDENCE_ANY 0.95 /* hk_copy_curve_predict wants one; only its mean is read */

enum hk_status hk_throughput_textbook(const struct hk_estimate *alpha,
                                      const struct hk_estimate *beta, double covariance,
                                      struct hk_estimate *out)
{
    if (!alpha || !beta || !out || !check_cost_estimate(alpha) || !check_cost_estimate(beta)) {
        return HK_EINVAL;
    }
    const double bound = alpha->standard_error * beta->standard_error;
    if (!(fabs(covariance) <= bound * (1.0 + 1e-9))) {
        return HK_EINVAL;
    }
    const double cost = 1.0 + beta->value + 2.0 * alpha->value;
    const double variance = beta->standard_error * beta->standard_error +
                            4.0 * alpha->standard_error * alpha->standard_error +
                            4.0 * covariance;
    const double ratio = 2.0 / cost;
    const double error = ratio * sqrt(fmax(0.0, variance)) / cost;
    if (!isfinite(error)) {
        return HK_EINVAL;
    }
    *out = (struct hk_estimate){ratio, error, check_fewer(alpha->count, beta->count)};
    return HK_OK;
}

enum hk_status hk_throughput_general(double copy_share_ratio, double beta, double transfer_share,
                                     double *ratio)
{
    if (!ratio || !check_ratio(copy_share_ratio) || !check_not_negative(beta) ||
        !check_not_negative(transfer_share)) {
        return HK_EINVAL;
    }
    const double cost = 1.0 - copy_share_ratio * (1.0 - beta) + TRANSFERS * transfer_share;
    if (!check_positive(cost) || !isfinite(1.0 / cost)) {
        return HK_ERANGE;
    }
    *ratio = 1.0 / cost;
    return HK_OK;
}

static double square(double x)
{
    return x * x;
}

/* T = (b + k) / (b + z + 2 i) and its error, where z may be the copy itself. */
static struct hk_estimate ratio_of(const struct hk_throughput_costs *c, bool copies)
{
    const struct hk_estimate *moved = copies ? &c->copy_ns : &c->remap_ns;
    const double server = c->base_ns.value + moved->value + TRANSFERS * c->transfer_ns.value;
    const double ratio = (c->base_ns.value + c->copy_ns.value) / server;
    const double by_copy = copies ? 1.0 - ratio : 1.0;
    const double by_remap = copies ? 0.0 : ratio;
    const double variance = square((1.0 - ratio) * c->base_ns.standard_error) +
                            square(by_copy * c->copy_ns.standard_error) +
                            square(by_remap * c->remap_ns.standard_error) +
                            square(TRANSFERS * ratio * c->transfer_ns.standard_error);
    size_t count = check_fewer(c->base_ns.count, c->copy_ns.count);
    count = check_fewer(count, check_fewer(moved->count, c->transfer_ns.count));
    return (struct hk_estimate){ratio, sqrt(variance) / server, count};
}

enum hk_status hk_throughput_predict(const struct hk_throughput_costs *costs,
                                     struct hk_throughput *out)
{
    if (!costs || !out || !check_positive_estimate(&costs->base_ns) ||
        !check_positive_estimate(&costs->copy_ns) || !check_cost_estimate(&costs->remap_ns) ||
        !check_cost_estimate(&costs->transfer_ns)) {
        return HK_EINVAL;
    }
    const double kernel = costs->base_ns.value + costs->copy_ns.value;
    const bool copies = costs->copy_ns.value < costs->remap_ns.value;
    const struct hk_throughput result = {
        .copy_share_ratio = costs->copy_ns.value / kernel,
        .beta = costs->remap_ns.value / costs->copy_ns.value,
        .transfer_share = costs->transfer_ns.value / kernel,
        .ratio = ratio_of(costs, false),
        .adaptive = ratio_of(costs, copies),
    };
    if (!isfinite(result.beta) || !isfinite(kernel) || !check_finite_estimate(&result.ratio) ||
        !check_finite_estimate(&result.adaptive)) {
        return HK_ERANGE;
    }
    *out = result;
    return HK_OK;
}

static bool curves_valid(const struct hk_throughput_curves *curves)
{
    return curves && curves->copy && curves->remap && check_cost_estimate(&curves->transfer_ns);
}

enum hk_status hk_throughput_at(const struct hk_throughput_curves *curves, double bytes,
                                struct hk_throughput *out)
{
    if (!curves_valid(curves) || !out) {
        return HK_EINVAL;
    }
    struct hk_throughput_costs costs = {
        .base_ns = curves->base_ns,
        .transfer_ns = curves->transfer_ns,
    };
    enum hk_status status =
        hk_copy_curve_predict(curves->copy, bytes, CONFIDENCE_ANY, &costs.copy_ns, NULL);
    if (status == HK_OK) {
        status =
            hk_copy_curve_predict(curves->remap, bytes, CONFIDENCE_ANY, &costs.remap_ns, NULL);
    }
    if (status != HK_OK) {
        return status;
    }
    if (!(costs.copy_ns.value > 0.0) || !(costs.remap_ns.value >= 0.0)) {
        return HK_ERANGE;
    }
    return hk_throughput_predict(&costs, out);
}

/* k(L) - z(L) - 2 i: what an operation saves in the server. */
static struct hk_estimate saving_at(const struct hk_throughput_curves *curves, double bytes)
{
    struct hk_estimate copy = {0};
    struct hk_estimate remap = {0};
    (void)hk_copy_curve_predict(curves->copy, bytes, CONFIDENCE_ANY, &copy, NULL);
    (void)hk_copy_curve_predict(curves->remap, bytes, CONFIDENCE_ANY, &remap, NULL);
    const double variance = square(copy.standard_error) + square(remap.standard_error) +
                            square(TRANSFERS * curves->transfer_ns.standard_error);
    return (struct hk_estimate){
        .value = copy.value - remap.value - TRANSFERS * curves->transfer_ns.value,
        .standard_error = sqrt(variance),
    };
}

/* Values behind the least certain of the three: degrees of freedom of the interval. */
static double freedom(const struct hk_throughput_curves *curves)
{
    size_t fewest = curves->transfer_ns.count > 1 ? curves->transfer_ns.count - 1 : 1;
    const struct hk_copy_curve *both[] = {curves->copy, curves->remap};
    for (int i = 0; i < 2; i++) {
        const size_t fitted = 2 + 2 * both[i]->break_count;
        fewest = check_fewer(fewest, both[i]->count > fitted ? both[i]->count - fitted : 1);
    }
    return (double)fewest;
}

static bool told_apart(const struct hk_throughput_curves *curves, double bytes, double t)
{
    const struct hk_estimate saving = saving_at(curves, bytes);
    return fabs(saving.value) > t * saving.standard_error;
}

/*
 * End of the set of sizes around the break-even that are not told apart from it:
 * outwards in steps, then by bisection. *found is false where the range ends first.
 */
static double set_end(const struct hk_throughput_curves *curves, double from, double limit,
                      double t, bool *found)
{
    const double ratio = limit > from ? STEP_RATIO : 1.0 / STEP_RATIO;
    double inside = from;
    double outside = limit;
    *found = false;
    for (int i = 0; i < STEPS_MAX && !*found && inside != limit; i++) {
        const double next = inside * ratio;
        outside = (limit > from ? next < limit : next > limit) ? next : limit;
        *found = told_apart(curves, outside, t);
        inside = *found ? inside : outside;
    }
    if (!*found) {
        return limit;
    }
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = inside + (outside - inside) / 2.0;
        *(told_apart(curves, middle, t) ? &outside : &inside) = middle;
    }
    return inside;
}

/* d(k - z)/dL at the break-even, from the curves' own terms. */
static double slope_at(const struct hk_copy_curve *curve, double bytes)
{
    double slope = curve->terms[1];
    for (size_t j = 0; j < curve->break_count; j++) {
        slope += bytes > curve->break_bytes[j] ? curve->terms[2 + j] : 0.0;
    }
    return slope;
}

enum hk_status hk_throughput_break_even(const struct hk_throughput_curves *curves,
                                        double confidence, struct hk_break_even_size *out)
{
    if (!curves_valid(curves) || !out || !check_inside_unit(confidence)) {
        return HK_EINVAL;
    }
    struct hk_copy_curve server = *curves->remap;
    server.terms[0] += TRANSFERS * curves->transfer_ns.value;
    double bytes;
    const enum hk_status status = hk_copy_curve_crossing(curves->copy, &server, &bytes);
    if (status != HK_OK) {
        return status;
    }
    const double slope = slope_at(curves->copy, bytes) - slope_at(curves->remap, bytes);
    const double error = saving_at(curves, bytes).standard_error / fabs(slope);
    if (!isfinite(error)) {
        return HK_ERANGE;
    }
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, freedom(curves));
    const double low = fmax(curves->copy->min_bytes, curves->remap->min_bytes);
    const double high = fmin(curves->copy->max_bytes, curves->remap->max_bytes);
    bool below;
    bool above;
    *out = (struct hk_break_even_size){
        .bytes = {bytes, error, check_fewer(curves->copy->count, curves->remap->count)},
        .interval = {set_end(curves, bytes, low, t, &below),
                     set_end(curves, bytes, high, t, &above), confidence},
    };
    out->bounded = below && above;
    return HK_OK;
}
