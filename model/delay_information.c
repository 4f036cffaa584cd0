/* SPDX-License-Identifier: MIT */
/* How well the parameters of a delay law can be known from a sample, and what follows. */
#include <math.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>

#include "hk/model/delay_law.h"

#define GRID 4000
#define DEPTH_END 40.0    /* e^-40 of the law lies beyond */
#define DEPTH_START 20.0  /* and as little below */
#define STEP 1e-4         /* of a parameter, for its derivative */

unsigned hk_delay_parameter_count(const struct hk_delay_law *law)
{
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return 1;
    case HK_DELAY_HYPEREXPONENTIAL:
        return 3;
    case HK_DELAY_LOMAX:
    case HK_DELAY_WEIBULL:
        return 2;
    }
    return 0;
}

struct hk_delay_law hk_delay_shift(const struct hk_delay_law *law,
                                   const double shift[HK_DELAY_PARAMETERS_MAX])
{
    struct hk_delay_law moved = *law;
    moved.scale_ns *= exp(shift[0]);
    if (law->kind == HK_DELAY_HYPEREXPONENTIAL) {
        const double odds = law->shape / (1.0 - law->shape) * exp(shift[1]);
        moved.shape = odds / (1.0 + odds);
        moved.rare_scale_ns *= exp(shift[2]);
    } else {
        moved.shape *= exp(shift[1]);
    }
    return moved;
}

/* Where almost nothing of the law lies beyond, and before. */
static void range(const struct hk_delay_law *law, double *log_low, double *log_high)
{
    const double scale = log(law->scale_ns);
    *log_low = scale - DEPTH_START;
    *log_high = scale + log(DEPTH_END);
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        break;
    case HK_DELAY_HYPEREXPONENTIAL:
        *log_low = log(fmin(law->scale_ns, law->rare_scale_ns)) - DEPTH_START;
        *log_high = log(fmax(law->scale_ns, law->rare_scale_ns)) + log(DEPTH_END);
        break;
    case HK_DELAY_LOMAX:
        *log_high = scale + DEPTH_END / law->shape + 1.0;
        break;
    case HK_DELAY_WEIBULL:
        *log_low = scale - DEPTH_START / fmin(1.0, law->shape);
        *log_high = scale + log(DEPTH_END) / law->shape;
        break;
    }
}

/* Derivatives of the log density by each parameter. */
static void score(const struct hk_delay_law *law, unsigned count, double x_ns,
                  double out[HK_DELAY_PARAMETERS_MAX])
{
    for (unsigned i = 0; i < count; i++) {
        double shift[HK_DELAY_PARAMETERS_MAX] = {0};
        shift[i] = STEP;
        const struct hk_delay_law up = hk_delay_shift(law, shift);
        shift[i] = -STEP;
        const struct hk_delay_law down = hk_delay_shift(law, shift);
        out[i] = log(hk_delay_density(&up, x_ns) / hk_delay_density(&down, x_ns)) / (2.0 * STEP);
    }
}

enum hk_status hk_delay_covariance(
    const struct hk_delay_law *law,
    double covariance[HK_DELAY_PARAMETERS_MAX][HK_DELAY_PARAMETERS_MAX])
{
    double information[HK_DELAY_PARAMETERS_MAX * HK_DELAY_PARAMETERS_MAX] = {0};
    double log_low;
    double log_high;
    if (!covariance || hk_delay_check(law) != HK_OK) {
        return HK_EINVAL;
    }
    const unsigned count = hk_delay_parameter_count(law);
    range(law, &log_low, &log_high);
    const double step = (log_high - log_low) / GRID;
    for (int g = 0; g < GRID; g++) {
        const double x_ns = exp(log_low + (g + 0.5) * step);
        const double mass = hk_delay_density(law, x_ns) * x_ns * step;
        double s[HK_DELAY_PARAMETERS_MAX];
        if (!(mass > 1e-30)) {
            continue;
        }
        score(law, count, x_ns, s);
        for (unsigned i = 0; i < count; i++) {
            for (unsigned j = 0; j < count; j++) {
                information[i * count + j] += mass * s[i] * s[j];
            }
        }
    }
    gsl_matrix_view matrix = gsl_matrix_view_array(information, count, count);
    if (gsl_linalg_cholesky_decomp1(&matrix.matrix) != GSL_SUCCESS ||
        gsl_linalg_cholesky_invert(&matrix.matrix) != GSL_SUCCESS) {
        return HK_ENOISE;
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            covariance[i][j] = information[i * count + j];
        }
    }
    return HK_OK;
}
