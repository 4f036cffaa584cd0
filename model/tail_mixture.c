/* SPDX-License-Identifier: MIT */
#include "hk/model/tail_mixture.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "hk/model/phase_type.h"

#define STEP 1e-4 /* of a parameter, for a derivative */
#define BISECTIONS 200

enum hk_status hk_tail_mixture_fit(const struct hk_tail *tail, struct hk_tail_mixture *out)
{
    struct hk_hyper_fit fit;
    if (!tail || !tail->sorted_ns || !out || tail->exceed_count < 1 ||
        tail->exceed_count > tail->count) {
        return HK_EINVAL;
    }
    const size_t n = tail->exceed_count;
    const double *first = tail->sorted_ns + (tail->count - n);
    double *distances = malloc(n * sizeof *distances);
    if (!distances) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        distances[i] = first[i] - tail->threshold_ns;
    }
    const enum hk_status status = hk_hyper_fit(distances, n, &fit);
    free(distances);
    if (status != HK_OK) {
        return status;
    }
    /* Three parameters against the GPD's two; clusters count once. */
    const double gain = 2.0 * (fit.log_likelihood - tail->gpd.log_likelihood);
    *out = (struct hk_tail_mixture){
        .law = fit.law,
        .log_likelihood = fit.log_likelihood,
        .bic_gain = tail->extremal_index * gain - log((double)n * tail->extremal_index),
    };
    return HK_OK;
}

bool hk_tail_mixture_preferred(const struct hk_tail_mixture *mixture)
{
    return mixture->bic_gain > HK_TAIL_MIXTURE_GAIN;
}

/* Variance of ln P(distance), per exceedance. */
static enum hk_status log_variance(const struct hk_delay_law *law, double distance_ns,
                                   double *variance)
{
    double covariance[HK_DELAY_PARAMETERS_MAX][HK_DELAY_PARAMETERS_MAX];
    double slope[HK_DELAY_PARAMETERS_MAX];
    const unsigned count = hk_delay_parameter_count(law);
    const enum hk_status status = hk_delay_covariance(law, covariance);
    if (status != HK_OK) {
        return status;
    }
    for (unsigned i = 0; i < count; i++) {
        double shift[HK_DELAY_PARAMETERS_MAX] = {0};
        shift[i] = STEP;
        const struct hk_delay_law up = hk_delay_shift(law, shift);
        shift[i] = -STEP;
        const struct hk_delay_law down = hk_delay_shift(law, shift);
        slope[i] = log(hk_delay_survival(&up, distance_ns) /
                       hk_delay_survival(&down, distance_ns)) / (2.0 * STEP);
    }
    double sum = 0.0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            sum += slope[i] * covariance[i][j] * slope[j];
        }
    }
    *variance = sum;
    return HK_OK;
}

enum hk_status hk_tail_mixture_probability(const struct hk_tail *tail,
                                           const struct hk_tail_mixture *mixture, double x_ns,
                                           double confidence, struct hk_tail_probability *out)
{
    double variance;
    if (!tail || !mixture || !out || hk_delay_check(&mixture->law) != HK_OK || !isfinite(x_ns) ||
        !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (x_ns <= tail->threshold_ns) {
        return hk_tail_probability(tail, x_ns, confidence, out);
    }
    const double distance_ns = x_ns - tail->threshold_ns;
    const enum hk_status status = log_variance(&mixture->law, distance_ns, &variance);
    if (status != HK_OK) {
        return status;
    }
    /* The share beyond the threshold is estimated too, independently. */
    const double effective = (double)tail->exceed_count * tail->extremal_index;
    const double error = sqrt((variance + 1.0 - tail->exceed_ratio) / effective);
    const double half = gsl_cdf_ugaussian_Qinv((1.0 - confidence) / 2.0) * error;
    const double p = tail->exceed_ratio * hk_delay_survival(&mixture->law, distance_ns);
    *out = (struct hk_tail_probability){
        .probability = p,
        .interval = {p * exp(-half), fmin(1.0, p * exp(half)), confidence},
        .interval_decades = 2.0 * half / M_LN10,
        .extrapolated = x_ns > tail->sorted_ns[tail->count - 1],
    };
    return HK_OK;
}

enum hk_status hk_tail_mixture_quantile(const struct hk_tail *tail,
                                        const struct hk_tail_mixture *mixture, double p,
                                        double *x_ns)
{
    if (!tail || !mixture || !x_ns || hk_delay_check(&mixture->law) != HK_OK ||
        !(p > 0.0 && p < 1.0)) {
        return HK_EINVAL;
    }
    const double ratio = p / tail->exceed_ratio;
    if (ratio >= 1.0) {
        return hk_tail_quantile(tail, p, 0.95, x_ns, NULL);
    }
    double low = 0.0;
    double high = -log(ratio) * fmax(mixture->law.scale_ns, mixture->law.rare_scale_ns);
    for (int i = 0; i < BISECTIONS && high - low > 1e-12 * high; i++) {
        const double middle = low + (high - low) / 2.0;
        *(hk_delay_survival(&mixture->law, middle) > ratio ? &low : &high) = middle;
    }
    *x_ns = tail->threshold_ns + high;
    return HK_OK;
}
