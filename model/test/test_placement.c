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
#include "hk/model/placement.h"
#include "support.h"

#define SERVICES 12u
#define EDGES 30u

/* A workload of random calls; `chatty` servers pay more between them than 2 upcalls. */
static void fill(struct hk_rng *rng, double *server_cost, struct hk_call_edge *edges,
                 bool chatty)
{
    for (size_t i = 0; i < SERVICES; i++) {
        server_cost[i] = 60.0 * hk_rng_uniform(rng) - 45.0;
    }
    for (size_t e = 0; e < EDGES; e++) {
        const size_t first = hk_rng_below(rng, SERVICES);
        const double rate = hk_rng_exponential(rng, 4.0);
        edges[e] = (struct hk_call_edge){
            .first = first,
            .second = (first + 1 + hk_rng_below(rng, SERVICES - 1)) % SERVICES,
            .split_cost = rate * 1.3,
            .both_cost = rate * (chatty ? 3.1 : 2.6 * hk_rng_uniform(rng)),
        };
    }
}

static void cut_finds_the_enumerated_optimum(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(450);
    double server_cost[SERVICES];
    struct hk_call_edge edges[EDGES];
    size_t mixed = 0;
    for (int r = 0; r < 300; r++) {
        fill(rng, server_cost, edges, false);
        const struct hk_placement_problem problem = {server_cost, SERVICES, edges, EDGES};
        struct hk_placement cut;
        struct hk_placement all;
        bool submodular;
        assert_int_equal(hk_placement_submodular(&problem, &submodular), HK_OK);
        assert_true(submodular);
        assert_int_equal(hk_placement_cut(&problem, &cut), HK_OK);
        assert_int_equal(hk_placement_enumerate(&problem, &all, NULL), HK_OK);
        assert_near(cut.cost, all.cost, 1e-12);
        mixed += cut.in_server != 0 && cut.in_server != (1u << SERVICES) - 1;
    }
    assert_true(mixed > 100); /* not only trivial answers */
    hk_rng_destroy(rng);
}

static void chatty_servers_are_enumerated(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(451);
    double server_cost[SERVICES];
    struct hk_call_edge edges[EDGES];
    static double cost[1u << SERVICES];
    for (int r = 0; r < 20; r++) {
        fill(rng, server_cost, edges, true);
        const struct hk_placement_problem problem = {server_cost, SERVICES, edges, EDGES};
        struct hk_placement best;
        bool submodular;
        assert_int_equal(hk_placement_submodular(&problem, &submodular), HK_OK);
        assert_false(submodular);
        assert_refused(hk_placement_cut(&problem, &best), HK_ERANGE, &best);
        assert_int_equal(hk_placement_enumerate(&problem, &best, cost), HK_OK);
        for (uint64_t mask = 0; mask < 1u << SERVICES; mask++) {
            double one;
            assert_int_equal(hk_placement_cost(&problem, mask, &one), HK_OK);
            assert_near(cost[mask], one, 1e-11);
            assert_true(best.cost <= one + 1e-9);
        }
    }
    hk_rng_destroy(rng);
}

/*
 * The additive score sees each service alone and moves none of a tight group that
 * is cheap together: the cut moves all.
 */
static void interaction_beats_the_additive_score(void **state)
{
    (void)state;
    const double server_cost[] = {-10.0, -10.0, -10.0, 5.0};
    const struct hk_call_edge edges[] = {
        {0, 1, 8.0, 1.0}, {1, 2, 8.0, 1.0}, {0, 2, 8.0, 1.0}, {2, 3, 1.0, 1.0}};
    const struct hk_placement_problem problem = {server_cost, 4, edges, 4};
    for (unsigned i = 0; i < 3; i++) {
        double alone;
        assert_int_equal(hk_placement_cost(&problem, 1u << i, &alone), HK_OK);
        assert_true(alone > 0.0); /* moved alone, each one loses */
    }
    struct hk_placement best;
    assert_int_equal(hk_placement_cut(&problem, &best), HK_OK);
    assert_int_equal(best.in_server, 7);
    assert_near(best.cost, -30.0 + 3.0 + 1.0, 1e-14);
}

static void additivity_is_the_case_without_edges(void **state)
{
    (void)state;
    const double server_cost[] = {-1.5, 2.0, 0.0, -0.25};
    const struct hk_placement_problem problem = {server_cost, 4, NULL, 0};
    struct hk_placement cut;
    struct hk_placement all;
    assert_int_equal(hk_placement_cut(&problem, &cut), HK_OK);
    assert_int_equal(cut.in_server, 9); /* the indifferent one stays in the kernel */
    assert_int_equal(hk_placement_enumerate(&problem, &all, NULL), HK_OK);
    assert_near(cut.cost, -1.75, 1e-14);
    assert_near(all.cost, -1.75, 1e-14);
}

static void sixty_four_services_are_cut(void **state)
{
    (void)state;
    struct hk_rng *rng = test_rng(452);
    double server_cost[HK_SERVICES_MAX];
    struct hk_call_edge edges[400];
    for (size_t i = 0; i < HK_SERVICES_MAX; i++) {
        server_cost[i] = 40.0 * hk_rng_uniform(rng) - 20.0;
    }
    for (size_t e = 0; e < 400; e++) {
        const size_t first = hk_rng_below(rng, HK_SERVICES_MAX);
        edges[e] = (struct hk_call_edge){
            first, (first + 1 + hk_rng_below(rng, HK_SERVICES_MAX - 1)) % HK_SERVICES_MAX,
            2.0 * hk_rng_uniform(rng), hk_rng_uniform(rng) * 0.5};
        edges[e].both_cost = fmin(edges[e].both_cost, 2.0 * edges[e].split_cost);
    }
    const struct hk_placement_problem problem = {server_cost, HK_SERVICES_MAX, edges, 400};
    struct hk_placement best;
    assert_int_equal(hk_placement_cut(&problem, &best), HK_OK);
    /* no single move, and no random start with moves downhill, does better */
    for (int r = 0; r < 200; r++) {
        uint64_t mask = r == 0 ? best.in_server : 0;
        for (size_t i = 0; r > 0 && i < HK_SERVICES_MAX; i++) {
            mask |= (uint64_t)hk_rng_below(rng, 2) << i;
        }
        double cost;
        assert_int_equal(hk_placement_cost(&problem, mask, &cost), HK_OK);
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t i = 0; i < HK_SERVICES_MAX; i++) {
                double other;
                assert_int_equal(hk_placement_cost(&problem, mask ^ UINT64_C(1) << i, &other),
                                 HK_OK);
                if (other < cost - 1e-9) {
                    mask ^= UINT64_C(1) << i;
                    cost = other;
                    moved = true;
                }
            }
        }
        assert_true(best.cost <= cost + 1e-9);
    }
    hk_rng_destroy(rng);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const double cost[] = {1.0, 2.0};
    const double bad_cost[] = {1.0, NAN};
    const struct hk_call_edge bad[] = {
        {0, 0, 1.0, 1.0}, {0, 2, 1.0, 1.0}, {0, 1, -1.0, 1.0}, {0, 1, 1.0, NAN},
        {0, 1, INFINITY, 1.0}};
    struct hk_placement p;
    bool submodular;
    double value;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        const struct hk_placement_problem problem = {cost, 2, &bad[i], 1};
        assert_refused(hk_placement_cut(&problem, &p), HK_EINVAL, &p);
        assert_refused(hk_placement_enumerate(&problem, &p, NULL), HK_EINVAL, &p);
        assert_refused(hk_placement_cost(&problem, 1, &value), HK_EINVAL, &value);
        assert_refused(hk_placement_submodular(&problem, &submodular), HK_EINVAL, &submodular);
    }
    const struct hk_placement_problem nan_cost = {bad_cost, 2, NULL, 0};
    assert_refused(hk_placement_cut(&nan_cost, &p), HK_EINVAL, &p);
    const struct hk_placement_problem none = {cost, 0, NULL, 0};
    assert_refused(hk_placement_cut(&none, &p), HK_EINVAL, &p);
    const struct hk_placement_problem two = {cost, 2, NULL, 0};
    assert_refused(hk_placement_cost(&two, 4, &value), HK_EINVAL, &value);
    static const double many[HK_ENUMERATED_MAX + 1];
    const struct hk_placement_problem large = {many, HK_ENUMERATED_MAX + 1, NULL, 0};
    assert_refused(hk_placement_enumerate(&large, &p, NULL), HK_ETOOBIG, &p);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_finds_the_enumerated_optimum),
        cmocka_unit_test(chatty_servers_are_enumerated),
        cmocka_unit_test(interaction_beats_the_additive_score),
        cmocka_unit_test(additivity_is_the_case_without_edges),
        cmocka_unit_test(sixty_four_services_are_cut),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
