/* SPDX-License-Identifier: MIT */
/* Pairs: launches of A and B side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/shift.h"
#include "hk/stats/summary.h"
#include "internal.h"

/* Of the signed-rank test against Student's, for normal differences: 3 / pi. */
#define RANKS_EFFICIENCY_RATIO 0.955

/* Beyond this many standard errors of a normal sample's skewness, ranks are not trusted. */
#define SKEWNESS_LIMIT 3.0

enum { REPLICATES_MIN = 999, REPLICATES_MAX = 99999 };

/* The signed rank test takes differences for symmetric; the sign test takes them as they are. */
static enum hk_paired_test choose_test(const double *d, size_t n, double sd)
{
    double mean = 0, cubes = 0;

    for (size_t i = 0; i < n; i++)
        mean += d[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        cubes += pow((d[i] - mean) / (sd > 0 ? sd : 1), 3) / (double)n;
    return fabs(cubes) * sqrt((double)n / 6.0) > SKEWNESS_LIMIT ? HK_PAIRED_SIGN
                                                                : HK_PAIRED_WILCOXON;
}

/* One-sided p of the differences against a shift. */
static enum hk_status test_shift(const double *d, size_t n, double shift, enum hk_paired_test test,
                                 double *p_greater, double *p_less)
{
    struct hk_wilcoxon wilcoxon;
    double *moved = malloc(n * sizeof *moved);

    if (moved == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < n; i++)
        moved[i] = d[i] - shift;
    enum hk_status status = test == HK_PAIRED_SIGN
                                ? hk_sign_test(moved, n, p_greater, p_less)
                                : hk_wilcoxon_test(moved, n, 0.5, &wilcoxon);
    if (status == HK_OK && test != HK_PAIRED_SIGN) {
        *p_greater = wilcoxon.p_greater;
        *p_less = wilcoxon.p_less;
    }
    free(moved);
    return status;
}

static enum hk_status test_all(const double *d, size_t n, double bound, enum hk_paired_test test,
                               struct hk_finding *f)
{
    double greater = 1, less = 1, beyond = 1, within_upper = 1, within_lower = 1, below = 1;
    enum hk_status status = test_shift(d, n, 0, test, &greater, &less);

    if (status == HK_OK)
        status = test_shift(d, n, bound, test, &beyond, &within_upper);
    if (status == HK_OK)
        status = test_shift(d, n, -bound, test, &within_lower, &below);
    f->p = fmin(1, 2 * fmin(greater, less));
    f->p_bound = fmin(1, 2 * fmin(beyond, below));
    f->p_same = fmax(within_upper, within_lower);
    return status;
}

static void judge_alone(struct hk_finding *f, const struct hk_levels *levels)
{
    f->p_holm = f->p_bound;
    f->q_value = f->p;
    if (f->p_bound <= levels->difference)
        f->verdict = f->ratio > 1 ? HK_PAIRED_SLOWER : HK_PAIRED_FASTER;
    else if (f->p_same <= levels->equivalence / 2)
        f->verdict = HK_PAIRED_SAME;
}

static void set_interval(struct hk_finding *f, const double *d, size_t n, double level,
                         enum hk_paired_test test)
{
    struct hk_wilcoxon wilcoxon;
    struct hk_interval interval;
    const enum hk_status status = test == HK_PAIRED_SIGN
                                      ? hk_sign_interval(d, n, 1 - level, &interval)
                                      : hk_wilcoxon_test(d, n, 1 - level, &wilcoxon);

    if (status != HK_OK) {
        finding_say(f, "%zu launches are too few for an interval at %.3g %%", n, 100 * (1 - level));
        return;
    }
    if (test != HK_PAIRED_SIGN)
        interval = wilcoxon.interval;
    f->interval = (struct hk_interval){exp(interval.lower), exp(interval.upper),
                                       interval.confidence_ratio};
}

static double location_of(const double *d, size_t n, enum hk_paired_test test)
{
    struct hk_wilcoxon wilcoxon;
    double median = NAN;

    if (test == HK_PAIRED_WILCOXON && hk_wilcoxon_test(d, n, 0.5, &wilcoxon) == HK_OK)
        return wilcoxon.location;
    double *copy = malloc(n * sizeof *copy);
    if (copy != NULL) {
        memcpy(copy, d, n * sizeof *copy);
        median = median_of(copy, n);
    }
    free(copy);
    return median;
}

/* Fills all but medians of the sides and what the family decides. */
static enum hk_status measure(const double *d, size_t n, const struct hk_rule *rule, double level,
                              size_t tests, struct hk_finding *f)
{
    struct hk_estimate mean;
    double delta;
    enum hk_status status = hk_mean_estimate(d, n, &mean);

    if (status == HK_ENOISE) {
        finding_say(f, "%zu pair of launches; a verdict needs at least 6", n);
        return HK_OK;
    }
    if (status != HK_OK)
        return status;
    f->sd_between = mean.standard_error * sqrt((double)n);
    const enum hk_paired_test test = choose_test(d, n, f->sd_between);
    f->ratio = exp(location_of(d, n, test));
    set_interval(f, d, n, level, test);
    /* Ranks attain less than the level that they were asked for. */
    const double attained = isnan(f->interval.lower) ? level : 1 - f->interval.confidence_ratio;
    if (f->sd_between > 0 && attained > 0 &&
        hk_paired_detectable(f->sd_between, n, test, attained / (double)(tests > 0 ? tests : 1),
                             POWER, &delta) == HK_OK)
        f->detectable_ratio = (1 + rule->bound_ratio) * exp(delta);
    return test_all(d, n, log1p(rule->bound_ratio), test, f);
}

enum hk_status hk_compare_pairs(const struct hk_pairs *pairs, const struct hk_rule *rule,
                                const struct hk_levels *levels, size_t tests,
                                struct hk_finding *finding)
{
    struct hk_finding f = finding_make(pairs->cell, "time", HK_BASIS_PAIRED);
    double *copy = malloc((pairs->count + 1) * sizeof *copy);
    enum hk_status status = HK_OK;

    if (copy == NULL)
        return HK_ENOMEM;
    f.gates = true;
    f.count_a = f.count_b = pairs->count;
    if (pairs->count == 0) {
        finding_say(&f, "no launch gave a value");
    } else {
        memcpy(copy, pairs->a_ns, pairs->count * sizeof *copy);
        f.a = median_of(copy, pairs->count);
        memcpy(copy, pairs->b_ns, pairs->count * sizeof *copy);
        f.b = median_of(copy, pairs->count);
        status = measure(pairs->log_ratio, pairs->count, rule, levels->difference, tests, &f);
    }
    if (status == HK_OK && pairs->count > 0 && pairs->sd_within != NULL) {
        memcpy(copy, pairs->sd_within, pairs->count * sizeof *copy);
        f.sd_within = median_of(copy, pairs->count);
    }
    if (status == HK_OK && !isnan(f.p_bound))
        judge_alone(&f, levels);
    free(copy);
    if (status == HK_OK)
        *finding = f;
    return status;
}

enum hk_status compare_paired(struct hk_comparison *c, const struct cell *cell,
                              const struct judging *judging)
{
    const struct hk_rule *rule = judging->rule;
    const size_t room = cell->count_a < cell->count_b ? cell->count_a : cell->count_b;
    double *memory = malloc((3 * room + 3) * sizeof *memory);
    struct hk_pairs pairs = {.a_ns = memory, .b_ns = memory + room + 1,
                             .log_ratio = memory + 2 * (room + 1)};
    const struct hk_levels levels = {rule->alpha, 2 * rule->alpha};
    struct hk_finding f;

    if (memory == NULL)
        return HK_ENOMEM;
    strcpy(pairs.cell, cell->name);
    pairs.count = pairs_of(cell, NULL, pairs.a_ns, pairs.b_ns);
    for (size_t i = 0; i < pairs.count; i++)
        pairs.log_ratio[i] = log(pairs.b_ns[i] / pairs.a_ns[i]);
    enum hk_status status = hk_compare_pairs(&pairs, rule, &levels, judging->tests, &f);
    free(memory);
    return status == HK_OK ? finding_add(c, &f) : status;
}

/* --- quantiles --------------------------------------------------------------------- */

/* Quantiles that all pairs of launches have; differences launch by launch. */
struct shift {
    size_t launches;
    size_t count;
    size_t which[HK_SHIFT_QUANTILES_MAX];
    double a[HK_SHIFT_QUANTILES_MAX]; /* medians over launches, ns */
    double b[HK_SHIFT_QUANTILES_MAX];
    double *differences; /* launches rows of count */
    struct hk_shift_point points[HK_SHIFT_QUANTILES_MAX];
    double p_bound[HK_SHIFT_QUANTILES_MAX];
};

static void add_quantile(const struct cell *cell, size_t q, double *a, double *b, struct shift *s)
{
    const size_t n = pairs_of(cell, quantiles[q].counter, a, b);

    if (s->count == 0)
        s->launches = n;
    if (n < HK_SHIFT_LAUNCHES_MIN || n != s->launches)
        return; /* a tail that some launches could not bound */
    for (size_t l = 0; l < n; l++)
        s->differences[l * quantile_count + s->count] = log(b[l] / a[l]);
    s->a[s->count] = median_of(a, n);
    s->b[s->count] = median_of(b, n);
    s->which[s->count++] = q;
}

/* p can be no smaller than 1 / replicates, and Holm multiplies it by the number of tests. */
static size_t replicates_for(const struct judging *j)
{
    const double wanted = 4 * (double)j->tests / j->rule->alpha;

    return wanted < REPLICATES_MIN   ? REPLICATES_MIN
           : wanted > REPLICATES_MAX ? REPLICATES_MAX
                                     : (size_t)wanted;
}

static enum hk_status find_band(const struct judging *j, const struct shift *s,
                                struct hk_shift_point *points)
{
    const struct hk_shift_data data = {s->differences, s->launches, s->count};
    struct hk_rng *rng = NULL;
    enum hk_status status = hk_rng_create(j->rule->seed, 1, &rng);

    if (status == HK_OK)
        status = hk_shift_band(&data, 1 - j->rule->alpha, replicates_for(j), rng, points);
    hk_rng_destroy(rng);
    return status;
}

static void move(struct shift *s, double by)
{
    for (size_t i = 0; i < s->launches * s->count; i++)
        s->differences[i] += by;
}

static bool is_beyond(const struct hk_shift_point *p, double bound, bool slower)
{
    return slower ? p->interval.lower > bound : p->interval.upper < -bound;
}

/* The quantiles whose band lies beyond the bound on one side, tested against that bound. */
static enum hk_status test_bound(const struct judging *j, struct shift *s, bool slower)
{
    const double bound = log1p(j->rule->bound_ratio);
    struct hk_shift_point moved[HK_SHIFT_QUANTILES_MAX];
    bool any = false;

    for (size_t i = 0; i < s->count; i++)
        any = any || is_beyond(&s->points[i], bound, slower);
    if (!any)
        return HK_OK;
    move(s, slower ? -bound : bound);
    const enum hk_status status = find_band(j, s, moved);
    move(s, slower ? bound : -bound);
    for (size_t i = 0; i < s->count && status == HK_OK; i++)
        if (is_beyond(&s->points[i], bound, slower))
            s->p_bound[i] = moved[i].p_two_sided; /* the family is all that is tested, by Holm */
    return status;
}

/* Both must be beyond the bound: the cell's band, and p after Holm. NAN without any spread. */
static double detectable_of(const struct judging *j, const struct shift *s,
                            const struct hk_shift_point *p)
{
    const double freedom = (double)s->launches - 1;
    const double level = j->rule->alpha / (double)j->tests;
    /* Of few launches it is too small on average, by about 1 / 4 (n - 1); signs cost as ranks do. */
    const double se =
        p->standard_error * (1 + 1 / (4 * freedom)) / sqrt(RANKS_EFFICIENCY_RATIO);
    const double least =
        fmax(p->interval.upper - p->value, gsl_cdf_tdist_Qinv(level / 2, freedom) * se);
    const double delta = least + gsl_cdf_tdist_Qinv(1 - POWER, freedom) * se;

    return se > 0 ? (1 + j->rule->bound_ratio) * exp(delta) : NAN;
}

static enum hk_status add_findings(struct hk_comparison *c, const struct cell *cell,
                                   const struct judging *j, const struct shift *s)
{
    const double bound = log1p(j->rule->bound_ratio);
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < s->count && status == HK_OK; i++) {
        const struct hk_shift_point *p = &s->points[i];
        struct hk_finding f = finding_make(cell->name, quantiles[s->which[i]].name,
                                           HK_BASIS_PAIRED);
        const bool within = p->interval.lower > -bound && p->interval.upper < bound;
        f.a = s->a[i];
        f.b = s->b[i];
        f.ratio = exp(p->value);
        f.interval = (struct hk_interval){exp(p->interval.lower), exp(p->interval.upper),
                                          p->interval.confidence_ratio};
        f.sd_between = p->standard_error * sqrt((double)s->launches);
        f.detectable_ratio = detectable_of(j, s, p);
        f.p = p->p_two_sided;
        f.p_bound = s->p_bound[i];
        f.p_same = within ? j->rule->alpha : 1;
        f.count_a = f.count_b = s->launches;
        status = finding_add(c, &f);
    }
    return status;
}

static enum hk_status shift_quantiles(struct hk_comparison *c, const struct cell *cell,
                                      const struct judging *j, struct shift *s)
{
    for (size_t l = 0; l < s->launches; l++) /* close the gaps of quantiles left out */
        memmove(&s->differences[l * s->count], &s->differences[l * quantile_count],
                s->count * sizeof *s->differences);
    for (size_t i = 0; i < s->count; i++)
        s->p_bound[i] = 1;
    enum hk_status status = find_band(j, s, s->points);
    if (status == HK_OK)
        status = test_bound(j, s, true);
    if (status == HK_OK)
        status = test_bound(j, s, false);
    return status == HK_OK ? add_findings(c, cell, j, s) : status;
}

enum hk_status compare_quantiles(struct hk_comparison *c, const struct cell *cell,
                                 const struct judging *judging)
{
    const size_t room = cell->count_a < cell->count_b ? cell->count_a : cell->count_b;
    double *memory = malloc((2 + quantile_count) * (room + 1) * sizeof *memory);
    struct shift s = {.differences = memory};
    enum hk_status status = HK_OK;

    if (memory == NULL)
        return HK_ENOMEM;
    double *a = memory + quantile_count * (room + 1), *b = a + room + 1;
    for (size_t q = 0; q < quantile_count; q++)
        add_quantile(cell, q, a, b, &s);
    if (s.count > 0)
        status = shift_quantiles(c, cell, judging, &s);
    free(memory);
    return status;
}
