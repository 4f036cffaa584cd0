/* SPDX-License-Identifier: MIT */
/* What the rare probabilities are where they can be had without simulation. */
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>

#include "hk/model/phase_type.h"
#include "hk/stats/gsl.h"
#include "rare_method.h"

#define INTERVALS_MAX 400u
#define HEAVY_STAGES_MAX 3u /* nested quadratures */
#define DEPTH_END 745.0     /* e^-745 is the smallest double */

/* P(sum of stage_count > x) for a heavy law, as an integrand sees it. */
struct heavy_sum {
    const struct hk_delay_law *law;
    unsigned stage_count;
    double x_ns;
    double tolerance;
};

static double heavy_survival(const struct heavy_sum *sum);

/* One stage is small: e^-depth dy-depth of it times what the others must do. */
static double small_stage(double depth, void *context)
{
    const struct heavy_sum *sum = context;
    const double y_ns = rare_at_depth(sum->law, depth);
    const struct heavy_sum others = {sum->law, sum->stage_count - 1, sum->x_ns - y_ns,
                                     sum->tolerance / 10.0};
    return exp(-depth) * heavy_survival(&others);
}

/* The others are small: the stage's density beyond, in the same variable. */
static double large_stage(double depth, void *context)
{
    const struct heavy_sum *sum = context;
    const double z_ns = rare_at_depth(sum->law, depth);
    const struct heavy_sum others = {sum->law, sum->stage_count - 1, z_ns, sum->tolerance / 10.0};
    const double density = hk_delay_density(sum->law, z_ns);
    if (!(density > 0.0) || z_ns <= 0.0) {
        return 0.0;
    }
    return hk_delay_density(sum->law, sum->x_ns - z_ns) * heavy_survival(&others) *
           exp(-depth) / density;
}

static double integrate(double (*f)(double, void *), const struct heavy_sum *sum, double end)
{
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(INTERVALS_MAX);
    gsl_function function = {f, (void *)(uintptr_t)sum};
    double value = NAN;
    double error;
    if (w) {
        const int code = gsl_integration_qag(&function, 0.0, end, 0.0, sum->tolerance,
                                             INTERVALS_MAX, GSL_INTEG_GAUSS31, w, &value, &error);
        value = code == GSL_SUCCESS || code == GSL_EROUND ? value : NAN;
        gsl_integration_workspace_free(w);
    }
    return value;
}

/* P(S_n > x): the last stage is below x / 2, above it, or above x. NAN where quadrature fails. */
static double heavy_survival(const struct heavy_sum *sum)
{
    if (sum->stage_count == 1 || sum->x_ns <= 0.0) {
        return hk_delay_survival(sum->law, sum->x_ns);
    }
    const double half = rare_depth_at(sum->law, sum->x_ns / 2.0);
    return hk_delay_survival(sum->law, sum->x_ns) + integrate(small_stage, sum, half) +
           integrate(large_stage, sum, half);
}

/* E P(D > h + D') over D'. */
static double difference_integrand(double depth, void *context)
{
    const struct heavy_sum *sum = context;
    return exp(-depth) * hk_delay_survival(sum->law, sum->x_ns + rare_at_depth(sum->law, depth));
}

static enum hk_status heavy_exact(const struct hk_rare_problem *p, double *probability,
                                  const char **formula)
{
    const struct heavy_sum sum = {&p->law, p->stage_count, p->headroom_ns, 1e-9};
    double value;
    if (p->reading == HK_UNDERRUN_QUEUE || p->stage_count > HEAVY_STAGES_MAX ||
        (p->reading == HK_UNDERRUN_ABSOLUTE && p->stage_count > 1)) {
        return HK_ENOTSUP;
    }
    if (p->reading == HK_UNDERRUN_DEVICE) {
        *formula = p->stage_count == 1 ? "the law itself" : "convolution by quadrature";
        value = heavy_survival(&sum);
    } else {
        *formula = "integral over the delay before, by quadrature";
        value = integrate(difference_integrand, &sum, DEPTH_END);
    }
    if (!isfinite(value)) {
        return HK_ENOISE;
    }
    *probability = value;
    return HK_OK;
}

static enum hk_status light_exact(const struct hk_rare_problem *p, double *probability,
                                  const char **formula)
{
    struct hk_phase_type law;
    const bool single = p->law.kind == HK_DELAY_EXPONENTIAL && p->stage_count == 1;
    const enum hk_status status = hk_phase_type_sum(&p->law, p->stage_count, &law);
    if (status != HK_OK) {
        return status == HK_ETOOBIG ? HK_ENOTSUP : status;
    }
    switch (p->reading) {
    case HK_UNDERRUN_DEVICE:
        if (p->law.kind == HK_DELAY_EXPONENTIAL) {
            *formula = single ? "e^(-lambda h)" : "upper incomplete gamma function";
            *probability = rare_sum_survival(p, p->headroom_ns);
            return HK_OK;
        }
        *formula = "phase-type law, matrix exponential";
        return hk_phase_type_survival(&law, p->headroom_ns, probability);
    case HK_UNDERRUN_ABSOLUTE:
        if (single) {
            *formula = "(1/2) e^(-lambda h)";
            *probability = 0.5 * rare_sum_survival(p, p->headroom_ns);
            return HK_OK;
        }
        *formula = "difference of phase-type delays, matrix exponential";
        return hk_phase_type_difference(&law, p->headroom_ns, probability);
    case HK_UNDERRUN_QUEUE:
        break;
    }
    if (p->ring_ns > 0.0) {
        return HK_ENOTSUP;
    }
    *formula = p->poisson ? "M/PH/1 sojourn, matrix exponential"
                          : "D/PH/1 sojourn, matrix exponential";
    if (single && !p->poisson) {
        *formula = "e^(-lambda (1 - s) h), s = e^(-lambda (1 - s) T)";
        return hk_underrun_probability(HK_UNDERRUN_QUEUE, p->law.scale_ns, p->headroom_ns,
                                       p->period_ns, probability);
    }
    return hk_phase_type_queue(&law, p->period_ns, p->poisson, p->headroom_ns, probability);
}

enum hk_status hk_rare_exact(const struct hk_rare_problem *problem, double *probability,
                             const char **formula)
{
    const char *text = "";
    double value = 0.0;
    enum hk_status status = probability ? hk_rare_problem_check(problem) : HK_EINVAL;
    if (status != HK_OK) {
        return status;
    }
    const bool light = rare_theta_limit(&problem->law) > 0.0;
    status = light ? light_exact(problem, &value, &text) : heavy_exact(problem, &value, &text);
    if (status != HK_OK) {
        return status;
    }
    *probability = value;
    if (formula) {
        *formula = text;
    }
    return HK_OK;
}
