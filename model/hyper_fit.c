/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpd_profile.h"
#include "hk/model/phase_type.h"
#include "hk/stats/quantile.h"

#define COUNT_MIN 100u
#define ITERATIONS_MAX 2000u
#define TOLERANCE 1e-9 /* of the log likelihood per value */
#define SEPARATION_MIN 1.01
#define STARTS 4u /* quantiles beyond which the rare component is first looked for */

static const double start_shares[STARTS] = {0.5, 0.1, 0.02, 0.004};

/*
 * Who belongs to which component, given the law; then the law, given that. The log likelihood is
 * that of the law given.
 */
static struct hk_delay_law improve(const struct gpd_points *points, const struct hk_delay_law *law,
                                   double *log_likelihood)
{
    const double rare_top = law->shape / law->rare_scale_ns;
    const double common_top = (1.0 - law->shape) / law->scale_ns;
    double rare = 0.0;
    double rare_sum = 0.0;
    double log_sum = 0.0;
    for (size_t i = 0; i < points->count; i++) {
        const double x = points->value[i];
        const double rare_density = rare_top * exp(-x / law->rare_scale_ns);
        const double density = rare_density + common_top * exp(-x / law->scale_ns);
        const double share = points->weight[i] * rare_density / density;
        rare += share;
        rare_sum += share * x;
        log_sum += points->weight[i] * log(density);
    }
    *log_likelihood = log_sum;
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
    double last = -INFINITY;
    for (fit->iterations = 1; fit->iterations <= ITERATIONS_MAX; fit->iterations++) {
        const struct hk_delay_law next = improve(points, &fit->law, &fit->log_likelihood);
        if (!isfinite(fit->log_likelihood) || hk_delay_check(&next) != HK_OK) {
            return false;
        }
        if (fit->log_likelihood - last < TOLERANCE * points->total) {
            return true;
        }
        last = fit->log_likelihood;
        fit->law = next;
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
