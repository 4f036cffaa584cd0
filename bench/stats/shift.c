/* SPDX-License-Identifier: MIT */
#include "hk/stats/shift.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/quantile.h"

enum { REPLICATES_MIN = 99 };

struct column {
    double mean;
    double se;
};

/* Mean and standard error of each quantile over launches whose rows have these signs. */
static void summarise(const struct hk_shift_data *d, const double *centre, const double *signs,
                      struct column *columns)
{
    const double n = (double)d->launch_count;
    for (size_t q = 0; q < d->quantile_count; q++) {
        double sum = 0.0;
        double squares = 0.0;
        for (size_t l = 0; l < d->launch_count; l++) {
            const double x =
                (d->differences[l * d->quantile_count + q] - (centre ? centre[q] : 0.0)) *
                (signs ? signs[l] : 1.0);
            sum += x;
            squares += x * x;
        }
        const double mean = sum / n;
        columns[q].mean = mean;
        columns[q].se = sqrt(fmax(0.0, squares / n - mean * mean) / (n - 1.0));
    }
}

/* Greatest |t|; infinite when a column has no spread left but a mean. */
static double greatest(const struct column *columns, const struct column *observed, size_t count)
{
    double most = 0.0;
    for (size_t q = 0; q < count; q++) {
        if (observed[q].se > 0.0 && columns[q].mean != 0.0) {
            most = fmax(most, fabs(columns[q].mean) / columns[q].se);
        }
    }
    return most;
}

static void draw_signs(struct hk_rng *rng, double *signs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        signs[i] = hk_rng_below(rng, 2) == 0 ? 1.0 : -1.0;
    }
}

static size_t count_at_least(const double *sorted, size_t n, double value)
{
    size_t count = 0;
    while (count < n && sorted[n - 1 - count] >= value * (1.0 - 1e-12)) {
        count++;
    }
    return count;
}

/* |t| against what was observed, up to rounding. */
static bool is_at_least(const struct column *drawn, const struct column *observed)
{
    const double t = fabs(observed->mean) / observed->se;
    return fabs(drawn->mean) >= t * drawn->se * (1.0 - 1e-12);
}

struct resampled {
    size_t at_least[HK_SHIFT_QUANTILES_MAX]; /* sign-flipped |t| of a quantile, >= its own */
    double *null_most;   /* greatest |t| of sign-flipped differences, sorted */
    double *centre_most; /* of sign-flipped centred differences, sorted */
};

static void resample(const struct hk_shift_data *d, const struct column *observed, size_t count,
                     double *signs, struct hk_rng *rng, struct resampled *r)
{
    struct column columns[HK_SHIFT_QUANTILES_MAX];
    double centre[HK_SHIFT_QUANTILES_MAX];
    for (size_t q = 0; q < d->quantile_count; q++) {
        centre[q] = observed[q].mean;
    }
    for (size_t b = 0; b < count; b++) {
        draw_signs(rng, signs, d->launch_count);
        summarise(d, NULL, signs, columns);
        for (size_t q = 0; q < d->quantile_count; q++) {
            r->at_least[q] += observed[q].se > 0.0 && is_at_least(&columns[q], &observed[q]);
        }
        r->null_most[b] = fmin(greatest(columns, observed, d->quantile_count), 1e300);
        summarise(d, centre, signs, columns);
        r->centre_most[b] = fmin(greatest(columns, observed, d->quantile_count), 1e300);
    }
    (void)hk_sample_sort(r->null_most, count);
    (void)hk_sample_sort(r->centre_most, count);
}

static struct hk_shift_point finish(const struct column *c, double confidence, size_t count,
                                    const struct resampled *r, size_t q)
{
    const size_t rank = (size_t)ceil(confidence * (double)(count + 1));
    const double critical = r->centre_most[(rank < count ? rank : count) - 1];
    struct hk_shift_point point = {
        .value = c->mean, .standard_error = c->se, .interval = {c->mean, c->mean, confidence},
        .p_two_sided = c->mean == 0.0 ? 1.0 : 0.0,
        .p_adjusted = c->mean == 0.0 ? 1.0 : 0.0};
    if (c->se > 0.0) {
        point.interval.lower -= critical * c->se;
        point.interval.upper += critical * c->se;
        point.p_two_sided = (1.0 + (double)r->at_least[q]) / (double)(count + 1);
        point.p_adjusted =
            (1.0 + (double)count_at_least(r->null_most, count, fabs(c->mean) / c->se)) /
            (double)(count + 1);
    }
    return point;
}

enum hk_status hk_shift_band(const struct hk_shift_data *d, double confidence,
                             size_t replicate_count, struct hk_rng *rng,
                             struct hk_shift_point *out)
{
    if (!d || !rng || !out || d->quantile_count == 0 ||
        d->quantile_count > HK_SHIFT_QUANTILES_MAX || replicate_count < REPLICATES_MIN ||
        !(confidence > 0.0 && confidence < 1.0) ||
        !hk_sample_finite(d->differences, d->launch_count * d->quantile_count)) {
        return HK_EINVAL;
    }
    if (d->launch_count < HK_SHIFT_LAUNCHES_MIN) {
        return HK_ENOISE;
    }
    double *memory = malloc((2 * replicate_count + d->launch_count) * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    struct resampled r = {.null_most = memory, .centre_most = memory + replicate_count};
    struct column observed[HK_SHIFT_QUANTILES_MAX];
    summarise(d, NULL, NULL, observed);
    for (size_t q = 0; q < d->quantile_count; q++) { /* equal values leave only rounding */
        observed[q].se = observed[q].se > 1e-7 * fabs(observed[q].mean) ? observed[q].se : 0.0;
    }
    resample(d, observed, replicate_count, memory + 2 * replicate_count, rng, &r);
    for (size_t q = 0; q < d->quantile_count; q++) {
        out[q] = finish(&observed[q], confidence, replicate_count, &r, q);
    }
    free(memory);
    return HK_OK;
}
