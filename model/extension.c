/* SPDX-License-Identifier: MIT */
#include "hk/model/extension.h"

#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "hk/stats/quantile.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

enum hk_status hk_extension_fit(const double *processed, const double *load_ns, size_t n,
                                struct hk_line *line)
{
    if (!processed || !load_ns || !line) {
        return HK_EINVAL;
    }
    if (n < 3) {
        return HK_ENOISE;
    }
    double *weights = malloc(n * sizeof *weights);
    if (!weights) {
        return HK_ENOMEM;
    }
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < n; i++) {
        if (!check_not_negative(processed[i]) || !check_positive(load_ns[i])) {
            status = HK_EINVAL;
            break;
        }
        weights[i] = 1.0 / (load_ns[i] * load_ns[i]);
    }
    if (status == HK_OK) {
        status = hk_line_fit(processed, load_ns, weights, n, line);
    }
    free(weights);
    return status;
}

enum hk_status hk_extension_verify(const struct hk_line *line, double processed,
                                   double confidence, struct hk_estimate *verify_ns,
                                   struct hk_interval *interval)
{
    if (!line || !verify_ns || line->count < 3 || !check_not_negative(processed) ||
        !check_inside_unit(confidence)) {
        return HK_EINVAL;
    }
    const double value = line->intercept + line->slope * processed;
    const double variance =
        fmax(0.0, line->var_intercept + processed * processed * line->var_slope +
                      2.0 * processed * line->cov_intercept_slope);
    const double scatter = line->residual_sd * value;
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(line->count - 2));
    const double half_width = t * sqrt(variance + scatter * scatter);
    if (!check_positive(value) || !isfinite(half_width)) {
        return HK_ERANGE;
    }
    *verify_ns = (struct hk_estimate){value, sqrt(variance), line->count};
    if (interval) {
        *interval = (struct hk_interval){value - half_width, value + half_width, confidence};
    }
    return HK_OK;
}

static bool costs_valid(const struct hk_extension_costs *costs)
{
    return costs && check_cost_estimate(&costs->execute_ns) &&
           check_cost_estimate(&costs->verify_ns);
}

enum hk_status hk_extension_cost(const struct hk_extension_costs *costs, double invocations,
                                 struct hk_estimate *out)
{
    if (!costs_valid(costs) || !check_positive(invocations) || !out) {
        return HK_EINVAL;
    }
    const struct hk_estimate cost = {
        .value = costs->execute_ns.value + costs->verify_ns.value / invocations,
        .standard_error = hypot(costs->execute_ns.standard_error,
                                costs->verify_ns.standard_error / invocations),
        .count = check_fewer(costs->execute_ns.count, costs->verify_ns.count),
    };
    if (!check_finite_estimate(&cost)) {
        return HK_ERANGE;
    }
    *out = cost;
    return HK_OK;
}

/* HK_OK if there is a number of invocations from which on the extension pays. */
static enum hk_status pays(const struct hk_extension_costs *costs)
{
    if (!costs_valid(costs) || !check_cost_estimate(&costs->user_ns)) {
        return HK_EINVAL;
    }
    const double saved = costs->user_ns.value - costs->execute_ns.value;
    return saved > 0.0 && isfinite(costs->verify_ns.value / saved) ? HK_OK : HK_ERANGE;
}

enum hk_status hk_extension_break_even(const struct hk_extension_costs *costs,
                                       struct hk_estimate *invocations)
{
    if (!invocations) {
        return HK_EINVAL;
    }
    const enum hk_status status = pays(costs);
    if (status != HK_OK) {
        return status;
    }
    const double saved = costs->user_ns.value - costs->execute_ns.value;
    const double value = costs->verify_ns.value / saved;
    const double in_saved =
        value * hypot(costs->user_ns.standard_error, costs->execute_ns.standard_error);
    const struct hk_estimate result = {
        .value = value,
        .standard_error = hypot(costs->verify_ns.standard_error, in_saved) / saved,
        .count = check_fewer(costs->user_ns.count,
                             check_fewer(costs->execute_ns.count, costs->verify_ns.count)),
    };
    if (!check_finite_estimate(&result)) {
        return HK_ERANGE;
    }
    *invocations = result;
    return HK_OK;
}

enum hk_status hk_extension_size_limit(const struct hk_line *execute, double user_ns,
                                       double *instructions)
{
    if (!execute || !instructions || !isfinite(execute->intercept) ||
        !isfinite(execute->slope) || !check_positive(user_ns)) {
        return HK_EINVAL;
    }
    const double limit = (user_ns - execute->intercept) / execute->slope;
    if (!(execute->slope > 0.0) || !check_positive(limit)) {
        return HK_ERANGE;
    }
    *instructions = limit;
    return HK_OK;
}

enum hk_status hk_extension_lifetimes(const struct hk_extension_costs *costs,
                                      const double *invocations, size_t n, double *mean_ns,
                                      double *naive_ns)
{
    if (!costs_valid(costs) || !mean_ns || !naive_ns || (n > 0 && !invocations)) {
        return HK_EINVAL;
    }
    if (n == 0) {
        return HK_ENOISE;
    }
    double inverse_mean = 0.0;
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!check_positive(invocations[i])) {
            return HK_EINVAL;
        }
        inverse_mean += (1.0 / invocations[i] - inverse_mean) / (double)(i + 1);
        mean += (invocations[i] - mean) / (double)(i + 1);
    }
    const double over_loads = costs->execute_ns.value + costs->verify_ns.value * inverse_mean;
    const double over_invocations = costs->execute_ns.value + costs->verify_ns.value / mean;
    if (!isfinite(over_loads) || !isfinite(over_invocations)) {
        return HK_ERANGE;
    }
    *mean_ns = over_loads;
    *naive_ns = over_invocations;
    return HK_OK;
}

double hk_extension_policy_ns(const struct hk_extension_costs *costs, double load_before,
                              double invocations)
{
    if (invocations < load_before) {
        return invocations * costs->user_ns.value;
    }
    const double in_user = load_before - 1.0;
    return in_user * costs->user_ns.value + costs->verify_ns.value +
           (invocations - in_user) * costs->execute_ns.value;
}

double hk_extension_hindsight_ns(const struct hk_extension_costs *costs, double invocations)
{
    return fmin(invocations * costs->user_ns.value,
                costs->verify_ns.value + invocations * costs->execute_ns.value);
}

/* Invocation before which to load: ceil(N*), at least 1. */
static double load_before(const struct hk_extension_costs *costs)
{
    const double saved = costs->user_ns.value - costs->execute_ns.value;
    return fmax(1.0, ceil(costs->verify_ns.value / saved));
}

enum hk_status hk_extension_ski_rental(const struct hk_extension_costs *costs,
                                       struct hk_ski_rental *out)
{
    if (!out) {
        return HK_EINVAL;
    }
    const enum hk_status status = pays(costs);
    if (status != HK_OK) {
        return status;
    }
    const double k = load_before(costs);
    if (k > WHOLE_MAX) {
        return HK_ERANGE;
    }
    /* Policy and hindsight agree before k, and part less and less beyond it: k is the worst. */
    const double worst =
        hk_extension_policy_ns(costs, k, k) / hk_extension_hindsight_ns(costs, k);
    if (!isfinite(worst)) {
        return HK_ERANGE;
    }
    *out = (struct hk_ski_rental){.load_before = k, .competitive_ratio = worst};
    return HK_OK;
}

/*
 * A law on 1..k that makes expected cost / hindsight the same c for every N up to k.
 * One more invocation costs t_x where loaded before, V + t_x where loaded now, T_u
 * else, so the distribution function F obeys
 *   (F_N - F_(N-1)) (V + t_x - T_u) = c step_N - T_u + F_(N-1) (T_u - t_x),
 * linear in c: F_N = slope c + shift. F_k = 1 gives c.
 */
static double equalise(const struct hk_extension_costs *costs, size_t k, double *probability)
{
    const double user = costs->user_ns.value;
    const double execute = costs->execute_ns.value;
    const double now = costs->verify_ns.value + execute - user;
    double slope = 0.0;
    double shift = 0.0;
    for (size_t i = 1; i <= k; i++) {
        const double step = hk_extension_hindsight_ns(costs, (double)i) -
                            hk_extension_hindsight_ns(costs, (double)i - 1.0);
        slope += (step + slope * (user - execute)) / now;
        shift += (shift * (user - execute) - user) / now;
    }
    const double ratio = (1.0 - shift) / slope;
    double before = 0.0;
    for (size_t i = 1; i <= k; i++) {
        const double step = hk_extension_hindsight_ns(costs, (double)i) -
                            hk_extension_hindsight_ns(costs, (double)i - 1.0);
        probability[i - 1] = (ratio * step - user + before * (user - execute)) / now;
        before += probability[i - 1];
    }
    return ratio;
}

/* Worst expected cost over hindsight for N = 1 .. k + 1; beyond, both grow by t_x alone. */
static double worst_ratio(const struct hk_extension_costs *costs, const double *probability,
                          size_t k)
{
    double cost = 0.0;
    double loaded = 0.0;
    double worst = 0.0;
    for (size_t n = 1; n <= k + 1; n++) {
        const double now = n <= k ? probability[n - 1] : 0.0;
        cost += now * costs->verify_ns.value + (loaded + now) * costs->execute_ns.value +
                fmax(0.0, 1.0 - loaded - now) * costs->user_ns.value;
        loaded += now;
        worst = fmax(worst, cost / hk_extension_hindsight_ns(costs, (double)n));
    }
    return worst;
}

static bool law_usable(const double *probability, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (!(probability[i] >= -1e-12)) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_extension_ski_random(const struct hk_extension_costs *costs,
                                       double *probability, size_t capacity, size_t *count,
                                       double *competitive_ratio)
{
    if (!probability || !count || !competitive_ratio) {
        return HK_EINVAL;
    }
    const enum hk_status status = pays(costs);
    if (status != HK_OK) {
        return status;
    }
    const double wanted = load_before(costs);
    if (wanted > (double)capacity) {
        return HK_ETOOBIG;
    }
    /* Loading pays from the first invocation on: nothing to gamble about. */
    size_t k = (size_t)wanted;
    if (k == 1) {
        probability[0] = 1.0;
    } else {
        (void)equalise(costs, k, probability);
        /* N* just above a whole number leaves no mass for the last one: one fewer. */
        if (!law_usable(probability, k)) {
            k--;
            (void)equalise(costs, k, probability);
        }
    }
    const double worst = worst_ratio(costs, probability, k);
    if (!isfinite(worst)) {
        return HK_ERANGE;
    }
    *count = k;
    *competitive_ratio = worst;
    return HK_OK;
}
