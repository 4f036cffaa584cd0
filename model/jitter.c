/* SPDX-License-Identifier: MIT */
#include "hk/model/jitter.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "hk/stats/dependence.h"
#include "hk/stats/equivalence.h"
#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"

#define COUNT_MIN 100u
#define TOP_SHARE 0.001

/* The largest delays overflow: no jitter then. */
static enum hk_status publish(double jitter, double *jitter_ns)
{
    if (!isfinite(jitter)) {
        return HK_EINVAL;
    }
    *jitter_ns = jitter;
    return HK_OK;
}

enum hk_status hk_jitter_textbook(double delta_ns, double *jitter_ns)
{
    if (!jitter_ns || !isfinite(delta_ns) || delta_ns < 0.0) {
        return HK_EINVAL;
    }
    return publish(delta_ns * sqrt(2.0), jitter_ns);
}

enum hk_status hk_jitter_dependent(double sigma_ns, double rho1, double *jitter_ns)
{
    if (!jitter_ns || !isfinite(sigma_ns) || sigma_ns < 0.0 || !(rho1 >= -1.0 && rho1 <= 1.0)) {
        return HK_EINVAL;
    }
    return publish(sigma_ns * sqrt(2.0 * (1.0 - rho1)), jitter_ns);
}

enum hk_status hk_jitter_relative(double delta_ns, double sigma_ns, double *jitter_ns)
{
    if (!jitter_ns || !check_not_negative(delta_ns) || !check_not_negative(sigma_ns)) {
        return HK_EINVAL;
    }
    return publish(hypot(sigma_ns, delta_ns), jitter_ns);
}

enum hk_status hk_jitter_cycle_law(double rho1, double rho2, double *ratio)
{
    if (!ratio || !(fabs(rho1) <= 1.0) || !(fabs(rho2) <= 1.0)) {
        return HK_EINVAL;
    }
    /* A series needs a correlation matrix that is positive semi-definite. */
    if (rho1 == 1.0 || rho2 < 2.0 * rho1 * rho1 - 1.0) {
        return HK_ERANGE;
    }
    *ratio = sqrt(fmax(0.0, 6.0 - 8.0 * rho1 + 2.0 * rho2) / (2.0 - 2.0 * rho1));
    return HK_OK;
}

enum hk_status hk_jitter_count_needed(double margin, double alpha, double power, size_t *n)
{
    /* Asymptotic variances of ln J^ and ln delta^, times n, for exponential delays. */
    const double of_jitter = 9.0 / 4.0;
    const double of_mean = 1.0;
    return hk_equivalence_count_needed(sqrt(of_jitter + of_mean), margin, alpha, power, n);
}

/* Columns whose means give every statistic of a series; rows are neighbouring pairs. */
enum column { COLUMN_VALUE, COLUMN_SQUARE, COLUMN_PRODUCT, COLUMN_STEP_SQUARE, COLUMN_COUNT };

struct columns {
    double *memory;
    const double *at[COLUMN_COUNT];
    struct hk_moment_data data;
};

/* Fill from a series minus its centre: (x, x^2, x x', (x' - x)^2), x' the next value. */
static enum hk_status columns_init(struct columns *columns, const double *x, size_t n,
                                   double centre)
{
    const size_t rows = n - 1;
    double *memory = malloc(COLUMN_COUNT * rows * sizeof *memory);
    if (!memory) {
        return HK_ENOMEM;
    }
    columns->memory = memory;
    for (int c = 0; c < COLUMN_COUNT; c++) {
        columns->at[c] = memory + (size_t)c * rows;
    }
    for (size_t i = 0; i < rows; i++) {
        const double value = x[i] - centre;
        const double next = x[i + 1] - centre;
        memory[COLUMN_VALUE * rows + i] = value;
        memory[COLUMN_SQUARE * rows + i] = value * value;
        memory[COLUMN_PRODUCT * rows + i] = value * next;
        memory[COLUMN_STEP_SQUARE * rows + i] = (next - value) * (next - value);
    }
    columns->data = (struct hk_moment_data){columns->at, COLUMN_COUNT, rows};
    return HK_OK;
}

static double variance_of(const double *m)
{
    return m[COLUMN_SQUARE] - m[COLUMN_VALUE] * m[COLUMN_VALUE];
}

static double rho_of(const double *m, const void *context)
{
    (void)context;
    return (m[COLUMN_PRODUCT] - m[COLUMN_VALUE] * m[COLUMN_VALUE]) / variance_of(m);
}

/* The context is delta, the mean of the values the columns were centred on. */
static double delta_of(const double *m, const void *context)
{
    return *(const double *)context + m[COLUMN_VALUE];
}

static double textbook_of(const double *m, const void *context)
{
    return delta_of(m, context) * sqrt(2.0);
}

static double cv_of(const double *m, const void *context)
{
    return sqrt(variance_of(m)) / delta_of(m, context);
}

/* sigma^2 2 (1 - rho) = 2 (variance - covariance), which a resample may push below 0. */
static double dependent_of(const double *m, const void *context)
{
    (void)context;
    return sqrt(fmax(0.0, 2.0 * (m[COLUMN_SQUARE] - m[COLUMN_PRODUCT])));
}

static double rms_of(const double *m, const void *context)
{
    (void)context;
    return sqrt(m[COLUMN_SQUARE]);
}

static double cycle_ratio_of(const double *m, const void *context)
{
    (void)context;
    return sqrt(m[COLUMN_STEP_SQUARE] / m[COLUMN_SQUARE]);
}

static enum hk_status series_check(const double *x, size_t n, double min)
{
    if (!x) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    bool constant = true;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || x[i] < min) {
            return HK_EINVAL;
        }
        constant = constant && x[i] == x[0];
    }
    return constant ? HK_ENOISE : HK_OK;
}

/* The parts that need no resampling. */
static enum hk_status lateness_describe(const double *lateness_ns, size_t n,
                                        struct hk_lateness *out)
{
    double *sorted = malloc(2 * n * sizeof *sorted);
    if (!sorted) {
        return HK_ENOMEM;
    }
    struct hk_summary summary;
    enum hk_status status = hk_summary_compute(lateness_ns, n, sorted + n, &summary);
    if (status == HK_OK) {
        memcpy(sorted, lateness_ns, n * sizeof *sorted);
        (void)hk_sample_sort(sorted, n);
        status = hk_fit_test_run(sorted, n, HK_FIT_EXPONENTIAL_SHIFTED, &out->exponential);
    }
    if (status == HK_OK) {
        status = hk_autocorrelation_lag1(lateness_ns, n, &out->rho1);
    }
    if (status == HK_OK) {
        out->count = n;
        out->d0_ns = summary.min;
        out->delta_ns = summary.mean - summary.min;
        out->sigma_ns = summary.sd;
        out->cv = summary.sd / out->delta_ns;
        (void)hk_jitter_textbook(out->delta_ns, &out->textbook_ns);
        (void)hk_jitter_dependent(out->sigma_ns, out->rho1, &out->dependent_ns);
    }
    free(sorted);
    return status;
}

enum hk_status hk_lateness_analyse(const double *lateness_ns, size_t n,
                                   const struct hk_bootstrap_options *options,
                                   struct hk_rng *rng, struct hk_lateness *out)
{
    if (!options || !rng || !out) {
        return HK_EINVAL;
    }
    enum hk_status status = series_check(lateness_ns, n, 0.0);
    if (status != HK_OK) {
        return status;
    }
    struct hk_lateness result = {0};
    struct columns columns = {0};
    status = lateness_describe(lateness_ns, n, &result);
    if (status == HK_OK) {
        status = columns_init(&columns, lateness_ns, n, result.d0_ns + result.delta_ns);
    }
    if (status != HK_OK) {
        goto done;
    }
    enum { DEPENDENT, TEXTBOOK, CV, RHO, STATISTIC_COUNT };
    const struct hk_moment_statistic statistics[STATISTIC_COUNT] = {
        [DEPENDENT] = {dependent_of, NULL},
        [TEXTBOOK] = {textbook_of, &result.delta_ns},
        [CV] = {cv_of, &result.delta_ns},
        [RHO] = {rho_of, NULL},
    };
    struct hk_bootstrap b[STATISTIC_COUNT];
    status = hk_bootstrap_moments(&columns.data, statistics, STATISTIC_COUNT, options, rng, b);
    if (status != HK_OK) {
        goto done;
    }
    result.block_count = b[DEPENDENT].block_count;
    result.textbook_interval_ns = b[TEXTBOOK].interval;
    result.dependent_interval_ns = b[DEPENDENT].interval;
    result.cv_interval = b[CV].interval;
    result.rho1_interval = b[RHO].interval;
    *out = result;
done:
    free(columns.memory);
    return status;
}

enum hk_status hk_jitter_foretell(const double *lateness_ns, size_t n, size_t next_count,
                                  const struct hk_bootstrap_options *options, struct hk_rng *rng,
                                  struct hk_jitter_forecast *textbook,
                                  struct hk_jitter_forecast *dependent)
{
    if (!options || !rng || next_count == 0 || !textbook || !dependent) {
        return HK_EINVAL;
    }
    const struct hk_moment_statistic statistic = {dependent_of, NULL};
    struct hk_lateness log = {0};
    struct columns columns = {0};
    struct hk_interval next;
    enum hk_status status = series_check(lateness_ns, n, 0.0);
    if (status == HK_OK) {
        status = lateness_describe(lateness_ns, n, &log);
    }
    if (status == HK_OK) {
        status = columns_init(&columns, lateness_ns, n, log.d0_ns + log.delta_ns);
    }
    if (status == HK_OK) {
        status = hk_bootstrap_next(&columns.data, &statistic, next_count, options, rng, &next);
    }
    free(columns.memory);
    if (status != HK_OK) {
        return status;
    }
    /* How periods scatter is in the log; the textbook only says about what. */
    const double scale = log.textbook_ns / log.dependent_ns;
    *dependent = (struct hk_jitter_forecast){log.dependent_ns, next};
    *textbook = (struct hk_jitter_forecast){
        log.textbook_ns, {next.lower * scale, next.upper * scale, next.confidence_ratio}};
    return HK_OK;
}

static enum hk_status jitter_trim(const double *period_ns, size_t n, double nominal_ns,
                                  struct hk_jitter *out)
{
    double *squares = malloc(n * sizeof *squares);
    if (!squares) {
        return HK_ENOMEM;
    }
    double all = 0.0;
    for (size_t i = 0; i < n; i++) {
        squares[i] = (period_ns[i] - nominal_ns) * (period_ns[i] - nominal_ns);
        all += squares[i];
    }
    const enum hk_status status = hk_sample_sort(squares, n);
    if (status == HK_OK) {
        const size_t top = (size_t)ceil(TOP_SHARE * (double)n);
        double kept = 0.0;
        double dropped = 0.0;
        for (size_t i = 0; i < n; i++) {
            *(i < n - top ? &kept : &dropped) += squares[i];
        }
        out->rms_ns = sqrt(all / (double)n);
        out->trimmed_rms_ns = sqrt(kept / (double)(n - top));
        out->top_share_ratio = dropped / (kept + dropped);
    }
    free(squares);
    return status;
}

enum hk_status hk_jitter_analyse(const double *period_ns, size_t n, double nominal_ns,
                                 const struct hk_bootstrap_options *options,
                                 struct hk_rng *rng, struct hk_jitter *out)
{
    if (!options || !rng || !out || !isfinite(nominal_ns) || !(nominal_ns > 0.0)) {
        return HK_EINVAL;
    }
    enum hk_status status = series_check(period_ns, n, -INFINITY);
    if (status != HK_OK) {
        return status;
    }
    struct hk_jitter result = {.count = n};
    struct columns columns = {0};
    status = jitter_trim(period_ns, n, nominal_ns, &result);
    if (status == HK_OK) {
        status = hk_autocorrelation_lag1(period_ns, n, &result.rho1);
    }
    if (status == HK_OK) {
        status = columns_init(&columns, period_ns, n, nominal_ns);
    }
    if (status != HK_OK) {
        goto done;
    }
    enum { RMS, CYCLE, RHO, STATISTIC_COUNT };
    const struct hk_moment_statistic statistics[STATISTIC_COUNT] = {
        [RMS] = {rms_of, NULL},
        [CYCLE] = {cycle_ratio_of, NULL},
        [RHO] = {rho_of, NULL},
    };
    struct hk_bootstrap b[STATISTIC_COUNT];
    status = hk_bootstrap_moments(&columns.data, statistics, STATISTIC_COUNT, options, rng, b);
    if (status != HK_OK) {
        goto done;
    }
    result.block_count = b[RMS].block_count;
    result.rms_interval_ns = b[RMS].interval;
    result.relative_error_se = b[RMS].standard_error / b[RMS].value;
    result.cycle_ratio = b[CYCLE].value;
    result.cycle_ratio_interval = b[CYCLE].interval;
    result.rho1_interval = b[RHO].interval;
    *out = result;
done:
    free(columns.memory);
    return status;
}
