/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/sequential.h"
#include "support.h"

/* Critical values by an integration of our own in numpy (3001 points); those of equal looks are
 * in Proschan, Lan & Wittes, Statistical Monitoring of Clinical Trials, table of OBF-like bounds. */
static const struct {
    size_t count;
    double t[5];
    double z05[5];
    double z01[5];
} cases[] = {
    {1, {1}, {1.95996}, {2.57583}},
    {2, {.5, 1}, {2.96259, 1.9686}, {3.80137, 2.57759}},
    {3, {1 / 3.0, 2 / 3.0, 1}, {3.7103, 2.51143, 1.99305}, {4.72291, 3.2457, 2.58932}},
    {5, {.2, .4, .6, .8, 1}, {4.87688, 3.35701, 2.68028, 2.28982, 2.03103},
     {6.168, 4.28672, 3.44357, 2.94698, 2.61531}},
    {3, {.3, .7, 1}, {3.92857, 2.43874, 2.00001}, {4.99273, 3.15832, 2.59391}},
};

static void levels_match(const double *t, size_t count, double alpha, const double *z)
{
    double level[5];
    assert_int_equal(hk_look_levels(t, count, alpha, level), HK_OK);
    for (size_t k = 0; k < count; k++) {
        assert_near(gsl_cdf_ugaussian_Qinv(level[k] / 2), z[k], 2e-5);
    }
}

static void critical_values_match_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        levels_match(cases[i].t, cases[i].count, 0.05, cases[i].z05);
        levels_match(cases[i].t, cases[i].count, 0.01, cases[i].z01);
    }
}

/* A true null hypothesis, looked at three times. */
static void looking_often_keeps_the_level(void **state)
{
    (void)state;
    enum { TRIALS = 20000 };
    const double t[] = {1 / 3.0, 2 / 3.0, 1};
    double level[3];
    uint64_t rejected = 0;
    struct hk_rng *rng = test_rng(71);
    assert_int_equal(hk_look_levels(t, 3, 0.05, level), HK_OK);
    for (int i = 0; i < TRIALS; i++) {
        double sum = 0;
        for (int k = 0; k < 3; k++) {
            sum += hk_rng_normal(rng);
            if (2 * gsl_cdf_ugaussian_Q(fabs(sum) / sqrt(k + 1.0)) <= level[k]) {
                rejected++;
                break;
            }
        }
    }
    assert_rate(rejected, TRIALS, 0.05);
    hk_rng_destroy(rng);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    double level[HK_LOOKS_MAX + 1];
    const double descending[] = {.6, .4, 1}, unfinished[] = {.3, .9}, negative[] = {-.1, 1};
    const double t[HK_LOOKS_MAX + 1] = {.1, .2, .3, .4, .5, .6, .7, .8, .9, .95, 1};
    assert_refused(hk_look_levels(descending, 3, .05, level), HK_EINVAL, &level);
    assert_refused(hk_look_levels(unfinished, 2, .05, level), HK_EINVAL, &level);
    assert_refused(hk_look_levels(negative, 2, .05, level), HK_EINVAL, &level);
    assert_refused(hk_look_levels(t, HK_LOOKS_MAX + 1, .05, level), HK_EINVAL, &level);
    assert_refused(hk_look_levels(t, 0, .05, level), HK_EINVAL, &level);
    assert_refused(hk_look_levels(t + 10, 1, 1.0, level), HK_EINVAL, &level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(critical_values_match_references),
        cmocka_unit_test(looking_often_keeps_the_level),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    hk_gsl_init();
    return cmocka_run_group_tests_name("stats/sequential", tests, NULL, NULL);
}
