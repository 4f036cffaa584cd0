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

#include "hk/stats/ratio.h"
#include "support.h"

static void ends_solve_fiellers_equation(void **state)
{
    (void)state;
    const struct hk_estimate n = {12.5, 0.8, 15};
    const struct hk_estimate d = {4.2, 0.5, 12};
    struct hk_estimate ratio;
    struct hk_interval interval;
    assert_int_equal(hk_ratio_estimate(&n, &d, 0.1, 0.95, &ratio, &interval), HK_OK);
    assert_near(ratio.value, 12.5 / 4.2, 1e-14);
    assert_int_equal(ratio.count, 12);
    /* roots of the quadratic, numpy */
    assert_near(interval.lower, 2.32811035, 1e-8);
    assert_near(interval.upper, 4.00408664, 1e-8);
    /* scale and sign of both drop out or carry through */
    const struct hk_estimate minus = {-12.5e150, 0.8e150, 15};
    const struct hk_estimate big = {4.2e150, 0.5e150, 12};
    assert_int_equal(hk_ratio_estimate(&minus, &big, -0.1e300, 0.95, &ratio, &interval), HK_OK);
    assert_near(interval.upper, -2.32811035, 1e-8);
    assert_near(interval.lower, -4.00408664, 1e-8);
}

/* A denominator known to 20 %: Fieller covers, the delta method's lower end does not. */
static void coverage_with_a_noisy_denominator(void **state)
{
    (void)state;
    enum { REPLICATES = 4000 };
    struct hk_rng *rng = test_rng(490);
    uint64_t hits = 0;
    for (int r = 0; r < REPLICATES; r++) {
        const struct hk_estimate n = {10.0 + 1.0 * hk_rng_normal(rng), 1.0, 100000};
        const struct hk_estimate d = {5.0 + 1.0 * hk_rng_normal(rng), 1.0, 100000};
        struct hk_estimate ratio;
        struct hk_interval interval;
        const enum hk_status status =
            hk_ratio_estimate(&n, &d, 0.0, 0.95, &ratio, &interval);
        /* no ends: the set of ratios still holds the truth unless the test refutes it */
        const double z = (n.value - 2.0 * d.value) / sqrt(5.0);
        hits += status == HK_OK ? interval.lower <= 2.0 && 2.0 <= interval.upper
                                : fabs(z) <= 1.959964;
    }
    assert_rate(hits, REPLICATES, 0.95);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const struct hk_estimate good = {12.5, 0.8, 15};
    const struct hk_estimate zero = {0.0, 0.8, 15};
    const struct hk_estimate noisy = {1.0, 0.8, 15};
    const struct hk_estimate one = {12.5, 0.8, 1};
    const struct hk_estimate nan_value = {NAN, 0.8, 15};
    const struct hk_estimate negative = {1.0, -0.8, 15};
    struct hk_estimate ratio;
    struct hk_interval interval;
    assert_refused(hk_ratio_estimate(&good, &zero, 0.0, 0.95, &ratio, &interval), HK_EINVAL,
                   &ratio);
    assert_refused(hk_ratio_estimate(&good, &noisy, 0.0, 0.95, &ratio, &interval), HK_ENOISE,
                   &interval);
    assert_refused(hk_ratio_estimate(&good, &one, 0.0, 0.95, &ratio, &interval), HK_ENOISE,
                   &ratio);
    assert_refused(hk_ratio_estimate(&nan_value, &good, 0.0, 0.95, &ratio, &interval), HK_EINVAL,
                   &ratio);
    assert_refused(hk_ratio_estimate(&good, &negative, 0.0, 0.95, &ratio, &interval), HK_EINVAL,
                   &ratio);
    assert_refused(hk_ratio_estimate(&good, &good, 0.65, 0.95, &ratio, &interval), HK_EINVAL,
                   &ratio);
    assert_refused(hk_ratio_estimate(&good, &good, 0.0, 1.0, &ratio, &interval), HK_EINVAL,
                   &ratio);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_solve_fiellers_equation),
        cmocka_unit_test(coverage_with_a_noisy_denominator),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
