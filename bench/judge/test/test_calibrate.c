/* SPDX-License-Identifier: MIT */
/* Intervals that are too narrow, made as wide as errors elsewhere ask for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate.h"
#include "hk/judge/judge.h"
#include "hk/stats/gsl.h"

enum { REGIMES = 12, CELLS = 40 };

static const double own_half = 0.02; /* of every interval; the errors have five times that */

static void add(struct hk_judge *judge, const char *formula, const char *regime,
                const char *quantity, double predicted, double error, double half)
{
    struct hk_comparison c = {.predicted = predicted, .lower = predicted * exp(-half),
                              .upper = predicted * exp(half)};

    c.measured = c.measured_lower = c.measured_upper = predicted * exp(error);
    snprintf(c.formula, sizeof c.formula, "%s", formula);
    snprintf(c.regime, sizeof c.regime, "%s", regime);
    snprintf(c.quantity, sizeof c.quantity, "%s", quantity);
    snprintf(c.model, sizeof c.model, "textbook");
    assert_int_equal(hk_judge_add_comparison(judge, &c), HK_OK);
}

/* A model is off by something in each regime, and by something else in each of its cells. */
static void add_regimes(struct hk_judge *judge, double more_in_first)
{
    struct hk_rng *rng;

    assert_int_equal(hk_rng_create(11, 0, &rng), HK_OK);
    for (int r = 0; r < REGIMES; r++) {
        char regime[48];
        const double bias = 0.06 * hk_rng_normal(rng);
        snprintf(regime, sizeof regime, "native/transport_%d/same_core", r);
        for (int i = 0; i < CELLS; i++)
            add(judge, "F3", regime, "cost_ns", 1000 + i,
                bias + 0.08 * hk_rng_normal(rng) + (r == 0 ? more_in_first : 0), own_half);
    }
    hk_rng_destroy(rng);
}

static double covered(const struct hk_judge *judge)
{
    double hits = 0;

    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        hits += c->lower <= c->measured && c->measured <= c->upper;
    }
    return hits / (double)judge->comparison_count;
}

static void intervals_hold_what_they_say(void **state)
{
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    add_regimes(&judge, 0);
    assert_true(covered(&judge) < 0.4);
    assert_int_equal(hk_judge_calibrate(&judge), HK_OK);
    assert_true(covered(&judge) >= 0.92 && covered(&judge) <= 0.98);
    hk_judge_fini(&judge);
}

static void errors_here_say_nothing_of_here(void **state)
{
    struct hk_judge usual, off;

    (void)state;
    hk_judge_init(&usual);
    hk_judge_init(&off);
    add_regimes(&usual, 0);
    add_regimes(&off, 1);
    assert_int_equal(hk_judge_calibrate(&usual), HK_OK);
    assert_int_equal(hk_judge_calibrate(&off), HK_OK);
    for (size_t i = 0; i < usual.comparison_count; i++) {
        const struct hk_comparison *a = &usual.comparisons[i], *b = &off.comparisons[i];
        if (i < CELLS) {
            assert_true(a->lower == b->lower && a->upper == b->upper);
        } else {
            assert_true(a->lower > b->lower && a->upper < b->upper);
        }
    }
    hk_judge_fini(&usual);
    hk_judge_fini(&off);
}

/* What was known well keeps the narrower interval. */
static void own_width_counts(void **state)
{
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    add_regimes(&judge, 0);
    add(&judge, "F3", "native/other/same_core", "cost_ns", 1000, 0, 0.01);
    add(&judge, "F3", "native/other/same_core", "cost_ns", 1000, 0, 0.5);
    assert_int_equal(hk_judge_calibrate(&judge), HK_OK);
    const struct hk_comparison *wide = &judge.comparisons[judge.comparison_count - 1];
    assert_true(wide->upper > 1000 * exp(0.5));
    assert_true(wide[-1].upper < 1000 * exp(0.3));
    hk_judge_fini(&judge);
}

static void some_stay_as_they_are(void **state)
{
    /* 18 errors elsewhere carry no interval of 95 %. */
    static const struct {
        const char *formula, *first, *second, *quantity;
        int count;
    } rows[] = {
        {"F3", "native/pipe/same_core", "native/pipe/same_core/batch", "cost_ns", 18},
        {"F3", "linux/pipe", "linux/unix_seqpacket", "cost_ns", 40},
        {"F7", "native/device/injected Exp", "native/queued/injected Exp", "underrun_ratio", 40},
        {"F7", "native/device/fifo/idle", "native/device/fifo/idle", "underrun_ratio", 40},
        {"F6", "native/device/fifo", "native/device/other", "jitter_rms_ns", 40},
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct hk_judge judge;
        hk_judge_init(&judge);
        for (int i = 0; i < 2 * rows[r].count; i++)
            add(&judge, rows[r].formula, i % 2 == 0 ? rows[r].first : rows[r].second,
                rows[r].quantity, 0.5, 0.3, own_half);
        assert_int_equal(hk_judge_calibrate(&judge), HK_OK);
        for (size_t i = 0; i < judge.comparison_count; i++)
            assert_true(judge.comparisons[i].upper == 0.5 * exp(own_half));
        hk_judge_fini(&judge);
    }
}

/* Where another model holds, that one's errors are the ones that count. */
static void what_stands_is_compared_with_what_stands(void **state)
{
    static const struct hk_equivalence passes = {.outcome = HK_EQUIVALENCE_EQUIVALENT};
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    for (int r = 0; r < 3; r++) {
        const char *const regimes[] = {"native/a/same_core", "native/b/same_core",
                                       "native/c/same_core"};
        const struct hk_model_result other = {.name = "other", .error = passes};
        const struct hk_verdict verdict = {
            .kind = r == 0 ? HK_VERDICT_HOLDS : HK_VERDICT_REFUTED_REPLACED, .formula = "F3",
            .regime = regimes[r], .error = passes, .has_replacement = r > 0, .replacement = other};
        for (int i = 0; i < 40; i++)
            add(&judge, "F3", regimes[r], "cost_ns", 1000, r == 0 ? 0.01 : 0.7, 0);
        for (int i = 0; i < 40; i++) {
            add(&judge, "F3", regimes[r], "cost_ns", 1000, r == 0 ? 0.7 : 0.01, 0);
            strcpy(judge.comparisons[judge.comparison_count - 1].model, "other");
        }
        assert_int_equal(hk_judge_add_verdict(&judge, &verdict), HK_OK);
    }
    assert_int_equal(hk_judge_calibrate(&judge), HK_OK);
    for (size_t i = 0; i < judge.comparison_count; i++) {
        const struct hk_comparison *c = &judge.comparisons[i];
        const bool stands = i / 80 == 0 ? i % 80 < 40 : i % 80 >= 40;
        if (stands)
            assert_true(fabs(c->upper / c->predicted - exp(0.01)) < 1e-9);
    }
    hk_judge_fini(&judge);
}

static void a_share_is_at_most_one(void **state)
{
    struct hk_judge judge;

    (void)state;
    hk_judge_init(&judge);
    for (int i = 0; i < 80; i++)
        add(&judge, "F7", i % 2 == 0 ? "native/device/fifo/idle" : "native/device/other/idle",
            "underrun_ratio", 0.5, -3, own_half);
    assert_int_equal(hk_judge_calibrate(&judge), HK_OK);
    for (size_t i = 0; i < judge.comparison_count; i++) {
        assert_true(judge.comparisons[i].upper == 1);
        assert_true(judge.comparisons[i].lower < 0.5 * exp(-2.9));
    }
    hk_judge_fini(&judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(errors_here_say_nothing_of_here),
        cmocka_unit_test(own_width_counts),
        cmocka_unit_test(some_stay_as_they_are),
        cmocka_unit_test(what_stands_is_compared_with_what_stands),
        cmocka_unit_test(a_share_is_at_most_one),
    };

    hk_gsl_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
