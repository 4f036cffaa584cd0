/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/counters/floor.h"
#include "hk/counters/host.h"
#include "hk/counters/idle.h"
#include "hk/counters/pace.h"
#include "hk/counters/perf.h"
#include "hk/counters/process.h"

static void ratios_are_clamped(void **state)
{
    const struct hk_host_times a = {.busy_ns = 1000, .steal_ns = 70, .total_ns = 4000};
    const struct hk_host_times b = {.busy_ns = 3500, .steal_ns = 470, .total_ns = 8000};

    (void)state;
    assert_float_equal(hk_host_foreign_ratio(&a, &b, 1500), 0.25, 1e-12);
    assert_float_equal(hk_host_foreign_ratio(&a, &b, 999999), 0.0, 1e-12);
    assert_float_equal(hk_host_steal_ratio(&a, &b), 0.1, 1e-12);
    assert_float_equal(hk_host_steal_ratio(&a, &a), 0.0, 1e-12);
}

static void host_times_advance(void **state)
{
    struct hk_host_times all, one;
    const int cpu = sched_getcpu();

    (void)state;
    assert_int_equal(hk_host_read(NULL, 0, &all), HK_OK);
    assert_int_equal(hk_host_read(&cpu, 1, &one), HK_OK);
    assert_true(all.total_ns >= one.total_ns && one.total_ns > 0);
    assert_int_equal(hk_host_read(&(int){1 << 20}, 1, &one), HK_EIO);
}

static void a_pace_is_a_piece_of_work(void **state)
{
    double piece_ns[HK_PACE_PIECES];
    struct hk_clock clock;

    (void)state;
    assert_int_equal(hk_clock_init(&clock, 5 * HK_NS_PER_MS), HK_OK);
    hk_pace_measure(&clock, piece_ns);
    /* 20,000 turns of two dependent additions: no core does them in less than a microsecond. */
    for (size_t i = 0; i < HK_PACE_PIECES; i++)
        assert_true(piece_ns[i] > 1e3 && piece_ns[i] < 1e11);
}

static void sleeping_is_a_voluntary_switch(void **state)
{
    struct hk_switches before, after;

    (void)state;
    assert_int_equal(hk_process_switches(getpid(), &before), HK_OK);
    for (int i = 0; i < 7; i++)
        nanosleep(&(struct timespec){0, 100000}, NULL);
    assert_int_equal(hk_process_switches(getpid(), &after), HK_OK);
    assert_in_range(after.voluntary - before.voluntary, 7, 50);
}

static void cpu_time_of_a_child_is_seen(void **state)
{
    uint64_t cpu_ns = 0;

    (void)state;
    const pid_t pid = fork();
    if (pid == 0)
        for (;;)
            ;
    while (cpu_ns < HK_NS_PER_MS)
        assert_int_equal(hk_process_cpu_ns(pid, &cpu_ns), HK_OK);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(hk_process_cpu_ns(pid, &cpu_ns), HK_ENOENT);
}

static void system_calls_are_counted_exactly(void **state)
{
    char reason[HK_REASON_TEXT_BYTES];
    struct hk_perf_access access;
    struct hk_perf perf;
    uint64_t before, after;

    (void)state;
    hk_perf_access_init(&access);
    if (hk_perf_probe(&access, HK_PERF_SYSCALLS, reason) != HK_OK) {
        print_message("skipped: %s\n", reason);
        skip();
    }
    hk_perf_open(&access, 0, &perf);
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &before));
    for (int i = 0; i < 137; i++)
        syscall(SYS_getppid);
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &after));
    assert_int_equal(after - before, 138); /* and the read itself */
    hk_perf_close(&perf);
    assert_false(hk_perf_read(&perf, HK_PERF_SYSCALLS, &after));
}

static void the_floor_is_bounded_in_time(void **state)
{
    struct hk_clock clock;
    double batches[64];
    size_t n = 0;
    cpu_set_t mask;
    int cpus[2] = {-1, -1};

    (void)state;
    assert_int_equal(hk_clock_init(&clock, HK_NS_PER_MS), HK_OK);
    assert_int_equal(hk_floor_measure(&clock, (int[2]){0, 0}, 1000, batches, 64, &n), HK_EINVAL);
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    for (int i = 0; i < CPU_SETSIZE && cpus[1] < 0; i++)
        if (CPU_ISSET((size_t)i, &mask))
            cpus[cpus[0] < 0 ? 0 : 1] = i;
    if (cpus[1] < 0) {
        print_message("skipped: one CPU\n");
        skip();
    }
    const enum hk_status status =
        hk_floor_measure(&clock, cpus, 50 * HK_NS_PER_MS, batches, 64, &n);
    assert_true(status == HK_OK || status == HK_ETIMEOUT);
    for (size_t i = 0; i < n; i++)
        assert_true(batches[i] > 0.0);
}

static void holding_polling_is_visible(void **state)
{
    char reason[HK_REASON_TEXT_BYTES];
    int32_t latency_us = -1;
    int fd = -1;

    (void)state;
    if (hk_idle_hold_polling(&fd, reason) != HK_OK) {
        print_message("skipped: %s\n", reason);
        skip();
    }
    assert_int_equal(hk_idle_latency_us(&latency_us), HK_OK);
    assert_int_equal(latency_us, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_are_clamped),
        cmocka_unit_test(host_times_advance),
        cmocka_unit_test(a_pace_is_a_piece_of_work),
        cmocka_unit_test(sleeping_is_a_voluntary_switch),
        cmocka_unit_test(cpu_time_of_a_child_is_seen),
        cmocka_unit_test(system_calls_are_counted_exactly),
        cmocka_unit_test(the_floor_is_bounded_in_time),
        cmocka_unit_test(holding_polling_is_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
