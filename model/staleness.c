/* SPDX-License-Identifier: MIT */
#include "hk/model/staleness.h"

#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>

#include "check.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"

#define LOG_SD_MAX 5.0
#define QUADRATURE_ERROR 1e-10
#define QUADRATURE_INTERVALS 1000u
#define NORMAL_REACH 12.0 /* standard deviations; beyond lies less than 1e-32 */

static bool law_valid(const struct hk_time_law *law)
{
    if (!law) {
        return false;
    }
    switch (law->kind) {
    case HK_TIME_CONSTANT:
    case HK_TIME_EXPONENTIAL:
        return check_positive(law->mean_ns);
    case HK_TIME_LOGNORMAL:
        return check_positive(law->mean_ns) && law->log_sd > 0.0 && law->log_sd <= LOG_SD_MAX;
    case HK_TIME_EMPIRICAL:
        break;
    default:
        return false;
    }
    double sum = 0.0;
    for (size_t i = 0; law->sample_ns && i < law->count; i++) {
        if (!check_not_negative(law->sample_ns[i])) {
            return false;
        }
        sum += law->sample_ns[i];
    }
    return check_positive(sum);
}

/* Mean of a valid law. */
static double law_mean(const struct hk_time_law *law)
{
    if (law->kind != HK_TIME_EMPIRICAL) {
        return law->mean_ns;
    }
    double mean = 0.0;
    for (size_t i = 0; i < law->count; i++) {
        mean += (law->sample_ns[i] - mean) / (double)(i + 1);
    }
    return mean;
}

enum hk_status hk_time_law_mean(const struct hk_time_law *law, double *mean_ns)
{
    if (!mean_ns || !law_valid(law)) {
        return HK_EINVAL;
    }
    *mean_ns = law_mean(law);
    return HK_OK;
}

/* A function of a time, to be averaged over a law. */
struct average {
    double (*function)(double time_ns, const void *context);
    const void *context;
    double mean_ns;
    double log_sd;
};

static double exponential_integrand(double quantile, void *params)
{
    const struct average *a = params;
    return a->function(-a->mean_ns * log1p(-quantile), a->context);
}

static double lognormal_integrand(double z, void *params)
{
    const struct average *a = params;
    const double time_ns = a->mean_ns * exp(a->log_sd * z - a->log_sd * a->log_sd / 2.0);
    return gsl_ran_ugaussian_pdf(z) * a->function(time_ns, a->context);
}

static enum hk_status integrate(double (*integrand)(double, void *), struct average *a,
                                double low, double high, double *mean)
{
    gsl_integration_workspace *work = gsl_integration_workspace_alloc(QUADRATURE_INTERVALS);
    if (!work) {
        return HK_ENOMEM;
    }
    gsl_function f = {integrand, a};
    double error;
    const int code = gsl_integration_qag(&f, low, high, QUADRATURE_ERROR, QUADRATURE_ERROR,
                                         QUADRATURE_INTERVALS, GSL_INTEG_GAUSS31, work, mean,
                                         &error);
    gsl_integration_workspace_free(work);
    return code == GSL_SUCCESS ? HK_OK : HK_ENOISE;
}

/* E[function(time)] over a valid law; bounded functions only. */
static enum hk_status law_average(const struct hk_time_law *law,
                                  double (*function)(double time_ns, const void *context),
                                  const void *context, double *mean)
{
    struct average a = {function, context, law->mean_ns, law->log_sd};
    double sum = 0.0;
    switch (law->kind) {
    case HK_TIME_CONSTANT:
        *mean = function(law->mean_ns, context);
        return HK_OK;
    case HK_TIME_EXPONENTIAL:
        return integrate(exponential_integrand, &a, 0.0, 1.0, mean);
    case HK_TIME_LOGNORMAL:
        return integrate(lognormal_integrand, &a, -NORMAL_REACH, NORMAL_REACH, mean);
    case HK_TIME_EMPIRICAL:
        for (size_t i = 0; i < law->count; i++) {
            sum += function(law->sample_ns[i], context);
        }
        *mean = sum / (double)law->count;
        return HK_OK;
    }
    return HK_EINVAL;
}

static bool rate_valid(double rate_per_s)
{
    return check_not_negative(rate_per_s);
}

enum hk_status hk_stale_any_pending(double update_rate_per_s, const struct hk_time_law *delay,
                                    double *probability)
{
    if (!probability || !rate_valid(update_rate_per_s) || !law_valid(delay)) {
        return HK_EINVAL;
    }
    *probability = -expm1(-update_rate_per_s * (law_mean(delay) / HK_NS_PER_S));
    return HK_OK;
}

/* 1 - exp(-mu t): an update came within t. */
static double updated_within(double time_ns, const void *context)
{
    const double *rate_per_s = context;
    return -expm1(-*rate_per_s * (time_ns / HK_NS_PER_S));
}

enum hk_status hk_stale_last_writer(double update_rate_per_s, const struct hk_time_law *delay,
                                    double *probability)
{
    if (!probability || !rate_valid(update_rate_per_s) || !law_valid(delay)) {
        return HK_EINVAL;
    }
    if (delay->kind == HK_TIME_EXPONENTIAL) {
        const double updates = update_rate_per_s * (delay->mean_ns / HK_NS_PER_S);
        *probability = isfinite(updates) ? updates / (1.0 + updates) : 1.0;
        return HK_OK;
    }
    double mean;
    const enum hk_status status = law_average(delay, updated_within, &update_rate_per_s, &mean);
    if (status == HK_OK) {
        *probability = fmin(1.0, mean);
    }
    return status;
}

/* 1 - (1 - e^(-x)) / x, without cancellation for small x. */
static double ttl_stale(double x)
{
    if (x < 1e-4) {
        return x / 2.0 - x * x / 6.0;
    }
    return 1.0 + expm1(-x) / x;
}

enum hk_status hk_stale_ttl(double update_rate_per_s, double ttl_ns, double *probability)
{
    if (!probability || !rate_valid(update_rate_per_s) || !check_not_negative(ttl_ns)) {
        return HK_EINVAL;
    }
    *probability = ttl_stale(update_rate_per_s * (ttl_ns / HK_NS_PER_S));
    return HK_OK;
}

/* The law between updates; the empirical one sorted with prefix sums. */
struct renewal {
    const struct hk_time_law *interval;
    double mean_ns;
    double *sorted_ns; /* count values, then count + 1 prefix sums */
    double *prefix_ns;
};

static double empirical_min(const struct renewal *r, double time_ns)
{
    size_t low = 0;
    size_t high = r->interval->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (r->sorted_ns[middle] < time_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const double n = (double)r->interval->count;
    return (r->prefix_ns[low] + (n - (double)low) * time_ns) / n;
}

static double lognormal_min(const struct hk_time_law *law, double time_ns)
{
    if (!(time_ns > 0.0)) {
        return 0.0;
    }
    if (!isfinite(time_ns)) {
        return law->mean_ns;
    }
    const double z = (log(time_ns / law->mean_ns) + law->log_sd * law->log_sd / 2.0) / law->log_sd;
    return law->mean_ns * gsl_cdf_ugaussian_P(z - law->log_sd) + time_ns * gsl_cdf_ugaussian_Q(z);
}

/* E min(X, t) / E X: the chance that the latest update is younger than t. */
static double younger(double time_ns, const void *context)
{
    const struct renewal *r = context;
    switch (r->interval->kind) {
    case HK_TIME_CONSTANT:
        return fmin(1.0, time_ns / r->mean_ns);
    case HK_TIME_EXPONENTIAL:
        return -expm1(-time_ns / r->mean_ns);
    case HK_TIME_LOGNORMAL:
        return fmin(1.0, lognormal_min(r->interval, time_ns) / r->mean_ns);
    case HK_TIME_EMPIRICAL:
        return fmin(1.0, empirical_min(r, time_ns) / r->mean_ns);
    }
    return 0.0;
}

static enum hk_status renewal_init(struct renewal *r, const struct hk_time_law *interval)
{
    *r = (struct renewal){.interval = interval, .mean_ns = law_mean(interval)};
    if (interval->kind != HK_TIME_EMPIRICAL) {
        return HK_OK;
    }
    const size_t n = interval->count;
    r->sorted_ns = malloc((2 * n + 1) * sizeof *r->sorted_ns);
    if (!r->sorted_ns) {
        return HK_ENOMEM;
    }
    memcpy(r->sorted_ns, interval->sample_ns, n * sizeof *r->sorted_ns);
    (void)hk_sample_sort(r->sorted_ns, n);
    r->prefix_ns = r->sorted_ns + n;
    r->prefix_ns[0] = 0.0;
    for (size_t i = 0; i < n; i++) {
        r->prefix_ns[i + 1] = r->prefix_ns[i] + r->sorted_ns[i];
    }
    return HK_OK;
}

enum hk_status hk_stale_renewal(const struct hk_time_law *interval,
                                const struct hk_time_law *delay, double *probability)
{
    if (!probability || !law_valid(interval) || !law_valid(delay)) {
        return HK_EINVAL;
    }
    struct renewal renewal;
    enum hk_status status = renewal_init(&renewal, interval);
    if (status != HK_OK) {
        return status;
    }
    double mean;
    status = law_average(delay, younger, &renewal, &mean);
    if (status == HK_OK) {
        *probability = fmin(1.0, mean);
    }
    free(renewal.sorted_ns);
    return status;
}

static bool path_valid(const struct hk_fast_path *path)
{
    return path && check_estimate(&path->eligible_ratio) &&
           check_ratio(path->eligible_ratio.value) && check_cost_estimate(&path->probe_ns) &&
           check_cost_estimate(&path->fast_ns) && check_cost_estimate(&path->slow_ns);
}

static double square(double x)
{
    return x * x;
}

static size_t path_count(const struct hk_fast_path *p)
{
    return check_fewer(check_fewer(p->eligible_ratio.count, p->probe_ns.count),
                       check_fewer(p->fast_ns.count, p->slow_ns.count));
}

static enum hk_status publish(const struct hk_estimate *result, struct hk_estimate *out)
{
    if (!check_finite_estimate(result)) {
        return HK_ERANGE;
    }
    *out = *result;
    return HK_OK;
}

enum hk_status hk_fast_path_latency(const struct hk_fast_path *path, struct hk_estimate *out)
{
    if (!path_valid(path) || !out) {
        return HK_EINVAL;
    }
    const double f = path->eligible_ratio.value;
    const double fast = path->fast_ns.value;
    const double slow = path->slow_ns.value;
    const double variance = square(path->probe_ns.standard_error) +
                            square(f * path->fast_ns.standard_error) +
                            square((1.0 - f) * path->slow_ns.standard_error) +
                            square((slow - fast) * path->eligible_ratio.standard_error);
    const struct hk_estimate result = {path->probe_ns.value + f * fast + (1.0 - f) * slow,
                                       sqrt(variance), path_count(path)};
    return publish(&result, out);
}

enum hk_status hk_fast_path_gain(const struct hk_fast_path *path, struct hk_estimate *out)
{
    if (!path_valid(path) || !out) {
        return HK_EINVAL;
    }
    const double f = path->eligible_ratio.value;
    const double saved = path->slow_ns.value - path->fast_ns.value;
    const double variance = square(path->probe_ns.standard_error) +
                            square(f * path->fast_ns.standard_error) +
                            square(f * path->slow_ns.standard_error) +
                            square(saved * path->eligible_ratio.standard_error);
    const struct hk_estimate result = {f * saved - path->probe_ns.value, sqrt(variance),
                                       path_count(path)};
    return publish(&result, out);
}

static bool harm_valid(const struct hk_stale_harm *harm)
{
    return harm && check_estimate(&harm->stale_ratio) && check_ratio(harm->stale_ratio.value) &&
           check_ratio(harm->harm_ratio);
}

enum hk_status hk_fast_path_cost(const struct hk_fast_path *path,
                                 const struct hk_stale_harm *harm, struct hk_estimate *out)
{
    if (!path_valid(path) || !harm_valid(harm) || !check_not_negative(harm->loss_ns) || !out) {
        return HK_EINVAL;
    }
    const double f = path->eligible_ratio.value;
    const double penalty = harm->stale_ratio.value * harm->harm_ratio * harm->loss_ns;
    /* An eligible answer costs t_f plus what staleness costs it. */
    const double fast = path->fast_ns.value + penalty;
    const double saved = path->slow_ns.value - fast;
    const double variance =
        square(path->probe_ns.standard_error) + square(f * path->fast_ns.standard_error) +
        square((1.0 - f) * path->slow_ns.standard_error) +
        square(saved * path->eligible_ratio.standard_error) +
        square(f * harm->harm_ratio * harm->loss_ns * harm->stale_ratio.standard_error);
    const struct hk_estimate result = {
        path->probe_ns.value + f * fast + (1.0 - f) * path->slow_ns.value, sqrt(variance),
        check_fewer(path_count(path), harm->stale_ratio.count)};
    return publish(&result, out);
}

enum hk_status hk_fast_path_break_even_loss(const struct hk_fast_path *path,
                                            const struct hk_stale_harm *harm,
                                            struct hk_estimate *loss_ns)
{
    if (!path_valid(path) || !harm_valid(harm) || !loss_ns) {
        return HK_EINVAL;
    }
    struct hk_estimate gain;
    const enum hk_status status = hk_fast_path_gain(path, &gain);
    if (status != HK_OK) {
        return status;
    }
    const double f = path->eligible_ratio.value;
    const double harmful = f * harm->stale_ratio.value * harm->harm_ratio;
    if (!(gain.value > 0.0) || !(harmful > 0.0)) {
        return HK_ERANGE;
    }
    const double loss = gain.value / harmful;
    /* loss = ((T_u - t_f) - t_0 / f) / (P_stale P_harm): f enters through the probe alone. */
    const double per_answer = harmful / f;
    const double variance =
        square(path->fast_ns.standard_error) + square(path->slow_ns.standard_error) +
        square(path->probe_ns.standard_error / f) +
        square(path->probe_ns.value / (f * f) * path->eligible_ratio.standard_error) +
        square(loss * harm->harm_ratio * harm->stale_ratio.standard_error);
    const struct hk_estimate result = {loss, sqrt(variance) / per_answer,
                                       check_fewer(path_count(path), harm->stale_ratio.count)};
    return publish(&result, loss_ns);
}

enum hk_status hk_fast_path_regret(double fast_predicted_ns, double slow_predicted_ns,
                                   double fast_measured_ns, double slow_measured_ns,
                                   double *regret_ns)
{
    if (!regret_ns || !isfinite(fast_predicted_ns) || !isfinite(slow_predicted_ns) ||
        !isfinite(fast_measured_ns) || !isfinite(slow_measured_ns)) {
        return HK_EINVAL;
    }
    const double chosen =
        fast_predicted_ns < slow_predicted_ns ? fast_measured_ns : slow_measured_ns;
    *regret_ns = chosen - fmin(fast_measured_ns, slow_measured_ns);
    return HK_OK;
}

enum hk_status hk_ttl_optimal(const struct hk_ttl_costs *costs, double *ttl_ns,
                              double *cost_ns_per_s)
{
    if (!costs || !ttl_ns || !check_positive(costs->update_rate_per_s) ||
        !check_positive(costs->request_rate_per_s) || !check_positive(costs->refresh_ns) ||
        !check_positive(costs->harm_ns)) {
        return HK_EINVAL;
    }
    const double harm_per_s = costs->request_rate_per_s * costs->harm_ns;
    const double share = costs->refresh_ns * costs->update_rate_per_s / harm_per_s;
    if (!(share > 0.0 && share < 1.0)) {
        return HK_ERANGE;
    }
    /* 1 - (1 + x) e^(-x) is the distribution function of a gamma law of shape 2. */
    const double x = gsl_cdf_gamma_Pinv(share, 2.0, 1.0);
    const double tau_s = x / costs->update_rate_per_s;
    const double cost = costs->refresh_ns / tau_s + harm_per_s * ttl_stale(x);
    if (!check_positive(tau_s * HK_NS_PER_S) || !isfinite(cost)) {
        return HK_ERANGE;
    }
    *ttl_ns = tau_s * HK_NS_PER_S;
    if (cost_ns_per_s) {
        *cost_ns_per_s = cost;
    }
    return HK_OK;
}
