/* SPDX-License-Identifier: MIT */
/* The plan of a comparison measured now, over made-up launches: looks, early ends, confirmation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "compare_now.h"
#include "abba.h"
#include "progress.h"
#include "support.h"

enum { CELLS = 3, TRIALS = 80, LAUNCHES_MAX = 30 };

static const uint64_t first_seed = 7;

/* What the made-up machine does. */
static struct {
    struct hk_noise_source noise;
    double effect[CELLS]; /* ln(B / A) */
    bool passes;          /* the effect is gone when launches are repeated */
    bool broken;          /* the last cell never gives a value */
    size_t launches;
} machine;

/* Nothing is drawn in a test. */
void hk_progress_init(struct hk_progress *progress) { (void)progress; }
void hk_progress_fini(struct hk_progress *progress) { (void)progress; }
void hk_progress_show(struct hk_progress *progress, uint64_t done, uint64_t total,
                      const char *what)
{
    (void)progress, (void)done, (void)total, (void)what;
}

static enum hk_status open_made_up(struct hk_now *now, char error[HK_TEXT_BYTES])
{
    char cell[32];

    (void)error;
    for (size_t i = 0; i < CELLS; i++) {
        snprintf(cell, sizeof cell, "sim/cell/n:%zu", i);
        assert_non_null(hk_now_find(now, cell));
    }
    return HK_OK;
}

static enum hk_status measure_made_up(struct hk_now *now, uint64_t seed, uint32_t index,
                                      char error[HK_TEXT_BYTES])
{
    (void)index, (void)error;
    for (size_t i = 0; i < CELLS; i++) {
        struct hk_now_series *s = &now->series[i];
        double a_ns = 1000, b_ns = 1000, log_ratio;
        const struct hk_pairs one = {.log_ratio = &log_ratio, .a_ns = &a_ns, .b_ns = &b_ns};
        if (s->closed)
            continue;
        if (machine.broken && i == CELLS - 1) {
            s->failure_count++;
            snprintf(s->failure, sizeof s->failure, "it is broken");
            continue;
        }
        const bool repeated = seed != first_seed;
        abba_launches(&machine.noise, repeated && machine.passes ? 0 : machine.effect[i], 0.02,
                       &log_ratio, 1);
        if (hk_now_add(s, &one) != HK_OK)
            return HK_ENOMEM;
        machine.launches++;
    }
    return HK_OK;
}

static const struct hk_now_source made_up = {"made-up launches", open_made_up, measure_made_up};

static struct hk_comparison compare(double bound)
{
    const struct hk_rule rule = {.alpha = 0.05, .bound_ratio = bound};
    struct hk_now_plan plan = {.now = {.seed = first_seed}, .source = &made_up, .rule = &rule,
                               .launches_max = LAUNCHES_MAX, .looks = 3};
    struct hk_comparison c;
    char error[HK_TEXT_BYTES];

    machine.launches = 0;
    assert_int_equal(hk_now_compare(&plan, &c, error), HK_OK);
    assert_int_equal(c.finding_count, CELLS);
    return c;
}

static void set_machine(enum hk_noise kind, double effect)
{
    hk_rng_destroy(machine.noise.rng);
    memset(&machine, 0, sizeof machine);
    machine.noise = (struct hk_noise_source){.noise = kind, .rng = test_rng(900 + kind)};
    machine.effect[0] = effect;
}

/* Three cells, three looks, five kinds of noise: one error rate. */
static void looking_thrice_at_equal_builds_keeps_alpha(void **state)
{
    (void)state;
    for (enum hk_noise k = 0; k < HK_NOISE_COUNT; k++) {
        size_t slower = 0, changed = 0;
        uint64_t low, high;
        set_machine(k, 0);
        for (int i = 0; i < TRIALS; i++) {
            struct hk_comparison c = compare(0);
            slower += c.verdict_count[HK_PAIRED_SLOWER] > 0;
            changed += c.verdict_count[HK_PAIRED_SLOWER] + c.verdict_count[HK_PAIRED_FASTER] > 0;
            hk_comparison_fini(&c);
        }
        assert_int_equal(hk_binomial_band(TRIALS, 0.05, 0.999, &low, &high), HK_OK);
        print_message("%-10s changed %zu, of these slower and confirmed %zu, of %d; %llu allowed\n",
                      hk_noise_name(k), changed, slower, TRIALS, (unsigned long long)high);
        assert_true(changed <= high && slower <= changed);
    }
}

static void a_slowdown_is_found_before_the_plan_ends_and_confirmed(void **state)
{
    (void)state;
    size_t found = 0, launches = 0, others = 0;
    set_machine(HK_NOISE_INDEPENDENT, 0.10);
    for (int i = 0; i < TRIALS; i++) {
        struct hk_comparison c = compare(0.03);
        found += c.findings[0].verdict == HK_PAIRED_SLOWER &&
                 strstr(c.findings[0].reason, "confirmed by") != NULL;
        others += c.findings[1].verdict == HK_PAIRED_SLOWER;
        launches += machine.launches;
        hk_comparison_fini(&c);
    }
    print_message("10 %%: %zu of %d, with %.1f launches of %d\n", found, TRIALS,
                  (double)launches / TRIALS, CELLS * LAUNCHES_MAX);
    assert_true(found >= TRIALS * 98 / 100 && others == 0);
    assert_true(launches < (size_t)TRIALS * CELLS * LAUNCHES_MAX);
}

static void what_does_not_recur_is_not_confirmed(void **state)
{
    (void)state;
    set_machine(HK_NOISE_INDEPENDENT, 0.10);
    machine.passes = true;
    struct hk_comparison c = compare(0.03);
    assert_int_equal(c.findings[0].verdict, HK_PAIRED_UNKNOWN);
    assert_non_null(strstr(c.findings[0].reason, "not confirmed"));
    assert_int_equal(hk_comparison_verdict(&c), HK_PAIRED_UNKNOWN);
    hk_comparison_fini(&c);
}

static void a_broken_cell_is_unknown_with_its_reason(void **state)
{
    (void)state;
    set_machine(HK_NOISE_INDEPENDENT, 0);
    machine.broken = true;
    struct hk_comparison c = compare(0.10);
    assert_int_equal(c.findings[0].verdict, HK_PAIRED_SAME);
    assert_int_equal(c.findings[2].verdict, HK_PAIRED_UNKNOWN);
    assert_string_equal(c.findings[2].reason, "it is broken");
    assert_int_equal(hk_comparison_verdict(&c), HK_PAIRED_UNKNOWN);
    hk_comparison_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_thrice_at_equal_builds_keeps_alpha),
        cmocka_unit_test(a_slowdown_is_found_before_the_plan_ends_and_confirmed),
        cmocka_unit_test(what_does_not_recur_is_not_confirmed),
        cmocka_unit_test(a_broken_cell_is_unknown_with_its_reason),
    };
    hk_gsl_init();
    const int failed = cmocka_run_group_tests_name("compare/now", tests, NULL, NULL);
    hk_rng_destroy(machine.noise.rng);
    return failed;
}
