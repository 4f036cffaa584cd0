/* SPDX-License-Identifier: MIT */
#include "hk/model/sensitivity.h"

#include <gsl/gsl_qrng.h>

#include "check.h"

#define PARAMETERS_MAX HK_SENSITIVITY_PARAMETERS_MAX
#define POINTS_MIN 64u

struct design {
    hk_result_fn function;
    const void *context;
    const struct hk_parameter_range *ranges;
    size_t parameter_count;
};

static bool ranges_valid(const struct hk_parameter_range *ranges, size_t count)
{
    if (!ranges || count == 0 || count > PARAMETERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(ranges[i].low) || !isfinite(ranges[i].high) ||
            !(ranges[i].low < ranges[i].high) || !isfinite(ranges[i].high - ranges[i].low) ||
            (ranges[i].logarithmic && !(ranges[i].low > 0.0))) {
            return false;
        }
    }
    return true;
}

static double value_in(const struct hk_parameter_range *range, double u)
{
    if (range->logarithmic) {
        return range->low * pow(range->high / range->low, u);
    }
    return range->low + u * (range->high - range->low);
}

static double result_at(const struct design *d, const double *values)
{
    return d->function(values, d->context);
}

/* Running sums of one shift. */
struct sums {
    double mean;
    double squares;
    double count;
    double first[PARAMETERS_MAX]; /* (f(B) - f(A with B's x_i))^2 */
    double total[PARAMETERS_MAX]; /* (f(A) - f(A with B's x_i))^2 */
};

static void add_value(struct sums *sums, double value)
{
    sums->count += 1.0;
    const double step = value - sums->mean;
    sums->mean += step / sums->count;
    sums->squares += step * (value - sums->mean);
}

/* Rows A and B of one point: the two halves of a shifted Sobol vector. */
static void point_at(const struct design *d, gsl_qrng *sequence, const double *shift, double *a,
                     double *b)
{
    double u[2 * PARAMETERS_MAX];
    (void)gsl_qrng_get(sequence, u);
    for (size_t i = 0; i < 2 * d->parameter_count; i++) {
        u[i] += shift[i];
        u[i] -= u[i] >= 1.0 ? 1.0 : 0.0;
    }
    for (size_t i = 0; i < d->parameter_count; i++) {
        a[i] = value_in(&d->ranges[i], u[i]);
        b[i] = value_in(&d->ranges[i], u[d->parameter_count + i]);
    }
}

static enum hk_status one_shift(const struct design *d, gsl_qrng *sequence, size_t points,
                                const double *shift, struct sums *sums)
{
    *sums = (struct sums){0};
    gsl_qrng_init(sequence);
    for (size_t p = 0; p < points; p++) {
        double a[PARAMETERS_MAX];
        double b[PARAMETERS_MAX];
        point_at(d, sequence, shift, a, b);
        const double at_a = result_at(d, a);
        const double at_b = result_at(d, b);
        bool finite = isfinite(at_a) && isfinite(at_b);
        for (size_t i = 0; finite && i < d->parameter_count; i++) {
            const double kept = a[i];
            a[i] = b[i];
            const double mixed = result_at(d, a);
            a[i] = kept;
            finite = isfinite(mixed);
            sums->first[i] += (at_b - mixed) * (at_b - mixed);
            sums->total[i] += (at_a - mixed) * (at_a - mixed);
        }
        if (!finite) {
            return HK_ERANGE;
        }
        add_value(sums, at_a);
        add_value(sums, at_b);
    }
    if (!isfinite(sums->squares)) {
        return HK_ERANGE;
    }
    return sums->squares > 0.0 ? HK_OK : HK_ENOISE;
}

/* Mean and squared deviations over shifts, one value at a time. */
static void accumulate(double value, size_t seen, double *mean, double *squares)
{
    const double step = value - *mean;
    *mean += step / (double)(seen + 1);
    *squares += step * (value - *mean);
}

enum hk_status hk_sensitivity_indices(hk_result_fn function, const void *context,
                                      const struct hk_parameter_range *ranges,
                                      size_t parameter_count,
                                      const struct hk_sensitivity_options *options,
                                      struct hk_rng *rng, struct hk_sensitivity *out)
{
    if (!function || !ranges_valid(ranges, parameter_count) || !options || !rng || !out ||
        options->point_count < POINTS_MIN ||
        (options->point_count & (options->point_count - 1)) != 0 || options->shift_count < 2) {
        return HK_EINVAL;
    }
    const struct design d = {function, context, ranges, parameter_count};
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)(2 * parameter_count));
    if (!sequence) {
        return HK_ENOMEM;
    }
    struct hk_sensitivity found[PARAMETERS_MAX] = {0};
    enum hk_status status = HK_OK;
    for (size_t s = 0; status == HK_OK && s < options->shift_count; s++) {
        double shift[2 * PARAMETERS_MAX];
        struct sums sums;
        for (size_t i = 0; i < 2 * parameter_count; i++) {
            shift[i] = hk_rng_uniform(rng);
        }
        status = one_shift(&d, sequence, options->point_count, shift, &sums);
        const double variance = sums.squares / sums.count;
        const double twice = 2.0 * (double)options->point_count * variance;
        for (size_t i = 0; status == HK_OK && i < parameter_count; i++) {
            accumulate(1.0 - sums.first[i] / twice, s, &found[i].first, &found[i].first_se);
            accumulate(sums.total[i] / twice, s, &found[i].total, &found[i].total_se);
        }
    }
    gsl_qrng_free(sequence);
    if (status != HK_OK) {
        return status;
    }
    const double of_mean =
        (double)options->shift_count * (double)(options->shift_count - 1);
    for (size_t i = 0; i < parameter_count; i++) {
        out[i] = found[i];
        out[i].first_se = sqrt(found[i].first_se / of_mean);
        out[i].total_se = sqrt(found[i].total_se / of_mean);
    }
    return HK_OK;
}
