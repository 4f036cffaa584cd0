/* SPDX-License-Identifier: MIT */
/* What is not known about the parameters, carried over to the probability. */
#include <math.h>

#include "hk/model/rare.h"

#define PILOT_BATCHES 8u
#define PILOT_SPLITTING_BATCHES 2u /* their draws are whole populations */
#define SPLITTING_DRAWS_MAX 64u
#define BISECTIONS 60
#define PILOT_BISECTIONS 12
#define DOUBLINGS 60

/* ln P: the closed form, or a short simulation whose seed makes it smooth in the parameters. */
static enum hk_status log_probability(const struct hk_rare_problem *problem, uint64_t seed,
                                      double *log_p)
{
    struct hk_rare_estimate estimate;
    struct hk_rare_plan plan;
    struct hk_rare_total total = {0};
    double exact;
    enum hk_status status = hk_rare_exact(problem, &exact, NULL);
    if (status == HK_OK && exact > 0.0) {
        *log_p = log(exact);
        return HK_OK;
    }
    if (status != HK_OK && status != HK_ENOTSUP) {
        return status;
    }
    status = hk_rare_plan_init(problem, NULL, seed, &plan);
    if (status != HK_OK) {
        return status;
    }
    const bool splits = hk_rare_batch_draws(&plan) < SPLITTING_DRAWS_MAX;
    for (uint64_t i = 0; i < (splits ? PILOT_SPLITTING_BATCHES : PILOT_BATCHES); i++) {
        struct hk_rare_total batch;
        status = hk_rare_batch(&plan, seed, i, &batch);
        if (status != HK_OK) {
            return status;
        }
        hk_rare_merge(&total, &batch);
    }
    status = hk_rare_estimate(&plan, &total, 0.95, &estimate);
    if (status == HK_OK) {
        *log_p = estimate.log10_probability * M_LN10;
    }
    return status;
}

enum hk_status hk_rare_input_error(const struct hk_rare_problem *problem, double sample_count,
                                   uint64_t seed, double *log_error)
{
    double covariance[HK_DELAY_PARAMETERS_MAX][HK_DELAY_PARAMETERS_MAX];
    double slope[HK_DELAY_PARAMETERS_MAX];
    if (!log_error || !(sample_count >= 1.0)) {
        return HK_EINVAL;
    }
    enum hk_status status = hk_rare_problem_check(problem);
    if (status == HK_OK) {
        status = hk_delay_covariance(&problem->law, covariance);
    }
    if (status != HK_OK) {
        return status;
    }
    const unsigned count = hk_delay_parameter_count(&problem->law);
    for (unsigned i = 0; i < count; i++) {
        /* Half a standard error to each side: ln P is not straight over much more. */
        const double step = 0.5 * sqrt(covariance[i][i] / sample_count);
        double ends[2];
        for (int side = 0; side < 2; side++) {
            double shift[HK_DELAY_PARAMETERS_MAX] = {0};
            struct hk_rare_problem moved = *problem;
            shift[i] = side == 0 ? -step : step;
            moved.law = hk_delay_shift(&problem->law, shift);
            status = log_probability(&moved, seed, &ends[side]);
            if (status != HK_OK) {
                return status;
            }
        }
        slope[i] = (ends[1] - ends[0]) / (2.0 * step);
    }
    double variance = 0.0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            variance += slope[i] * covariance[i][j] * slope[j] / sample_count;
        }
    }
    *log_error = sqrt(variance);
    return HK_OK;
}

enum hk_status hk_rare_headroom_needed(const struct hk_rare_problem *problem, double probability,
                                       uint64_t seed, double *headroom_ns)
{
    if (!problem || !headroom_ns || !(probability > 0.0 && probability < 1.0)) {
        return HK_EINVAL;
    }
    struct hk_rare_problem p = *problem;
    const double target = log(probability);
    double log_p = 0.0;
    double high = problem->stage_count * problem->law.scale_ns;
    double low = 0.0;
    enum hk_status status;
    for (int i = 0; i < DOUBLINGS; i++) {
        p.headroom_ns = high;
        status = log_probability(&p, seed, &log_p);
        if (status != HK_OK) {
            return status;
        }
        if (log_p < target) {
            break;
        }
        low = high;
        high *= 2.0;
    }
    if (!(log_p < target)) {
        return HK_ERANGE;
    }
    double exact;
    const bool closed = hk_rare_exact(&p, &exact, NULL) == HK_OK;
    for (int i = 0; i < (closed ? BISECTIONS : PILOT_BISECTIONS); i++) {
        p.headroom_ns = low + (high - low) / 2.0;
        status = log_probability(&p, seed, &log_p);
        if (status != HK_OK) {
            return status;
        }
        *(log_p > target ? &low : &high) = p.headroom_ns;
    }
    *headroom_ns = low + (high - low) / 2.0;
    return HK_OK;
}
