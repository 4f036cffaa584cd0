/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/stats/fit_test.h"
#include "hk/stats/quantile.h"
#include "support.h"

static double draw(struct hk_rng *rng, enum hk_fit_law law)
{
    switch (law) {
    case HK_FIT_EXPONENTIAL:
        return hk_rng_exponential(rng, 2.385);
    case HK_FIT_EXPONENTIAL_SHIFTED:
        return 17.3 + hk_rng_exponential(rng, 2.385);
    case HK_FIT_NORMAL:
        return -3.1 + 0.7 * hk_rng_normal(rng);
    default:
        return exp(-3.1 + 0.7 * hk_rng_normal(rng));
    }
}

/* Rejections at 5 % by each statistic over samples of a law tested against itself. */
static void assert_level(enum hk_fit_law law, size_t n, uint64_t stream)
{
    enum { SAMPLES = 3000 };
    struct hk_rng *rng = test_rng(stream);
    double *x = malloc(n * sizeof *x);
    uint64_t ks = 0;
    uint64_t cramer = 0;
    uint64_t anderson = 0;
    for (int s = 0; s < SAMPLES; s++) {
        struct hk_fit_test fit;
        for (size_t i = 0; i < n; i++) {
            x[i] = draw(rng, law);
        }
        assert_int_equal(hk_sample_sort(x, n), HK_OK);
        assert_int_equal(hk_fit_test_run(x, n, law, &fit), HK_OK);
        ks += fit.p_ks <= 0.05;
        cramer += fit.p_cramer <= 0.05;
        anderson += fit.p_anderson <= 0.05;
    }
    assert_rate(ks, SAMPLES, 0.05);
    assert_rate(cramer, SAMPLES, 0.05);
    assert_rate(anderson, SAMPLES, 0.05);
    free(x);
    hk_rng_destroy(rng);
}

static void true_laws_are_rejected_at_the_level(void **state)
{
    (void)state;
    for (int law = HK_FIT_EXPONENTIAL; law <= HK_FIT_LOGNORMAL; law++) {
        assert_level((enum hk_fit_law)law, 20, 30 + (uint64_t)law);
        assert_level((enum hk_fit_law)law, 100, 40 + (uint64_t)law);
    }
    assert_level(HK_FIT_EXPONENTIAL, 1000, 50);
}

static void parameters_are_estimated(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(60);
    static double x[N];
    struct hk_fit_test fit;
    for (int i = 0; i < N; i++) {
        x[i] = 17.3 + hk_rng_exponential(rng, 2.385);
    }
    assert_int_equal(hk_sample_sort(x, N), HK_OK);
    assert_int_equal(hk_fit_test_run(x, N, HK_FIT_EXPONENTIAL_SHIFTED, &fit), HK_OK);
    assert_near(fit.location, 17.3, 1e-4);
    assert_near(fit.scale, 2.385, 0.03);
    assert_true(fit.ks < 0.01 && fit.p_anderson > 0.01);
    /* the same data without the shift are no exponential sample at all */
    assert_int_equal(hk_fit_test_run(x, N, HK_FIT_EXPONENTIAL, &fit), HK_OK);
    assert_true(fit.ks > 0.5);
    assert_near(fit.p_ks, 0.001, 1e-15);
    assert_int_equal(hk_fit_test_run(x, N, HK_FIT_NORMAL, &fit), HK_OK);
    assert_near(fit.location, 17.3 + 2.385, 0.01);
    assert_near(fit.scale, 2.385, 0.03);
    assert_near(fit.p_anderson, 0.001, 1e-15);
    hk_rng_destroy(rng);
}

static void wrong_laws_are_found(void **state)
{
    (void)state;
    enum { N = 300 };
    struct hk_rng *rng = test_rng(61);
    double x[N];
    int found = 0;
    for (int s = 0; s < 100; s++) {
        for (int i = 0; i < N; i++) {
            x[i] = exp(hk_rng_normal(rng)); /* lognormal against exponential */
        }
        struct hk_fit_test fit;
        assert_int_equal(hk_sample_sort(x, N), HK_OK);
        assert_int_equal(hk_fit_test_run(x, N, HK_FIT_EXPONENTIAL, &fit), HK_OK);
        found += fit.p_anderson <= 0.05;
    }
    assert_true(found >= 95);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double flat[] = {3, 3, 3, 3, 3, 3, 3, 3, 3};
    const double falling[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    const double negative[] = {-1, 1, 2, 3, 4, 5, 6, 7, 8};
    const double endless[] = {1, 2, 3, 4, 5, 6, 7, 8, INFINITY};
    struct hk_fit_test fit;
    for (int law = HK_FIT_EXPONENTIAL; law <= HK_FIT_LOGNORMAL; law++) {
        const enum hk_fit_law l = (enum hk_fit_law)law;
        assert_refused(hk_fit_test_run(flat, 9, l, &fit), HK_ENOISE, &fit);
        assert_refused(hk_fit_test_run(falling, 9, l, &fit), HK_EINVAL, &fit);
        assert_refused(hk_fit_test_run(endless, 9, l, &fit), HK_EINVAL, &fit);
        assert_refused(hk_fit_test_run(NULL, 9, l, &fit), HK_EINVAL, &fit);
        assert_refused(hk_fit_test_run(negative, 7, l, &fit), HK_ENOISE, &fit);
        assert_true(strlen(hk_fit_law_name(l)) > 5);
    }
    assert_refused(hk_fit_test_run(negative, 9, HK_FIT_EXPONENTIAL, &fit), HK_EINVAL, &fit);
    assert_refused(hk_fit_test_run(negative, 9, HK_FIT_LOGNORMAL, &fit), HK_EINVAL, &fit);
    assert_refused(hk_fit_test_run(negative, 9, (enum hk_fit_law)9, &fit), HK_EINVAL, &fit);
    assert_string_equal(hk_fit_law_name((enum hk_fit_law)9), "?");
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_laws_are_rejected_at_the_level),
        cmocka_unit_test(parameters_are_estimated),
        cmocka_unit_test(wrong_laws_are_found),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
