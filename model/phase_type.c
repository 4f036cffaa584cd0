/* SPDX-License-Identifier: MIT */
#include "hk/model/phase_type.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>

#include "hk/stats/gsl.h"

#define FIXED_POINT_STEPS 20000
#define FIXED_POINT_TOLERANCE 1e-15

static bool positive(double x)
{
    return isfinite(x) && x > 0.0;
}

static bool law_valid(const struct hk_phase_type *law)
{
    return law && law->count >= 1 && law->count <= HK_PHASES_MAX;
}

enum hk_status hk_phase_type_sum(const struct hk_delay_law *law, unsigned stage_count,
                                 struct hk_phase_type *out)
{
    if (!out || stage_count < 1 || hk_delay_check(law) != HK_OK) {
        return HK_EINVAL;
    }
    if (law->kind != HK_DELAY_EXPONENTIAL && law->kind != HK_DELAY_HYPEREXPONENTIAL) {
        return HK_ENOTSUP;
    }
    const bool mixed = law->kind == HK_DELAY_HYPEREXPONENTIAL;
    const size_t width = mixed ? 2 : 1;
    const double start[2] = {mixed ? 1.0 - law->shape : 1.0, mixed ? law->shape : 0.0};
    const double rate[2] = {1.0 / law->scale_ns, mixed ? 1.0 / law->rare_scale_ns : 0.0};
    if (stage_count * width > HK_PHASES_MAX) {
        return HK_ETOOBIG;
    }
    struct hk_phase_type made = {.count = stage_count * width};
    for (size_t i = 0; i < made.count; i++) {
        const double leave = rate[i % width];
        const size_t next = i - i % width + width;
        made.initial[i] = i < width ? start[i] : 0.0;
        made.generator[i][i] = -leave;
        for (size_t j = 0; j < width && next < made.count; j++) {
            made.generator[i][next + j] = leave * start[j];
        }
    }
    *out = made;
    return HK_OK;
}

enum hk_status hk_phase_type_coxian(double mean_ns, double cv_squared, struct hk_phase_type *out)
{
    if (!out || !positive(mean_ns) || !positive(cv_squared)) {
        return HK_EINVAL;
    }
    if (cv_squared < 0.5) {
        return HK_ERANGE;
    }
    const double first = 2.0 / mean_ns;
    const double on = 0.5 / cv_squared; /* probability of the second phase */
    const double second = 1.0 / (mean_ns * cv_squared);
    *out = (struct hk_phase_type){.count = 2, .initial = {1.0, 0.0}};
    out->generator[0][0] = -first;
    out->generator[0][1] = on * first;
    out->generator[1][1] = -second;
    return HK_OK;
}

/* Rate at which a phase ends the whole. */
static double exit_rate(const struct hk_phase_type *law, size_t phase)
{
    double sum = 0.0;
    for (size_t j = 0; j < law->count; j++) {
        sum += law->generator[phase][j];
    }
    return -sum;
}

/* row = row e^(generator x) */
static enum hk_status propagate(size_t n, double generator[HK_PHASES_MAX][HK_PHASES_MAX],
                                double x_ns, double row[HK_PHASES_MAX])
{
    double scaled[HK_PHASES_MAX * HK_PHASES_MAX];
    double power[HK_PHASES_MAX * HK_PHASES_MAX];
    double result[HK_PHASES_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            scaled[i * n + j] = generator[i][j] * x_ns;
        }
    }
    gsl_matrix_view in = gsl_matrix_view_array(scaled, n, n);
    gsl_matrix_view out = gsl_matrix_view_array(power, n, n);
    const int code = gsl_linalg_exponential_ss(&in.matrix, &out.matrix, GSL_MODE_DEFAULT);
    if (code != GSL_SUCCESS) {
        return hk_gsl_status(code);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            result[j] += row[i] * power[i * n + j];
        }
    }
    memcpy(row, result, n * sizeof *row);
    return HK_OK;
}

/* x with a x = b, by LU; a and b are used up. */
static enum hk_status solve(size_t n, double *a, double *b, double *x)
{
    size_t order[HK_PHASES_MAX * HK_PHASES_MAX];
    gsl_permutation permutation = {n, order};
    gsl_matrix_view matrix = gsl_matrix_view_array(a, n, n);
    gsl_vector_view right = gsl_vector_view_array(b, n);
    gsl_vector_view left = gsl_vector_view_array(x, n);
    int sign;
    int code = gsl_linalg_LU_decomp(&matrix.matrix, &permutation, &sign);
    if (code == GSL_SUCCESS) {
        code = gsl_linalg_LU_solve(&matrix.matrix, &permutation, &right.vector, &left.vector);
    }
    return code == GSL_SUCCESS ? HK_OK : HK_ENOISE;
}

/* Mean time spent in each phase. */
static enum hk_status mean_stays(const struct hk_phase_type *law, double stays_ns[HK_PHASES_MAX])
{
    const size_t n = law->count;
    double a[HK_PHASES_MAX * HK_PHASES_MAX];
    double b[HK_PHASES_MAX];
    for (size_t i = 0; i < n; i++) {
        b[i] = law->initial[i];
        for (size_t j = 0; j < n; j++) {
            a[j * n + i] = -law->generator[i][j];
        }
    }
    return solve(n, a, b, stays_ns);
}

enum hk_status hk_phase_type_mean(const struct hk_phase_type *law, double *mean_ns)
{
    double stays_ns[HK_PHASES_MAX];
    if (!law_valid(law) || !mean_ns) {
        return HK_EINVAL;
    }
    const enum hk_status status = mean_stays(law, stays_ns);
    if (status != HK_OK) {
        return status;
    }
    double sum = 0.0;
    for (size_t i = 0; i < law->count; i++) {
        sum += stays_ns[i];
    }
    *mean_ns = sum;
    return HK_OK;
}

static double sum_row(const double *row, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += row[i];
    }
    return sum;
}

/* initial e^(generator x) 1 with another generator than the law's own. */
static enum hk_status tail_of(const struct hk_phase_type *law,
                              double generator[HK_PHASES_MAX][HK_PHASES_MAX], double x_ns,
                              double *probability)
{
    double row[HK_PHASES_MAX];
    memcpy(row, law->initial, sizeof row);
    const enum hk_status status = propagate(law->count, generator, x_ns, row);
    if (status == HK_OK) {
        *probability = sum_row(row, law->count);
    }
    return status;
}

enum hk_status hk_phase_type_survival(const struct hk_phase_type *law, double x_ns,
                                      double *probability)
{
    if (!law_valid(law) || !probability || !isfinite(x_ns) || x_ns < 0.0) {
        return HK_EINVAL;
    }
    struct hk_phase_type copy = *law;
    return tail_of(law, copy.generator, x_ns, probability);
}

/*
 * P(D - D' > h) = initial e^(T h) v with v = integral of e^(T y) 1 f(y) dy. With the exit rates t,
 * v_i = -sum_j initial_j z_ij, where T z + z T' = 1 t': a linear system of count^2.
 */
enum hk_status hk_phase_type_difference(const struct hk_phase_type *law, double headroom_ns,
                                        double *probability)
{
    enum { CELLS = HK_PHASES_MAX * HK_PHASES_MAX };
    if (!law_valid(law) || !probability || !isfinite(headroom_ns) || headroom_ns < 0.0) {
        return HK_EINVAL;
    }
    const size_t n = law->count;
    gsl_matrix *a = gsl_matrix_calloc(n * n, n * n);
    double b[CELLS];
    double z[CELLS];
    if (!a) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            b[i * n + j] = exit_rate(law, j);
            for (size_t k = 0; k < n; k++) {
                *gsl_matrix_ptr(a, i * n + j, k * n + j) += law->generator[i][k];
                *gsl_matrix_ptr(a, i * n + j, i * n + k) += law->generator[j][k];
            }
        }
    }
    enum hk_status status = solve(n * n, a->data, b, z);
    gsl_matrix_free(a);
    if (status != HK_OK) {
        return status;
    }
    struct hk_phase_type copy = *law;
    status = propagate(n, copy.generator, headroom_ns, copy.initial);
    if (status != HK_OK) {
        return status;
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            sum -= copy.initial[i] * law->initial[j] * z[i * n + j];
        }
    }
    *probability = sum;
    return HK_OK;
}

/* The generator of the maximum: whoever ends starts again with probabilities restart. */
static void restart_generator(const struct hk_phase_type *law, const double *restart,
                              double generator[HK_PHASES_MAX][HK_PHASES_MAX])
{
    for (size_t i = 0; i < law->count; i++) {
        const double leave = exit_rate(law, i);
        for (size_t j = 0; j < law->count; j++) {
            generator[i][j] = law->generator[i][j] + leave * restart[j];
        }
    }
}

/* Ladder heights between periodic arrivals: restart = initial e^((T + t restart) period). */
static enum hk_status periodic_restart(const struct hk_phase_type *law, double period_ns,
                                       double restart[HK_PHASES_MAX])
{
    double generator[HK_PHASES_MAX][HK_PHASES_MAX];
    memset(restart, 0, HK_PHASES_MAX * sizeof *restart);
    for (int step = 0; step < FIXED_POINT_STEPS; step++) {
        double next[HK_PHASES_MAX];
        double change = 0.0;
        memcpy(next, law->initial, sizeof next);
        restart_generator(law, restart, generator);
        const enum hk_status status = propagate(law->count, generator, period_ns, next);
        if (status != HK_OK) {
            return status;
        }
        for (size_t i = 0; i < law->count; i++) {
            change = fmax(change, fabs(next[i] - restart[i]));
        }
        memcpy(restart, next, law->count * sizeof *restart);
        if (change < FIXED_POINT_TOLERANCE) {
            return HK_OK;
        }
    }
    return HK_ENOISE;
}

enum hk_status hk_phase_type_queue(const struct hk_phase_type *law, double period_ns, bool poisson,
                                   double headroom_ns, double *probability)
{
    double restart[HK_PHASES_MAX];
    double generator[HK_PHASES_MAX][HK_PHASES_MAX];
    if (!law_valid(law) || !probability || !positive(period_ns) || !isfinite(headroom_ns) ||
        headroom_ns < 0.0) {
        return HK_EINVAL;
    }
    enum hk_status status = mean_stays(law, restart);
    if (status != HK_OK) {
        return status;
    }
    if (!(sum_row(restart, law->count) < period_ns)) {
        return HK_ERANGE;
    }
    if (poisson) {
        for (size_t i = 0; i < law->count; i++) {
            restart[i] /= period_ns; /* utilisation times the residual service's phases */
        }
    } else {
        status = periodic_restart(law, period_ns, restart);
    }
    if (status != HK_OK) {
        return status;
    }
    restart_generator(law, restart, generator);
    return tail_of(law, generator, headroom_ns, probability);
}
