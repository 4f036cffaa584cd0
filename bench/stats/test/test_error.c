/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/error.h"
#include "support.h"

static void errors_are_summarised(void **state)
{
    (void)state;
    const double predicted[] = {110, 95, 103, 80, 100};
    const double measured[] = {100, 100, 100, 100, 100};
    struct hk_error_summary e;
    assert_int_equal(hk_error_summarise(predicted, measured, 5, &e), HK_OK);
    assert_near(e.signed_median, 0.0, 1e-15);
    assert_near(e.absolute_median, 0.05, 1e-14);
    assert_near(e.absolute_p95, 0.18, 1e-14); /* type 7: position 3.8 between .10 and .20 */
    assert_near(e.log_ratio_mean, log(1.1 * .95 * 1.03 * .8) / 5.0, 1e-14);
    assert_int_equal(e.count, 5);
}

static void conformal_intervals_cover_whatever_the_law(void **state)
{
    (void)state;
    enum { REPLICATES = 4000, N = 39 };
    struct hk_rng *rng = test_rng(80);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        double residuals[N];
        double width;
        for (int i = 0; i < N; i++) {
            residuals[i] = pow(hk_rng_exponential(rng, 1.0), 3.0);
        }
        assert_int_equal(hk_conformal_half_width(residuals, N, 0.9, &width), HK_OK);
        hits += pow(hk_rng_exponential(rng, 1.0), 3.0) <= width;
    }
    /* (n + 1) confidence = 36 is whole: coverage is exactly 0.9 */
    assert_rate(hits, REPLICATES, 0.9);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double good[] = {1, 2, 3};
    const double zero[] = {1, 0, 3};
    const double bad[] = {1, NAN, 3};
    struct hk_error_summary e;
    assert_refused(hk_error_summarise(good, zero, 3, &e), HK_EINVAL, &e);
    assert_refused(hk_error_summarise(zero, good, 3, &e), HK_EINVAL, &e);
    assert_refused(hk_error_summarise(bad, good, 3, &e), HK_EINVAL, &e);
    assert_refused(hk_error_summarise(good, good, 1, &e), HK_ENOISE, &e);
    double width;
    assert_refused(hk_conformal_half_width(good, 3, 0.9, &width), HK_ENOISE, &width);
    assert_refused(hk_conformal_half_width(good, 0, 0.9, &width), HK_EINVAL, &width);
    assert_refused(hk_conformal_half_width(bad, 3, 0.5, &width), HK_EINVAL, &width);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_summarised),
        cmocka_unit_test(conformal_intervals_cover_whatever_the_law),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
