/* SPDX-License-Identifier: MIT */
/*
 * F6 where the delays are known by construction: this suite's own kernel under virtual time, a
 * periodic thread, and delays of a seeded law. Delta, sigma and rho_1 come from one trace, J from
 * another one with another seed. Jitter is counted, not sampled in time, so there is no interval;
 * what is left is how far 4000 periods of one seed are from the law, and the margin covers that.
 *
 * Three laws: exponential, as the formula assumes; the sum of two stages, which varies less; and one
 * whose delays last, so that they depend on each other.
 */
#include <math.h>
#include <stdio.h>

#include "contest.h"
#include "delayed.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/core/delay_law.h"
#include "hk/model/jitter.h"

static const double margin = 0.0487901641694320; /* ln 1.05; J of 4000 periods is known to 2.4 % */
static const double cv_tolerance = 0.10;
static const double rho_tolerance = 0.05;

static const struct hk_delay_law laws[] = HK_DELAY_LAWS; /* those that are good for intervals */

static enum hk_status add_exact(struct hk_judge *judge, const char *law, const char *symbol,
                                double value, size_t launches)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F6/guest_%s/%s", law, symbol);
    snprintf(source, sizeof source, "guest/wakeup/delayed/law:%s/record:lateness", law);
    return hk_judge_add_exact(judge, name, value, launches, source);
}

enum hk_status hk_f6_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(laws) && status == HK_OK; i++) {
        struct hk_delayed fit;
        if (!laws[i].intervals || hk_delayed_read(training, laws[i].name, &fit) != HK_OK)
            continue;
        status = add_exact(judge, laws[i].name, "d0_ns", fit.d0_ns, fit.launches);
        if (status == HK_OK)
            status = add_exact(judge, laws[i].name, "delta_ns", fit.delta_ns, fit.launches);
        if (status == HK_OK)
            status = add_exact(judge, laws[i].name, "sigma_ns", fit.sigma_ns, fit.launches);
        if (status == HK_OK)
            status = add_exact(judge, laws[i].name, "rho1", fit.rho1, fit.launches);
    }
    return status;
}

/* J in each launch: the root of the mean square of what intervals differ from the period. */
static enum hk_status read_jitter(const struct hk_run *run, const char *law,
                                  struct hk_cell_values *jitter)
{
    if (hk_cell_read_ratio(run, "hk_interval_square_sum", "hk_periods", jitter,
                           "guest/wakeup/delayed/law:%s/record:interval", law) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < jitter->count; i++) {
        if (!(jitter->values[i] > 0))
            return HK_ENOENT;
        jitter->values[i] = sqrt(jitter->values[i]);
    }
    return HK_OK;
}

/* The larger violation of the two, relative to what is tolerated. */
static struct hk_assumption assumption_of(const struct hk_delayed *fit)
{
    const double cv = fit->sigma_ns / fit->delta_ns;
    const struct hk_assumption of_cv = {"CV of lateness beyond its minimum", "", 1, cv,
                                        {cv, cv, 1}, cv_tolerance};
    const struct hk_assumption of_rho = {"lag-1 correlation of lateness", "", 0, fit->rho1,
                                         {fit->rho1, fit->rho1, 1}, rho_tolerance};

    return fabs(cv - 1) / cv_tolerance > fabs(fit->rho1) / rho_tolerance ? of_cv : of_rho;
}

static enum hk_status judge_law(const struct hk_run *training, const struct hk_run *target,
                                const char *law, struct hk_judge *judge)
{
    char regime[64];
    struct hk_contest contest = {.formula = "F6", .regime = regime, .margin = margin,
                                 .model_count = 2,
                                 .models = {"textbook", "sigma sqrt(2 (1 - rho1))"}};
    struct hk_estimate textbook = {.count = 1}, dependent = {.count = 1};
    struct hk_cell_values jitter;
    struct hk_comparison c;
    struct hk_delayed fit;

    snprintf(regime, sizeof regime, "guest/delayed/%s", law);
    if (hk_delayed_read(training, law, &fit) != HK_OK ||
        read_jitter(target, law, &jitter) != HK_OK ||
        hk_contest_measure(&contest, &jitter, &c) != HK_OK)
        return HK_OK; /* not in this run */
    const struct hk_assumption assumption = assumption_of(&fit);
    contest.assumption = &assumption;
    contest.timed |= !fit.exact;
    snprintf(c.quantity, sizeof c.quantity, "jitter_rms_ns");
    enum hk_status status = hk_jitter_textbook(fit.delta_ns, &textbook.value);
    if (status == HK_OK)
        status = hk_jitter_dependent(fit.sigma_ns, fit.rho1, &dependent.value);
    if (status == HK_OK)
        status = hk_contest_predict(&contest, 0, judge, &c, &textbook);
    if (status == HK_OK)
        status = hk_contest_predict(&contest, 1, judge, &c, &dependent);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

enum hk_status hk_f6_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(laws) && status == HK_OK; i++)
        if (laws[i].intervals)
            status = judge_law(training, target, laws[i].name, judge);
    return status;
}
