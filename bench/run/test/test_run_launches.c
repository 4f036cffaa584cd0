/* SPDX-License-Identifier: MIT */
/* One launch of each kind with a tiny effort, judged by its structure, never by its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "smoke.h"

static const char *const launch_command[] = {"/proc/self/exe", "launch", NULL};

/* Measures what a filter selects; the run is read back. */
static void measure(const char *filter, const volatile sig_atomic_t *stop, struct hk_run *run,
                    struct hk_run_outcome *outcome)
{
    char folder[] = "/tmp/hk_test_XXXXXX", command[64], error[HK_TEXT_BYTES] = "";

    assert_non_null(mkdtemp(folder));
    const struct hk_run_plan plan = {
        .mode = HK_RUN_FULL,
        .effort = &smoke_effort,
        .filter = filter,
        .budget_ns = 60ull * HK_NS_PER_S,
        .seed = 20385,
        .out_root = folder,
        .machine_json = "{\"id\":\"test\"}",
        .arguments = "test",
        .remark = "a test",
        .launch_command = launch_command,
        .stop = stop,
    };
    if (hk_run_execute(&plan, outcome, error) != HK_OK)
        fail_msg("%s: %s", filter, error);
    if (hk_run_read(outcome->path, run, error) != HK_OK)
        fail_msg("%s: %s", filter, error);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void has_counter(const struct hk_launch *launch, const char *name)
{
    double value;

    if (!hk_launch_counter(launch, name, &value))
        fail_msg("%s has no counter %s", launch->name, name);
}

static void has_series(const struct hk_launch *launch, const char *name)
{
    const struct hk_series *series = hk_launch_series(launch, name);

    if (series == NULL || series->count == 0)
        fail_msg("%s has no series %s", launch->name, name);
}

static const char *const timed_counters[] = {"cost_ns", "mean_ns", "median_ns", "hk_blocks_kept",
                                             "hk_blocks_dropped", "hk_switches_per_op"};

static const struct {
    const char *filter;
    bool latencies;
} timed_cases[] = {
    {"^native/round_trip/(pipe|null|inline)/place:same_core/bytes:64$", true},
    {"^native/round_trip/unix_seqpacket/place:same_core/bytes:65536$", true},
    {"^native/syscall/getppid/", true},
    {"^native/one_way/pipe/place:same_core/bytes:64$", false},
    {"^native/chain/pipe/place:same_core/servers:3/bytes:256$", true},
    {"^native/chain/pipe/place:same_core/policy:batch/servers:2/bytes:4096$", true},
    {"^native/inject/pipe/place:same_core/policy:batch/servers:2/bytes:64$", false},
    {"^native/inject_syscall/pipe_self/bytes:64$", false},
    {"^native/copy/memcpy/state:l1/bytes:64$", true},
    {"^native/remap/(mremap|memfd)/bytes:16384$", true},
    {"^native/file_read/memfs/bytes:4096$", true},
    {"^native/workload/(one_memory_three|mixed_c1)/servers:0$", false},
    {"^native/workload/mixed_c1/over:pipe/servers:255$", false},
};

/* On a busy machine a count may be off; what it is then called is INVALID, with the reason. */
static void every_timed_kind_gives_its_numbers(void **state)
{
    (void)state;
    for (size_t k = 0; k < HK_ARRAY_COUNT(timed_cases); k++) {
        struct hk_run_outcome outcome;
        struct hk_run run;
        measure(timed_cases[k].filter, NULL, &run, &outcome);
        assert_true(run.launch_count > 0);
        for (size_t i = 0; i < run.launch_count; i++) {
            const struct hk_launch *launch = &run.launches[i];
            if (launch->state == HK_LAUNCH_UNAVAILABLE && strstr(launch->name, "/copy/") != NULL) {
                print_message("skip: %s: %s\n", launch->name, launch->reason);
                continue; /* some machines do not tell the size of their caches */
            }
            if (launch->state != HK_LAUNCH_OK && launch->state != HK_LAUNCH_INVALID)
                fail_msg("%s: %s", launch->name, launch->reason);
            for (size_t n = 0; n < HK_ARRAY_COUNT(timed_counters); n++)
                has_counter(launch, timed_counters[n]);
            has_series(launch, "block_mean_ns");
            if (!timed_cases[k].latencies)
                continue;
            has_series(launch, "latency_bucket_ns");
            has_series(launch, "latency_bucket_count");
        }
        hk_run_fini(&run);
    }
}

/* Counts over launches, told by the neighbour's own clock and by switches: true on a busy machine. */
/* Their costs are CPU time, and wall clock must not stand beside it. */
static void loading_has_no_latencies(void **state)
{
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/extension/load/shape:straight/size:16$", NULL, &run, &outcome);
    assert_true(run.launch_count > 0);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        if (launch->state == HK_LAUNCH_UNAVAILABLE) {
            print_message("skip: %s: %s\n", launch->name, launch->reason);
            continue;
        }
        has_counter(launch, "cost_ns");
        assert_null(hk_launch_series(launch, "latency_bucket_ns"));
    }
    hk_run_fini(&run);
}

static void a_neighbour_is_flagged_and_quiet_is_not(void **state)
{
    static const char *const names[] = {"hk_neighbour_blocks", "hk_neighbour_flagged",
                                        "hk_quiet_blocks", "hk_quiet_flagged"};
    double sums[HK_ARRAY_COUNT(names)] = {0}, value;

    (void)state;
    for (int tries = 0; tries < 5; tries++) {
        struct hk_run_outcome outcome;
        struct hk_run run;
        measure("^native/guard/", NULL, &run, &outcome);
        for (size_t i = 0; i < run.launch_count; i++)
            for (size_t n = 0; n < HK_ARRAY_COUNT(names); n++)
                if (hk_launch_counter(&run.launches[i], names[n], &value))
                    sums[n] += value;
        hk_run_fini(&run);
    }
    print_message("shared %g, flagged %g; quiet %g, flagged %g\n", sums[0], sums[1], sums[2],
                  sums[3]);
    assert_true(sums[0] >= 10 && sums[2] >= 10);
    /* One more may be missed: the few blocks here cannot tell 98 % from 99 %. */
    assert_true(sums[1] + 1 >= 0.99 * sums[0]);
    assert_true(sums[3] <= 0.01 * sums[2] + 1);
}

/* Requests at a rate have a cost each; other clients and a busy peer come as helpers. */
static void variations_of_a_round_trip_end_with_a_cost(void **state)
{
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/round_trip/pipe/place:same_core/bytes:64/(clients:4|rate_per_s:1000)$|"
            "pipe/.*peer:busy$",
            NULL, &run, &outcome);
    assert_true(run.launch_count >= 3);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        if (launch->state == HK_LAUNCH_OK)
            has_counter(launch, "cost_ns");
        else if (launch->state == HK_LAUNCH_FAILED)
            fail_msg("%s: %s", launch->name, launch->reason);
    }
    hk_run_fini(&run);
}

static void what_a_machine_may_lack_has_a_cost_or_a_reason(void **state)
{
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/(round_trip/pipe/place:cross_core/bytes:64|floor/.*|"
            "(file|block)_read/.*bytes:4096|file_stat/.*|file_write/(ext4|fuse).*bytes:65536|"
            "extension/(load|run|event_.*)/.*size:256|extension/amortised/.*size:256/count:10|"
            "net_echo/.*protocol:udp/bytes:64|net_echo/lwip/over:tap/protocol:tcp/bytes:1400)$",
            NULL, &run, &outcome);
    assert_true(run.launch_count >= 20); /* what fails is tried again */
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        if (launch->state == HK_LAUNCH_OK)
            has_counter(launch, "cost_ns");
        else
            assert_non_null(launch->reason);
    }
    hk_run_fini(&run);
}

static void concurrent_arms_come_from_one_launch(void **state)
{
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/wakeup/.*policy:other/load:loaded.*", NULL, &run, &outcome);
    assert_true(run.launch_count >= 3);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        assert_int_equal(launch->state, HK_LAUNCH_OK);
        has_series(launch,
                   strstr(launch->name, "lateness") != NULL ? "lateness_ns" : "interval_ns");
    }
    hk_run_fini(&run);
}

static void a_mixer_counts_its_underruns(void **state)
{
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/audio/device/policy:other/load:.*/streams:32$", NULL, &run, &outcome);
    assert_int_equal(run.launch_count, 2);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        assert_int_equal(launch->state, HK_LAUNCH_OK);
        const struct hk_series *underruns = hk_launch_series(launch, "underruns_count");
        const struct hk_series *periods = hk_launch_series(launch, "periods_count");
        assert_non_null(underruns);
        assert_non_null(periods);
        assert_int_equal(underruns->count, 8);
        /* A larger buffer never runs empty more often; one of a single period always does. */
        for (size_t b = 1; b < underruns->count; b++)
            assert_true(underruns->values[b] <= underruns->values[b - 1]);
        assert_true(underruns->values[0] == periods->values[0] && periods->values[0] > 0);
        has_series(launch, "completion_ns");
        has_counter(launch, "hk_mix_ns_mean");
    }
    hk_run_fini(&run);
}

/* Of somebody else's audio server: every number, or a reason that says what to do. */
static void an_audio_server_calls_back_or_says_why(void **state)
{
    static const char *const counters[] = {"hk_period_deviation_ns_mean", "hk_lateness_ns_p50",
                                           "hk_periods_count"};
    static const char *const remedies[] = {"install ", "run as root", "quieter machine",
                                           "did not let all clients in", "passed through all"};
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/audio_server/", NULL, &run, &outcome);
    assert_true(run.launch_count >= 4);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        bool told = false;
        for (size_t r = 0; r < HK_ARRAY_COUNT(remedies) && launch->state != HK_LAUNCH_OK; r++)
            told = told || strstr(launch->reason, remedies[r]) != NULL;
        if (launch->state != HK_LAUNCH_OK) {
            print_message("    %s: %s\n", launch->name, launch->reason);
            assert_true(told);
            continue;
        }
        for (size_t c = 0; c < HK_ARRAY_COUNT(counters); c++)
            has_counter(launch, counters[c]);
        has_series(launch, "lateness_ns");
        has_series(launch, "interval_ns");
        if (strstr(launch->name, "/jack/") != NULL)
            has_counter(launch, "hk_xruns_count");
        if (strstr(launch->name, "clients:4") != NULL)
            has_counter(launch, "cost_ns"); /* samples have passed through all of them */
    }
    hk_run_fini(&run);
}

/* A queue gives its moments and its requests; or the reason, on one CPU or without SCHED_FIFO. */
static void a_queue_gives_its_waits_or_a_reason(void **state)
{
    static const char *const counters[] = {"wait_ns", "service_ns", "service_cv2", "work_ns",
                                           "work_cv2", "arrivals_per_s", "arrival_cv2",
                                           "utilisation_ratio", "hk_late_ns"};
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/queue/.*(law:hyper2/rho_percent:30|law:deterministic/rho_percent:50|"
            "policy:other/law:exponential/rho_percent:80)/", NULL, &run, &outcome);
    assert_true(run.launch_count >= 3);
    for (size_t i = 0; i < run.launch_count; i++) {
        const struct hk_launch *launch = &run.launches[i];
        double work_ns, work_cv2, service_ns, requests;
        if (launch->state == HK_LAUNCH_UNAVAILABLE) {
            print_message("skip: %s: %s\n", launch->name, launch->reason);
            continue;
        }
        if (launch->state != HK_LAUNCH_OK)
            fail_msg("%s: %s", launch->name, launch->reason);
        for (size_t n = 0; n < HK_ARRAY_COUNT(counters); n++)
            has_counter(launch, counters[n]);
        const struct hk_series *gap = hk_launch_series(launch, "request_gap_ns");
        const struct hk_series *work = hk_launch_series(launch, "request_work_ns");
        assert_true(gap != NULL && work != NULL && gap->count == work->count);
        assert_true(hk_launch_counter(launch, "hk_requests", &requests));
        assert_true(requests == (double)gap->count && requests >= 64);
        for (size_t k = 0; k < gap->count; k++)
            assert_true(gap->values[k] >= 0 && work->values[k] >= 0);
        /* The law is drawn part by part; and no request takes less than its work. */
        assert_true(hk_launch_counter(launch, "work_ns", &work_ns));
        assert_true(hk_launch_counter(launch, "work_cv2", &work_cv2));
        assert_true(hk_launch_counter(launch, "service_ns", &service_ns));
        assert_true(service_ns >= 0.99 * work_ns && work_ns > 150e3 && work_ns < 250e3);
        if (strstr(launch->name, "deterministic") != NULL)
            assert_true(work_cv2 < 1e-12);
        else
            assert_true(work_cv2 > (strstr(launch->name, "hyper2") != NULL ? 1.5 : 0.5));
    }
    hk_run_fini(&run);
}

static void a_stop_leaves_a_valid_partial_run(void **state)
{
    const volatile sig_atomic_t stop = 1;
    struct hk_run_outcome outcome;
    struct hk_run run;

    (void)state;
    measure("^native/round_trip/pipe/", &stop, &run, &outcome);
    assert_true(outcome.interrupted && outcome.partial && run.partial);
    assert_int_equal(run.launch_count, 0);
    hk_run_fini(&run);
}

static void a_pair_of_the_same_cell_gives_ratios(void **state)
{
    static const char cell[] = "native/round_trip/pipe/place:same_core/bytes:64";
    const struct hk_pair_plan plan = {
        .a = cell, .b = cell, .launches = 2, .rounds = 8, .block_ns = 300 * HK_NS_PER_US,
        .seed = 5, .launch_command = launch_command};
    char error[HK_TEXT_BYTES] = "";
    double ratios[2];
    size_t count = 0;

    (void)state;
    if (hk_pair_run(&plan, ratios, &count, error) != HK_OK)
        fail_msg("%s", error);
    assert_in_range(count, 1, 2);
    for (size_t i = 0; i < count; i++)
        assert_true(ratios[i] > -3 && ratios[i] < 3);
}

/* The ratio is of B to A, whichever was opened first: of a round trip to a system call, above 1. */
static void a_pair_keeps_its_sides(void **state)
{
    const struct hk_pair_plan plan = {
        .a = "native/syscall/getppid/bytes:0",
        .b = "native/round_trip/pipe/place:same_core/bytes:64",
        .launches = 6, .rounds = 8, .block_ns = 300 * HK_NS_PER_US, .seed = 5,
        .launch_command = launch_command};
    char error[HK_TEXT_BYTES] = "";
    double ratios[6];
    size_t count = 0;

    (void)state;
    if (hk_pair_run(&plan, ratios, &count, error) != HK_OK)
        fail_msg("%s", error);
    for (size_t i = 0; i < count; i++)
        assert_true(ratios[i] > 0);
}

/* Cells that make no sense are refused with a reason; nothing is written. */
static void pairs_that_cannot_be_are_refused(void **state)
{
    static const char *const bad_cells[] = {
        "native/no_such_kind/x",
        "native/round_trip/thread_spin_ring/place:cross_core/bytes:8",
        "native/round_trip/pipe/place:same_core/bytes:99999999",
        "native/round_trip/no_such_transport/place:same_core/bytes:1",
        "native/round_trip/pipe/place:on_the_moon/bytes:1",
        "native/chain/pipe/place:same_core/servers:99/bytes:1",
        "native/remap/mremap/bytes:17",
        "native/copy/memcpy/state:l9/bytes:64",
        "native/file_read/floppy/bytes:64",
        "native/block_read/loop/bytes:5000",
        "native/audio_server/gramophone/period_frames:64/clients:1",
        "native/file_read/tmpfs/bytes:99999999",
        "native/file_write/fuse/cache:l9/bytes:64",
        "native/extension/load/shape:straight/size:1",
        "native/queue/pipe/place:same_core/policy:other/law:exponential/rho_percent:50/service_us:9",
        "native/queue/pipe/place:cross_core/policy:other/law:moon/rho_percent:50/service_us:9",
        "native/queue/pipe/place:cross_core/policy:moon/law:hyper2/rho_percent:50/service_us:9",
        "native/queue/pipe/place:cross_core/policy:other/law:hyper2/rho_percent:99/service_us:9",
        "native/queue/null/place:cross_core/policy:other/law:hyper2/rho_percent:50/service_us:9",
        "native/net_echo/kernel/over:moon/protocol:udp/bytes:64",
        "native/net_echo/xdp/over:veth/protocol:tcp/bytes:64",
        "native/workload/one_stat/servers:256",
        "native/workload/one_stat/servers:1",
        "native/workload/one_stat/over:fax/servers:1",
        "native/workload/one_stat/over:inline/servers:1",
        "native/workload/one_stat/over:thread_spin_ring/servers:1",
        "native/workload/no_such_workload/servers:0",
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad_cells); i++) {
        const struct hk_pair_plan plan = {
            .a = bad_cells[i], .b = bad_cells[i], .launches = 1, .rounds = 8,
            .block_ns = 100 * HK_NS_PER_US, .launch_command = launch_command};
        char error[HK_TEXT_BYTES] = "";
        double ratio = 17;
        size_t count = 99;
        assert_int_not_equal(hk_pair_run(&plan, &ratio, &count, error), HK_OK);
        assert_true(error[0] != '\0');
        assert_int_equal(count, 99);
    }
}

static void only_one_run_holds_the_lock(void **state)
{
    struct hk_run_lock first = {.fd = -1}, second = {.fd = -1};
    pid_t holder = 0;

    (void)state;
    if (hk_run_lock_acquire(&first, &holder) == HK_EBUSY) {
        print_message("skipped: process %d is measuring here\n", (int)holder);
        skip();
    }
    assert_int_equal(hk_run_lock_acquire(&second, &holder), HK_EBUSY);
    assert_int_equal(holder, getpid());
    hk_run_lock_release(&first);
    assert_int_equal(hk_run_lock_acquire(&second, &holder), HK_OK);
    hk_run_lock_release(&second);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "launch") == 0)
        return hk_launch_lead(HK_LAUNCH_FD) == HK_OK ? 0 : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_timed_kind_gives_its_numbers),
        cmocka_unit_test(loading_has_no_latencies),
        cmocka_unit_test(a_neighbour_is_flagged_and_quiet_is_not),
        cmocka_unit_test(variations_of_a_round_trip_end_with_a_cost),
        cmocka_unit_test(what_a_machine_may_lack_has_a_cost_or_a_reason),
        cmocka_unit_test(concurrent_arms_come_from_one_launch),
        cmocka_unit_test(a_mixer_counts_its_underruns),
        cmocka_unit_test(an_audio_server_calls_back_or_says_why),
        cmocka_unit_test(a_queue_gives_its_waits_or_a_reason),
        cmocka_unit_test(a_stop_leaves_a_valid_partial_run),
        cmocka_unit_test(a_pair_of_the_same_cell_gives_ratios),
        cmocka_unit_test(a_pair_keeps_its_sides),
        cmocka_unit_test(pairs_that_cannot_be_are_refused),
        cmocka_unit_test(only_one_run_holds_the_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
