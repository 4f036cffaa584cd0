/* SPDX-License-Identifier: MIT */
/* F9 and rare events. */
#include <math.h>

#include "mutants.h"

/* --- F9: loading ------------------------------------------------------------------- */

static enum hk_status line_with(const struct hk_line *line, double intercept, double slope,
                                double processed, double confidence, struct hk_estimate *out,
                                struct hk_interval *interval)
{
    struct hk_line wrong = *line;

    wrong.intercept *= intercept;
    wrong.slope *= slope;
    return __real_hk_extension_verify(&wrong, processed, confidence, out, interval);
}

static enum hk_status no_v0(const struct hk_line *line, double processed, double confidence,
                            struct hk_estimate *out, struct hk_interval *interval)
{
    return line_with(line, 0, 1, processed, confidence, out, interval);
}

static enum hk_status verified_twice(const struct hk_line *line, double processed,
                                     double confidence, struct hk_estimate *out,
                                     struct hk_interval *interval)
{
    return line_with(line, 1, 2, processed, confidence, out, interval);
}

static enum hk_status eight_bytes_each(const struct hk_line *line, double processed,
                                       double confidence, struct hk_estimate *out,
                                       struct hk_interval *interval)
{
    return __real_hk_extension_verify(line, processed / 8, confidence, out, interval);
}

/* All programs of a shape load alike. */
static enum hk_status constant_load(const struct hk_line *line, double processed,
                                    double confidence, struct hk_estimate *out,
                                    struct hk_interval *interval)
{
    return line_with(line, 1, 0, processed, confidence, out, interval);
}

/* --- F9: amortising ---------------------------------------------------------------- */

static enum hk_status paid_each_time(const struct hk_extension_costs *costs, double n,
                                     struct hk_estimate *out)
{
    (void)n;
    return __real_hk_extension_cost(costs, 1, out);
}

static enum hk_status amortised_twice(const struct hk_extension_costs *costs, double n,
                                      struct hk_estimate *out)
{
    return __real_hk_extension_cost(costs, n * n, out);
}

/* V / (N + 1): once too often. */
static enum hk_status once_too_often(const struct hk_extension_costs *costs, double n,
                                     struct hk_estimate *out)
{
    return __real_hk_extension_cost(costs, n + 1, out);
}

static enum hk_status run_twice(const struct hk_extension_costs *costs, double n,
                                struct hk_estimate *out)
{
    struct hk_extension_costs wrong = *costs;

    wrong.execute_ns.value *= 2;
    return __real_hk_extension_cost(&wrong, n, out);
}

static enum hk_status verified_for_nothing(const struct hk_extension_costs *costs, double n,
                                           struct hk_estimate *out)
{
    struct hk_extension_costs wrong = *costs;

    wrong.verify_ns.value = 0;
    return __real_hk_extension_cost(&wrong, n, out);
}

static enum hk_status break_even_with(const struct hk_extension_costs *costs, double execute,
                                      double factor, struct hk_estimate *n)
{
    struct hk_extension_costs wrong = *costs;

    wrong.execute_ns.value *= execute;
    const enum hk_status status = __real_hk_extension_break_even(&wrong, n);
    n->value *= factor;
    return status;
}

static enum hk_status twice_the_number(const struct hk_extension_costs *costs,
                                       struct hk_estimate *n)
{
    return break_even_with(costs, 1, 2, n);
}

/* N* = V / T_u: the program itself costs nothing. */
static enum hk_status free_execution(const struct hk_extension_costs *costs, struct hk_estimate *n)
{
    return break_even_with(costs, 0, 1, n);
}

const struct hk_mutant hk_mutants_extension[] = {
    {"V without v0", "extension", 0, {.extension_verify = no_v0}, NULL},
    {"v1 twice", "extension", 0, {.extension_verify = verified_twice}, NULL},
    {"bytes for instructions", "extension", 0, {.extension_verify = eight_bytes_each}, NULL},
    {"V does not grow", "extension", 1, {.extension_verify = constant_load}, NULL},
    {"V paid each time", "extension", 2, {.extension_cost = paid_each_time}, NULL},
    {"V / N -> V / N^2", "extension", 2, {.extension_cost = amortised_twice}, NULL},
    {"V amortised once too often", "extension", 2, {.extension_cost = once_too_often}, NULL},
    {"t_x twice", "extension", 2, {.extension_cost = run_twice}, NULL},
    {"V forgotten", "extension", 2, {.extension_cost = verified_for_nothing}, NULL},
    {"N* -> 2 N*", "extension", 3, {.break_even = twice_the_number}, NULL},
    {"N* = V / T_u", "extension", 3, {.break_even = free_execution}, NULL},
    {"attachment: t_x twice", "extension with attachment", 0, {.extension_cost = run_twice}, NULL},
    {0},
};

/* --- rare events ------------------------------------------------------------------- */

/* The liar: integrates the last stage without tilting the others. */
static enum hk_status liar(const struct hk_rare_problem *problem,
                           const struct hk_rare_method *method, uint64_t seed,
                           struct hk_rare_plan *plan)
{
    const struct hk_rare_method *untilted = hk_rare_method_find("conditional-untilted");
    const bool applies = hk_rare_method_applies(untilted, problem) && problem->stage_count > 1;

    return __real_hk_rare_plan_init(problem, applies ? untilted : method, seed, plan);
}

static enum hk_status times(const struct hk_rare_plan *plan, const struct hk_rare_total *total,
                            double confidence, struct hk_rare_estimate *out, double factor)
{
    const enum hk_status status = __real_hk_rare_estimate(plan, total, confidence, out);

    if (status == HK_OK) {
        out->probability *= factor;
        out->interval.lower *= factor;
        out->interval.upper *= factor;
    }
    return status;
}

static enum hk_status both_signs(const struct hk_rare_plan *plan,
                                 const struct hk_rare_total *total, double confidence,
                                 struct hk_rare_estimate *out)
{
    return times(plan, total, confidence, out,
                 plan->problem.reading == HK_UNDERRUN_ABSOLUTE ? 2 : 1);
}

/* The tilted law's weight without its normalisation. */
static enum hk_status unnormalised(const struct hk_rare_plan *plan,
                                   const struct hk_rare_total *total, double confidence,
                                   struct hk_rare_estimate *out)
{
    const double tilt = 1 - plan->theta_per_ns * plan->problem.law.scale_ns;

    return times(plan, total, confidence, out, plan->theta_per_ns > 0 && tilt > 0 ? tilt : 1);
}

/* The interval's half width on the logarithm, times a factor. */
static enum hk_status width_times(const struct hk_rare_plan *plan,
                                  const struct hk_rare_total *total, double confidence,
                                  struct hk_rare_estimate *out, double factor)
{
    const enum hk_status status = __real_hk_rare_estimate(plan, total, confidence, out);

    if (status == HK_OK) {
        const double p = out->probability;
        out->interval.lower = p * pow(out->interval.lower / p, factor);
        out->interval.upper = p * pow(out->interval.upper / p, factor);
    }
    return status;
}

static enum hk_status narrow(const struct hk_rare_plan *plan, const struct hk_rare_total *total,
                             double confidence, struct hk_rare_estimate *out)
{
    return width_times(plan, total, confidence, out, 0.75);
}

static enum hk_status deviation_for_error(const struct hk_rare_plan *plan,
                                          const struct hk_rare_total *total, double confidence,
                                          struct hk_rare_estimate *out)
{
    return width_times(plan, total, confidence, out, sqrt(total->draw_count));
}

const struct hk_mutant hk_mutants_rare[] = {
    {"the liar estimator", "closed forms", 0, {.rare_plan = liar}, NULL},
    {"both signs of D - D' counted", "closed forms", 0, {.rare_estimate = both_signs}, NULL},
    {"tilt without its normalisation", "closed forms", 0, {.rare_estimate = unnormalised}, NULL},
    {"intervals a quarter too narrow", "closed forms", 1, {.rare_estimate = narrow}, NULL},
    {"standard deviation for error", "closed forms", 1, {.rare_estimate = deviation_for_error},
     NULL},
    {0},
};
