/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/nonlinear.h"
#include "support.h"

static double misra1a(double x, const double *b, const void *context)
{
    (void)context;
    return b[0] * (1.0 - exp(-b[1] * x));
}

static double mgh09(double x, const double *b, const void *context)
{
    (void)context;
    return b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]);
}

static double rat43(double x, const double *b, const void *context)
{
    (void)context;
    return b[0] / pow(1.0 + exp(b[1] - b[2] * x), 1.0 / b[3]);
}

static const double misra_x[] = {77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                                 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
static const double misra_y[] = {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                                 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};
static const double box_x[] = {1, 2, 3, 5, 7, 10};
static const double box_y[] = {109, 149, 149, 191, 213, 224};
static const double mgh_x[] = {4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625};
static const double mgh_y[] = {0.1957, 0.1947, 0.1735, 0.16,   0.0844, 0.0627,
                               0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
static const double rat_x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const double rat_y[] = {16.08,  33.83,  65.80,  97.20,  191.55, 326.20, 386.87, 520.53,
                               590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41};

/* NIST StRD, nonlinear regression: certified values; the starts are NIST's second ones. */
static const struct {
    const char *name;
    hk_curve_fn function;
    const double *x;
    const double *y;
    size_t n;
    size_t parameter_count;
    double start[4];
    double certified[4];
    double sd[4];
    double residual_squares;
} problems[] = {
    {"Misra1a", misra1a, misra_x, misra_y, 14, 2, {250, 5e-4},
     {2.3894212918e+02, 5.5015643181e-04}, {2.7070075241e+00, 7.2668688436e-06},
     1.2455138894e-01},
    {"BoxBOD", misra1a, box_x, box_y, 6, 2, {100, 0.75},
     {2.1380940889e+02, 5.4723748542e-01}, {1.2354515176e+01, 1.0455993237e-01},
     1.1680088766e+03},
    {"MGH09", mgh09, mgh_x, mgh_y, 11, 4, {0.25, 0.39, 0.415, 0.39},
     {1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01},
     {1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02},
     3.0750560385e-04},
    {"Rat43", rat43, rat_x, rat_y, 15, 4, {700, 5, 0.75, 1.3},
     {6.9964151270e+02, 5.2771253025e+00, 7.5962938329e-01, 1.2792483859e+00},
     {1.6302297817e+01, 2.0828735829e+00, 1.9566123451e-01, 6.8761936385e-01},
     8.7864049080e+03},
};

static void nist_problems_are_solved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        const struct hk_curve curve = {problems[i].function, NULL, problems[i].parameter_count};
        const struct hk_curve_points points = {problems[i].x, problems[i].y, NULL,
                                               problems[i].n};
        struct hk_nonlinear fit;
        assert_int_equal(hk_nonlinear_fit(&curve, &points, problems[i].start, &fit), HK_OK);
        const double freedom = (double)(problems[i].n - problems[i].parameter_count);
        assert_near(fit.residual_sd * fit.residual_sd * freedom / problems[i].residual_squares,
                    1.0, 1e-8);
        for (size_t k = 0; k < problems[i].parameter_count; k++) {
            assert_near(fit.parameters[k] / problems[i].certified[k], 1.0, 1e-6);
            assert_near(sqrt(fit.covariance[k][k]) / problems[i].sd[k], 1.0, 1e-4);
        }
    }
}

/* Weights are inverse variances: doubling every point is doubling its weight. */
static void weights_count_as_repetitions(void **state)
{
    (void)state;
    const struct hk_curve curve = {misra1a, NULL, 2};
    double twice_x[8];
    double twice_y[8];
    double weights[6];
    for (size_t i = 0; i < 6; i++) {
        twice_x[i] = box_x[i];
        twice_y[i] = box_y[i];
        weights[i] = i < 2 ? 2.0 : 1.0;
    }
    memcpy(twice_x + 6, box_x, 2 * sizeof *box_x);
    memcpy(twice_y + 6, box_y, 2 * sizeof *box_y);
    const struct hk_curve_points weighted = {box_x, box_y, weights, 6};
    const struct hk_curve_points repeated = {twice_x, twice_y, NULL, 8};
    const double start[] = {200.0, 0.5};
    struct hk_nonlinear a;
    struct hk_nonlinear b;
    assert_int_equal(hk_nonlinear_fit(&curve, &weighted, start, &a), HK_OK);
    assert_int_equal(hk_nonlinear_fit(&curve, &repeated, start, &b), HK_OK);
    assert_near(a.parameters[0] / b.parameters[0], 1.0, 1e-7);
    assert_near(a.parameters[1] / b.parameters[1], 1.0, 1e-7);
}

static double blind(double x, const double *b, const void *context)
{
    (void)context;
    return b[0] * x + 0.0 * b[1];
}

static double broken(double x, const double *b, const void *context)
{
    (void)context;
    return sqrt(b[0] - x);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double start[] = {100.0, 0.75};
    const double nan_start[] = {NAN, 0.75};
    const double bad_y[] = {1.0, NAN, 3.0, 4.0, 5.0, 6.0};
    const double zero[] = {1.0, 1.0, 0.0, 1.0, 1.0, 1.0};
    const struct hk_curve curve = {misra1a, NULL, 2};
    const struct hk_curve none = {NULL, NULL, 2};
    const struct hk_curve many = {misra1a, NULL, HK_NONLINEAR_PARAMETERS_MAX + 1};
    const struct hk_curve flat = {blind, NULL, 2};
    const struct hk_curve undefined = {broken, NULL, 1};
    const struct hk_curve_points good = {box_x, box_y, NULL, 6};
    const struct hk_curve_points few = {box_x, box_y, NULL, 2};
    const struct hk_curve_points nans = {box_x, bad_y, NULL, 6};
    const struct hk_curve_points weightless = {box_x, box_y, zero, 6};
    struct hk_nonlinear fit;
    assert_refused(hk_nonlinear_fit(&none, &good, start, &fit), HK_EINVAL, &fit);
    assert_refused(hk_nonlinear_fit(&many, &good, start, &fit), HK_EINVAL, &fit);
    assert_refused(hk_nonlinear_fit(&curve, &good, nan_start, &fit), HK_EINVAL, &fit);
    assert_refused(hk_nonlinear_fit(&curve, &few, start, &fit), HK_ENOISE, &fit);
    assert_refused(hk_nonlinear_fit(&curve, &nans, start, &fit), HK_EINVAL, &fit);
    assert_refused(hk_nonlinear_fit(&curve, &weightless, start, &fit), HK_EINVAL, &fit);
    assert_refused(hk_nonlinear_fit(&flat, &good, start, &fit), HK_ENOISE, &fit);
    const double below[] = {5.0};
    assert_refused(hk_nonlinear_fit(&undefined, &good, below, &fit), HK_ENOISE, &fit);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_problems_are_solved),
        cmocka_unit_test(weights_count_as_repetitions),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
