/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/machine/topology.h"

static const struct {
    const char *machine;
    int cpus[4];
    size_t count; /* of CPUs that may be used; 0: all */
    struct hk_cpu_pair pairs[HK_PLACE_COUNT];
} cases[] = {
    /* same_core, cross_core, smt, cross_socket; -1: there is none */
    { "core:1 pu:1", { 0 }, 0, { { 0, 0 }, { -1, -1 }, { -1, -1 }, { -1, -1 } } },
    { "package:1 core:2 pu:1", { 0 }, 0, { { 1, 1 }, { 1, 0 }, { -1, -1 }, { -1, -1 } } },
    { "package:1 core:2 pu:2", { 0 }, 0, { { 3, 3 }, { 3, 1 }, { 3, 2 }, { -1, -1 } } },
    { "package:2 core:2 pu:2", { 0 }, 0, { { 7, 7 }, { 7, 5 }, { 7, 6 }, { 7, 3 } } },
    /* two caches over four cores each: 7 and 6 share one */
    { "package:1 l3:2 core:4 pu:1", { 0 }, 0, { { 7, 7 }, { 7, 6 }, { -1, -1 }, { -1, -1 } } },
    { "package:1 l3:4 core:1 pu:1", { 0 }, 0, { { 3, 3 }, { 3, 2 }, { -1, -1 }, { -1, -1 } } },
    { "package:2 core:2 pu:2", { 2 }, 1, { { 2, 2 }, { -1, -1 }, { -1, -1 }, { -1, -1 } } },
    { "package:2 core:2 pu:2", { 0, 1 }, 2, { { 1, 1 }, { -1, -1 }, { 1, 0 }, { -1, -1 } } },
    { "package:2 core:2 pu:2", { 1, 4 }, 2, { { 4, 4 }, { -1, -1 }, { -1, -1 }, { 4, 1 } } },
};

static void pairs_are_chosen_by_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_topology *topology = NULL;
        assert_int_equal(hk_topology_create_described(cases[i].machine, cases[i].cpus,
                                                      cases[i].count, &topology),
                         HK_OK);
        for (size_t place = 0; place < HK_PLACE_COUNT; place++) {
            struct hk_cpu_pair pair = { -1, -1 };
            char reason[HK_PLACE_REASON_BYTES] = "";
            enum hk_status status =
                hk_topology_place(topology, (enum hk_place)place, &pair, reason);
            const struct hk_cpu_pair *want = &cases[i].pairs[place];
            if (pair.client != want->client || pair.server != want->server)
                fail_msg("case %zu %s: %d,%d", i, hk_place_name((enum hk_place)place), pair.client,
                         pair.server);
            assert_int_equal(status, want->client < 0 ? HK_ENOTSUP : HK_OK);
            assert_true((reason[0] != '\0') == (status != HK_OK));
        }
        hk_topology_destroy(topology);
    }
}

static void bad_descriptions_are_refused(void **state)
{
    (void)state;
    struct hk_topology *topology = NULL;
    const int none[] = { 99 }, negative[] = { -1 };
    assert_int_equal(hk_topology_create_described("nonsense", NULL, 0, &topology), HK_EPARSE);
    assert_int_equal(hk_topology_create_described("core:2 pu:1", none, 1, &topology), HK_EINVAL);
    assert_int_equal(hk_topology_create_described("core:2 pu:1", negative, 1, &topology),
                     HK_EINVAL);
    assert_null(topology);
}

static void this_machine_keeps_to_its_mask(void **state)
{
    (void)state;
    cpu_set_t saved, one;
    struct hk_topology *topology = NULL;
    struct hk_topology_counts counts;
    struct hk_cpu_pair pair;
    char reason[HK_PLACE_REASON_BYTES] = "";
    assert_int_equal(sched_getaffinity(0, sizeof(saved), &saved), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &saved))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(hk_topology_create(&topology), HK_OK);
    hk_topology_count(topology, &counts);
    assert_int_equal(counts.cpus, 1);
    assert_int_equal(hk_topology_place(topology, HK_PLACE_SAME_CORE, &pair, reason), HK_OK);
    assert_int_equal(pair.client, first);
    assert_int_equal(hk_topology_place(topology, HK_PLACE_CROSS_CORE, &pair, reason), HK_ENOTSUP);
    assert_non_null(strstr(reason, "taskset"));
    hk_topology_destroy(topology);
    sched_setaffinity(0, sizeof(saved), &saved);
}

static void places_have_names(void **state)
{
    (void)state;
    enum hk_place place = HK_PLACE_SMT;
    assert_int_equal(hk_place_find("cross_core", &place), HK_OK);
    assert_int_equal(place, HK_PLACE_CROSS_CORE);
    assert_int_equal(hk_place_find("far_away", &place), HK_ENOENT);
    assert_int_equal(place, HK_PLACE_CROSS_CORE);
    assert_null(hk_place_name(HK_PLACE_COUNT));
}

static void counts_are_of_the_whole(void **state)
{
    (void)state;
    struct hk_topology *topology = NULL;
    struct hk_topology_counts counts;
    assert_int_equal(hk_topology_create_described("package:2 core:3 pu:2", NULL, 0, &topology),
                     HK_OK);
    hk_topology_count(topology, &counts);
    assert_int_equal(counts.packages, 2);
    assert_int_equal(counts.cores, 6);
    assert_int_equal(counts.cpus, 12);
    hk_topology_destroy(topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_chosen_by_distance),
        cmocka_unit_test(bad_descriptions_are_refused),
        cmocka_unit_test(this_machine_keeps_to_its_mask),
        cmocka_unit_test(places_have_names),
        cmocka_unit_test(counts_are_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
