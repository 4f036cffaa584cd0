/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/line.h"
#include "support.h"

/* NIST StRD Norris, certified values */
static const double norris_x[] = {
    0.2,   337.4, 118.2, 884.6, 10.1,  226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4,
    0.6,   775.5, 666.9, 338.0, 447.5, 11.6,  556.0, 228.1, 995.8, 887.6, 120.2, 0.3,
    0.3,   556.8, 339.1, 887.2, 999.0, 779.0, 11.1,  118.3, 229.2, 669.1, 448.9, 0.5};
static const double norris_y[] = {
    0.1,   338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3,
    0.1,   778.1, 668.8, 339.3, 448.9, 10.8,  557.7, 228.3, 998.0, 888.8, 119.6, 0.3,
    0.6,   557.6, 339.3, 888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, 0.2};

static void norris_is_certified(void **state)
{
    (void)state;
    struct hk_line line;
    assert_int_equal(hk_line_fit(norris_x, norris_y, NULL, 36, &line), HK_OK);
    assert_near(line.intercept, -0.262323073774029, 1e-12);
    assert_near(line.slope, 1.00211681802045, 1e-14);
    assert_near(sqrt(line.var_intercept), 0.232818234301152, 1e-12);
    assert_near(sqrt(line.var_slope), 0.429796848199937e-03, 1e-15);
    assert_near(line.residual_sd, 0.884796396144373, 1e-12);
    assert_int_equal(line.count, 36);
}

static void weighted_fit_matches_r(void **state)
{
    (void)state;
    /* R 4.2: lm(y ~ x, weights = w), vcov */
    const double x[] = {1, 2, 3, 4, 5, 6.5};
    const double y[] = {3.1, 4.9, 7.2, 8.8, 11.3, 12.7};
    const double w[] = {1, 2, .5, 1.5, 3, 1};
    struct hk_line line;
    struct hk_interval ci;
    assert_int_equal(hk_line_fit(x, y, w, 6, &line), HK_OK);
    assert_near(line.intercept, 1.28204857444562, 1e-13);
    assert_near(line.slope, 1.90475184794086, 1e-13);
    assert_near(line.var_intercept, 0.290365582303479, 1e-13);
    assert_near(line.var_slope, 0.016887174415065, 1e-13);
    assert_near(line.cov_intercept_slope, -0.063795992234690, 1e-13);
    assert_near(line.residual_sd, 0.666503191854209, 1e-13);
    assert_int_equal(hk_line_slope_interval(&line, 0.95, &ci), HK_OK);
    /* t(.975, 4) = 2.776445105 */
    assert_near(ci.upper - line.slope, 2.776445105 * 0.129950661464515, 1e-9);
}

static void prediction_intervals_cover(void **state)
{
    (void)state;
    enum { REPLICATES = 4000, N = 7 };
    struct hk_rng *rng = test_rng(70);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double x[N];
        double y[N];
        for (int i = 0; i < N; i++) {
            x[i] = (double)i;
            y[i] = 5.0 + 2.385 * x[i] + hk_rng_normal(rng);
        }
        struct hk_line line;
        struct hk_interval ci;
        double value;
        assert_int_equal(hk_line_fit(x, y, NULL, N, &line), HK_OK);
        assert_int_equal(hk_line_predict(&line, 11.3, 0.9, &value, &ci), HK_OK);
        const double seen = 5.0 + 2.385 * 11.3 + hk_rng_normal(rng);
        hits += seen >= ci.lower && seen <= ci.upper;
    }
    assert_rate(hits, REPLICATES, 0.9);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double flat[] = {2.5, 2.5, 2.5};
    const double y[] = {1, 2, 4};
    const double bad[] = {1, NAN, 4};
    const double zero_weight[] = {1, 0, 1};
    struct hk_line line;
    assert_refused(hk_line_fit(flat, y, NULL, 3, &line), HK_ENOISE, &line);
    assert_refused(hk_line_fit(y, y, NULL, 2, &line), HK_ENOISE, &line);
    assert_refused(hk_line_fit(bad, y, NULL, 3, &line), HK_EINVAL, &line);
    assert_refused(hk_line_fit(y, bad, NULL, 3, &line), HK_EINVAL, &line);
    assert_refused(hk_line_fit(y, y, zero_weight, 3, &line), HK_EINVAL, &line);
    assert_refused(hk_line_fit(NULL, y, NULL, 3, &line), HK_EINVAL, &line);
    assert_int_equal(hk_line_fit(y, y, NULL, 3, &line), HK_OK);
    struct hk_interval ci;
    double value;
    assert_refused(hk_line_slope_interval(&line, 1.0, &ci), HK_EINVAL, &ci);
    assert_refused(hk_line_predict(&line, INFINITY, 0.9, &value, &ci), HK_EINVAL, &ci);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norris_is_certified),
        cmocka_unit_test(weighted_fit_matches_r),
        cmocka_unit_test(prediction_intervals_cover),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
