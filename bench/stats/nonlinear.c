/* SPDX-License-Identifier: MIT */
#include "hk/stats/nonlinear.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>

#include "hk/stats/gsl.h"
#include "hk/stats/quantile.h"

#define ITERATIONS_MAX 400u
#define STEP_TOLERANCE 1e-11
#define GRADIENT_TOLERANCE 1e-14

struct problem {
    const struct hk_curve *curve;
    const struct hk_curve_points *points;
};

static int residuals_of(const gsl_vector *parameters, void *params, gsl_vector *residuals)
{
    const struct problem *problem = params;
    double values[HK_NONLINEAR_PARAMETERS_MAX];
    for (size_t k = 0; k < problem->curve->parameter_count; k++) {
        values[k] = gsl_vector_get(parameters, k);
    }
    for (size_t i = 0; i < problem->points->n; i++) {
        const double fitted =
            problem->curve->function(problem->points->x[i], values, problem->curve->context);
        if (!isfinite(fitted)) {
            return GSL_EDOM;
        }
        gsl_vector_set(residuals, i, fitted - problem->points->y[i]);
    }
    return GSL_SUCCESS;
}

static enum hk_status check(const struct hk_curve *curve, const struct hk_curve_points *points,
                            const double *start)
{
    if (!curve || !curve->function || curve->parameter_count == 0 ||
        curve->parameter_count > HK_NONLINEAR_PARAMETERS_MAX || !points || !start ||
        !hk_sample_finite(start, curve->parameter_count)) {
        return HK_EINVAL;
    }
    if (points->n <= curve->parameter_count) {
        return HK_ENOISE;
    }
    if (!hk_sample_finite(points->x, points->n) || !hk_sample_finite(points->y, points->n) ||
        (points->weights && !hk_sample_finite(points->weights, points->n))) {
        return HK_EINVAL;
    }
    for (size_t i = 0; points->weights && i < points->n; i++) {
        if (!(points->weights[i] > 0.0)) {
            return HK_EINVAL;
        }
    }
    return HK_OK;
}

static enum hk_status publish(const struct hk_curve *curve, const struct hk_curve_points *points,
                              gsl_multifit_nlinear_workspace *work, struct hk_nonlinear *out)
{
    double memory[HK_NONLINEAR_PARAMETERS_MAX * HK_NONLINEAR_PARAMETERS_MAX];
    const size_t count = curve->parameter_count;
    gsl_matrix_view covariance = gsl_matrix_view_array(memory, count, count);
    const gsl_vector *residuals = gsl_multifit_nlinear_residual(work);
    double squares = 0.0;
    (void)gsl_blas_ddot(residuals, residuals, &squares);
    if (gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(work), 0.0, &covariance.matrix) !=
        GSL_SUCCESS) {
        return HK_ENOISE;
    }
    const double variance = squares / (double)(points->n - count);
    struct hk_nonlinear result = {
        .residual_sd = sqrt(variance), .parameter_count = count, .count = points->n};
    for (size_t k = 0; k < count; k++) {
        result.parameters[k] = gsl_vector_get(gsl_multifit_nlinear_position(work), k);
        for (size_t j = 0; j < count; j++) {
            result.covariance[k][j] = variance * gsl_matrix_get(&covariance.matrix, k, j);
        }
        /* A column of zeros: the points say nothing about this parameter. */
        if (!isfinite(result.parameters[k]) || !isfinite(result.covariance[k][k]) ||
            (result.covariance[k][k] == 0.0 && variance > 0.0)) {
            return HK_ENOISE;
        }
    }
    *out = result;
    return HK_OK;
}

enum hk_status hk_nonlinear_fit(const struct hk_curve *curve,
                                const struct hk_curve_points *points, const double *start,
                                struct hk_nonlinear *out)
{
    enum hk_status status = out ? check(curve, points, start) : HK_EINVAL;
    if (status != HK_OK) {
        return status;
    }
    gsl_multifit_nlinear_parameters options = gsl_multifit_nlinear_default_parameters();
    options.fdtype = GSL_MULTIFIT_NLINEAR_CTRDIFF;
    options.h_fvv = 0.02;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &options, points->n, curve->parameter_count);
    if (!work) {
        return HK_ENOMEM;
    }
    struct problem problem = {curve, points};
    gsl_multifit_nlinear_fdf system = {
        .f = residuals_of, .n = points->n, .p = curve->parameter_count, .params = &problem};
    const gsl_vector_const_view from = gsl_vector_const_view_array(start, curve->parameter_count);
    int code;
    if (points->weights) {
        const gsl_vector_const_view weights =
            gsl_vector_const_view_array(points->weights, points->n);
        code = gsl_multifit_nlinear_winit(&from.vector, &weights.vector, &system, work);
    } else {
        code = gsl_multifit_nlinear_init(&from.vector, &system, work);
    }
    int info = 0;
    if (code == GSL_SUCCESS) {
        code = gsl_multifit_nlinear_driver(ITERATIONS_MAX, STEP_TOLERANCE, GRADIENT_TOLERANCE,
                                           0.0, NULL, NULL, &info, work);
        /* No progress is the end of the road, not a failure, when rounding is what is left. */
        code = code == GSL_ENOPROG ? GSL_SUCCESS : code;
    }
    status = code == GSL_SUCCESS ? publish(curve, points, work, out) : HK_ENOISE;
    gsl_multifit_nlinear_free(work);
    return status;
}
