/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <stdlib.h>

#include "hk/model/copy_expected.h"
#include "support.h"

#define PAGE 4096u

static const struct hk_copy_class classes[] = {
    {0.55, 1.7, 0.37, 0.61, 0.31},
    {0.30, 3.2, 0.82, 0.44, 0.40},
    {0.15, 8.9, 0.05, 0.93, 0.03},
};

static void formula_bounds_and_correction(void **state)
{
    (void)state;
    double naive;
    double corrected;
    struct hk_interval bounds;
    assert_int_equal(hk_copy_expected(classes, 3, 640.0, &naive), HK_OK);
    assert_near(naive,
                640.0 * (.55 * 1.7 * (1 - .37 * .61) + .30 * 3.2 * (1 - .82 * .44) +
                         .15 * 8.9 * (1 - .05 * .93)),
                1e-13);
    assert_int_equal(hk_copy_bounds(classes, 3, 640.0, &bounds), HK_OK);
    assert_near(bounds.lower,
                640.0 * (.55 * 1.7 * (1 - .37) + .30 * 3.2 * (1 - .44) + .15 * 8.9 * (1 - .05)),
                1e-13);
    assert_near(bounds.upper,
                640.0 * (.55 * 1.7 * 1.0 + .30 * 3.2 * (1 - .26) + .15 * 8.9 * 1.0), 1e-13);
    assert_int_equal(hk_copy_corrected(classes, 3, 640.0, &corrected), HK_OK);
    assert_true(bounds.lower <= naive && naive <= bounds.upper);
    assert_true(bounds.lower <= corrected && corrected <= bounds.upper);
}

/* Bytes copied when whole pages are remapped, page by page. */
static uint64_t count_copied(uint64_t offset, uint64_t length)
{
    uint64_t copied = 0;
    for (uint64_t at = offset; at < offset + length; at++) {
        const uint64_t page = at / PAGE * PAGE;
        copied += page < offset || page + PAGE > offset + length;
    }
    return copied;
}

static void partial_mapping_is_counted_exactly(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(110);
    for (int i = 0; i < 2000; i++) {
        const uint64_t offset = hk_rng_below(rng, 2 * PAGE);
        const uint64_t length = hk_rng_below(rng, 4 * PAGE);
        assert_int_equal(hk_copied_bytes_partial(offset, length, PAGE),
                         count_copied(offset, length));
    }
    assert_int_equal(hk_copied_bytes_partial(0, PAGE, PAGE), 0);
    assert_int_equal(hk_copied_bytes_whole(0, 3 * PAGE, PAGE), 0);
    assert_int_equal(hk_copied_bytes_whole(16, 3 * PAGE, PAGE), 3 * PAGE);
    assert_int_equal(hk_copied_bytes_whole(0, 3 * PAGE + 1, PAGE), 3 * PAGE + 1);
    hk_rng_destroy(rng);
}

static void a_page_less_one_is_copied_whatever_the_length(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {4095, 4096, 4097, 10000, 65536, 1000000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        double mean;
        assert_int_equal(hk_copied_bytes_mean(lengths[i], PAGE, 1, &mean), HK_OK);
        assert_near(mean, 4095.0, 1e-12);
    }
    double mean;
    assert_int_equal(hk_copied_bytes_mean(1000, PAGE, 1, &mean), HK_OK);
    assert_near(mean, 1000.0, 0.0);
    /* an allocator that aligns to 16 saves 15 bytes of it, on whole multiples of 16 */
    assert_int_equal(hk_copied_bytes_mean(65536, PAGE, 16, &mean), HK_OK);
    assert_near(mean, 4096.0 - 16.0, 1e-12);
    assert_int_equal(hk_copied_bytes_mean(65536, PAGE, PAGE, &mean), HK_OK);
    assert_near(mean, 0.0, 0.0);
}

struct linear {
    double base_ns;
    double per_byte_ns;
    double remap_page_ns;
};

static double copy_ns(double bytes, const void *context)
{
    const struct linear *l = context;
    return l->base_ns + l->per_byte_ns * bytes;
}

static double remap_ns(double bytes, const void *context)
{
    return ((const struct linear *)context)->remap_page_ns * bytes / PAGE;
}

static double broken_ns(double bytes, const void *context)
{
    (void)bytes;
    (void)context;
    return NAN;
}

/*
 * Alignment and size drawn together: F5 is off by the covariance, the joint law is
 * right on another trace of the same program.
 */
static void joint_law_predicts_where_independence_fails(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(111);
    struct hk_buffer *traces[2];
    double aligned = 0.0;
    double sized = 0.0;
    double both = 0.0;
    double copied[2] = {0.0, 0.0};
    for (int t = 0; t < 2; t++) {
        traces[t] = malloc(N * sizeof **traces);
        for (int i = 0; i < N; i++) {
            const int page_user = hk_rng_uniform(rng) < 0.4;
            struct hk_buffer *b = &traces[t][i];
            *b = (struct hk_buffer){page_user ? 0 : 16, page_user ? 4 * PAGE : 4 * PAGE + 96};
            aligned += t == 0 && b->offset_bytes == 0;
            sized += t == 0 && b->length_bytes % PAGE == 0;
            both += t == 0 && page_user;
            copied[t] += (double)hk_copied_bytes_whole(b->offset_bytes, b->length_bytes, PAGE) / N;
        }
    }
    const struct hk_copy_class one = {1.0, 1.0, aligned / N, sized / N, both / N};
    double naive;
    double corrected;
    assert_int_equal(hk_copy_expected(&one, 1, 4 * PAGE + 96.0, &naive), HK_OK);
    assert_int_equal(hk_copy_corrected(&one, 1, 4 * PAGE + 96.0, &corrected), HK_OK);
    assert_true(naive / copied[1] > 1.3);
    assert_near(corrected / copied[1], 1.0, 0.02);
    const struct linear law = {50.0, 0.1, 90.0};
    const struct hk_copy_costs costs = {copy_ns, remap_ns, &law};
    struct hk_copy_trace_cost trained;
    struct hk_copy_trace_cost seen;
    assert_int_equal(hk_copy_trace_cost(traces[0], N, N / 2, HK_MAP_PARTIAL, &costs, &trained),
                     HK_OK);
    assert_int_equal(hk_copy_trace_cost(traces[1], N, N / 2, HK_MAP_PARTIAL, &costs, &seen),
                     HK_OK);
    assert_near(trained.cost_ns_mean / seen.cost_ns_mean, 1.0, 0.02);
    /* two buffers per message; unaligned: 4080 + 112 bytes in head and tail, 3 pages remapped */
    const double share = both / N;
    assert_near(trained.copied_bytes_mean, 2.0 * (1.0 - share) * (4080.0 + 112.0), 1e-12);
    assert_near(trained.remapped_bytes_mean, 2.0 * PAGE * (4.0 * share + 3.0 * (1.0 - share)),
                1e-12);
    free(traces[0]);
    free(traces[1]);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double value;
    struct hk_interval bounds;
    struct hk_copy_class bad[3];
    memcpy(bad, classes, sizeof bad);
    bad[0].weight_ratio = 0.5;
    assert_refused(hk_copy_expected(bad, 3, 1.0, &value), HK_EINVAL, &value);
    memcpy(bad, classes, sizeof bad);
    bad[1].aligned_ratio = 1.2;
    assert_refused(hk_copy_bounds(bad, 3, 1.0, &bounds), HK_EINVAL, &bounds);
    bad[1].aligned_ratio = NAN;
    assert_refused(hk_copy_bounds(bad, 3, 1.0, &bounds), HK_EINVAL, &bounds);
    memcpy(bad, classes, sizeof bad);
    bad[2].mappable_ratio = 0.2; /* beyond min(alpha, p) = 0.05 */
    assert_refused(hk_copy_corrected(bad, 3, 1.0, &value), HK_EINVAL, &value);
    assert_refused(hk_copy_expected(classes, 3, -1.0, &value), HK_EINVAL, &value);
    assert_refused(hk_copy_expected(classes, 0, 1.0, &value), HK_EINVAL, &value);
    assert_refused(hk_copied_bytes_mean(0, PAGE, 1, &value), HK_EINVAL, &value);
    assert_refused(hk_copied_bytes_mean(1, PAGE, 3, &value), HK_EINVAL, &value);
    const struct linear law = {50.0, 0.1, 90.0};
    const struct hk_copy_costs broken = {broken_ns, remap_ns, &law};
    const struct hk_buffer buffer = {1, 100};
    struct hk_copy_trace_cost cost;
    assert_refused(hk_copy_trace_cost(&buffer, 1, 1, HK_MAP_WHOLE, &broken, &cost), HK_EINVAL,
                   &cost);
    assert_refused(hk_copy_trace_cost(&buffer, 1, 0, HK_MAP_WHOLE, &broken, &cost), HK_EINVAL,
                   &cost);
}

/* F5 is off by -t sum w k rho sqrt(alpha (1 - alpha) p (1 - p)), exactly. */
static void the_error_is_the_correlation(void **state)
{
    (void)state;
    double naive;
    double corrected;
    double error = 0.0;
    assert_int_equal(hk_copy_expected(classes, 3, 640.0, &naive), HK_OK);
    assert_int_equal(hk_copy_corrected(classes, 3, 640.0, &corrected), HK_OK);
    for (int i = 0; i < 3; i++) {
        const double a = classes[i].aligned_ratio;
        const double p = classes[i].right_size_ratio;
        double rho;
        assert_int_equal(hk_copy_correlation(&classes[i], &rho), HK_OK);
        error -= 640.0 * classes[i].weight_ratio * classes[i].buffer_count * rho *
                 sqrt(a * (1 - a) * p * (1 - p));
    }
    assert_near(corrected - naive, error, 1e-12);
    double rho;
    const struct hk_copy_class certain = {1.0, 1.0, 1.0, 0.5, 0.5};
    const struct hk_copy_class impossible = {1.0, 1.0, 0.2, 0.5, 0.3};
    assert_refused(hk_copy_correlation(&certain, &rho), HK_ERANGE, &rho);
    assert_refused(hk_copy_correlation(&impossible, &rho), HK_EINVAL, &rho);
    assert_refused(hk_copy_correlation(NULL, &rho), HK_EINVAL, &rho);
}

/* Shares counted over training buffers, independently: the propagated error is the scatter. */
static void counted_shares_have_binomial_errors(void **state)
{
    (void)state;
    enum { REPLICATES = 4000, BUFFERS = 400 };
    static const size_t counts[] = {BUFFERS, BUFFERS, BUFFERS};
    const struct hk_estimate copy = {640.0, 6.0, 30};
    struct hk_rng *rng = test_rng(541);
    struct hk_estimate e;
    assert_int_equal(hk_copy_expected_error(classes, counts, 3, &copy, &e), HK_OK);
    assert_int_equal(e.count, 30);
    double mean = 0.0;
    double squares = 0.0;
    for (int r = 1; r <= REPLICATES; r++) {
        struct hk_copy_class drawn[3];
        memcpy(drawn, classes, sizeof drawn);
        for (int i = 0; i < 3; i++) {
            size_t aligned = 0;
            size_t sized = 0;
            for (int b = 0; b < BUFFERS; b++) {
                aligned += hk_rng_uniform(rng) < classes[i].aligned_ratio;
                sized += hk_rng_uniform(rng) < classes[i].right_size_ratio;
            }
            drawn[i].aligned_ratio = (double)aligned / BUFFERS;
            drawn[i].right_size_ratio = (double)sized / BUFFERS;
        }
        double one;
        assert_int_equal(hk_copy_expected(drawn, 3, 640.0 + 6.0 * hk_rng_normal(rng), &one),
                         HK_OK);
        const double step = one - mean;
        mean += step / r;
        squares += step * (one - mean);
    }
    assert_near(e.standard_error / sqrt(squares / (REPLICATES - 1)), 1.0, 0.05);
    const size_t none[] = {BUFFERS, 0, BUFFERS};
    const struct hk_estimate negative = {-1.0, 1.0, 30};
    assert_refused(hk_copy_expected_error(classes, none, 3, &copy, &e), HK_EINVAL, &e);
    assert_refused(hk_copy_expected_error(classes, counts, 3, &negative, &e), HK_EINVAL, &e);
    hk_rng_destroy(rng);
}

/* Simpson: independent within each class, dependent when the classes are pooled. */
static void pooling_makes_dependence(void **state)
{
    (void)state;
    const struct hk_copy_class within[] = {{0.5, 2.0, 0.9, 0.8, 0.72}, {0.5, 2.0, 0.1, 0.2, 0.02}};
    double naive;
    double corrected;
    assert_int_equal(hk_copy_expected(within, 2, 1000.0, &naive), HK_OK);
    assert_int_equal(hk_copy_corrected(within, 2, 1000.0, &corrected), HK_OK);
    assert_near(naive, corrected, 1e-12);
    const struct hk_copy_class pooled = {1.0, 2.0, 0.5, 0.5, 0.37};
    double rho;
    double pooled_naive;
    assert_int_equal(hk_copy_correlation(&pooled, &rho), HK_OK);
    assert_near(rho, 0.48, 1e-12);
    assert_int_equal(hk_copy_expected(&pooled, 1, 1000.0, &pooled_naive), HK_OK);
    assert_near(pooled_naive / naive, 1.5 / 1.26, 1e-12); /* 19 % too much */
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula_bounds_and_correction),
        cmocka_unit_test(partial_mapping_is_counted_exactly),
        cmocka_unit_test(a_page_less_one_is_copied_whatever_the_length),
        cmocka_unit_test(joint_law_predicts_where_independence_fails),
        cmocka_unit_test(the_error_is_the_correlation),
        cmocka_unit_test(counted_shares_have_binomial_errors),
        cmocka_unit_test(pooling_makes_dependence),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
