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

#include "hk/model/migration.h"
#include "support.h"

static void fill(struct hk_rng *rng, struct hk_service *services, size_t n, bool gains)
{
    for (size_t i = 0; i < n; i++) {
        services[i] = (struct hk_service){
            .benefit = 1.0 + 9.0 * hk_rng_uniform(rng),
            .effort = 0.5 + 5.0 * hk_rng_uniform(rng),
            .performance = 40.0 * hk_rng_uniform(rng) - (gains ? 8.0 : 0.0),
        };
    }
}

static void order_is_by_score(void **state)
{
    (void)state;
    const struct hk_service services[] = {{1, 3.0, 10.0}, {1, 1.0, 40.0}, {1, 2.0, 5.0},
                                          {1, 3.0, 10.0}};
    double scores[4];
    size_t order[4];
    assert_int_equal(hk_migration_scores(services, 4, 2.0, 0.1, scores), HK_OK);
    assert_near(scores[1], 6.0, 1e-14);
    assert_int_equal(hk_migration_order(scores, 4, order), HK_OK);
    const size_t expected[] = {2, 1, 0, 3}; /* equal scores keep their order */
    assert_memory_equal(order, expected, sizeof expected);
}

/* One budget, equal benefits: ascending order migrates the largest number of services. */
static void order_is_optimal_for_the_count(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(440);
    for (int r = 0; r < 200; r++) {
        struct hk_service services[10];
        double scores[10];
        size_t order[10];
        fill(rng, services, 10, false);
        for (size_t i = 0; i < 10; i++) {
            services[i].benefit = 1.0;
        }
        const double alpha = 0.7;
        const double beta = 0.05;
        assert_int_equal(hk_migration_scores(services, 10, alpha, beta, scores), HK_OK);
        assert_int_equal(hk_migration_order(scores, 10, order), HK_OK);
        const double budget = 12.0 * hk_rng_uniform(rng);
        double spent = 0.0;
        size_t count = 0;
        while (count < 10 && spent + scores[order[count]] <= budget) {
            spent += scores[order[count++]];
        }
        for (size_t i = 0; i < 10; i++) {
            services[i].effort = scores[i];
        }
        const struct hk_budgets budgets = {budget, INFINITY};
        struct hk_selection best;
        assert_int_equal(hk_migration_enumerate(services, 10, &budgets, &best), HK_OK);
        assert_near(best.benefit, (double)count, 1e-12);
    }
    hk_rng_destroy(rng);
}

static void search_bound_and_enumeration_agree(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(441);
    for (int r = 0; r < 150; r++) {
        const size_t n = 3 + hk_rng_below(rng, 12);
        struct hk_service services[15];
        fill(rng, services, n, r % 2 == 1);
        const struct hk_budgets all[] = {
            {1.5 * (double)n * hk_rng_uniform(rng), 10.0 * (double)n * hk_rng_uniform(rng)},
            {INFINITY, 8.0 * (double)n * hk_rng_uniform(rng)},
            {2.0 * (double)n * hk_rng_uniform(rng), INFINITY},
            {0.0, 0.0},
        };
        for (size_t b = 0; b < 4; b++) {
            struct hk_selection exact;
            struct hk_selection found;
            struct hk_selection greedy;
            struct hk_shadow_prices prices;
            assert_int_equal(hk_migration_enumerate(services, n, &all[b], &exact), HK_OK);
            assert_int_equal(hk_migration_select(services, n, &all[b], 1000000, &found), HK_OK);
            assert_int_equal(hk_migration_prices(services, n, &all[b], &prices), HK_OK);
            assert_int_equal(hk_migration_greedy(services, n, &all[b], &prices, &greedy), HK_OK);
            assert_true(found.proven);
            assert_near(found.benefit, exact.benefit, 1e-12);
            assert_true(found.effort <= all[b].effort * (1.0 + 1e-9));
            assert_true(found.performance <= all[b].performance * (1.0 + 1e-9));
            assert_true(exact.benefit <= prices.bound * (1.0 + 1e-12));
            assert_true(greedy.benefit <= exact.benefit * (1.0 + 1e-12));
        }
    }
    hk_rng_destroy(rng);
}

/* One budget: the relaxation takes the best ratios and a fraction of the next (Dantzig 1957). */
static void bound_is_the_relaxation(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(442);
    for (int r = 0; r < 100; r++) {
        struct hk_service services[12];
        double ratios[12];
        size_t order[12];
        double most = 0.0;
        fill(rng, services, 12, false);
        for (size_t i = 0; i < 12; i++) {
            ratios[i] = -services[i].benefit / services[i].effort;
            most = fmax(most, services[i].benefit);
        }
        assert_int_equal(hk_migration_order(ratios, 12, order), HK_OK);
        const double budget = 30.0 * hk_rng_uniform(rng);
        double left = budget;
        double dantzig = 0.0;
        double price = 0.0;
        for (size_t k = 0; k < 12 && left > 0.0; k++) {
            const struct hk_service *s = &services[order[k]];
            const double share = fmin(1.0, left / s->effort);
            dantzig += share * s->benefit;
            left -= share * s->effort;
            if (share < 1.0) {
                price = s->benefit / s->effort;
                break;
            }
        }
        const struct hk_budgets budgets = {budget, INFINITY};
        struct hk_shadow_prices prices;
        struct hk_selection greedy;
        assert_int_equal(hk_migration_prices(services, 12, &budgets, &prices), HK_OK);
        assert_int_equal(hk_migration_greedy(services, 12, &budgets, &prices, &greedy), HK_OK);
        assert_near(prices.bound / dantzig, 1.0, 1e-9);
        assert_near(prices.alpha, price, 1e-6);
        assert_near(prices.beta, 0.0, 0.0);
        assert_true(prices.bound - greedy.benefit <= most);
    }
    hk_rng_destroy(rng);
}

/* Solved by scipy.optimize.linprog (HiGHS): two budgets, five services. */
static void prices_are_the_linear_programs(void **state)
{
    (void)state;
    const struct hk_service services[] = {
        {6.0, 2.0, 11.0}, {5.0, 3.0, 4.0}, {8.0, 4.0, 19.0}, {3.0, 1.0, 9.0}, {4.0, 2.5, 6.0}};
    const struct hk_budgets budgets = {7.0, 26.0};
    struct hk_shadow_prices prices;
    assert_int_equal(hk_migration_prices(services, 5, &budgets, &prices), HK_OK);
    assert_near(prices.bound, 512.0 / 33.0, 1e-9);
    assert_near(prices.alpha, 12.0 / 11.0, 1e-6);
    assert_near(prices.beta, 7.0 / 33.0, 1e-6);
}

static void a_small_limit_proves_nothing(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(443);
    struct hk_service services[HK_SERVICES_MAX];
    fill(rng, services, HK_SERVICES_MAX, false);
    const struct hk_budgets budgets = {60.0, 500.0};
    struct hk_selection quick;
    struct hk_selection found;
    struct hk_shadow_prices prices;
    assert_int_equal(hk_migration_prices(services, HK_SERVICES_MAX, &budgets, &prices), HK_OK);
    assert_int_equal(hk_migration_select(services, HK_SERVICES_MAX, &budgets, 3, &quick), HK_OK);
    assert_false(quick.proven);
    assert_int_equal(
        hk_migration_select(services, HK_SERVICES_MAX, &budgets, 20000000, &found), HK_OK);
    assert_true(found.proven);
    assert_true(quick.benefit <= found.benefit && found.benefit <= prices.bound);
    assert_true(quick.benefit >= prices.bound - 20.0);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const struct hk_service good[] = {{1.0, 2.0, 3.0}, {2.0, 1.0, 0.0}};
    const struct hk_service bad[][1] = {
        {{NAN, 1.0, 1.0}}, {{1.0, -1.0, 1.0}}, {{1.0, NAN, 1.0}}, {{1.0, 1.0, INFINITY}}};
    const struct hk_budgets budgets = {3.0, 4.0};
    const struct hk_budgets bad_budgets[] = {
        {-1.0, 4.0}, {3.0, NAN}, {INFINITY, INFINITY}, {NAN, 1.0}};
    double scores[2];
    size_t order[2];
    struct hk_selection s;
    struct hk_shadow_prices p;
    const struct hk_shadow_prices prices = {1.0, 1.0, 9.0};
    for (size_t i = 0; i < 4; i++) {
        assert_refused(hk_migration_scores(bad[i], 1, 1.0, 1.0, scores), HK_EINVAL, &scores[0]);
        assert_refused(hk_migration_prices(bad[i], 1, &budgets, &p), HK_EINVAL, &p);
        assert_refused(hk_migration_select(bad[i], 1, &budgets, 9, &s), HK_EINVAL, &s);
        assert_refused(hk_migration_enumerate(bad[i], 1, &budgets, &s), HK_EINVAL, &s);
        assert_refused(hk_migration_greedy(bad[i], 1, &budgets, &prices, &s), HK_EINVAL, &s);
        assert_refused(hk_migration_prices(good, 2, &bad_budgets[i], &p), HK_EINVAL, &p);
        assert_refused(hk_migration_enumerate(good, 2, &bad_budgets[i], &s), HK_EINVAL, &s);
        assert_refused(hk_migration_select(good, 2, &bad_budgets[i], 9, &s), HK_EINVAL, &s);
    }
    assert_refused(hk_migration_scores(good, 2, -1.0, 1.0, scores), HK_EINVAL, &scores[0]);
    assert_refused(hk_migration_scores(good, 0, 1.0, 1.0, scores), HK_EINVAL, &scores[0]);
    assert_refused(hk_migration_select(good, 2, &budgets, 0, &s), HK_EINVAL, &s);
    const double nan_score[] = {1.0, NAN};
    assert_refused(hk_migration_order(nan_score, 2, order), HK_EINVAL, &order[0]);
    struct hk_service many[HK_ENUMERATED_MAX + 1] = {{1.0, 1.0, 1.0}};
    assert_refused(hk_migration_enumerate(many, HK_ENUMERATED_MAX + 1, &budgets, &s),
                   HK_ETOOBIG, &s);
    assert_refused(hk_migration_enumerate(good, HK_SERVICES_MAX + 1, &budgets, &s), HK_EINVAL,
                   &s);
    /* all zero, and all alike */
    const struct hk_service zeros[3] = {{0.0, 0.0, 0.0}};
    const struct hk_service alike[3] = {{2.0, 1.0, 1.0}, {2.0, 1.0, 1.0}, {2.0, 1.0, 1.0}};
    const struct hk_budgets two = {2.0, 2.0};
    assert_int_equal(hk_migration_select(zeros, 3, &budgets, 100, &s), HK_OK);
    assert_near(s.benefit, 0.0, 0.0);
    assert_int_equal(hk_migration_select(alike, 3, &two, 100, &s), HK_OK);
    assert_near(s.benefit, 4.0, 0.0);
    assert_true(s.proven);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_score),
        cmocka_unit_test(order_is_optimal_for_the_count),
        cmocka_unit_test(search_bound_and_enumeration_agree),
        cmocka_unit_test(bound_is_the_relaxation),
        cmocka_unit_test(prices_are_the_linear_programs),
        cmocka_unit_test(a_small_limit_proves_nothing),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
