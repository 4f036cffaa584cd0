/* SPDX-License-Identifier: MIT */
#include "hk/model/rare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "rare_method.h"

/* The largest draw may carry this share of all squares; beyond, the variance is hearsay. */
#define DOMINANCE_MAX 0.1

/* Streams: batches count from 0, the pilot has one that no batch reaches. */
#define PILOT_STREAM UINT64_MAX

const struct hk_rare_method *const hk_rare_methods[] = {
    &hk_rare_absolute,        &hk_rare_siegmund,        &hk_rare_conditional_tilt,
    &hk_rare_tilt,            &hk_rare_asmussen_kroese, &hk_rare_recursion,
    &hk_rare_last_particle,   &hk_rare_fixed_levels,    &hk_rare_counting,
    &hk_rare_counting_cycles, &hk_rare_conditional_untilted,
};
const size_t hk_rare_method_count = HK_ARRAY_COUNT(hk_rare_methods);

const char *hk_rare_method_name(const struct hk_rare_method *method)
{
    return method->name;
}

const struct hk_rare_method *hk_rare_method_find(const char *name)
{
    for (size_t i = 0; i < hk_rare_method_count; i++) {
        if (strcmp(hk_rare_methods[i]->name, name) == 0) {
            return hk_rare_methods[i];
        }
    }
    return NULL;
}

bool hk_rare_method_applies(const struct hk_rare_method *method,
                            const struct hk_rare_problem *problem)
{
    return method->applies(problem);
}

bool hk_rare_method_is_sound(const struct hk_rare_method *method)
{
    return method->sound;
}

static bool positive(double x)
{
    return isfinite(x) && x > 0.0;
}

enum hk_status hk_rare_problem_check(const struct hk_rare_problem *p)
{
    if (!p || hk_delay_check(&p->law) != HK_OK || p->stage_count < 1 ||
        p->stage_count > HK_RARE_STAGES_MAX || !positive(p->headroom_ns)) {
        return HK_EINVAL;
    }
    switch (p->reading) {
    case HK_UNDERRUN_DEVICE:
    case HK_UNDERRUN_ABSOLUTE:
        return HK_OK;
    case HK_UNDERRUN_QUEUE:
        break;
    default:
        return HK_EINVAL;
    }
    if (!positive(p->period_ns) || !isfinite(p->ring_ns) || p->ring_ns < 0.0) {
        return HK_EINVAL;
    }
    const double mean_ns = p->stage_count * hk_delay_mean(&p->law);
    return mean_ns < p->period_ns ? HK_OK : HK_ERANGE;
}

double rare_draw_sum(const struct hk_delay_law *law, unsigned count, struct hk_rng *rng)
{
    double sum = 0.0;
    for (unsigned i = 0; i < count; i++) {
        sum += hk_delay_draw(law, rng);
    }
    return sum;
}

int rare_descending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x < y) - (x > y);
}

bool rare_has_sum_survival(const struct hk_rare_problem *problem)
{
    return problem->stage_count == 1 || problem->law.kind == HK_DELAY_EXPONENTIAL;
}

double rare_sum_survival(const struct hk_rare_problem *problem, double x_ns)
{
    if (problem->stage_count == 1) {
        return hk_delay_survival(&problem->law, x_ns);
    }
    return x_ns <= 0.0 ? 1.0 : gsl_cdf_gamma_Q(x_ns, problem->stage_count, problem->law.scale_ns);
}

double rare_theta_limit(const struct hk_delay_law *law)
{
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return 1.0 / law->scale_ns;
    case HK_DELAY_HYPEREXPONENTIAL:
        return 1.0 / fmax(law->scale_ns, law->rare_scale_ns);
    case HK_DELAY_LOMAX:
    case HK_DELAY_WEIBULL:
        break;
    }
    return 0.0;
}

static const struct hk_rare_method *preferred(const struct hk_rare_problem *problem)
{
    for (size_t i = 0; i < hk_rare_method_count; i++) {
        if (hk_rare_methods[i]->sound && hk_rare_methods[i]->applies(problem)) {
            return hk_rare_methods[i];
        }
    }
    return NULL;
}

enum hk_status hk_rare_plan_init(const struct hk_rare_problem *problem,
                                 const struct hk_rare_method *method, uint64_t seed,
                                 struct hk_rare_plan *plan)
{
    struct hk_rng *rng;

    if (!plan) {
        return HK_EINVAL;
    }
    enum hk_status status = hk_rare_problem_check(problem);
    if (status != HK_OK) {
        return status;
    }
    if (!method) {
        method = preferred(problem);
    }
    if (!method || !method->applies(problem)) {
        return HK_ENOTSUP;
    }
    struct hk_rare_plan made = {.method = method, .problem = *problem, .particle_count = 1};
    status = hk_rng_create(seed, PILOT_STREAM, &rng);
    if (status != HK_OK) {
        return status;
    }
    status = method->prepare(&made, rng);
    hk_rng_destroy(rng);
    if (status == HK_OK) {
        *plan = made;
    }
    return status;
}

size_t hk_rare_batch_draws(const struct hk_rare_plan *plan)
{
    return plan->method->batch_draws;
}

/* One more value: Welford's recursion. */
static void add_value(double x, double *count, double *mean, double *sum_squares)
{
    const double before = x - *mean;
    *count += 1.0;
    *mean += before / *count;
    *sum_squares += before * (x - *mean);
}

static void add_draw(struct hk_rare_total *total, double draw, bool multiplicative)
{
    add_value(draw, &total->draw_count, &total->mean, &total->sum_squares);
    total->max = fmax(total->max, draw);
    if (multiplicative && draw > 0.0) {
        add_value(log(draw), &total->log_count, &total->log_mean, &total->log_sum_squares);
    }
}

enum hk_status hk_rare_batch(const struct hk_rare_plan *plan, uint64_t seed, uint64_t index,
                             struct hk_rare_total *out)
{
    struct hk_rare_total total = {0};
    struct hk_rng *rng;

    if (!plan || !out) {
        return HK_EINVAL;
    }
    const size_t doubles = plan->particle_count * plan->method->doubles_per_particle;
    double *memory = malloc((doubles + 1) * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    const enum hk_status status = hk_rng_create(seed, index, &rng);
    if (status == HK_OK) {
        for (size_t i = 0; i < plan->method->batch_draws; i++) {
            const double draw = plan->method->draw(plan, rng, memory, &total);
            add_draw(&total, draw, plan->method->multiplicative);
        }
        hk_rng_destroy(rng);
        *out = total;
    }
    free(memory);
    return status;
}

/* Source: Chan, Golub & LeVeque 1983 (The American Statistician 37(3)). */
static void merge_moments(double batch_count, double batch_mean, double batch_squares,
                          double *count, double *mean, double *sum_squares)
{
    const double both = *count + batch_count;
    const double gap = batch_mean - *mean;
    if (batch_count > 0.0) {
        *mean += gap * batch_count / both;
        *sum_squares += batch_squares + gap * gap * *count * batch_count / both;
        *count = both;
    }
}

void hk_rare_merge(struct hk_rare_total *total, const struct hk_rare_total *batch)
{
    merge_moments(batch->draw_count, batch->mean, batch->sum_squares, &total->draw_count,
                  &total->mean, &total->sum_squares);
    merge_moments(batch->log_count, batch->log_mean, batch->log_sum_squares, &total->log_count,
                  &total->log_mean, &total->log_sum_squares);
    total->max = fmax(total->max, batch->max);
    total->step_count += batch->step_count;
    total->trajectory_count += batch->trajectory_count;
}

/* Ends of the interval of ln mean, relative to the reference. */
static struct hk_interval log_interval(const struct hk_rare_plan *plan,
                                       const struct hk_rare_total *total, double error,
                                       double confidence)
{
    const double n = total->draw_count;
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, n - 1.0);
    if (total->log_count < n) {
        const double centre = log(total->mean);
        return (struct hk_interval){centre - t * error, centre + t * error, confidence};
    }
    const double variance = total->log_sum_squares / (n - 1.0);
    const double half = t * sqrt(variance / n + variance * variance / (2.0 * (n - 1.0)) +
                                 plan->reference_error * plan->reference_error);
    const double centre = total->log_mean + variance / 2.0;
    return (struct hk_interval){centre - half, centre + half, confidence};
}

enum hk_status hk_rare_estimate(const struct hk_rare_plan *plan, const struct hk_rare_total *total,
                                double confidence, struct hk_rare_estimate *out)
{
    if (!plan || !total || !out || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    const double n = total->draw_count;
    if (n < 2.0 || !(total->mean > 0.0)) {
        return HK_ENOISE;
    }
    const double variance = total->sum_squares / (n - 1.0) / (total->mean * total->mean);
    const double error = hypot(sqrt(variance / n), plan->reference_error);
    const double log_p = plan->log_reference + log(total->mean);
    const struct hk_interval ends = log_interval(plan, total, error, confidence);
    /* Counting has relative variance (1 - p) / p a draw; from logarithms: p may underflow. */
    const double counting = exp(-log_p) - 1.0;
    *out = (struct hk_rare_estimate){
        .probability = exp(log_p),
        .log10_probability = log_p / M_LN10,
        .relative_error = error,
        .interval = {exp(plan->log_reference + ends.lower), exp(plan->log_reference + ends.upper),
                     confidence},
        .relative_variance = variance,
        .draw_count = n,
        .step_count = total->step_count,
        .naive_count = error > 0.0 ? counting / (error * error) : INFINITY,
        .variance_reduction =
            variance > 0.0 ? counting / (variance * total->trajectory_count / n) : INFINITY,
        .dominance_ratio =
            total->max * total->max / (total->sum_squares + n * total->mean * total->mean),
    };
    out->reliable = out->dominance_ratio <= DOMINANCE_MAX;
    return HK_OK;
}

enum hk_status hk_rare_run(const struct hk_rare_problem *problem,
                           const struct hk_rare_method *method, uint64_t seed,
                           uint64_t batch_count, double confidence, struct hk_rare_estimate *out)
{
    struct hk_rare_plan plan;
    struct hk_rare_total total = {0};
    enum hk_status status = hk_rare_plan_init(problem, method, seed, &plan);
    for (uint64_t i = 0; i < batch_count && status == HK_OK; i++) {
        struct hk_rare_total batch;
        status = hk_rare_batch(&plan, seed, i, &batch);
        if (status == HK_OK) {
            hk_rare_merge(&total, &batch);
        }
    }
    return status == HK_OK ? hk_rare_estimate(&plan, &total, confidence, out) : status;
}
