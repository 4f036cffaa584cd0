/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schedule.h"

enum { CELLS = 4 };

static char names[CELLS][HK_NAME_BYTES] = {
    "native/round_trip/pipe/place:same_core/bytes:64",
    "native/wakeup/absolute/policy:other/load:idle/period_us:1000/inject_us:0/record:lateness",
    "native/wakeup/absolute/policy:other/load:idle/period_us:1000/inject_us:0/record:interval",
    "native/syscall/getppid/bytes:0",
};

static const struct hk_cells cells = {.count = CELLS, .names = names};

static const struct hk_effort effort = {
    .launches_min = 5, .launches_max = 8, .interval_ratio = 0.05};

static void assert_near(double value, double expected, double tolerance)
{
    assert_true(fabs(value - expected) <= tolerance);
}

/* Gives a launch with that cost (none when negative) to the schedule. */
static void give(struct hk_schedule *s, size_t cell, double cost_ns, enum hk_launch_state end,
                 double *stop)
{
    struct hk_launch launch;

    assert_int_equal(hk_launch_init(&launch, names[cell], 0, 1), HK_OK);
    if (cost_ns >= 0)
        assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", cost_ns), HK_OK);
    if (end != HK_LAUNCH_OK)
        assert_int_equal(hk_launch_set_state(&launch, end, "as the test says"), HK_OK);
    assert_int_equal(hk_schedule_account(s, cell, &launch), HK_OK);
    *stop = -1;
    hk_launch_counter(&launch, "hk_stop", stop);
    hk_launch_fini(&launch);
}

static void a_pass_takes_every_group_once_in_random_order(void **state)
{
    const struct hk_cell_group *first_of_last = NULL;
    int orders_differ = 0;
    struct hk_schedule s;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 4711), HK_OK);
    assert_int_equal(s.group_count, 3); /* the two wake-up arms share one */
    for (int pass = 0; pass < 40; pass++) {
        int seen[3] = {0};
        for (size_t i = 0; i < s.group_count; i++) {
            const struct hk_cell_group *g = hk_schedule_next(&s);
            assert_non_null(g);
            seen[g - s.groups]++;
            if (i == 0 && first_of_last != NULL && first_of_last != g)
                orders_differ++;
            if (i == 0)
                first_of_last = g;
        }
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_true(orders_differ > 5);
    hk_schedule_fini(&s);
}

static void a_cell_stops_when_its_interval_is_narrow(void **state)
{
    struct hk_schedule s;
    double stop;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 1), HK_OK);
    for (int i = 0; i < 4; i++) {
        give(&s, 0, 4137.0 + i, HK_LAUNCH_OK, &stop);
        assert_near(stop, 0, 0);
    }
    give(&s, 0, 4142.0, HK_LAUNCH_OK, &stop);
    assert_near(stop, 1, 0);
    assert_int_equal(s.cells[0].end, HK_CELL_NARROW);
    hk_schedule_fini(&s);
}

static void a_noisy_cell_stops_at_the_most_launches(void **state)
{
    struct hk_schedule s;
    double stop;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 1), HK_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(s.cells[0].end, HK_CELL_RUNS);
        give(&s, 0, i % 2 ? 4100.0 : 9700.0, HK_LAUNCH_OK, &stop);
    }
    assert_near(stop, 2, 0);
    assert_int_equal(s.cells[0].end, HK_CELL_ENOUGH);
    hk_schedule_fini(&s);
}

static void a_cell_without_cost_stops_at_the_least_launches(void **state)
{
    struct hk_schedule s;
    double stop;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 1), HK_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s.cells[1].end, HK_CELL_RUNS);
        give(&s, 1, -1, HK_LAUNCH_OK, &stop);
    }
    assert_int_equal(s.cells[1].end, HK_CELL_ENOUGH);
    hk_schedule_fini(&s);
}

/* Gives a launch around which the core had these paces; returns whether it was found slow. */
static bool give_pace(struct hk_schedule *s, size_t cell, double before_ns, double after_ns)
{
    struct hk_launch launch;
    double slow = 0;

    assert_int_equal(hk_launch_init(&launch, names[cell], 0, 1), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", 4137.0), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "hk_pace_before_ns", before_ns), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "hk_pace_after_ns", after_ns), HK_OK);
    assert_int_equal(hk_schedule_account(s, cell, &launch), HK_OK);
    hk_launch_counter(&launch, "hk_slow", &slow);
    assert_int_equal(hk_launch_slow(&launch), slow > 0);
    hk_launch_fini(&launch);
    return slow > 0;
}

static void launches_on_a_slow_core_are_repeated(void **state)
{
    static const struct hk_effort patient = {
        .launches_min = 5, .launches_max = 40, .interval_ratio = 0.05};
    struct hk_schedule s;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &patient, 1), HK_OK);
    for (int i = 0; i < 8; i++) /* too few to tell */
        assert_false(give_pace(&s, 3, i % 2 ? 12000 : 17000, 12000));
    for (int i = 0; i < 4; i++) {
        assert_true(give_pace(&s, 0, 12100, 13000));
        assert_false(give_pace(&s, 0, 12100, 12200));
        assert_true(give_pace(&s, 0, 17000, 12000));
    }
    assert_int_equal(s.cells[0].cost_count, 4);
    assert_int_equal(s.cells[0].end, HK_CELL_RUNS); /* 12 launches, 5 repeated: 3 would be left */
    assert_false(give_pace(&s, 0, 12100, 12200));
    assert_int_equal(s.cells[0].end, HK_CELL_NARROW);
    hk_schedule_fini(&s);
}

static void failures_end_a_cell(void **state)
{
    struct hk_schedule s;
    double stop;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 1), HK_OK);
    give(&s, 0, -1, HK_LAUNCH_UNAVAILABLE, &stop);
    assert_int_equal(s.cells[0].end, HK_CELL_UNAVAILABLE);
    give(&s, 3, -1, HK_LAUNCH_FAILED, &stop);
    assert_int_equal(s.cells[3].end, HK_CELL_RUNS);
    give(&s, 3, -1, HK_LAUNCH_INVALID, &stop);
    assert_int_equal(s.cells[3].end, HK_CELL_BROKEN);
    for (int i = 0; i < 3; i++)
        give(&s, 1, -1, HK_LAUNCH_OK, &stop);
    give(&s, 1, -1, HK_LAUNCH_FAILED, &stop);
    give(&s, 1, -1, HK_LAUNCH_FAILED, &stop);
    assert_int_equal(s.cells[1].end, HK_CELL_RUNS); /* more good ones than bad */
    hk_schedule_fini(&s);
}

static void system_calls_are_counted_until_found_in_order_then_now_and_then(void **state)
{
    static const bool expected[] = {true, true, false, false, false, true, false};
    struct hk_schedule s;
    double stop;

    (void)state;
    assert_int_equal(hk_schedule_init(&s, &cells, &effort, 1), HK_OK);
    for (size_t i = 0; i < sizeof expected; i++) {
        assert_int_equal(hk_schedule_counts(&s.cells[0]), expected[i]);
        give(&s, 0, 4137.0, i == 0 ? HK_LAUNCH_INVALID : HK_LAUNCH_OK, &stop);
    }
    hk_schedule_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_takes_every_group_once_in_random_order),
        cmocka_unit_test(a_cell_stops_when_its_interval_is_narrow),
        cmocka_unit_test(a_noisy_cell_stops_at_the_most_launches),
        cmocka_unit_test(a_cell_without_cost_stops_at_the_least_launches),
        cmocka_unit_test(launches_on_a_slow_core_are_repeated),
        cmocka_unit_test(failures_end_a_cell),
        cmocka_unit_test(system_calls_are_counted_until_found_in_order_then_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
