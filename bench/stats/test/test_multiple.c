/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/multiple.h"
#include "support.h"

/* R 4.2: p.adjust(p, "holm"), p.adjust(p, "BH") */
static const double p_values[] = {0.0123, 0.0007, 0.21, 0.04, 0.039, 0.9, 0.0007, 0.051};
static const double holm[] = {0.0738, 0.0056, 0.42, 0.195, 0.195, 0.9, 0.0056, 0.195};
static const double bh[] = {0.0328, 0.0028, 0.24, 0.064, 0.064, 0.9, 0.0028, 0.068};

static void adjustments_match_r(void **state)
{
    (void)state;
    double adjusted[8];
    assert_int_equal(hk_adjust_holm(p_values, 8, adjusted), HK_OK);
    for (int i = 0; i < 8; i++) {
        assert_near(adjusted[i], holm[i], 1e-12);
    }
    memcpy(adjusted, p_values, sizeof adjusted);
    assert_int_equal(hk_adjust_benjamini_hochberg(adjusted, 8, adjusted), HK_OK);
    for (int i = 0; i < 8; i++) {
        assert_near(adjusted[i], bh[i], 1e-12);
    }
}

static void one_test_stays_as_it_is(void **state)
{
    (void)state;
    const double p = 0.237;
    double adjusted;
    assert_int_equal(hk_adjust_holm(&p, 1, &adjusted), HK_OK);
    assert_near(adjusted, p, 0.0);
    assert_int_equal(hk_adjust_benjamini_hochberg(&p, 1, &adjusted), HK_OK);
    assert_near(adjusted, p, 0.0);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double bad[] = {0.1, 1.1};
    const double nan[] = {0.1, NAN};
    double adjusted[2];
    assert_refused(hk_adjust_holm(bad, 2, adjusted), HK_EINVAL, &adjusted);
    assert_refused(hk_adjust_holm(nan, 2, adjusted), HK_EINVAL, &adjusted);
    assert_refused(hk_adjust_holm(bad, 0, adjusted), HK_EINVAL, &adjusted);
    assert_refused(hk_adjust_benjamini_hochberg(bad, 2, adjusted), HK_EINVAL, &adjusted);
    assert_refused(hk_adjust_benjamini_hochberg(NULL, 2, adjusted), HK_EINVAL, &adjusted);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjustments_match_r),
        cmocka_unit_test(one_test_stays_as_it_is),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
