/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hk/stats/rate.h"
#include "support.h"

/* scipy 1.10: binomtest of b given the sum, Clopper-Pearson by beta.ppf; row 1 is the example of
 * R's poisson.test (Breslow & Day). */
static const struct {
    struct hk_event_count a;
    struct hk_event_count b;
    double p_two_sided, p_greater, p_less, lower, upper, ratio;
} cases[] = {
    {{21, 3011}, {11, 800}, 0.0796686330333295, 0.05600865978769968, 0.9759318232273121,
     0.8584264033916397, 4.277265943654075, 1.9714880952380953},
    {{0, 1e4}, {7, 1e4}, 0.015625, 0.0078125, 1.0, 1.441308518835239, INFINITY, INFINITY},
    {{12, 5e3}, {0, 8e3}, 1.0478999613767458e-05, 1.0, 1.0478999613767458e-05, 0.0,
     0.224933635804815, 0.0},
    {{3, 250}, {9, 1000}, 0.7165321584639999, 0.7945689497600001, 0.4416542515199998,
     0.18717111254926602, 4.307000781724993, 0.75},
};

static void rates_match_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_rate_test t;
        assert_int_equal(hk_rate_compare(&cases[i].a, &cases[i].b, 0.95, &t), HK_OK);
        assert_near(t.p_two_sided, cases[i].p_two_sided, 1e-9);
        assert_near(t.p_greater, cases[i].p_greater, 1e-9);
        assert_near(t.p_less, cases[i].p_less, 1e-9);
        assert_near(t.interval.lower, cases[i].lower, 1e-9);
        if (isinf(cases[i].upper)) {
            assert_true(isinf(t.interval.upper) && isinf(t.ratio));
        } else {
            assert_near(t.interval.upper, cases[i].upper, 1e-9);
            assert_near(t.ratio, cases[i].ratio, 1e-9);
        }
    }
}

static void no_event_says_nothing(void **state)
{
    (void)state;
    struct hk_rate_test t;
    assert_int_equal(hk_rate_compare(&(struct hk_event_count){0, 37},
                                     &(struct hk_event_count){0, 5}, 0.95, &t), HK_OK);
    assert_near(t.p_two_sided, 1.0, 0.0);
    assert_true(t.interval.lower == 0.0 && isinf(t.interval.upper));
}

/*
 * 100 events on either side to be expected. Roots of counts are normal with a variance of 1 / 4
 * (Bartlett 1936), which gives (1 + 0.1981)^2 = 1.435; the exact test finds a little less.
 */
static void what_can_be_found_is_near_what_roots_say(void **state)
{
    (void)state;
    const struct hk_event_count a = {90, 2500}, b = {110, 2500}, none = {0, 10};
    double ratio = -1;
    assert_int_equal(hk_rate_detectable(&a, &b, 0.05, 0.8, &ratio), HK_OK);
    assert_true(ratio > 1.435 && ratio < 1.49);
    ratio = -1;
    assert_int_equal(hk_rate_detectable(&none, &none, 0.05, 0.8, &ratio), HK_ENOISE);
    assert_int_equal(hk_rate_detectable(&a, &b, 0, 0.8, &ratio), HK_EINVAL);
    assert_int_equal(hk_rate_detectable(&a, &b, 0.05, 1, &ratio), HK_EINVAL);
    assert_int_equal(hk_rate_detectable(&a, NULL, 0.05, 0.8, &ratio), HK_EINVAL);
    assert_near(ratio, -1, 0);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct hk_rate_test t;
    const struct hk_event_count good = {3, 17};
    const struct hk_event_count bad[] = {{3, 0}, {3, -2}, {3, NAN}, {UINT64_MAX, 4}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(hk_rate_compare(&bad[i], &good, 0.95, &t), HK_EINVAL, &t);
        assert_refused(hk_rate_compare(&good, &bad[i], 0.95, &t), HK_EINVAL, &t);
    }
    assert_refused(hk_rate_compare(&good, &good, 1.0, &t), HK_EINVAL, &t);
    assert_refused(hk_rate_compare(NULL, &good, 0.9, &t), HK_EINVAL, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_match_scipy),
        cmocka_unit_test(no_event_says_nothing),
        cmocka_unit_test(what_can_be_found_is_near_what_roots_say),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    hk_gsl_init();
    return cmocka_run_group_tests_name("stats/rate", tests, NULL, NULL);
}
