/* SPDX-License-Identifier: MIT */
#include "hk/stats/sequential.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

/* Simpson's rule over the scores that have not crossed yet; odd number of points. */
enum { POINTS = 101, BISECTIONS = 60 };

#define BOUND_MAX 12.0 /* standard deviations: beyond it nothing is spent */

/* Density of the score sum at a look, on the paths that have not crossed so far. */
struct density {
    double information; /* of the look; 0 before the first */
    double bound;       /* the scores lie within +-bound */
    double value[POINTS];
};

static double point(const struct density *d, size_t i)
{
    return d->bound * (2.0 * (double)i / (POINTS - 1) - 1.0);
}

static double weight(const struct density *d, size_t i)
{
    const double step = 2.0 * d->bound / (POINTS - 1);
    const double simpson = i == 0 || i == POINTS - 1 ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
    return simpson * step / 3.0;
}

/* Probability to cross for the first time at a look, with the critical value z there. */
static double crossing(const struct density *before, double information, double z)
{
    const double bound = z * sqrt(information);
    if (before->information == 0.0) {
        return 2.0 * gsl_cdf_ugaussian_Q(z);
    }
    const double sd = sqrt(information - before->information);
    double sum = 0.0;
    for (size_t i = 0; i < POINTS; i++) {
        const double s = point(before, i);
        sum += weight(before, i) * before->value[i] *
               (gsl_cdf_ugaussian_Q((bound - s) / sd) + gsl_cdf_ugaussian_Q((bound + s) / sd));
    }
    return sum;
}

static void advance(struct density *d, double information, double z)
{
    struct density next = {.information = information, .bound = z * sqrt(information)};
    const double sd = sqrt(information - d->information);
    for (size_t i = 0; i < POINTS; i++) {
        const double s = point(&next, i);
        if (d->information == 0.0) {
            next.value[i] = gsl_ran_gaussian_pdf(s, sd);
            continue;
        }
        for (size_t j = 0; j < POINTS; j++) {
            next.value[i] += weight(d, j) * d->value[j] * gsl_ran_gaussian_pdf(s - point(d, j), sd);
        }
    }
    *d = next;
}

/* Two-sided probability spent up to a share of the information. */
static double spent(double alpha, double information)
{
    const double z = gsl_cdf_ugaussian_Qinv(alpha / 4.0);
    return fmin(alpha, 4.0 * gsl_cdf_ugaussian_Q(z / sqrt(information)));
}

static double critical_value(const struct density *before, double information, double target)
{
    double low = 0.0;
    double high = BOUND_MAX;
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = (low + high) / 2.0;
        if (crossing(before, information, middle) > target) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static bool looks_valid(const double *information, size_t count)
{
    if (!information || count == 0 || count > HK_LOOKS_MAX) {
        return false;
    }
    for (size_t k = 0; k < count; k++) {
        if (!(information[k] > (k == 0 ? 0.0 : information[k - 1]))) {
            return false;
        }
    }
    return information[count - 1] == 1.0;
}

enum hk_status hk_look_levels(const double *information_ratio, size_t look_count, double alpha,
                              double *level)
{
    struct density density = {0};
    double levels[HK_LOOKS_MAX];
    double spent_before = 0.0;

    if (!level || !looks_valid(information_ratio, look_count) || !(alpha > 0.0 && alpha < 1.0)) {
        return HK_EINVAL;
    }
    for (size_t k = 0; k < look_count; k++) {
        const double t = information_ratio[k];
        const double now = spent(alpha, t);
        const double z = critical_value(&density, t, now - spent_before);
        levels[k] = 2.0 * gsl_cdf_ugaussian_Q(z);
        if (k + 1 < look_count) {
            advance(&density, t, z);
        }
        spent_before = now;
    }
    memcpy(level, levels, look_count * sizeof *level);
    return HK_OK;
}
