/* SPDX-License-Identifier: MIT */
#include "hk/model/copy_curve.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_multifit.h>

#include "hk/stats/quantile.h"

#define SIZES_MIN 4u
#define COUNT_MIN 5u
#define CANDIDATES_MAX 32u
#define REFINE_ROUNDS 3
#define GOLDEN_STEPS 24

/* Below this relative scatter, data are exact and only the number of terms decides. */
#define RELATIVE_FLOOR 1e-12

struct point {
    double bytes;
    double cost_ns;
};

/* Costs by distinct size: the fit needs only means, weights and the scatter around them. */
struct sizes {
    double *bytes;
    double *mean_ns;
    double *weight; /* observations / mean^2: squared relative errors are summed */
    size_t count;
    size_t observations;
    double pure_error; /* sum of squared relative distances from the means */
};

/* A least-squares problem of one number of terms, with GSL's memory for it. */
struct problem {
    const struct sizes *sizes;
    size_t term_count;
    gsl_matrix *basis;
    gsl_vector *terms;
    gsl_matrix *covariance;
    gsl_multifit_linear_workspace *work;
};

static int by_bytes(const void *a, const void *b)
{
    const double x = ((const struct point *)a)->bytes;
    const double y = ((const struct point *)b)->bytes;
    return (x > y) - (x < y);
}

static void sizes_fini(struct sizes *sizes)
{
    free(sizes->bytes);
    free(sizes->mean_ns);
    free(sizes->weight);
    *sizes = (struct sizes){0};
}

static void sizes_fill(struct sizes *sizes, const struct point *points, size_t n)
{
    for (size_t first = 0; first < n;) {
        size_t end = first;
        double mean = 0.0;
        while (end < n && points[end].bytes == points[first].bytes) {
            end++;
            mean += (points[end - 1].cost_ns - mean) / (double)(end - first);
        }
        for (size_t i = first; i < end; i++) {
            const double relative = points[i].cost_ns / mean - 1.0;
            sizes->pure_error += relative * relative;
        }
        sizes->bytes[sizes->count] = points[first].bytes;
        sizes->mean_ns[sizes->count] = mean;
        sizes->weight[sizes->count++] = (double)(end - first) / (mean * mean);
        first = end;
    }
    sizes->observations = n;
}

static enum hk_status sizes_init(struct sizes *sizes, const double *bytes, const double *cost_ns,
                                 size_t n)
{
    struct point *points = malloc(n * sizeof *points);
    *sizes = (struct sizes){
        .bytes = malloc(n * sizeof(double)),
        .mean_ns = malloc(n * sizeof(double)),
        .weight = malloc(n * sizeof(double)),
    };
    if (!points || !sizes->bytes || !sizes->mean_ns || !sizes->weight) {
        free(points);
        sizes_fini(sizes);
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        points[i] = (struct point){bytes[i], cost_ns[i]};
    }
    qsort(points, n, sizeof *points, by_bytes);
    sizes_fill(sizes, points, n);
    free(points);
    return HK_OK;
}

static void problem_fini(struct problem *problem)
{
    gsl_matrix_free(problem->basis);
    gsl_vector_free(problem->terms);
    gsl_matrix_free(problem->covariance);
    if (problem->work) {
        gsl_multifit_linear_free(problem->work);
    }
    *problem = (struct problem){0};
}

static enum hk_status problem_init(struct problem *problem, const struct sizes *sizes,
                                   size_t break_count)
{
    const size_t terms = 2 + break_count;
    *problem = (struct problem){
        .sizes = sizes,
        .term_count = terms,
        .basis = gsl_matrix_alloc(sizes->count, terms),
        .terms = gsl_vector_alloc(terms),
        .covariance = gsl_matrix_alloc(terms, terms),
        .work = gsl_multifit_linear_alloc(sizes->count, terms),
    };
    if (!problem->basis || !problem->terms || !problem->covariance || !problem->work) {
        problem_fini(problem);
        return HK_ENOMEM;
    }
    return HK_OK;
}

static void basis_at(double bytes, const double *breaks, size_t break_count, double *basis)
{
    basis[0] = 1.0;
    basis[1] = bytes;
    for (size_t j = 0; j < break_count; j++) {
        basis[2 + j] = fmax(0.0, bytes - breaks[j]);
    }
}

/* Sum of squared relative errors at given breaks; INFINITY where the solve fails. */
static double solve(struct problem *problem, const double *breaks)
{
    const struct sizes *sizes = problem->sizes;
    for (size_t i = 0; i < sizes->count; i++) {
        basis_at(sizes->bytes[i], breaks, problem->term_count - 2,
                 gsl_matrix_ptr(problem->basis, i, 0));
    }
    const gsl_vector_const_view weight = gsl_vector_const_view_array(sizes->weight, sizes->count);
    const gsl_vector_const_view mean = gsl_vector_const_view_array(sizes->mean_ns, sizes->count);
    double lack;
    const int code =
        gsl_multifit_wlinear(problem->basis, &weight.vector, &mean.vector, problem->terms,
                             problem->covariance, &lack, problem->work);
    return code == 0 && isfinite(lack) ? lack + sizes->pure_error : INFINITY;
}

/* Indices of the sizes at which a break may start: interior, at most CANDIDATES_MAX. */
static size_t candidates_fill(const struct sizes *sizes, size_t *candidates)
{
    const size_t interior = sizes->count - 2;
    const size_t count = interior < CANDIDATES_MAX ? interior : CANDIDATES_MAX;
    for (size_t i = 0; i < count; i++) {
        candidates[i] = 1 + i * interior / count;
    }
    return count;
}

/* Next ascending combination of size indices below limit; false after the last. */
static bool next_combination(size_t *chosen, size_t size, size_t limit)
{
    size_t i = size;
    while (i > 0 && chosen[i - 1] == limit - (size - i) - 1) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    chosen[i - 1]++;
    for (size_t j = i; j < size; j++) {
        chosen[j] = chosen[j - 1] + 1;
    }
    return true;
}

/* Try every combination of measured sizes as breaks; keep the best. */
static double search(struct problem *problem, const size_t *candidates, size_t candidate_count,
                     size_t *best)
{
    const size_t breaks = problem->term_count - 2;
    size_t chosen[HK_CURVE_BREAKS_MAX] = {0, 1, 2};
    double least = INFINITY;
    do {
        double at[HK_CURVE_BREAKS_MAX];
        for (size_t j = 0; j < breaks; j++) {
            at[j] = problem->sizes->bytes[candidates[chosen[j]]];
        }
        const double squares = solve(problem, at);
        if (squares < least) {
            least = squares;
            for (size_t j = 0; j < breaks; j++) {
                best[j] = candidates[chosen[j]];
            }
        }
    } while (breaks > 0 && next_combination(chosen, breaks, candidate_count));
    return least;
}

/* Golden section on one break between low and high. */
static void refine_one(struct problem *problem, double *breaks, size_t j, double low, double high)
{
    const double golden = 0.6180339887498949;
    double least = solve(problem, breaks);
    double best = breaks[j];
    for (int i = 0; i < GOLDEN_STEPS; i++) {
        const double left = high - golden * (high - low);
        const double right = low + golden * (high - low);
        breaks[j] = left;
        const double at_left = solve(problem, breaks);
        breaks[j] = right;
        const double at_right = solve(problem, breaks);
        if (at_left < least) {
            least = at_left;
            best = left;
        }
        if (at_right < least) {
            least = at_right;
            best = right;
        }
        if (at_left <= at_right) {
            high = right;
        } else {
            low = left;
        }
    }
    breaks[j] = best;
}

/* Move the breaks off the measured sizes, each at most half way to its neighbours. */
static double refine(struct problem *problem, const size_t *at, double *breaks)
{
    const double *bytes = problem->sizes->bytes;
    const size_t count = problem->term_count - 2;
    for (int round = 0; round < REFINE_ROUNDS; round++) {
        for (size_t j = 0; j < count; j++) {
            refine_one(problem, breaks, j, (bytes[at[j] - 1] + bytes[at[j]]) / 2.0,
                       (bytes[at[j]] + bytes[at[j] + 1]) / 2.0);
        }
    }
    return solve(problem, breaks);
}

static double bic_of(const struct sizes *sizes, double squares, size_t break_count)
{
    const double n = (double)sizes->observations;
    const double floor = RELATIVE_FLOOR * RELATIVE_FLOOR;
    const double parameters = 2.0 + 2.0 * (double)break_count;
    return n * log(squares / n + floor) + parameters * log(n);
}

static void keep(const struct problem *problem, const double *breaks, double squares,
                 struct hk_copy_curve *curve)
{
    const size_t terms = problem->term_count;
    const double freedom = (double)problem->sizes->observations - 2.0 - 2.0 * (double)(terms - 2);
    const double variance = squares / freedom;
    curve->break_count = terms - 2;
    curve->relative_sd = sqrt(variance);
    for (size_t i = 0; i < terms; i++) {
        curve->terms[i] = gsl_vector_get(problem->terms, i);
        for (size_t j = 0; j < terms; j++) {
            curve->covariance[i][j] = variance * gsl_matrix_get(problem->covariance, i, j);
        }
    }
    memcpy(curve->break_bytes, breaks, (terms - 2) * sizeof *breaks);
}

/* Fit with a given number of breaks; the curve is replaced if its BIC is the lowest so far. */
static enum hk_status try_breaks(const struct sizes *sizes, size_t break_count,
                                 struct hk_copy_curve *curve, double *least_bic)
{
    struct problem problem;
    enum hk_status status = problem_init(&problem, sizes, break_count);
    if (status != HK_OK) {
        return status;
    }
    size_t candidates[CANDIDATES_MAX];
    size_t at[HK_CURVE_BREAKS_MAX] = {0};
    double breaks[HK_CURVE_BREAKS_MAX] = {0};
    const size_t candidate_count = candidates_fill(sizes, candidates);
    double squares = search(&problem, candidates, candidate_count, at);
    if (isfinite(squares)) {
        for (size_t j = 0; j < break_count; j++) {
            breaks[j] = sizes->bytes[at[j]];
        }
        squares = refine(&problem, at, breaks);
        curve->bic[break_count] = bic_of(sizes, squares, break_count);
        if (curve->bic[break_count] < *least_bic) {
            *least_bic = curve->bic[break_count];
            keep(&problem, breaks, squares, curve);
        }
    }
    problem_fini(&problem);
    return HK_OK;
}

static bool observations_valid(const double *bytes, const double *cost_ns, size_t n)
{
    if (!hk_sample_finite(bytes, n) || !hk_sample_finite(cost_ns, n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] < 0.0 || !(cost_ns[i] > 0.0)) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_copy_curve_fit(const double *bytes, const double *cost_ns, size_t n,
                                 size_t breaks_max, struct hk_copy_curve *out)
{
    if (!bytes || !cost_ns || !out || breaks_max > HK_CURVE_BREAKS_MAX) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    if (!observations_valid(bytes, cost_ns, n)) {
        return HK_EINVAL;
    }
    struct sizes sizes;
    enum hk_status status = sizes_init(&sizes, bytes, cost_ns, n);
    if (status != HK_OK) {
        return status;
    }
    struct hk_copy_curve curve = {.count = n};
    double least_bic = INFINITY;
    if (sizes.count < SIZES_MIN) {
        status = HK_ENOISE;
        goto done;
    }
    for (size_t k = 0; k <= HK_CURVE_BREAKS_MAX; k++) {
        curve.bic[k] = INFINITY;
        /* Two parameters per break must be carried by the sizes, and leave a rest. */
        const bool carried = 2 + 2 * k <= sizes.count && 2 + 2 * k < n;
        if (status == HK_OK && k <= breaks_max && carried) {
            status = try_breaks(&sizes, k, &curve, &least_bic);
        }
    }
    if (status == HK_OK && !isfinite(least_bic)) {
        status = HK_ENOISE;
    }
    if (status == HK_OK) {
        curve.min_bytes = sizes.bytes[0];
        curve.max_bytes = sizes.bytes[sizes.count - 1];
        *out = curve;
    }
done:
    sizes_fini(&sizes);
    return status;
}

static double curve_value(const struct hk_copy_curve *curve, double bytes)
{
    double basis[HK_CURVE_TERMS_MAX];
    double value = 0.0;
    basis_at(bytes, curve->break_bytes, curve->break_count, basis);
    for (size_t i = 0; i < 2 + curve->break_count; i++) {
        value += curve->terms[i] * basis[i];
    }
    return value;
}

static bool curve_valid(const struct hk_copy_curve *curve)
{
    return curve && curve->break_count <= HK_CURVE_BREAKS_MAX &&
           curve->count > 2 + 2 * curve->break_count;
}

enum hk_status hk_copy_curve_predict(const struct hk_copy_curve *curve, double bytes,
                                     double confidence, struct hk_estimate *mean,
                                     struct hk_interval *interval)
{
    if (!mean || !curve_valid(curve) || !isfinite(bytes) ||
        !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (bytes < curve->min_bytes || bytes > curve->max_bytes) {
        return HK_ERANGE;
    }
    const size_t terms = 2 + curve->break_count;
    double basis[HK_CURVE_TERMS_MAX];
    double variance = 0.0;
    basis_at(bytes, curve->break_bytes, curve->break_count, basis);
    for (size_t i = 0; i < terms; i++) {
        for (size_t j = 0; j < terms; j++) {
            variance += basis[i] * basis[j] * curve->covariance[i][j];
        }
    }
    variance = fmax(0.0, variance);
    const double value = curve_value(curve, bytes);
    *mean = (struct hk_estimate){value, sqrt(variance), curve->count};
    if (interval) {
        const double freedom = (double)(curve->count - terms - curve->break_count);
        const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, freedom);
        const double scatter = curve->relative_sd * value;
        const double half_width = t * sqrt(variance + scatter * scatter);
        *interval = (struct hk_interval){value - half_width, value + half_width, confidence};
    }
    return HK_OK;
}

/* Smallest break of either curve beyond a size, or the end of the range. */
static double next_break(const struct hk_copy_curve *first, const struct hk_copy_curve *second,
                         double beyond, double end)
{
    const struct hk_copy_curve *curves[] = {first, second};
    double next = end;
    for (int c = 0; c < 2; c++) {
        for (size_t j = 0; j < curves[c]->break_count; j++) {
            const double at = curves[c]->break_bytes[j];
            next = at > beyond && at < next ? at : next;
        }
    }
    return next;
}

enum hk_status hk_copy_curve_crossing(const struct hk_copy_curve *first,
                                      const struct hk_copy_curve *second, double *bytes)
{
    if (!bytes || !curve_valid(first) || !curve_valid(second)) {
        return HK_EINVAL;
    }
    double low = fmax(first->min_bytes, second->min_bytes);
    const double end = fmin(first->max_bytes, second->max_bytes);
    double before = curve_value(first, low) - curve_value(second, low);
    while (low < end) {
        const double high = next_break(first, second, low, end);
        const double after = curve_value(first, high) - curve_value(second, high);
        if (before == 0.0 || before * after <= 0.0) {
            /* Between breaks the difference is a straight line. */
            *bytes = before == 0.0 ? low : low + (high - low) * before / (before - after);
            return HK_OK;
        }
        low = high;
        before = after;
    }
    return HK_ERANGE;
}
