/* SPDX-License-Identifier: MIT */
#include "hk/stats/linear.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_multifit.h>

#include "hk/stats/gsl.h"
#include "hk/stats/quantile.h"

#define SINGULAR_RATIO 1e-10 /* smaller singular values are rounding */

struct workspace {
    gsl_multifit_linear_workspace *gsl;
    gsl_matrix *x;
    gsl_vector *y;
    gsl_vector *w;
    gsl_vector *c;
    gsl_matrix *cov;
};

static void workspace_free(struct workspace *s)
{
    gsl_multifit_linear_free(s->gsl);
    gsl_matrix_free(s->x);
    gsl_vector_free(s->y);
    gsl_vector_free(s->w);
    gsl_vector_free(s->c);
    gsl_matrix_free(s->cov);
}

static bool workspace_make(const struct hk_linear_data *d, struct workspace *s)
{
    *s = (struct workspace){
        .gsl = gsl_multifit_linear_alloc(d->n, d->term_count),
        .x = gsl_matrix_alloc(d->n, d->term_count),
        .y = gsl_vector_alloc(d->n),
        .w = gsl_vector_alloc(d->n),
        .c = gsl_vector_alloc(d->term_count),
        .cov = gsl_matrix_alloc(d->term_count, d->term_count),
    };
    return s->gsl && s->x && s->y && s->w && s->c && s->cov;
}

static void workspace_fill(const struct hk_linear_data *d, struct workspace *s)
{
    for (size_t i = 0; i < d->n; i++) {
        gsl_vector_set(s->y, i, d->y[i]);
        gsl_vector_set(s->w, i, d->weights ? d->weights[i] : 1.0);
        for (size_t j = 0; j < d->term_count; j++) {
            gsl_matrix_set(s->x, i, j, d->x[i * d->term_count + j]);
        }
    }
}

static bool data_valid(const struct hk_linear_data *d)
{
    if (!d || d->term_count == 0 || d->term_count > HK_LINEAR_TERMS_MAX ||
        !hk_sample_finite(d->x, d->n * d->term_count) || !hk_sample_finite(d->y, d->n)) {
        return false;
    }
    for (size_t i = 0; d->weights && i < d->n; i++) {
        if (!(d->weights[i] > 0.0) || !isfinite(d->weights[i])) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_linear_fit(const struct hk_linear_data *d, struct hk_linear_fit *out)
{
    if (!out || !data_valid(d)) {
        return HK_EINVAL;
    }
    if (d->n <= d->term_count) {
        return HK_ENOISE;
    }
    struct workspace s;
    struct hk_linear_fit fit = {0};
    double squares;
    enum hk_status status = workspace_make(d, &s) ? HK_OK : HK_ENOMEM;
    if (status == HK_OK) {
        workspace_fill(d, &s);
        status = hk_gsl_status(gsl_multifit_wlinear_tsvd(s.x, s.w, s.y, SINGULAR_RATIO, s.c, s.cov,
                                                         &squares, &fit.rank, s.gsl));
    }
    if (status == HK_OK) {
        /* GSL takes the weights for known variances; ours are known up to a factor. */
        const double variance = squares / (double)(d->n - d->term_count);
        fit.residual_sd = sqrt(variance);
        for (size_t i = 0; i < d->term_count; i++) {
            fit.coefficient[i] = gsl_vector_get(s.c, i);
            for (size_t j = 0; j < d->term_count; j++) {
                fit.covariance[i][j] = variance * gsl_matrix_get(s.cov, i, j);
            }
        }
        *out = fit;
    }
    workspace_free(&s);
    return status;
}

void hk_linear_predict(const struct hk_linear_fit *fit, const double *x, size_t term_count,
                       double *value, double *standard_error)
{
    double sum = 0.0;
    double variance = 0.0;
    for (size_t i = 0; i < term_count; i++) {
        sum += fit->coefficient[i] * x[i];
        for (size_t j = 0; j < term_count; j++) {
            variance += x[i] * x[j] * fit->covariance[i][j];
        }
    }
    *value = sum;
    *standard_error = sqrt(fmax(0.0, variance));
}
