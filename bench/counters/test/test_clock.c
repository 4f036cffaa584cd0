/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hk/counters/clock.h"

static void durations_out_of_range_are_refused(void **state)
{
    struct hk_clock clock, untouched;

    (void)state;
    memset(&clock, 0x5a, sizeof clock);
    untouched = clock;
    assert_int_equal(hk_clock_init(&clock, HK_NS_PER_MS - 1), HK_EINVAL);
    assert_int_equal(hk_clock_init(&clock, HK_NS_PER_S + 1ull), HK_EINVAL);
    assert_memory_equal(&clock, &untouched, sizeof clock);
}

static void agrees_with_the_raw_clock(void **state)
{
    struct hk_clock clock;
    double error_ppm = 0;

    (void)state;
    assert_int_equal(hk_clock_init(&clock, 20 * HK_NS_PER_MS), HK_OK);
    assert_true(clock.ns_per_tick > 0.05 && clock.ns_per_tick < 100.0);
    assert_true(clock.read_ns > 0.0);
    nanosleep(&(struct timespec){0, 30 * HK_NS_PER_MS}, NULL);
    assert_int_equal(hk_clock_check(&clock, &error_ppm), HK_OK);
    /* Generous: a preempted bracket may be off by tens of microseconds. */
    assert_true(error_ppm > -5000.0 && error_ppm < 5000.0);
}

static void never_runs_backwards(void **state)
{
    struct hk_clock clock;

    (void)state;
    assert_int_equal(hk_clock_init(&clock, HK_NS_PER_MS), HK_OK);
    uint64_t last = hk_clock_start(&clock);
    for (int i = 0; i < 100000; i++) {
        const uint64_t now = i % 2 ? hk_clock_start(&clock) : hk_clock_stop(&clock);
        assert_true(now >= last);
        last = now;
    }
}

static void a_spin_lasts_at_least_its_time(void **state)
{
    struct hk_clock clock;

    (void)state;
    assert_int_equal(hk_clock_init(&clock, 5 * HK_NS_PER_MS), HK_OK);
    const uint64_t ticks = hk_clock_ticks(&clock, 137000.0);
    const uint64_t start = hk_clock_start(&clock);
    hk_clock_spin(&clock, ticks);
    assert_true(hk_clock_stop(&clock) - start >= ticks);
    hk_clock_spin(&clock, 0);
}

static void falls_back_to_nanoseconds(void **state)
{
    const struct hk_clock clock = {.tsc = false, .ns_per_tick = 1.0};

    (void)state;
    const uint64_t a = hk_clock_raw_ns();
    const uint64_t b = hk_clock_start(&clock);
    const uint64_t c = hk_clock_raw_ns();
    assert_true(a <= b && b <= c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_out_of_range_are_refused),
        cmocka_unit_test(agrees_with_the_raw_clock),
        cmocka_unit_test(never_runs_backwards),
        cmocka_unit_test(a_spin_lasts_at_least_its_time),
        cmocka_unit_test(falls_back_to_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
