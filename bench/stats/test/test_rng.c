/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/stats/rng.h"
#include "support.h"

static void same_seed_same_numbers_other_stream_others(void **state)
{
    (void)state;
    struct hk_rng *a;
    struct hk_rng *b;
    struct hk_rng *c;
    assert_int_equal(hk_rng_create(17, 3, &a), HK_OK);
    assert_int_equal(hk_rng_create(17, 3, &b), HK_OK);
    assert_int_equal(hk_rng_create(17, 4, &c), HK_OK);
    int differing = 0;
    for (int i = 0; i < 100; i++) {
        const double x = hk_rng_uniform(a);
        assert_true(x >= 0.0 && x < 1.0);
        assert_true(x == hk_rng_uniform(b));
        differing += x != hk_rng_uniform(c);
    }
    assert_true(differing > 95);
    hk_rng_destroy(a);
    hk_rng_destroy(b);
    hk_rng_destroy(c);
    hk_rng_destroy(NULL);
    assert_int_equal(hk_rng_create(1, 1, NULL), HK_EINVAL);
}

static void laws_have_their_moments(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(1);
    enum { N = 200000 };
    double exponential = 0.0;
    double normal = 0.0;
    double square = 0.0;
    unsigned below[7] = {0};
    for (int i = 0; i < N; i++) {
        exponential += hk_rng_exponential(rng, 2.385) / N;
        const double z = hk_rng_normal(rng);
        normal += z / N;
        square += z * z / N;
        below[hk_rng_below(rng, 7)]++;
    }
    /* five standard errors */
    assert_near(exponential, 2.385, 5.0 / sqrt(N));
    assert_near(normal, 0.0, 5.0 / sqrt(N));
    assert_near(square, 1.0, 5.0 * sqrt(2.0 / N));
    for (int i = 0; i < 7; i++) {
        assert_rate(below[i], N, 1.0 / 7.0);
    }
    hk_rng_destroy(rng);
}

static void shuffle_keeps_the_values(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(2);
    unsigned first[4] = {0};
    for (int i = 0; i < 4000; i++) {
        double x[4] = {1.0, 2.0, 4.0, 8.0};
        hk_rng_shuffle(rng, x, 4);
        assert_near(x[0] + x[1] + x[2] + x[3], 15.0, 0.0);
        first[(int)log2(x[0])]++;
    }
    for (int i = 0; i < 4; i++) {
        assert_rate(first[i], 4000, 0.25);
    }
    hk_rng_shuffle(rng, NULL, 0);
    hk_rng_destroy(rng);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_numbers_other_stream_others),
        cmocka_unit_test(laws_have_their_moments),
        cmocka_unit_test(shuffle_keeps_the_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
