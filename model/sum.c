/* SPDX-License-Identifier: MIT */
#include "hk/model/sum.h"

#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_fft_halfcomplex.h>
#include <gsl/gsl_fft_real.h>

#include "check.h"
#include "hk/stats/quantile.h"

#define PARTS_MAX 16u
#define TIMES_MAX 1000u
#define BINS_MIN 256u
#define BINS_MAX (1u << 22)

struct hk_sum {
    struct hk_sum_part parts[PARTS_MAX];
    size_t part_count;
    size_t bin_count;
    double least_ns; /* value of bin 0 */
    double width_ns; /* 0 if all parts are constant */
    double *mass;    /* bin_count probabilities, sum 1 */
    double *beyond;  /* beyond[i]: mass of bins i and up; bin_count + 1 values */
};

static bool parts_valid(const struct hk_sum_part *parts, size_t part_count)
{
    if (!parts || part_count == 0 || part_count > PARTS_MAX) {
        return false;
    }
    for (size_t p = 0; p < part_count; p++) {
        if (parts[p].times == 0 || parts[p].times > TIMES_MAX ||
            !hk_sample_finite(parts[p].sorted_ns, parts[p].n)) {
            return false;
        }
        for (size_t i = 1; i < parts[p].n; i++) {
            if (parts[p].sorted_ns[i] < parts[p].sorted_ns[i - 1]) {
                return false;
            }
        }
    }
    return true;
}

/* Probabilities of one part on the grid, from its own minimum. */
static void part_mass(const struct hk_sum_part *part, double width, double *mass, size_t bins)
{
    memset(mass, 0, bins * sizeof *mass);
    for (size_t i = 0; i < part->n; i++) {
        const double at = (part->sorted_ns[i] - part->sorted_ns[0]) / width;
        const size_t bin = check_fewer((size_t)at, bins - 1);
        const double share = at - (double)bin;
        /* Split between two neighbours in proportion: the mean stays. */
        mass[bin] += (1.0 - share) / (double)part->n;
        mass[bin + 1 < bins ? bin + 1 : bin] += share / (double)part->n;
    }
}

/* z^times for the half-complex layout of GSL's radix-2 transform, multiplied into product. */
static void multiply_power(const double *part, unsigned times, double *product, size_t bins)
{
    for (size_t k = 0; k <= bins / 2; k++) {
        const bool real = k == 0 || k == bins / 2;
        const double complex z = CMPLX(part[k], real ? 0.0 : part[bins - k]);
        double complex power = CMPLX(product[k], real ? 0.0 : product[bins - k]);
        double complex factor = z;
        for (unsigned left = times; left > 0; left >>= 1) {
            power = left & 1 ? power * factor : power;
            factor *= factor;
        }
        product[k] = creal(power);
        if (!real) {
            product[bins - k] = cimag(power);
        }
    }
}

static enum hk_status convolve(struct hk_sum *sum)
{
    const size_t bins = sum->bin_count;
    double *part = malloc(bins * sizeof *part);
    if (!part) {
        return HK_ENOMEM;
    }
    /* The transform of all mass at 0 is 1 everywhere. */
    for (size_t k = 0; k < bins; k++) {
        sum->mass[k] = k <= bins / 2 ? 1.0 : 0.0;
    }
    int code = GSL_SUCCESS;
    for (size_t p = 0; p < sum->part_count && code == GSL_SUCCESS; p++) {
        part_mass(&sum->parts[p], sum->width_ns, part, bins);
        code = gsl_fft_real_radix2_transform(part, 1, bins);
        multiply_power(part, sum->parts[p].times, sum->mass, bins);
    }
    if (code == GSL_SUCCESS) {
        code = gsl_fft_halfcomplex_radix2_inverse(sum->mass, 1, bins);
    }
    free(part);
    return code == GSL_SUCCESS ? HK_OK : HK_EINVAL;
}

/* Rounding leaves tiny negative masses: cut, and make the total 1 again. */
static void finish(struct hk_sum *sum)
{
    double total = 0.0;
    for (size_t i = 0; i < sum->bin_count; i++) {
        sum->mass[i] = fmax(0.0, sum->mass[i]);
        total += sum->mass[i];
    }
    sum->beyond[sum->bin_count] = 0.0;
    for (size_t i = sum->bin_count; i > 0; i--) {
        sum->mass[i - 1] /= total;
        sum->beyond[i - 1] = sum->beyond[i] + sum->mass[i - 1];
    }
}

enum hk_status hk_sum_create(const struct hk_sum_part *parts, size_t part_count,
                             size_t bin_count, struct hk_sum **sum)
{
    if (!sum || !parts_valid(parts, part_count) || bin_count < BINS_MIN ||
        bin_count > BINS_MAX || (bin_count & (bin_count - 1)) != 0) {
        return HK_EINVAL;
    }
    struct hk_sum *made = calloc(1, sizeof *made);
    double *memory = malloc((2 * bin_count + 1) * sizeof *memory);
    if (!made || !memory) {
        free(made);
        free(memory);
        return HK_ENOMEM;
    }
    made->mass = memory;
    made->beyond = memory + bin_count;
    made->part_count = part_count;
    made->bin_count = bin_count;
    memcpy(made->parts, parts, part_count * sizeof *parts);
    double range = 0.0;
    size_t repetitions = 0;
    for (size_t p = 0; p < part_count; p++) {
        repetitions += parts[p].times;
        const double *x = parts[p].sorted_ns;
        made->least_ns += parts[p].times * x[0];
        range += parts[p].times * (x[parts[p].n - 1] - x[0]);
    }
    enum hk_status status = isfinite(made->least_ns) && isfinite(range) &&
                                    repetitions < bin_count / 2
                                ? HK_OK
                                : HK_EINVAL;
    /* Each repetition can spill over by one bin where it splits its largest value. */
    made->width_ns = range / (double)(bin_count - 1 - (status == HK_OK ? repetitions : 0));
    if (status == HK_OK && made->width_ns > 0.0) {
        status = convolve(made);
    } else {
        memset(memory, 0, bin_count * sizeof *memory);
        memory[0] = 1.0;
    }
    if (status != HK_OK) {
        hk_sum_destroy(made);
        return status;
    }
    finish(made);
    *sum = made;
    return HK_OK;
}

void hk_sum_destroy(struct hk_sum *sum)
{
    if (sum) {
        free(sum->mass);
        free(sum);
    }
}

/* First bin whose mass reaches below the quantile; within it, linearly. */
static double grid_quantile(const struct hk_sum *sum, double q)
{
    size_t low = 0;
    size_t high = sum->bin_count - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (1.0 - sum->beyond[middle + 1] >= q) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    const double before = 1.0 - sum->beyond[low];
    const double share =
        sum->mass[low] > 0.0 ? fmin(1.0, fmax(0.0, (q - before) / sum->mass[low])) : 0.5;
    const double at = fmax(0.0, (double)low + share - 0.5);
    return sum->least_ns + sum->width_ns * fmin(at, (double)(sum->bin_count - 1));
}

enum hk_status hk_sum_quantile(const struct hk_sum *sum, double q, struct hk_sum_quantile *out)
{
    if (!sum || !out || !check_ratio(q)) {
        return HK_EINVAL;
    }
    double comonotone = 0.0;
    for (size_t p = 0; p < sum->part_count; p++) {
        double of_part;
        (void)hk_quantile(sum->parts[p].sorted_ns, sum->parts[p].n, q, &of_part);
        comonotone += sum->parts[p].times * of_part;
    }
    *out = (struct hk_sum_quantile){grid_quantile(sum, q), comonotone};
    return HK_OK;
}

enum hk_status hk_sum_exceedance(const struct hk_sum *sum, double x_ns, double *probability)
{
    if (!sum || !probability || !isfinite(x_ns)) {
        return HK_EINVAL;
    }
    if (!(sum->width_ns > 0.0)) {
        *probability = x_ns < sum->least_ns ? 1.0 : 0.0;
        return HK_OK;
    }
    const double at = (x_ns - sum->least_ns) / sum->width_ns + 0.5;
    if (!(at > 0.0)) {
        *probability = 1.0;
    } else if (!(at < (double)sum->bin_count)) {
        *probability = 0.0;
    } else {
        const size_t bin = (size_t)at;
        const double share = 1.0 - (at - (double)bin);
        *probability = fmin(1.0, sum->beyond[bin + 1] + share * sum->mass[bin]);
    }
    return HK_OK;
}

enum hk_status hk_sum_moments(const struct hk_sum *sum, double *mean_ns, double *sd_ns)
{
    if (!sum || !mean_ns || !sd_ns) {
        return HK_EINVAL;
    }
    double mean = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < sum->bin_count; i++) {
        mean += (double)i * sum->mass[i];
    }
    for (size_t i = 0; i < sum->bin_count; i++) {
        const double distance = (double)i - mean;
        squares += distance * distance * sum->mass[i];
    }
    *mean_ns = sum->least_ns + sum->width_ns * mean;
    *sd_ns = sum->width_ns * sqrt(squares);
    return HK_OK;
}
