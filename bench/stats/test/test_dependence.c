/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/dependence.h"
#include "support.h"

/* R's data set lh, and R 4.2: acf(lh), Box.test(lh, 6, "Ljung") */
static const double lh[] = {2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7,
                            2.2, 1.8, 3.2, 3.2, 2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0,
                            2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3, 2.6, 2.4, 1.8, 1.7,
                            1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9};
static const double lh_acf[] = {0.575524475524475,  0.181818181818182,  -0.144755244755245,
                                -0.174825174825175, -0.149650349650350, -0.020979020979021};

static void autocorrelations_match_r(void **state)
{
    (void)state;
    double rho[6];
    double lag1;
    assert_int_equal(hk_autocorrelation(lh, 48, 6, rho), HK_OK);
    for (int i = 0; i < 6; i++) {
        assert_near(rho[i], lh_acf[i], 1e-12);
    }
    assert_int_equal(hk_autocorrelation_lag1(lh, 48, &lag1), HK_OK);
    assert_near(lag1, lh_acf[0], 1e-13);
}

static void lag1_matches_nist(void **state)
{
    (void)state;
    /* NIST StRD NumAcc1: -0.5; NumAcc2, 3, 4: -0.999 */
    const double acc1[] = {10000001.0, 10000003.0, 10000002.0};
    double acc[1001];
    double lag1;
    assert_int_equal(hk_autocorrelation_lag1(acc1, 3, &lag1), HK_OK);
    assert_near(lag1, -0.5, 1e-14);
    static const double centres[] = {1.2, 1000000.2, 10000000.2};
    for (int c = 0; c < 3; c++) {
        acc[0] = centres[c];
        for (int i = 1; i < 1001; i++) {
            acc[i] = centres[c] + (i % 2 ? -0.1 : 0.1);
        }
        double rho[2];
        assert_int_equal(hk_autocorrelation_lag1(acc, 1001, &lag1), HK_OK);
        assert_near(lag1, -0.999, 1e-9);
        assert_int_equal(hk_autocorrelation(acc, 1001, 2, rho), HK_OK);
        assert_near(rho[0], -0.999, 1e-9);
    }
}

static void ljung_box_matches_r(void **state)
{
    (void)state;
    struct hk_ljung_box test;
    assert_int_equal(hk_ljung_box_test(lh, 48, 6, 0, &test), HK_OK);
    assert_near(test.statistic, 22.6983346775733, 1e-12);
    assert_near(test.p_value, 0.000904072182101867, 1e-12);
    assert_int_equal(hk_ljung_box_test(lh, 48, 6, 1, &test), HK_OK);
    assert_near(test.p_value, 0.000385461260674513, 1e-12);
}

static void kendall_matches_r(void **state)
{
    (void)state;
    /* R 4.2: cor(x, y, method = "kendall") with ties on both sides */
    const double x[] = {1, 2.5, 2.5, 4, 5.1, 7, 7, 9};
    const double y[] = {2, 1, 3, 3, 5, 8, 6, 6};
    const double reversed[] = {-1, -2.5, -2.5, -4, -5.1, -7, -7, -9};
    double tau;
    assert_int_equal(hk_kendall_tau_b(x, y, 8, &tau), HK_OK);
    assert_near(tau, 0.769230769230769, 1e-14);
    assert_int_equal(hk_kendall_tau_b(x, x, 8, &tau), HK_OK);
    assert_near(tau, 1.0, 1e-14);
    assert_int_equal(hk_kendall_tau_b(x, reversed, 8, &tau), HK_OK);
    assert_near(tau, -1.0, 1e-14);
}

static void association_matches_r(void **state)
{
    (void)state;
    /* R 4.2: mantelhaen.test */
    const struct hk_table2x2 t[] = {{12, 7, 5, 20}, {8, 9, 3, 14}, {30, 16, 11, 25}};
    struct hk_association a;
    assert_int_equal(hk_association_test(t, 3, &a), HK_OK);
    assert_near(a.statistic, 19.3402522614162, 1e-12);
    assert_near(a.p_value, 1.09376159176117e-05, 1e-14);
    assert_near(a.common_odds_ratio, 4.78999415219991, 1e-12);
}

static void a_mixture_of_independent_classes_is_not_dependence(void **state)
{
    (void)state;
    /* independent within each class; pooled, the odds ratio would be about 20 */
    const struct hk_table2x2 t[] = {{81, 9, 9, 1}, {1, 9, 9, 81}};
    const struct hk_table2x2 pooled = {82, 18, 18, 82};
    struct hk_association a;
    assert_int_equal(hk_association_test(t, 2, &a), HK_OK);
    assert_near(a.common_odds_ratio, 1.0, 1e-12);
    assert_true(a.p_value > 0.9);
    assert_int_equal(hk_association_test(&pooled, 1, &a), HK_OK);
    assert_true(a.p_value < 1e-12);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double flat[] = {2.5, 2.5, 2.5, 2.5};
    const double bad[] = {2.5, NAN, 2.5, 2.0};
    double value;
    assert_refused(hk_autocorrelation_lag1(flat, 4, &value), HK_ENOISE, &value);
    assert_refused(hk_autocorrelation_lag1(bad, 4, &value), HK_EINVAL, &value);
    assert_refused(hk_autocorrelation_lag1(lh, 2, &value), HK_ENOISE, &value);
    assert_refused(hk_autocorrelation(lh, 48, 48, &value), HK_EINVAL, &value);
    assert_refused(hk_autocorrelation(lh, 48, 0, &value), HK_EINVAL, &value);
    assert_refused(hk_autocorrelation(flat, 4, 1, &value), HK_ENOISE, &value);
    struct hk_ljung_box test;
    assert_refused(hk_ljung_box_test(lh, 48, 2, 2, &test), HK_EINVAL, &test);
    assert_refused(hk_ljung_box_test(lh, 48, 48, 0, &test), HK_EINVAL, &test);
    assert_refused(hk_ljung_box_test(flat, 4, 1, 0, &test), HK_ENOISE, &test);
    assert_refused(hk_kendall_tau_b(flat, lh, 4, &value), HK_ENOISE, &value);
    assert_refused(hk_kendall_tau_b(bad, lh, 4, &value), HK_EINVAL, &value);
    assert_refused(hk_kendall_tau_b(lh, lh, 1, &value), HK_ENOISE, &value);
    struct hk_association a;
    const struct hk_table2x2 negative = {1, -1, 1, 1};
    const struct hk_table2x2 empty = {0, 0, 0, 0};
    const struct hk_table2x2 infinite = {5, 0, 0, 5};
    assert_refused(hk_association_test(&negative, 1, &a), HK_EINVAL, &a);
    assert_refused(hk_association_test(&empty, 1, &a), HK_ENOISE, &a);
    assert_refused(hk_association_test(&infinite, 1, &a), HK_ENOISE, &a);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(autocorrelations_match_r),
        cmocka_unit_test(lag1_matches_nist),
        cmocka_unit_test(ljung_box_matches_r),
        cmocka_unit_test(kendall_matches_r),
        cmocka_unit_test(association_matches_r),
        cmocka_unit_test(a_mixture_of_independent_classes_is_not_dependence),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
