/* SPDX-License-Identifier: MIT */
/* Studies of placements whose truth is known by construction, and the file of services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hk/judge/placements.h"
#include "place_study.h"
#include "support.h"

static const double alone[HK_SERVICES] = {113.5, 71.25, 47.125, 31.5, 13.75, 89.5, 3.25, 58.75};
static const double base = 2385.5;

/* Services that add what they add alone, and file (0) and block (2) `pair` more together. */
static void truth_make(struct hk_placements *t, double pair)
{
    *t = (struct hk_placements){.workload = "made", .found_count = HK_PLACEMENTS, .exact = true};
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        t->instructions[set] = base + ((set & 5) == 5 ? pair : 0);
        for (unsigned i = 0; i < HK_SERVICES; i++)
            t->instructions[set] += (set >> i & 1) != 0 ? alone[i] : 0;
    }
}

/* Equal worth and effort, so that only the measured costs order the services. */
static struct hk_place_services equal_services(void)
{
    struct hk_place_services s = {.weights = {0.4, 0.4, 0.2}, .hybrid = 0x41,
                                  .benefit_points_sum = 8, .effort_days_sum = 8};
    for (unsigned i = 0; i < HK_SERVICES; i++)
        s.benefit_points[i] = s.effort_days[i] = 1;
    return s;
}

static void an_additive_truth_is_predicted_exactly(void **state)
{
    (void)state;
    struct hk_placements truth;
    struct hk_placements_fit fit;
    double predicted[HK_PLACEMENTS];
    double share;
    truth_make(&truth, 0);
    for (int order = 1; order <= 2; order++) {
        assert_int_equal(hk_placements_predict(truth.instructions,
                                               (enum hk_placements_order)order, predicted),
                         HK_OK);
        for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
            assert_near(predicted[set], truth.instructions[set], 1e-12);
        assert_int_equal(hk_placements_judge(truth.instructions, predicted, &fit), HK_OK);
        assert_int_equal(fit.count, 219);
        assert_near(fit.added_error_p95, 0, 1e-12);
    }
    assert_int_equal(hk_placements_interaction(truth.instructions, &share), HK_OK);
    assert_near(share, 0, 1e-12);
}

/* Whatever the held-out sets cost, the prediction is the same. */
static void predictions_never_see_what_they_predict(void **state)
{
    (void)state;
    struct hk_placements truth;
    double before[HK_PLACEMENTS];
    double after[HK_PLACEMENTS];
    for (int order = 1; order <= 2; order++) {
        truth_make(&truth, 37.5);
        assert_int_equal(hk_placements_predict(truth.instructions,
                                               (enum hk_placements_order)order, before), HK_OK);
        for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
            if (__builtin_popcount(set) > order)
                truth.instructions[set] = NAN;
        assert_int_equal(hk_placements_predict(truth.instructions,
                                               (enum hk_placements_order)order, after), HK_OK);
        assert_memory_equal(before, after, sizeof before);
    }
}

static void pairs_are_seen_by_the_pairwise_model_alone(void **state)
{
    (void)state;
    for (double pair = -60.5; pair < 61; pair += 121) {
        struct hk_placements truth;
        double additive[HK_PLACEMENTS];
        double pairwise[HK_PLACEMENTS];
        double share;
        truth_make(&truth, pair);
        assert_int_equal(hk_placements_predict(truth.instructions, HK_PLACEMENTS_ADDITIVE,
                                               additive), HK_OK);
        assert_int_equal(hk_placements_predict(truth.instructions, HK_PLACEMENTS_PAIRWISE,
                                               pairwise), HK_OK);
        for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
            assert_near(pairwise[set], truth.instructions[set], 1e-12);
            assert_near(truth.instructions[set] - additive[set], (set & 5) == 5 ? pair : 0, 1e-12);
        }
        assert_int_equal(hk_placements_interaction(truth.instructions, &share), HK_OK);
        assert_near(share, 60.5 / 428.625, 1e-12);
    }
}

static void a_study_of_additive_services_has_no_regret(void **state)
{
    (void)state;
    static struct hk_place_study study;
    struct hk_placements truth;
    const struct hk_place_services services = equal_services();
    static const size_t order[HK_SERVICES] = {6, 4, 3, 2, 7, 1, 5, 0};
    double area = 0;
    truth_make(&truth, 0);
    assert_int_equal(hk_place_study_make(&truth, &services, 0.05, &study), HK_OK);
    for (size_t k = 0; k < HK_SERVICES; k++) {
        assert_int_equal(study.steps[k].service, order[k]);
        assert_near(study.steps[k].added_ratio, study.steps[k].least_ratio, 1e-12);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(study.models[i].best, study.best);
        assert_near(study.models[i].regret_ratio, 0, 1e-12);
        assert_near(study.models[i].regret.regret_mean, 0, 1e-12);
        assert_near(study.models[i].regret.agreement_ratio, 1, 1e-9);
    }
    /* 3.25 + 13.75 + 31.5 + 47.125 = 95.625 fit into 5 % of 2385.5, a fifth does not */
    assert_int_equal(study.budget_set, 1u << 6 | 1u << 4 | 1u << 3 | 1u << 2);
    for (size_t i = 0; i < study.winner_count; i++)
        area += study.winners[i].region.area_ratio;
    assert_near(area, 1, 1e-9);
    assert_true(hk_place_area(&study, 0) > 0);
    assert_true(hk_place_area(&study, HK_SERVERS_ALL) > 0);
}

/* Equal services: one is moved while its score is below its worth, and a set beyond any is best
   where crossings cost nothing. */
static void crossings_change_the_answer_where_the_scores_say(void **state)
{
    (void)state;
    static struct hk_place_study study;
    struct hk_placements truth;
    struct hk_place_services services = equal_services();
    truth_make(&truth, 0);
    assert_int_equal(hk_place_study_make(&truth, &services, 0.1, &study), HK_OK);
    assert_int_equal(study.best, HK_SERVERS_ALL);
    assert_false(study.cheaper.found);
    assert_true(study.dearer.found && study.dearer.factor > 1);
    assert_int_equal(study.dearer.then, HK_SERVERS_ALL & ~1u); /* file adds most */
    /* there both are equally good: 0.025 of isolation less effort, against speed */
    const double k = study.dearer.factor;
    const double all = 1 / (1 + k * 428.625 / base);
    const double without = 1 / (1 + k * (428.625 - 113.5) / base);
    assert_near(0.4 * (without - all), 0.025, 1e-9);
    services.benefit_points[0] = services.benefit_points_sum = 1e9;
    for (unsigned i = 1; i < HK_SERVICES; i++)
        services.benefit_points[i] = 0;
    assert_int_equal(hk_place_study_make(&truth, &services, 0.1, &study), HK_OK);
    assert_int_equal(study.best, 1);
    assert_int_equal(study.steps[HK_SERVICES - 1].service, 0); /* the score has no benefit in it */
}

static void a_hidden_pair_is_regretted(void **state)
{
    (void)state;
    static struct hk_place_study study;
    struct hk_placements truth;
    const struct hk_place_services services = equal_services();
    truth_make(&truth, 4000); /* file and block must not both leave */
    assert_int_equal(hk_place_study_make(&truth, &services, 0.1, &study), HK_OK);
    assert_int_equal(study.models[0].best, HK_SERVERS_ALL);
    assert_int_not_equal(study.best & 5, 5);
    assert_true(study.models[0].regret_ratio > 0.5);
    assert_true(study.models[0].regret.regret_mean > 0);
    assert_near(study.models[1].regret_ratio, 0, 1e-12);
    assert_near(study.models[1].regret.regret_mean, 0, 1e-12);
}

static void what_adds_nothing_is_not_judged(void **state)
{
    (void)state;
    struct hk_placements truth;
    struct hk_placements_fit fit;
    double share;
    double predicted[HK_PLACEMENTS];
    truth_make(&truth, 0);
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        truth.instructions[set] = base;
    assert_int_equal(hk_placements_predict(truth.instructions, HK_PLACEMENTS_ADDITIVE, predicted),
                     HK_OK);
    assert_refused(hk_placements_judge(truth.instructions, predicted, &fit), HK_ENOISE, &fit);
    assert_refused(hk_placements_interaction(truth.instructions, &share), HK_ENOISE, &share);
    assert_refused(hk_placements_predict(NULL, HK_PLACEMENTS_ADDITIVE, predicted), HK_EINVAL,
                   &predicted);
    truth.instructions[4] = NAN;
    assert_refused(hk_placements_interaction(truth.instructions, &share), HK_EINVAL, &share);
    assert_refused(hk_placements_predict(truth.instructions, HK_PLACEMENTS_ADDITIVE, predicted),
                   HK_EINVAL, &predicted);
}

static void services_are_read_or_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *cause; } bad[] = {
        {"[weights]\nisolation = -1\n", "services:2: [weights] isolation: a number"},
        {"[weights]\nisolation = nan\n", "a number of 0"},
        {"[weights]\nisolation = 1e10\n", "a number of 0"},
        {"[weights]\nisolation = 1x\n", "a number of 0"},
        {"[weights]\nspeed = 1\n", "no such key: isolation"},
        {"[weights]\neffort = 1\neffort = 1\n", "twice"},
        {"[moon]\neffort_days = 1\n", "no such section"},
        {"[net]\neffort = 1\n", "no such key: benefit_points"},
        {"[net]\nhybrid = both\n", "kernel or server"},
        {"[net]\nhybrid = server\nhybrid = server\n", "twice"},
        {"nonsense\n", "services:1: neither"},
        {"[net]\nhybrid = server\n", "[file] takes benefit_points"},
        {"", "[file] takes benefit_points"},
    };
    struct hk_place_services s;
    char error[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(hk_place_services_parse(bad[i].text, "services", &s, error), HK_EPARSE, &s);
        if (strstr(error, bad[i].cause) == NULL)
            fail_msg("'%s' says '%s'", bad[i].text, error);
    }
    assert_refused(hk_place_services_read("/no/such.ini", &s, error), HK_ENOENT, &s);
    assert_int_equal(hk_place_services_read(HK_SERVICES_INI, &s, error), HK_OK);
    assert_near(s.weights[0] + s.weights[1] + s.weights[2], 1, 1e-12);
    assert_int_equal(s.hybrid, 0x41); /* file and print */
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_additive_truth_is_predicted_exactly),
        cmocka_unit_test(predictions_never_see_what_they_predict),
        cmocka_unit_test(pairs_are_seen_by_the_pairwise_model_alone),
        cmocka_unit_test(a_study_of_additive_services_has_no_regret),
        cmocka_unit_test(crossings_change_the_answer_where_the_scores_say),
        cmocka_unit_test(a_hidden_pair_is_regretted),
        cmocka_unit_test(what_adds_nothing_is_not_judged),
        cmocka_unit_test(services_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
