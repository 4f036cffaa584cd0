/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "timed.h"
#include "wire.h"

static const struct {
    struct hk_evidence evidence; /* wall, own CPU, involuntary, steal, serial, own */
    enum hk_guard guard;
} guard_cases[] = {
    {{1200000, 1199000, 0, 0, true, 0}, HK_GUARD_KEEP},
    {{1200000, 1141000, 0, 0, true, 0}, HK_GUARD_KEEP},     /* 4.9 % to others */
    {{1200000, 1139000, 0, 0, true, 0}, HK_GUARD_FOREIGN},  /* 5.1 % */
    {{1200000, 1199000, 137, 0, true, 0}, HK_GUARD_KEEP},   /* wake-ups preempt on one CPU */
    {{1200000, 300000, 0, 0, false, 0}, HK_GUARD_KEEP},     /* two CPUs: waiting is idle */
    {{1200000, 300000, 1, 0, false, 0}, HK_GUARD_PREEMPTED},
    {{1200000, 300000, 12, 0, false, 12}, HK_GUARD_KEEP}, /* by threads that work for it */
    {{1200000, 300000, 13, 0, false, 12}, HK_GUARD_PREEMPTED},
    {{1200000, 1199000, 0, 10000000, true, 0}, HK_GUARD_STEAL},
    {{1200000, 300000, 0, 10000000, false, 0}, HK_GUARD_STEAL},
    {{1200000, 1300000, 0, 0, true, 0}, HK_GUARD_KEEP},     /* the clocks' grain */
};

static void assert_near(double value, double expected, double tolerance)
{
    assert_true(fabs(value - expected) <= tolerance);
}

static void guards_judge_evidence_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(guard_cases); i++)
        assert_int_equal(hk_guard_judge(&guard_cases[i].evidence), guard_cases[i].guard);
}

static void blocks_are_long_enough(void **state)
{
    (void)state;
    assert_int_equal(hk_block_operations(4137.5, 1200000, 0), 290);
    assert_int_equal(hk_block_operations(3.7, 1200000, 1), 324324);
    assert_int_equal(hk_block_operations(997.0, 1000, 1), 16); /* under 1 us: at least 16 */
    assert_int_equal(hk_block_operations(5000000.0, 1200000, 1), 1);
    assert_int_equal(hk_block_operations(4137.5, 1200000, 64), 256);
    assert_int_equal(hk_block_operations(5000000.0, 1200000, 64), 64);
    assert_int_equal(hk_block_operations(0.0, 1200000, 1), 16);
}

static void costs_are_quantiles_of_blocks(void **state)
{
    double blocks[11], value;
    struct hk_launch launch;

    (void)state;
    for (size_t i = 0; i < 11; i++)
        blocks[i] = 2385.0 + (double)((i * 7) % 11); /* 2385..2395 in some order */
    blocks[3] += 1000; /* 21 mod 11 = 10: the largest */
    assert_int_equal(hk_launch_init(&launch, "native/x/y", 0, 1), HK_OK);
    assert_int_equal(hk_report_costs(blocks, 11, &launch), HK_OK);
    assert_true(hk_launch_counter(&launch, "cost_ns", &value));
    assert_near(value, 2386.0, 1e-9);
    assert_true(hk_launch_counter(&launch, "median_ns", &value));
    assert_near(value, 2390.0, 1e-9);
    assert_true(hk_launch_counter(&launch, "mean_ns", &value));
    assert_near(value, 2390.0 + 1000.0 / 11, 1e-9);
    const struct hk_series *series = hk_launch_series(&launch, "block_mean_ns");
    assert_non_null(series);
    assert_int_equal(series->count, 11);
    assert_memory_equal(series->values, blocks, sizeof blocks); /* in the order of time */
    hk_launch_fini(&launch);
}

static void quantiles_are_reported_only_as_far_as_the_sample_goes(void **state)
{
    struct hk_task task = {.clock = {.tsc = false, .ns_per_tick = 1.0}};
    static double values[400];
    struct hk_launch launch;
    double value, sum = 0;

    (void)state;
    for (size_t i = 0; i < 400; i++)
        values[i] = 4000.0 + (double)i;
    assert_int_equal(hk_launch_init(&launch, "native/x/y", 0, 1), HK_OK);
    assert_int_equal(hk_report_latencies(&task, values, 400, &launch), HK_OK);
    assert_true(hk_launch_counter(&launch, "hk_latency_ns_p50", &value));
    assert_near(value, 4199.0, 4199.0 / 256);
    assert_true(hk_launch_counter(&launch, "hk_latency_ns_p99", &value));
    assert_false(hk_launch_counter(&launch, "hk_latency_ns_p999", &value)); /* needs 2,995 */
    const struct hk_series *count = hk_launch_series(&launch, "latency_bucket_count");
    for (size_t i = 0; i < count->count; i++)
        sum += count->values[i];
    assert_near(sum, 400, 0);
    assert_int_equal(hk_launch_series(&launch, "latency_bucket_ns")->count, count->count);
    hk_launch_fini(&launch);
}

static enum hk_status sleep_a_while(struct hk_task *task, uint64_t n)
{
    const struct timespec while_ns = {.tv_nsec = 30 * HK_NS_PER_MS};

    (void)task;
    for (uint64_t i = 0; i < n; i++)
        nanosleep(&while_ns, NULL);
    return HK_OK;
}

/* What others do meanwhile is in the wall clock; where costs are CPU time it is in neither. */
static void cpu_time_leaves_out_what_others_took(void **state)
{
    static const struct hk_experiment sleeper = {.kind = "sleeper", .run = sleep_a_while};
    struct hk_task task = {.clock = {.tsc = false, .ns_per_tick = 1.0}, .experiment = &sleeper};
    struct hk_evidence evidence;
    double elapsed_ns;

    (void)state;
    assert_int_equal(hk_timed_witness(&task, 1, false, &elapsed_ns, &evidence), HK_OK);
    assert_true(elapsed_ns >= 30e6);
    assert_int_equal(hk_guard_judge(&evidence), HK_GUARD_FOREIGN);
    task.by_cpu_time = true;
    assert_int_equal(hk_timed_witness(&task, 1, false, &elapsed_ns, &evidence), HK_OK);
    assert_true(elapsed_ns < 30e6);
    assert_int_equal(hk_guard_judge(&evidence), HK_GUARD_KEEP);
}

static void a_torn_line_is_noticed(void **state)
{
    struct hk_launch launch, back;
    struct hk_bytes bytes = {0};
    size_t used = 0;
    double value;

    (void)state;
    assert_int_equal(hk_launch_init(&launch, "native/x/y", 3, 99), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", 2385.25), HK_OK);
    assert_int_equal(hk_wire_encode(&launch, &bytes), HK_OK);
    assert_int_equal(hk_wire_encode(&launch, &bytes), HK_OK);
    for (size_t n = 0; n < bytes.bytes / 2; n++)
        assert_int_equal(hk_wire_decode(bytes.data, n, &back, &used), HK_EEMPTY);
    assert_int_equal(hk_wire_decode(bytes.data, bytes.bytes, &back, &used), HK_OK);
    assert_int_equal(used, bytes.bytes / 2);
    assert_int_equal(back.index, 3);
    assert_true(hk_launch_counter(&back, "cost_ns", &value));
    assert_near(value, 2385.25, 0);
    hk_launch_fini(&back);
    assert_int_equal(hk_wire_decode("{]\n", 3, &back, &used), HK_EPARSE);
    hk_launch_fini(&launch);
    hk_bytes_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_judge_evidence_only),
        cmocka_unit_test(blocks_are_long_enough),
        cmocka_unit_test(costs_are_quantiles_of_blocks),
        cmocka_unit_test(quantiles_are_reported_only_as_far_as_the_sample_goes),
        cmocka_unit_test(cpu_time_leaves_out_what_others_took),
        cmocka_unit_test(a_torn_line_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
