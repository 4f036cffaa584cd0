/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hk/stats/linear.h"
#include "support.h"

/* NIST StRD, Longley: certified values. Columns: 1, x1..x6; then y. */
static const double longley_x[16][7] = {
    {1, 83.0, 234289, 2356, 1590, 107608, 1947}, {1, 88.5, 259426, 2325, 1456, 108632, 1948},
    {1, 88.2, 258054, 3682, 1616, 109773, 1949}, {1, 89.5, 284599, 3351, 1650, 110929, 1950},
    {1, 96.2, 328975, 2099, 3099, 112075, 1951}, {1, 98.1, 346999, 1932, 3594, 113270, 1952},
    {1, 99.0, 365385, 1870, 3547, 115094, 1953}, {1, 100.0, 363112, 3578, 3350, 116219, 1954},
    {1, 101.2, 397469, 2904, 3048, 117388, 1955}, {1, 104.6, 419180, 2822, 2857, 118734, 1956},
    {1, 108.4, 442769, 2936, 2798, 120445, 1957}, {1, 110.8, 444546, 4681, 2637, 121950, 1958},
    {1, 112.6, 482704, 3813, 2552, 123366, 1959}, {1, 114.2, 502601, 3931, 2514, 125368, 1960},
    {1, 115.7, 518173, 4806, 2572, 127852, 1961}, {1, 116.9, 554894, 4007, 2827, 130081, 1962},
};
static const double longley_y[16] = {60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761,
                                     66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551};
static const double longley_coefficient[7] = {
    -3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683,
    -1.03322686717359, -0.0511041056535807, 1829.15146461355};
static const double longley_sd[7] = {890420.383607373, 84.9149257747669, 0.0334910077722432,
                                     0.488399681651699, 0.214274163161675, 0.226073200069370,
                                     455.478499142212};

static void longley_matches_nist(void **state)
{
    (void)state;
    const struct hk_linear_data data = {&longley_x[0][0], longley_y, NULL, 16, 7};
    struct hk_linear_fit fit;
    assert_int_equal(hk_linear_fit(&data, &fit), HK_OK);
    assert_int_equal(fit.rank, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_near(fit.coefficient[i] / longley_coefficient[i], 1.0, 1e-6);
        assert_near(sqrt(fit.covariance[i][i]) / longley_sd[i], 1.0, 1e-6);
    }
    assert_near(fit.residual_sd, 304.854073561965, 1e-8);
    double value, se;
    hk_linear_predict(&fit, longley_x[3], 7, &value, &se);
    assert_true(fabs(value - longley_y[3]) < 3 * fit.residual_sd && se > 0 && se < fit.residual_sd);
}

static void terms_that_go_together_are_told(void **state)
{
    (void)state;
    double x[5][2], y[5];
    struct hk_linear_fit fit;
    for (size_t i = 0; i < 5; i++) {
        x[i][0] = x[i][1] = (double)i + 0.7;
        y[i] = 6 * x[i][0];
    }
    const struct hk_linear_data data = {&x[0][0], y, NULL, 5, 2};
    assert_int_equal(hk_linear_fit(&data, &fit), HK_OK);
    assert_int_equal(fit.rank, 1);
    assert_near(fit.coefficient[0] + fit.coefficient[1], 6.0, 1e-9);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct hk_linear_fit fit;
    const double x[3] = {1, 2, 4}, y[3] = {1, NAN, 3}, good[3] = {1, 2, 3}, w[3] = {1, 0, 1};
    const struct hk_linear_data few = {x, good, NULL, 1, 1}, bad = {x, y, NULL, 3, 1},
                                weightless = {x, good, w, 3, 1}, none = {x, good, NULL, 3, 0};
    assert_refused(hk_linear_fit(&few, &fit), HK_ENOISE, &fit);
    assert_refused(hk_linear_fit(&bad, &fit), HK_EINVAL, &fit);
    assert_refused(hk_linear_fit(&weightless, &fit), HK_EINVAL, &fit);
    assert_refused(hk_linear_fit(&none, &fit), HK_EINVAL, &fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longley_matches_nist),
        cmocka_unit_test(terms_that_go_together_are_told),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    hk_gsl_init();
    return cmocka_run_group_tests_name("stats/linear", tests, NULL, NULL);
}
