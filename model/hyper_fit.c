/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpd_profile.h"
#include "hk/model/phase_type.h"
#include "hk/stats/quantile.h"

#define COUNT_MIN 100u
#define ITERATIONS_MAX 5000u
#define TOLERANCE 1e-10 /* of the log likelihood per value */
#define SEPARATION_MIN 1.01
#define STARTS 4u /* quantiles beyond which the rare component is first looked for */

static const double start_shares[STARTS] = {0.5, 0.1, 0.02, 0.004};

static double log_likelihood(const struct gpd_points *points, const struct hk_delay_law *law)
{
    double sum = 0.0;
    for (size_t i = 0; i < points->count; i++) {
        sum += points->weight[i] * log(hk_delay_density(law, points->value[i]));
    }
    return sum;
}

/* Who belongs to which component, given the law; then the law, given that. */
static struct hk_delay_law improve(const struct gpd_points *points, const struct hk_delay_law *law)
{
    double rare = 0.0;
    double rare_sum = 0.0;
    for (size_t i = 0; i < points->count; i++) {
        const double x = points->value[i];
        const double odds = (1.0 - law->shape) / law->shape * law->rare_scale_ns / law->scale_ns *
                            exp(x / law->rare_scale_ns - x / law->scale_ns);
        const double share = points->weight[i] / (1.0 + odds);
        rare += share;
        rare_sum += share * x;
    }
    const double sum = points->mean * points->total;
    return (struct hk_delay_law){
        .kind = HK_DELAY_HYPEREXPONENTIAL,
        .scale_ns = (sum - rare_sum) / (points->total - rare),
        .shape = rare / points->total,
        .rare_scale_ns = rare_sum / rare,
    };
}

/* Climb from one start; false where a component died. */
static bool climb(const struct gpd_points *points, struct hk_hyper_fit *fit)
{
    double last = log_likelihood(points, &fit->law);
    for (fit->iterations = 1; fit->iterations <= ITERATIONS_MAX; fit->iterations++) {
        const struct hk_delay_law next = improve(points, &fit->law);
        if (hk_delay_check(&next) != HK_OK) {
            return false;
        }
        fit->law = next;
        fit->log_likelihood = log_likelihood(points, &next);
        if (fit->log_likelihood - last < TOLERANCE * points->total) {
            return isfinite(fit->log_likelihood);
        }
        last = fit->log_likelihood;
    }
    return true;
}

/* Start with everything beyond a quantile as the rare component. */
static struct hk_delay_law start_law(const double *sorted, size_t n, double mean, double share)
{
    double threshold = 0.0;
    (void)hk_quantile(sorted, n, 1.0 - share, &threshold);
    return (struct hk_delay_law){.kind = HK_DELAY_HYPEREXPONENTIAL,
                                 .scale_ns = 0.8 * mean,
                                 .shape = share,
                                 .rare_scale_ns = fmax(2.0 * mean, threshold)};
}

static enum hk_status fit_sorted(const double *sorted, size_t n, struct hk_hyper_fit *out)
{
    struct gpd_points points;
    struct hk_hyper_fit best = {.log_likelihood = -INFINITY};
    gpd_points_init(&points, sorted, n, 0.0);
    for (size_t s = 0; s < STARTS; s++) {
        struct hk_hyper_fit fit = {.law = start_law(sorted, n, points.mean, start_shares[s])};
        if (climb(&points, &fit) && fit.log_likelihood > best.log_likelihood) {
            best = fit;
        }
    }
    struct hk_delay_law *law = &best.law;
    if (!isfinite(best.log_likelihood)) {
        return HK_ENOISE;
    }
    if (law->rare_scale_ns < law->scale_ns) {
        *law = (struct hk_delay_law){law->kind, law->rare_scale_ns, 1.0 - law->shape,
                                     law->scale_ns};
    }
    if (law->rare_scale_ns < SEPARATION_MIN * law->scale_ns) {
        return HK_ENOISE;
    }
    best.log_likelihood_one = -points.total * (log(points.mean) + 1.0);
    best.bic_gain = 2.0 * (best.log_likelihood - best.log_likelihood_one) - 2.0 * log(points.total);
    *out = best;
    return HK_OK;
}

enum hk_status hk_hyper_fit(const double *delay_ns, size_t n, struct hk_hyper_fit *out)
{
    if (!delay_ns || !out) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted) {
        return HK_ENOMEM;
    }
    memcpy(sorted, delay_ns, n * sizeof *sorted);
    enum hk_status status = hk_sample_sort(sorted, n);
    if (status == HK_OK && (sorted[0] < 0.0 || !(sorted[n - 1] > 0.0))) {
        status = HK_EINVAL;
    }
    if (status == HK_OK) {
        status = fit_sorted(sorted, n, out);
    }
    free(sorted);
    return status;
}
