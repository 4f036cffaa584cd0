/* SPDX-License-Identifier: MIT */
/*
 * The judge as a whole: how often it refutes a true formula or passes a wrong one, and whether it
 * says the same again, under each kind of noise; the rare-event methods against closed forms.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/stats/gsl.h"
#include "hk/trial/trial.h"
#include "hk/trial/world.h"

static const struct hk_reached *find(const struct hk_reached *figures, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(figures[i].id, id) == 0)
            return &figures[i];
    fail_msg("no figure %s", id);
    return NULL;
}

static void verdicts_are_right_and_repeat(void **state)
{
    static const struct {
        const char *id;
        double low;
        double high;
        uint64_t count_min;
    } rows[] = {
        {"false_verdicts", 0, 0.05, 500},    {"same_verdict", 0.95, 1, 500},
        {"controls_met", 0.95, 1, 500},
        {"rare_conditional_error", 0, 0.01, 8}, {"rare_tilted_error", 0, 0.03, 4},
        {"rare_split_error", 0, 0.15, 2},    {"rare_reduction_1e-9", 1e7, INFINITY, 6},
        {"rare_reduction_1e-12", 1e10, INFINITY, 6},
        {"rare_split_yield_1e-9", 0.4, 1, 800}, {"rare_split_yield_1e-12", 0.4, 1, 800},
        {"rare_liar_flagged", 0.95, 1, 80},
        {"acceptability_gap", 0, 1e-3, 25},  {"ski_rental_ratio", 1, 2, 1000},
    };
    struct hk_reached figures[HK_TRIAL_FIGURES_MAX];
    const struct hk_trial_plan plan = {.seed = 1, .thread_count = 3, .quick = true};
    size_t n = 0;

    (void)state;
    assert_int_equal(hk_trial_run(&plan, figures, &n), HK_OK);
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct hk_reached *f = find(figures, n, rows[i].id);
        print_message("%-24s %.4g [%.4g, %.4g] n=%llu\n", f->id, f->value, f->lower, f->upper,
                      (unsigned long long)f->count);
        assert_true(f->count >= rows[i].count_min);
        assert_true(f->lower >= rows[i].low && f->upper <= rows[i].high);
    }
}

static void worlds_repeat_with_their_seed(void **state)
{
    struct hk_world_plan plan = hk_world_plan_default;
    struct hk_judge judges[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        plan.stream = i / 2; /* 0, 0, 1 */
        plan.noise = HK_NOISE_SPIKES;
        hk_judge_init(&judges[i]);
        assert_int_equal(hk_world_judge(hk_world_find("hops dearer"), &plan, &judges[i]), HK_OK);
    }
    assert_string_equal(judges[0].judgements[0].line, judges[1].judgements[0].line);
    assert_true(judges[0].comparisons[0].measured != judges[2].comparisons[0].measured);
    for (size_t i = 0; i < 3; i++)
        hk_judge_fini(&judges[i]);
    assert_null(hk_world_find("no such world"));
}

static void bad_plans_are_refused(void **state)
{
    volatile sig_atomic_t stop = 1;
    struct hk_reached figures[HK_TRIAL_FIGURES_MAX];
    struct hk_trial_plan plan = {.seed = 1, .quick = true};
    size_t n = 7;

    (void)state;
    assert_int_equal(hk_trial_run(&plan, figures, &n), HK_EINVAL);
    plan.thread_count = 1;
    plan.stop = &stop;
    assert_int_equal(hk_trial_run(&plan, figures, &n), HK_EINTR);
    assert_int_equal(n, 7);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_right_and_repeat),
        cmocka_unit_test(worlds_repeat_with_their_seed),
        cmocka_unit_test(bad_plans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
