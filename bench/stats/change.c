/* SPDX-License-Identifier: MIT */
#include "hk/stats/change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/quantile.h"
#include "hk/stats/rng.h"

enum { POINTS = HK_CHANGE_POINTS_MAX, SEGMENT = HK_CHANGE_SEGMENT_MIN };

#define PERMUTATIONS_LIMIT 10000000u
/* How a measured autocorrelation is corrected; docs/decisions/0250-dependent-series.md. */
#define RHO_THRESHOLD 0.12
#define RHO_BIAS 4.0
#define RHO_SLOPE 28.0
#define RHO_MAX 0.95
#define STEP_SHARE 0.65 /* of the squares left: a step that explains more is no noise */
#define LOCATION_RATIO 0.9   /* a step at k is as good when its statistic is that near the best */

/* What one test works on; sums of ranks are exact in 32 bits for so few points. */
struct work {
    size_t n;
    double weight[POINTS]; /* n / (k (n - k)) */
    int32_t ranks[POINTS]; /* 2 * midrank - (n + 1): centred, whole also for ties */
    int32_t permuted[POINTS];
    double step;           /* statistics of the series itself */
    int64_t drift;
    size_t position;
    double rho;            /* corrected autocorrelation; 0: points are permuted one by one */
    double residuals[POINTS]; /* the next two only with rho > 0 */
    double innovations[POINTS];
};

/* --- ranks --------------------------------------------------------------------- */

struct ranked {
    double value;
    size_t index;
};

static int by_value(const void *a, const void *b)
{
    const double x = ((const struct ranked *)a)->value;
    const double y = ((const struct ranked *)b)->value;
    return (x > y) - (x < y);
}

static void rank(const double *y, size_t n, int32_t *ranks)
{
    struct ranked sorted[POINTS];
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (struct ranked){y[i], i};
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end].value == sorted[i].value;) {
            end++;
        }
        for (size_t j = i; j < end; j++) { /* twice the mean of ranks i + 1 .. end */
            ranks[sorted[j].index] = (int32_t)(i + 1 + end) - (int32_t)(n + 1);
        }
    }
}

/* --- statistics ------------------------------------------------------------------ */

/* Square of the step statistic (times 4), and where it is largest. */
static double step_statistic(const struct work *w, const int32_t *ranks, size_t *position)
{
    double best = -1.0;
    int32_t sum = 0;
    for (size_t k = 1; k + SEGMENT <= w->n; k++) {
        sum += ranks[k - 1];
        const double t = (double)sum * (double)sum * w->weight[k];
        if (k >= SEGMENT && t > best) {
            best = t;
            *position = k;
        }
    }
    return best;
}

/* Mann and Kendall's S without its sign. */
static int64_t drift_statistic(const int32_t *ranks, size_t n)
{
    int32_t s = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        const int32_t x = ranks[i];
        for (size_t j = i + 1; j < n; j++) {
            s += (ranks[j] > x) - (ranks[j] < x);
        }
    }
    return llabs(s);
}

/* Steps about as good as the best: where it may lie. */
static void locate(const struct work *w, struct hk_change *out)
{
    int32_t sum = 0;
    out->first = out->last = w->position;
    for (size_t k = 1; k + SEGMENT <= w->n; k++) {
        sum += w->ranks[k - 1];
        const double t = (double)sum * (double)sum * w->weight[k];
        if (k < SEGMENT || t < LOCATION_RATIO * LOCATION_RATIO * w->step) {
            continue;
        }
        out->first = k < out->first ? k : out->first;
        out->last = k > out->last ? k : out->last;
    }
}

/* --- permutations ---------------------------------------------------------------- */

static void permute_points(struct work *w, struct hk_rng *rng)
{
    for (size_t i = w->n; i > 1; i--) {
        const size_t j = hk_rng_below(rng, i);
        const int32_t swapped = w->permuted[i - 1];
        w->permuted[i - 1] = w->permuted[j];
        w->permuted[j] = swapped;
    }
}

/*
 * The same for dependent noise: permute what is new in each point, and rebuild the series from
 * it. Ranks and drift come from one pass over all pairs.
 */
static int64_t permute_innovations(struct work *w, struct hk_rng *rng)
{
    double x[POINTS];
    int32_t s = 0;

    hk_rng_shuffle(rng, w->innovations, w->n - 1);
    x[0] = w->residuals[hk_rng_below(rng, w->n)];
    for (size_t i = 1; i < w->n; i++) {
        x[i] = w->rho * x[i - 1] + w->innovations[i - 1];
    }
    memset(w->permuted, 0, w->n * sizeof *w->permuted);
    for (size_t i = 0; i + 1 < w->n; i++) {
        int32_t own = 0;
        for (size_t j = i + 1; j < w->n; j++) {
            const int32_t sign = (x[j] > x[i]) - (x[j] < x[i]);
            w->permuted[j] += sign;
            own += sign;
        }
        w->permuted[i] -= own;
        s += own;
    }
    return llabs(s);
}

/* How often permutations were as extreme, and after how many the counting stopped. */
struct tally {
    size_t exceedances;
    size_t drawn; /* 0 while it goes on */
};

static void count_one(struct tally *tally, bool exceeds, size_t drawn, size_t exceedances_max)
{
    if (tally->drawn != 0) {
        return;
    }
    tally->exceedances += exceeds;
    if (exceeds && tally->exceedances == exceedances_max) {
        tally->drawn = drawn;
    }
}

static double tally_p(const struct tally *tally, size_t permutations_max)
{
    if (tally->drawn != 0) {
        return (double)tally->exceedances / (double)tally->drawn;
    }
    return (1.0 + (double)tally->exceedances) / (1.0 + (double)permutations_max);
}

static enum hk_status permute_all(struct work *w, const struct hk_change_options *o,
                                  struct hk_change *out)
{
    struct tally step = {0};
    struct tally drift = {0};
    struct hk_rng *rng = NULL;
    size_t ignored = 0;
    const enum hk_status status = hk_rng_create(o->seed, 0, &rng);

    if (status != HK_OK) {
        return status;
    }
    memcpy(w->permuted, w->ranks, w->n * sizeof *w->ranks);
    for (size_t b = 1; b <= o->permutations_max && !(step.drawn && drift.drawn); b++) {
        int64_t trend = 0;
        if (w->rho > 0.0) {
            trend = permute_innovations(w, rng);
        } else {
            permute_points(w, rng);
            trend = drift.drawn ? 0 : drift_statistic(w->permuted, w->n);
        }
        count_one(&step, step_statistic(w, w->permuted, &ignored) >= w->step, b,
                  o->exceedances_max);
        count_one(&drift, trend >= w->drift, b, o->exceedances_max);
    }
    hk_rng_destroy(rng);
    out->p_step = tally_p(&step, o->permutations_max);
    out->p_drift = tally_p(&drift, o->permutations_max);
    out->p_value = fmin(1.0, 2.0 * fmin(out->p_step, out->p_drift));
    return HK_OK;
}

static double median(const double *y, size_t n)
{
    double sorted[POINTS];
    double value = 0.0;
    memcpy(sorted, y, n * sizeof *y);
    (void)hk_sample_sort(sorted, n); /* finite and not empty: cannot fail, nor can the next */
    (void)hk_quantile(sorted, n, 0.5, &value);
    return value;
}

/* --- dependence ---------------------------------------------------------------------- */

/* Lag-1 autocorrelation of ranks; 0 for a constant series. */
static double rank_autocorrelation(const double *residuals, size_t n)
{
    int32_t ranks[POINTS];
    double between = 0.0;
    double total = 0.0;
    rank(residuals, n, ranks);
    for (size_t i = 0; i < n; i++) {
        total += (double)ranks[i] * ranks[i];
        between += i > 0 ? (double)ranks[i] * ranks[i - 1] : 0.0;
    }
    return total > 0.0 ? between / total : 0.0;
}

/*
 * Where one more step in y takes most of the squares about the means of the parts away.
 *
 * first    [in]   first[i]: a part begins at i
 * squares  [out]  sum about the means, as the parts are
 * gain     [out]  by how much the new step lowers it
 *
 * Returns the first point after the step; 0 when no part is long enough.
 */
static size_t best_extra_step(const double *y, size_t n, const bool *first, double *squares,
                              double *gain)
{
    size_t where = 0;
    *squares = 0.0;
    *gain = 0.0;
    for (size_t from = 0, to; from < n; from = to) {
        double total = 0.0;
        double left = 0.0;
        for (to = from; to < n && (to == from || !first[to]); to++) {
            total += y[to];
        }
        const double mean = total / (double)(to - from);
        for (size_t i = from; i < to; i++) {
            const size_t k = i - from; /* points left of a step at i */
            *squares += (y[i] - mean) * (y[i] - mean);
            if (k >= SEGMENT && i + SEGMENT <= to) {
                const double d = left / (double)k - (total - left) / (double)(to - i);
                const double g = d * d * (double)k * (double)(to - i) / (double)(to - from);
                where = g > *gain ? i : where;
                *gain = fmax(*gain, g);
            }
            left += y[i];
        }
    }
    return where;
}

/*
 * Residuals from the best step, and from further ones that explain most of what is left: a
 * second step would pass for dependence and hide the first.
 */
static void dependence_residuals(const double *y, size_t n, size_t position, double *residuals)
{
    bool first[POINTS] = {false};
    double squares;
    double gain;
    size_t where = position;
    do {
        first[where] = true;
        where = best_extra_step(y, n, first, &squares, &gain);
    } while (where > 0 && gain > STEP_SHARE * squares);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && !first[to];) {
            to++;
        }
        const double level = median(y + from, to - from);
        for (size_t i = from; i < to; i++) {
            residuals[i] = y[i] - level;
        }
    }
}

/*
 * Removing the best step takes dependence away with it, and a short series shows less than there
 * is: give it back. Below the threshold neighbours count as independent.
 */
static double correct(double rho, size_t n)
{
    const double corrected = rho + (RHO_BIAS + RHO_SLOPE * rho) / (double)n;
    return corrected > RHO_THRESHOLD ? fmin(corrected, RHO_MAX) : 0.0;
}

/* Residuals of the ranks about the best step, and what each does not owe to the one before. */
static void split_innovations(struct work *w)
{
    const size_t n = w->n;
    const size_t k = w->position;
    double left = 0.0;
    double mean = 0.0;

    for (size_t i = 0; i < k; i++) {
        left += w->ranks[i];
    }
    for (size_t i = 0; i < n; i++) { /* all centred ranks sum to 0 */
        w->residuals[i] = w->ranks[i] - (i < k ? left / (double)k : -left / (double)(n - k));
    }
    for (size_t i = 0; i + 1 < n; i++) {
        w->innovations[i] = w->residuals[i + 1] - w->rho * w->residuals[i];
        mean += w->innovations[i] / (double)(n - 1);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        w->innovations[i] -= mean;
    }
}

/* --- shapes and effects -------------------------------------------------------------- */

static void step_residuals(const double *y, size_t n, const struct hk_change *c, double *residuals)
{
    for (size_t i = 0; i < n; i++) {
        residuals[i] = y[i] - (i < c->position ? c->before_median : c->after_median);
    }
}

/* Slope by the median of a point's median slopes to all others (Siegel 1982): O(n) memory. */
static double slope(const double *y, size_t n)
{
    double outer[POINTS];
    double inner[POINTS];
    for (size_t i = 0; i < n; i++) {
        size_t m = 0;
        for (size_t j = 0; j < n; j++) {
            if (j != i) {
                inner[m++] = (y[j] - y[i]) / ((double)j - (double)i);
            }
        }
        outer[i] = median(inner, m);
    }
    return median(outer, n);
}

static void line_residuals(const double *y, size_t n, double slope_per_point, double *residuals)
{
    for (size_t i = 0; i < n; i++) {
        residuals[i] = y[i] - slope_per_point * (double)i;
    }
    const double level = median(residuals, n);
    for (size_t i = 0; i < n; i++) {
        residuals[i] -= level;
    }
}

static double absolute_sum(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += fabs(x[i]);
    }
    return sum;
}

static double absolute_median(const double *x, size_t n)
{
    double distances[POINTS];
    for (size_t i = 0; i < n; i++) {
        distances[i] = fabs(x[i]);
    }
    return median(distances, n);
}

/* Share of pairs (before, after) that differ the way of sign; ties count half. */
static double agreement(const double *y, size_t before, size_t after, size_t n, double sign)
{
    double agreeing = 0.0;
    for (size_t i = 0; i < before; i++) {
        for (size_t j = after; j < n; j++) {
            const double d = (y[j] - y[i]) * sign;
            agreeing += d > 0.0 ? 1.0 : d == 0.0 ? 0.5 : 0.0;
        }
    }
    return agreeing / ((double)before * (double)(n - after));
}

static void describe(const double *y, size_t n, const double *by_step, struct hk_change *out)
{
    double by_line[POINTS];
    const double per_point = slope(y, n);
    line_residuals(y, n, per_point, by_line);
    out->shape = absolute_sum(by_line, n) < absolute_sum(by_step, n) ? HK_CHANGE_DRIFT
                                                                     : HK_CHANGE_STEP;
    const bool drifts = out->shape == HK_CHANGE_DRIFT;
    out->residual_median = absolute_median(drifts ? by_line : by_step, n);
    out->difference = drifts ? per_point * (double)(n - 1) : out->after_median - out->before_median;
    out->agreement_ratio = drifts ? agreement(y, n / 3, n - n / 3, n, out->difference)
                                  : agreement(y, out->position, out->position, n, out->difference);
}

static enum hk_status check(const double *y, size_t n, const struct hk_change_options *o)
{
    if (n < HK_CHANGE_POINTS_MIN) {
        return HK_ENOISE;
    }
    if (n > POINTS) {
        return HK_ETOOBIG;
    }
    if (!o || o->permutations_max == 0 || o->permutations_max > PERMUTATIONS_LIMIT ||
        !hk_sample_finite(y, n)) {
        return HK_EINVAL;
    }
    return HK_OK;
}

enum hk_status hk_change_test(const double *y, size_t n, const struct hk_change_options *options,
                              struct hk_change *out)
{
    struct work w = {.n = n};
    struct hk_change c = {0};
    double residuals[POINTS];
    enum hk_status status = y && out ? check(y, n, options) : HK_EINVAL;

    if (status != HK_OK) {
        return status;
    }
    for (size_t k = 1; k < n; k++) {
        w.weight[k] = (double)n / (double)(k * (n - k));
    }
    rank(y, n, w.ranks);
    w.step = step_statistic(&w, w.ranks, &w.position);
    w.drift = drift_statistic(w.ranks, n);
    c.position = w.position;
    c.before_median = median(y, c.position);
    c.after_median = median(y + c.position, n - c.position);
    dependence_residuals(y, n, c.position, residuals);
    c.autocorrelation = rank_autocorrelation(residuals, n);
    w.rho = correct(c.autocorrelation, n);
    c.dependent = w.rho > 0.0;
    if (c.dependent) {
        split_innovations(&w);
    }
    locate(&w, &c);
    step_residuals(y, n, &c, residuals);
    describe(y, n, residuals, &c);
    status = permute_all(&w, options, &c);
    if (status == HK_OK) {
        *out = c;
    }
    return status;
}

bool hk_change_matters(const struct hk_change *change, const struct hk_change_gate *gate)
{
    const double size = fabs(change->difference);
    return size > 0.0 && size >= gate->difference_min &&
           size >= gate->residual_factor * change->residual_median &&
           change->agreement_ratio >= gate->agreement_min;
}

/* --- all steps of one series ---------------------------------------------------------- */

struct segments {
    const double *y;
    double alpha;
    const struct hk_change_options *options;
    size_t *positions;
    size_t count;
};

/* Depth is bounded: each part is shorter than the whole by HK_CHANGE_SEGMENT_MIN points. */
static enum hk_status split(struct segments *s, size_t from, size_t to)
{
    struct hk_change c;
    enum hk_status status = hk_change_test(s->y + from, to - from, s->options, &c);
    if (status == HK_ENOISE) {
        return HK_OK;
    }
    if (status != HK_OK || c.p_value > s->alpha) {
        return status;
    }
    const size_t position = from + c.position;
    status = split(s, from, position);
    if (status == HK_OK && s->count < HK_CHANGE_SEGMENTS_MAX) {
        s->positions[s->count++] = position;
    }
    return status == HK_OK ? split(s, position, to) : status;
}

/* A drift is cut into stairs by the search, but a line fits it better than they do. */
static bool is_line(const struct segments *s, size_t n)
{
    double residuals[POINTS];
    double stairs = 0.0;
    for (size_t i = 0, from = 0; i <= s->count; i++) {
        const size_t to = i < s->count ? s->positions[i] : n;
        const double level = median(s->y + from, to - from);
        for (; from < to; from++) {
            stairs += fabs(s->y[from] - level);
        }
    }
    line_residuals(s->y, n, slope(s->y, n), residuals);
    return absolute_sum(residuals, n) < stairs;
}

enum hk_status hk_change_segments(const double *y, size_t n, double alpha,
                                  const struct hk_change_options *options, size_t *positions,
                                  size_t *count)
{
    if (!y || !positions || !count || !(alpha > 0.0 && alpha < 1.0)) {
        return HK_EINVAL;
    }
    struct segments s = {.y = y, .alpha = alpha, .options = options, .positions = positions};
    enum hk_status status = check(y, n, options);
    if (status == HK_OK) {
        status = split(&s, 0, n);
    }
    if (status == HK_OK) {
        *count = is_line(&s, n) ? 0 : s.count;
    }
    return status;
}
