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

#include "hk/model/sensitivity.h"
#include "support.h"

/* T_u - T_k of F3 in us, over what is not known before measuring. */
enum { C_SYS, C_IPC, BYTE_COST, BYTES, BODY, PARAMETERS };

static const struct hk_parameter_range ranges[PARAMETERS] = {
    [C_SYS] = {0.2, 0.8, false},       /* us */
    [C_IPC] = {2.0, 8.0, false},       /* us */
    [BYTE_COST] = {0.02, 0.2, false},  /* ns per byte */
    [BYTES] = {64.0, 65536.0, true},
    [BODY] = {-1.0, 1.0, false},       /* t_u - t_k, us */
};

static double difference_us(const double *v, const void *context)
{
    (void)context;
    return 4.0 * v[C_IPC] - 2.0 * v[C_SYS] + 2.0 * v[BYTE_COST] * v[BYTES] / 1000.0 + v[BODY];
}

/* Is the copy dearer than a remap of so many us? */
static double remap_pays(const double *v, const void *context)
{
    return v[BYTE_COST] * v[BYTES] / 1000.0 > *(const double *)context;
}

/* Variance of parts in closed form: products of independent variables have theirs. */
static void difference_has_the_published_indices(void **state)
{
    (void)state;
    const double log_range = log(1024.0);
    const double bytes_mean = (65536.0 - 64.0) / log_range;
    const double bytes_var =
        (65536.0 * 65536.0 - 64.0 * 64.0) / (2.0 * log_range) - bytes_mean * bytes_mean;
    const double cost_var = 0.18 * 0.18 / 12.0;
    const double part[PARAMETERS] = {
        4.0 * 0.36 / 12.0,
        16.0 * 36.0 / 12.0,
        4e-6 * bytes_mean * bytes_mean * cost_var,
        4e-6 * 0.11 * 0.11 * bytes_var,
        4.0 / 12.0,
    };
    const double both = 4e-6 * cost_var * bytes_var;
    const double all = part[0] + part[1] + part[2] + part[3] + part[4] + both;
    static const double published[] = {0.002, 0.768, 0.015, 0.171, 0.005};
    const struct hk_sensitivity_options options = {32768, 4};
    struct hk_rng *rng = test_rng(470);
    struct hk_sensitivity s[PARAMETERS];
    assert_int_equal(hk_sensitivity_indices(difference_us, NULL, ranges, PARAMETERS, &options,
                                            rng, s),
                     HK_OK);
    for (int i = 0; i < PARAMETERS; i++) {
        const double total = (part[i] + (i == BYTE_COST || i == BYTES ? both : 0.0)) / all;
        assert_near(part[i] / all, published[i], 5.1e-4);
        assert_near(s[i].first, part[i] / all, 1e-3);
        assert_near(s[i].total, total, 1e-3);
        assert_true(fabs(s[i].first - part[i] / all) <= 6.0 * s[i].first_se + 1e-12);
    }
    assert_near(s[BYTE_COST].total, 0.054, 1.5e-3);
    assert_near(s[BYTES].total, 0.209, 1.5e-3);
    hk_rng_destroy(rng);
}

/* Whether to remap is decided by the size of the message, whatever else is unknown. */
static void the_size_decides(void **state)
{
    (void)state;
    const struct hk_sensitivity_options options = {16384, 4};
    struct hk_rng *rng = test_rng(471);
    struct hk_sensitivity s[PARAMETERS];
    const double remap_us = 0.75;
    assert_int_equal(hk_sensitivity_indices(remap_pays, &remap_us, ranges, PARAMETERS, &options,
                                            rng, s),
                     HK_OK);
    assert_near(s[BYTES].total, 0.967, 0.005);
    assert_true(s[BYTE_COST].total < 0.3);
    assert_near(s[C_IPC].total, 0.0, 1e-12);
    hk_rng_destroy(rng);
}

/* Ishigami's function, a = 7, b = .1: the standard case (Saltelli et al. 2008). */
static double ishigami(const double *v, const void *context)
{
    (void)context;
    return sin(v[0]) + 7.0 * sin(v[1]) * sin(v[1]) + 0.1 * pow(v[2], 4.0) * sin(v[0]);
}

static void ishigami_has_the_known_indices(void **state)
{
    (void)state;
    const struct hk_parameter_range circle[] = {
        {-M_PI, M_PI, false}, {-M_PI, M_PI, false}, {-M_PI, M_PI, false}};
    const struct hk_sensitivity_options options = {16384, 8};
    static const double first[] = {0.3139, 0.4424, 0.0};
    static const double total[] = {0.5576, 0.4424, 0.2437};
    struct hk_rng *rng = test_rng(472);
    struct hk_sensitivity s[3];
    assert_int_equal(hk_sensitivity_indices(ishigami, NULL, circle, 3, &options, rng, s), HK_OK);
    for (int i = 0; i < 3; i++) {
        assert_near(s[i].first, first[i], 0.003);
        assert_near(s[i].total, total[i], 0.003);
        assert_true(s[i].first_se < 0.003 && s[i].total_se < 0.003);
    }
    hk_rng_destroy(rng);
}

static double constant(const double *v, const void *context)
{
    (void)v;
    (void)context;
    return 7.25;
}

static double endless(const double *v, const void *context)
{
    (void)context;
    return v[0] > 0.9 ? INFINITY : 1.0;
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(473);
    const struct hk_sensitivity_options good = {64, 2};
    const struct hk_sensitivity_options bad_options[] = {{32, 2}, {100, 2}, {64, 1}};
    const struct hk_parameter_range unit = {0.0, 1.0, false};
    const struct hk_parameter_range bad_ranges[] = {
        {1.0, 1.0, false}, {2.0, 1.0, false}, {0.0, 1.0, true}, {NAN, 1.0, false},
        {0.0, INFINITY, false}, {-1e308, 1e308, false}};
    struct hk_sensitivity s;
    for (size_t i = 0; i < sizeof bad_options / sizeof bad_options[0]; i++) {
        assert_refused(
            hk_sensitivity_indices(endless, NULL, &unit, 1, &bad_options[i], rng, &s),
            HK_EINVAL, &s);
    }
    for (size_t i = 0; i < sizeof bad_ranges / sizeof bad_ranges[0]; i++) {
        assert_refused(
            hk_sensitivity_indices(constant, NULL, &bad_ranges[i], 1, &good, rng, &s),
            HK_EINVAL, &s);
    }
    assert_refused(hk_sensitivity_indices(constant, NULL, &unit, 1, &good, rng, &s), HK_ENOISE,
                   &s);
    assert_refused(hk_sensitivity_indices(endless, NULL, &unit, 1, &good, rng, &s), HK_ERANGE,
                   &s);
    assert_refused(hk_sensitivity_indices(constant, NULL, &unit, 21, &good, rng, &s), HK_EINVAL,
                   &s);
    assert_refused(hk_sensitivity_indices(NULL, NULL, &unit, 1, &good, rng, &s), HK_EINVAL, &s);
    hk_rng_destroy(rng);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(difference_has_the_published_indices),
        cmocka_unit_test(the_size_decides),
        cmocka_unit_test(ishigami_has_the_known_indices),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
