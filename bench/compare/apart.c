/* SPDX-License-Identifier: MIT */
/*
 * Sides that were measured one after the other. Launches of one side say nothing of what
 * changed on the machine in between; the scatter of all cells' differences about zero does.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/summary.h"
#include "internal.h"

/* Fewer cells do not describe a drift; fewer launches do not describe a side. */
enum { CELLS_MIN = 10, LAUNCHES_MIN = 3 };

#define SD_PER_MAD 1.4826 /* of a normal distribution */
#define SE_OF_MEDIAN 1.2533 /* standard error of a normal sample's median / of its mean */
#define FREEDOM_KNOWN 1000.0 /* degrees of freedom of a drift known from elsewhere */

/* Mean and standard error of the log values of one side; NAN below LAUNCHES_MIN. */
static void describe(double *values, size_t n, double *median, struct hk_estimate *log_mean)
{
    *log_mean = (struct hk_estimate){NAN, NAN, n};
    *median = NAN;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        values[i] = log(values[i]);
    if (n < LAUNCHES_MIN || hk_mean_estimate(values, n, log_mean) != HK_OK)
        *log_mean = (struct hk_estimate){NAN, NAN, n};
    *median = exp(median_of(values, n));
}

static enum hk_status add_quantity(struct hk_comparison *c, const struct cell *cell,
                                   const char *name, const char *counter, double *values)
{
    struct hk_finding f = finding_make(cell->name, name, HK_BASIS_APART);
    struct hk_estimate a, b;

    f.gates = counter == NULL;
    f.count_a = values_of(cell->a, cell->count_a, counter, values);
    describe(values, f.count_a, &f.a, &a);
    f.count_b = values_of(cell->b, cell->count_b, counter, values);
    describe(values, f.count_b, &f.b, &b);
    if (f.count_a == 0 || f.count_b == 0)
        return HK_OK;
    f.ratio = f.b / f.a;
    if (isnan(a.value) || isnan(b.value)) {
        finding_say(&f, "%zu and %zu launches; a verdict needs %d on both sides",
                    f.count_a, f.count_b, LAUNCHES_MIN);
    } else {
        /* Medians, since one disturbed launch moves a mean; their error is until judge_apart. */
        f.sd_between = SE_OF_MEDIAN * hypot(a.standard_error, b.standard_error);
    }
    return finding_add(c, &f);
}

enum hk_status compare_apart(struct hk_comparison *c, const struct cell *cell)
{
    const size_t room = cell->count_a > cell->count_b ? cell->count_a : cell->count_b;
    double *values = malloc((room + 1) * sizeof *values);
    enum hk_status status = values != NULL ? HK_OK : HK_ENOMEM;

    if (status == HK_OK)
        status = add_quantity(c, cell, "time", NULL, values);
    for (size_t q = 0; q < quantile_count && status == HK_OK; q++)
        status = add_quantity(c, cell, quantiles[q].name, quantiles[q].counter, values);
    free(values);
    return status;
}

static bool is_judged(const struct hk_finding *f, const char *quantity)
{
    return f->basis == HK_BASIS_APART && !isnan(f->sd_between) &&
           strcmp(f->quantity, quantity) == 0;
}

/*
 * Standard deviation of the drift, about zero: a job that is slower as a whole widens it, since
 * from inside nobody can tell that from a change. NAN when there are too few cells.
 */
static double drift_of(const struct hk_comparison *c, const char *quantity, double *values,
                       size_t *cells)
{
    size_t n = 0;

    for (size_t i = 0; i < c->finding_count; i++)
        if (is_judged(&c->findings[i], quantity))
            values[n++] = fabs(log(c->findings[i].ratio));
    *cells = n;
    return n < CELLS_MIN ? NAN : SD_PER_MAD * median_of(values, n);
}

static void judge_one(struct hk_finding *f, const struct judging *judging, double drift,
                      double freedom)
{
    const struct hk_rule *rule = judging->rule;
    const double y = log(f->ratio), bound = log1p(rule->bound_ratio);
    const double se = hypot(f->sd_between, drift);
    const double half = gsl_cdf_tdist_Qinv(rule->alpha / 2, freedom) * se;

    f->sd_between = se;
    f->interval = (struct hk_interval){exp(y - half), exp(y + half), 1 - rule->alpha};
    if (!(se > 0)) { /* nothing scattered: equal files */
        f->p = f->p_bound = y == 0 ? 1 : 0;
        f->p_same = fabs(y) < bound ? 0 : 1;
        return;
    }
    f->p = fmin(1, 2 * gsl_cdf_tdist_Q(fabs(y) / se, freedom));
    f->p_bound = fmin(1, 2 * gsl_cdf_tdist_Q((fabs(y) - bound) / se, freedom));
    f->p_same = gsl_cdf_tdist_Q((bound - fabs(y)) / se, freedom);
    f->detectable_ratio =
        (1 + rule->bound_ratio) *
        exp((gsl_cdf_tdist_Qinv(rule->alpha / 2 / (double)judging->tests, freedom) +
             gsl_cdf_tdist_Qinv(1 - POWER, freedom)) * se);
}

static void judge_quantity(struct hk_comparison *c, const struct judging *judging,
                           const char *quantity, double *values)
{
    const struct hk_rule *rule = judging->rule;
    size_t cells;
    const double seen = drift_of(c, quantity, values, &cells);
    const double drift = rule->drift_ratio > 0 ? log1p(rule->drift_ratio) : seen;

    for (size_t i = 0; i < c->finding_count; i++) {
        struct hk_finding *f = &c->findings[i];
        if (!is_judged(f, quantity))
            continue;
        if (isnan(drift)) {
            f->sd_between = NAN;
            finding_say(f, "not interleaved, and %zu cells are too few (%d) to see what drifted "
                        "between the two: measure in turns (--a, --b), or give --drift", cells,
                        CELLS_MIN);
            continue;
        }
        judge_one(f, judging, drift, rule->drift_ratio > 0 ? FREEDOM_KNOWN : (double)cells - 1);
        finding_say(f, "not interleaved: drift of %.2g %% %s", 100 * expm1(drift),
                    rule->drift_ratio > 0 ? "as given" : "over all cells counts as error");
    }
}

enum hk_status judge_apart(struct hk_comparison *c, const struct judging *judging)
{
    double *values = malloc((c->finding_count + 1) * sizeof *values);

    if (values == NULL)
        return HK_ENOMEM;
    judge_quantity(c, judging, "time", values);
    for (size_t q = 0; q < quantile_count; q++)
        judge_quantity(c, judging, quantiles[q].name, values);
    free(values);
    return HK_OK;
}
