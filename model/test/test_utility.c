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

#include "hk/base/units.h"
#include "hk/model/utility.h"
#include "support.h"

/* (S, P, -C) of monolithic, hybrid and microkernel designs. */
static const struct hk_alternative designs[] = {
    {{0.2, 1.0, -0.2}},
    {{0.6, 0.75, -0.5}},
    {{1.0, 0.3, -0.8}},
};

static struct hk_alternative random_design(struct hk_rng *rng)
{
    return (struct hk_alternative){
        {hk_rng_uniform(rng), hk_rng_uniform(rng), -hk_rng_uniform(rng)}};
}

static void regions_are_the_published_areas(void **state)
{
    (void)state;
    static const double areas[] = {0.6484, 0.0827, 0.2689};
    double total = 0.0;
    for (size_t i = 0; i < 3; i++) {
        struct hk_weight_polygon region;
        assert_int_equal(hk_utility_region(designs, 3, i, &region), HK_OK);
        assert_near(region.area_ratio, areas[i], 5e-5);
        total += region.area_ratio;
        /* the central weights do favour it */
        double own;
        assert_int_equal(hk_utility_score(region.centroid, &designs[i], &own), HK_OK);
        for (size_t j = 0; j < 3; j++) {
            double other;
            assert_int_equal(hk_utility_score(region.centroid, &designs[j], &other), HK_OK);
            assert_true(own >= other);
        }
    }
    assert_near(total, 1.0, 1e-10);
}

static void exact_and_sampled_acceptability_agree(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(430);
    for (size_t count = 1; count <= 9; count += 2) {
        struct hk_alternative rows[9];
        for (size_t i = 0; i < count; i++) {
            rows[i] = random_design(rng);
        }
        struct hk_acceptability exact;
        struct hk_acceptability sampled;
        assert_int_equal(hk_utility_acceptability(rows, 1, count, &exact), HK_OK);
        assert_int_equal(hk_utility_acceptability_sampled(rows, 1, count, 65536, &sampled),
                         HK_OK);
        for (size_t i = 0; i < count; i++) {
            struct hk_weight_polygon region;
            double sum = 0.0;
            assert_int_equal(hk_utility_region(rows, count, i, &region), HK_OK);
            assert_near(exact.rank_ratio[i][0], region.area_ratio, 1e-9);
            for (size_t r = 0; r < count; r++) {
                assert_near(exact.rank_ratio[i][r], sampled.rank_ratio[i][r], 1e-3);
                sum += exact.rank_ratio[i][r];
            }
            assert_near(sum, 1.0, 1e-9);
            for (size_t k = 0; k < 3 && exact.rank_ratio[i][0] > 0.05; k++) {
                assert_near(exact.central_weights[i][k], sampled.central_weights[i][k], 0.01);
                assert_near(exact.central_weights[i][k], region.centroid[k], 1e-7);
            }
        }
    }
    hk_rng_destroy(rng);
}

/* Uncertain P: acceptability is the mean over draws. */
static void draws_are_averaged(void **state)
{
    (void)state;
    enum { DRAWS = 400 };
    struct hk_rng *rng = test_rng(431);
    static struct hk_alternative draws[3 * DRAWS];
    double first = 0.0;
    for (size_t d = 0; d < DRAWS; d++) {
        for (size_t i = 0; i < 3; i++) {
            draws[3 * d + i] = designs[i];
            draws[3 * d + i].attribute[1] += 0.1 * hk_rng_normal(rng);
        }
        struct hk_weight_polygon region;
        assert_int_equal(hk_utility_region(draws + 3 * d, 3, 1, &region), HK_OK);
        first += region.area_ratio / DRAWS;
    }
    struct hk_acceptability a;
    assert_int_equal(hk_utility_acceptability(draws, DRAWS, 3, &a), HK_OK);
    assert_near(a.rank_ratio[1][0], first, 1e-9);
    assert_near(a.rank_ratio[0][0] + a.rank_ratio[1][0] + a.rank_ratio[2][0], 1.0, 1e-9);
    hk_rng_destroy(rng);
}

/* Two attributes, a random hybrid that nobody dominates: half of them can never win. */
static void half_of_all_hybrids_never_win(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct hk_rng *rng = test_rng(432);
    uint64_t wins = 0;
    for (int i = 0; i < N; i++) {
        const struct hk_alternative rows[] = {
            {{0.0, 1.0, 0.0}},
            {{hk_rng_uniform(rng), hk_rng_uniform(rng), 0.0}},
            {{1.0, 0.0, 0.0}},
        };
        enum hk_support support;
        assert_int_equal(hk_utility_support(rows, 3, 1, &support), HK_OK);
        const bool above = rows[1].attribute[0] + rows[1].attribute[1] > 1.0;
        assert_int_equal(support == HK_SUPPORT_WINS, above);
        wins += support == HK_SUPPORT_WINS;
    }
    assert_rate(wins, N, 0.5);
    hk_rng_destroy(rng);
}

static void support_has_four_classes(void **state)
{
    (void)state;
    const struct hk_alternative rows[] = {
        {{1.0, 0.0, 0.1}}, {{0.0, 1.0, 0.1}}, {{0.3, 0.2, 0.0}}, {{0.5, 0.5, 0.1}},
        {{0.4, 0.45, 0.08}}, {{0.4, 0.45, 0.085}},
    };
    static const enum hk_support expected[] = {HK_SUPPORT_WINS,        HK_SUPPORT_WINS,
                                               HK_SUPPORT_DOMINATED,   HK_SUPPORT_TIED,
                                               HK_SUPPORT_DOMINATED, HK_SUPPORT_DOMINATED};
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        enum hk_support support;
        assert_int_equal(hk_utility_support(rows, HK_ARRAY_COUNT(rows), i, &support), HK_OK);
        assert_int_equal(support, expected[i]);
    }
    /* below the hull, on the front: no weights, but Chebyshev finds it */
    const struct hk_alternative bent[] = {
        {{1.0, 0.0, 0.0}}, {{0.0, 1.0, 0.0}}, {{0.4, 0.4, 0.0}}, {{0.0, 0.0, 1.0}}};
    enum hk_support support;
    assert_int_equal(hk_utility_support(bent, 4, 2, &support), HK_OK);
    assert_int_equal(support, HK_SUPPORT_UNSUPPORTED);
    const double even[] = {0.48, 0.48, 0.04};
    size_t chosen;
    assert_int_equal(hk_utility_chebyshev(bent, 4, even, 0.001, &chosen), HK_OK);
    assert_int_equal(chosen, 2);
    const double lopsided[] = {0.9, 0.05, 0.05};
    assert_int_equal(hk_utility_chebyshev(bent, 4, lopsided, 0.001, &chosen), HK_OK);
    assert_int_equal(chosen, 0);
    assert_string_equal(hk_support_name(HK_SUPPORT_UNSUPPORTED), "unsupported");
    assert_string_equal(hk_support_name((enum hk_support)9), "?");
}

/* Exact regret against a fine sample of weights. */
static void regret_is_exact(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct hk_rng *rng = test_rng(433);
    for (size_t count = 2; count <= 6; count += 2) {
        struct hk_alternative predicted[6];
        struct hk_alternative measured[6];
        struct hk_alternative error[6];
        for (size_t i = 0; i < count; i++) {
            measured[i] = random_design(rng);
            predicted[i] = measured[i];
            predicted[i].attribute[1] += 0.15 * hk_rng_normal(rng);
            error[i] = (struct hk_alternative){{0.0, 0.05, 0.0}};
        }
        struct hk_utility_regret r;
        assert_int_equal(hk_utility_regret(predicted, measured, error, count, &r), HK_OK);
        double mean = 0.0;
        double range = 0.0;
        double agreed = 0.0;
        for (int s = 0; s < N; s++) {
            const double root = sqrt(hk_rng_uniform(rng));
            const double v = hk_rng_uniform(rng);
            const double w[] = {1.0 - root, root * (1.0 - v), root * v};
            size_t chosen = 0;
            double top = -INFINITY;
            double best = -INFINITY;
            double worst = INFINITY;
            double of_chosen = 0.0;
            for (size_t i = 0; i < count; i++) {
                double p;
                double m;
                assert_int_equal(hk_utility_score(w, &predicted[i], &p), HK_OK);
                assert_int_equal(hk_utility_score(w, &measured[i], &m), HK_OK);
                if (p > top) {
                    top = p;
                    chosen = i;
                    of_chosen = m;
                }
                best = fmax(best, m);
                worst = fmin(worst, m);
            }
            (void)chosen;
            assert_true(best - of_chosen <= r.regret_max + 1e-9);
            mean += (best - of_chosen) / N;
            range += (best - worst) / N;
            agreed += best == of_chosen ? 1.0 / N : 0.0;
        }
        assert_near(r.regret_mean, mean, 0.002);
        assert_near(r.range_mean, range, 0.004);
        assert_near(r.agreement_ratio, agreed, 0.008);
        assert_true(r.agreement_decided_ratio >= r.agreement_ratio - 0.01);
        assert_true(r.regret_p95 <= r.regret_max + 1e-12 && r.decided_ratio <= 1.0);
    }
    hk_rng_destroy(rng);
}

static void identical_designs_are_no_disagreement(void **state)
{
    (void)state;
    const struct hk_alternative rows[] = {designs[0], designs[1], designs[0], designs[1]};
    struct hk_utility_regret r;
    assert_int_equal(hk_utility_regret(rows, rows, NULL, 4, &r), HK_OK);
    assert_near(r.agreement_ratio, 1.0, 1e-9);
    assert_near(r.regret_mean, 0.0, 1e-12);
    assert_near(r.regret_max, 0.0, 1e-12);
    struct hk_utility_regret two;
    assert_int_equal(hk_utility_regret(designs, designs, NULL, 2, &two), HK_OK);
    assert_near(r.range_mean, two.range_mean, 1e-12);
    struct hk_acceptability a;
    assert_int_equal(hk_utility_acceptability(rows, 1, 4, &a), HK_OK);
    assert_near(a.rank_ratio[0][0], a.rank_ratio[2][0], 1e-12);
    assert_near(a.rank_ratio[0][0] + a.rank_ratio[1][0], 1.0, 1e-9);
    assert_near(a.rank_ratio[0][1], 0.0, 1e-12);
}

static void front_matches_brute_force(void **state)
{
    (void)state;
    enum { N = 700, M = 3 };
    struct hk_rng *rng = test_rng(434);
    static double values[N * M];
    static bool on_front[N];
    for (int grain = 2; grain <= 1000; grain *= 22) {
        for (size_t i = 0; i < N * M; i++) {
            values[i] = (double)hk_rng_below(rng, (size_t)grain); /* few levels: many ties */
        }
        assert_int_equal(hk_pareto_front(values, N, M, on_front), HK_OK);
        for (size_t i = 0; i < N; i++) {
            bool beaten = false;
            for (size_t j = 0; j < N; j++) {
                bool all = true;
                bool one = false;
                for (size_t k = 0; k < M; k++) {
                    all = all && values[j * M + k] >= values[i * M + k];
                    one = one || values[j * M + k] > values[i * M + k];
                }
                beaten = beaten || (all && one);
            }
            assert_int_equal(on_front[i], !beaten);
        }
    }
    hk_rng_destroy(rng);
}

/* Among many designs: every winner is found, and with the region that all of them leave it. */
static void winners_among_many_match_all_weights(void **state)
{
    (void)state;
    enum { COUNT = 256, STEPS = 60 };
    struct hk_rng *rng = test_rng(311);
    for (int r = 0; r < 20; r++) {
        struct hk_alternative a[COUNT];
        struct hk_utility_winner winners[HK_ALTERNATIVES_MAX];
        size_t count = 0;
        double area = 0.0;
        for (size_t i = 0; i < COUNT; i++) {
            a[i] = (struct hk_alternative){
                {hk_rng_uniform(rng), hk_rng_uniform(rng), -hk_rng_uniform(rng)}};
        }
        assert_int_equal(hk_utility_winners(a, COUNT, winners, &count), HK_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(winners[i].region.area_ratio > 0.0);
            area += winners[i].region.area_ratio;
        }
        assert_near(area, 1.0, 1e-9);
        for (int s = 0; s < STEPS * STEPS; s++) {
            const double u = (s / STEPS + 0.5) / STEPS;
            const double v = (s % STEPS + 0.5) / STEPS * (1.0 - u);
            const double w[] = {u, v, 1.0 - u - v};
            double best = -INFINITY;
            double found = -INFINITY;
            double score;
            for (size_t i = 0; i < COUNT; i++) {
                assert_int_equal(hk_utility_score(w, &a[i], &score), HK_OK);
                best = fmax(best, score);
            }
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(hk_utility_score(w, &a[winners[i].index], &score), HK_OK);
                found = fmax(found, score);
            }
            assert_near(found, best, 1e-9);
        }
    }
    hk_rng_destroy(rng);
}

/* On a sphere everything wins: more than there is room for. */
static void too_many_winners_are_refused(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(312);
    struct hk_alternative a[400];
    struct hk_utility_winner winners[HK_ALTERNATIVES_MAX];
    size_t count;
    for (size_t i = 0; i < 400; i++) {
        double length = 0.0;
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            a[i].attribute[k] = 0.01 + hk_rng_uniform(rng);
            length = hypot(length, a[i].attribute[k]);
        }
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            a[i].attribute[k] /= length;
        }
    }
    assert_refused(hk_utility_winners(a, 400, winners, &count), HK_ETOOBIG, &count);
    a[7].attribute[1] = NAN;
    assert_refused(hk_utility_winners(a, 400, winners, &count), HK_EINVAL, &count);
    assert_refused(hk_utility_winners(a, 0, winners, &count), HK_EINVAL, &count);
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hk_weight_polygon region;
    struct hk_acceptability a;
    struct hk_utility_regret r;
    enum hk_support support;
    double u;
    size_t chosen;
    const struct hk_alternative bad[] = {designs[0], {{NAN, 0.0, 0.0}}};
    const struct hk_alternative endless[] = {designs[0], {{0.0, INFINITY, 0.0}}};
    const double weights[] = {0.2, 0.3, 0.5};
    const double heavy[] = {0.2, 0.3, 0.6};
    const double negative[] = {-0.2, 0.7, 0.5};
    assert_refused(hk_utility_score(heavy, &designs[0], &u), HK_EINVAL, &u);
    assert_refused(hk_utility_score(negative, &designs[0], &u), HK_EINVAL, &u);
    assert_refused(hk_utility_score(weights, &bad[1], &u), HK_EINVAL, &u);
    assert_refused(hk_utility_region(bad, 2, 0, &region), HK_EINVAL, &region);
    assert_refused(hk_utility_region(endless, 2, 0, &region), HK_EINVAL, &region);
    assert_refused(hk_utility_region(designs, 3, 3, &region), HK_EINVAL, &region);
    assert_refused(hk_utility_region(designs, 0, 0, &region), HK_EINVAL, &region);
    assert_refused(hk_utility_region(designs, HK_ALTERNATIVES_MAX + 1, 0, &region), HK_EINVAL,
                   &region);
    assert_refused(hk_utility_support(bad, 2, 0, &support), HK_EINVAL, &support);
    assert_refused(hk_utility_acceptability(bad, 1, 2, &a), HK_EINVAL, &a);
    assert_refused(hk_utility_acceptability(designs, 0, 3, &a), HK_EINVAL, &a);
    assert_refused(hk_utility_acceptability_sampled(designs, 1, 3, 0, &a), HK_EINVAL, &a);
    assert_refused(hk_utility_chebyshev(designs, 3, weights, 0.0, &chosen), HK_EINVAL, &chosen);
    assert_refused(hk_utility_regret(designs, bad, NULL, 2, &r), HK_EINVAL, &r);
    assert_refused(hk_utility_regret(designs, designs, bad, 2, &r), HK_EINVAL, &r);
    bool flag;
    const double one[] = {INFINITY};
    assert_refused(hk_pareto_front(one, 1, 1, &flag), HK_EINVAL, &flag);
    assert_refused(hk_pareto_front(NULL, 1, 1, &flag), HK_EINVAL, &flag);
    assert_refused(hk_pareto_front(one, 0, 1, &flag), HK_EINVAL, &flag);
    /* the largest numbers allowed, and the smallest differences */
    const struct hk_alternative extreme[] = {
        {{1e300, -1e300, 0.0}}, {{-1e300, 1e300, 5e-324}}, {{0.0, 0.0, 0.0}}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hk_utility_region(extreme, 3, i, &region), HK_OK);
        assert_true(region.area_ratio >= 0.0 && region.area_ratio <= 1.0);
    }
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_the_published_areas),
        cmocka_unit_test(exact_and_sampled_acceptability_agree),
        cmocka_unit_test(draws_are_averaged),
        cmocka_unit_test(half_of_all_hybrids_never_win),
        cmocka_unit_test(support_has_four_classes),
        cmocka_unit_test(regret_is_exact),
        cmocka_unit_test(identical_designs_are_no_disagreement),
        cmocka_unit_test(front_matches_brute_force),
        cmocka_unit_test(winners_among_many_match_all_weights),
        cmocka_unit_test(too_many_winners_are_refused),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
