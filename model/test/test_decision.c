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

#include "hk/base/units.h"
#include "hk/model/decision.h"
#include "support.h"

static void small_tables_by_hand(void **state)
{
    (void)state;
    const double values[] = {10.0, 8.0, 8.0, /* */ 4.0, 8.0, 8.0};
    const struct hk_decision_table table = {values, 2, 3};
    struct hk_decision d;
    double wins[3];
    double regret[3];
    assert_int_equal(hk_decision_analyse(&table, wins, regret, &d), HK_OK);
    assert_int_equal(d.best, 1);
    assert_near(d.value_mean, 8.0, 1e-14);
    assert_near(d.value_of_information, 1.0, 1e-14);
    assert_near(wins[0], 0.5, 1e-14);
    assert_near(wins[1], 0.25, 1e-14);
    assert_near(wins[2], 0.25, 1e-14);
    assert_near(regret[0], 2.0, 1e-14);
    assert_near(regret[1], 1.0, 1e-14);
    double ranks[9];
    assert_int_equal(hk_decision_ranks(&table, ranks), HK_OK);
    const double expected[] = {0.5, 0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.0};
    for (int i = 0; i < 9; i++) {
        assert_near(ranks[i], expected[i], 1e-14);
    }
}

/*
 * Two options, the first worth 0, the second m + a x + b y with normal x and y: the
 * value of perfect information is sd phi(m/sd) - |m| Phi(-|m|/sd), sd^2 = a^2 + b^2, and
 * that of knowing x alone the same with sd = a.
 */
static double unit_normal_loss(double mean, double sd)
{
    const double z = fabs(mean) / sd;
    const double density = exp(-z * z / 2.0) / sqrt(2.0 * M_PI);
    return sd * (density - z * erfc(z / M_SQRT2) / 2.0);
}

static void information_is_the_closed_form(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    struct hk_rng *rng = test_rng(460);
    double *values = malloc(2 * DRAWS * sizeof *values);
    double *x = malloc(DRAWS * sizeof *x);
    double *y = malloc(DRAWS * sizeof *y);
    for (size_t d = 0; d < DRAWS; d++) {
        x[d] = hk_rng_normal(rng);
        y[d] = hk_rng_normal(rng);
        values[2 * d] = 0.0;
        values[2 * d + 1] = 0.4 + 1.1 * x[d] + 0.3 * y[d];
    }
    const struct hk_decision_table table = {values, DRAWS, 2};
    struct hk_decision d;
    assert_int_equal(hk_decision_analyse(&table, NULL, NULL, &d), HK_OK);
    assert_near(d.value_of_information, unit_normal_loss(0.4, sqrt(1.3)), 0.01);
    double of_x;
    double of_y;
    assert_int_equal(hk_decision_information(&table, x, 300, &of_x), HK_OK);
    assert_int_equal(hk_decision_information(&table, y, 300, &of_y), HK_OK);
    assert_near(of_x, unit_normal_loss(0.4, 1.1), 0.01);
    assert_near(of_y, unit_normal_loss(0.4, 0.3), 0.005);
    free(values);
    free(x);
    free(y);
    hk_rng_destroy(rng);
}

static void dominance_has_two_orders(void **state)
{
    (void)state;
    /* option 0 beats 1 everywhere; 2 is a spread of 0 with the same mean */
    const double values[] = {3.0, 1.0, 2.0, /* */ 1.0, 0.5, 5.0, /* */ 4.0, 3.5, 1.0};
    const struct hk_decision_table table = {values, 3, 3};
    static const struct {
        size_t better;
        size_t other;
        enum hk_dominance expected;
    } cases[] = {
        {0, 1, HK_DOMINANCE_FIRST}, {1, 0, HK_DOMINANCE_NONE},
        {0, 2, HK_DOMINANCE_SECOND}, {2, 0, HK_DOMINANCE_NONE},
        {0, 0, HK_DOMINANCE_NONE},
    };
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        enum hk_dominance found;
        assert_int_equal(hk_decision_dominance(&table, cases[i].better, cases[i].other, &found),
                         HK_OK);
        assert_int_equal(found, cases[i].expected);
    }
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double values[] = {1.0, 2.0, 3.0, 4.0};
    const double bad[] = {1.0, NAN, 3.0, 4.0};
    const double huge[] = {1e308, -1e308, 1e308, -1e308};
    const struct hk_decision_table good = {values, 2, 2};
    const struct hk_decision_table nan_table = {bad, 2, 2};
    const struct hk_decision_table huge_table = {huge, 2, 2};
    const struct hk_decision_table few = {values, 1, 2};
    const struct hk_decision_table none = {values, 2, 0};
    struct hk_decision d;
    double ranks[4];
    double value;
    enum hk_dominance dominance;
    assert_refused(hk_decision_analyse(&nan_table, NULL, NULL, &d), HK_EINVAL, &d);
    assert_refused(hk_decision_analyse(&huge_table, NULL, NULL, &d), HK_EINVAL, &d);
    assert_refused(hk_decision_analyse(&few, NULL, NULL, &d), HK_ENOISE, &d);
    assert_refused(hk_decision_analyse(&none, NULL, NULL, &d), HK_EINVAL, &d);
    assert_refused(hk_decision_analyse(NULL, NULL, NULL, &d), HK_EINVAL, &d);
    assert_refused(hk_decision_ranks(&few, ranks), HK_ENOISE, &ranks[0]);
    assert_refused(hk_decision_information(&good, values, 2, &value), HK_ENOISE, &value);
    assert_refused(hk_decision_information(&good, values, 1, &value), HK_EINVAL, &value);
    assert_refused(hk_decision_information(&good, bad, 2, &value), HK_EINVAL, &value);
    assert_refused(hk_decision_dominance(&good, 0, 2, &dominance), HK_EINVAL, &dominance);
    assert_refused(hk_decision_dominance(&nan_table, 0, 1, &dominance), HK_EINVAL, &dominance);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_tables_by_hand),
        cmocka_unit_test(information_is_the_closed_form),
        cmocka_unit_test(dominance_has_two_orders),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
