/* SPDX-License-Identifier: MIT */
/*
 * What a round trip of a short message does, counted: the switches and system
 * calls that each transport claims as data. Counts, no times: a busy machine adds
 * a few switches, for which there is room in the bounds.
 *
 *   test_claims             all transports
 *   test_claims pipe tcp    only these
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/counters/perf.h"
#include "hk/transport/transport.h"

#define TRANSPORTS_MAX 64
#define GUARD_S 30
#define WARM_UP_COUNT 50u
#define ROUND_TRIPS 500u
#define MESSAGE_BYTES 8u
/* Switches that other tasks of the machine may add, as a share. */
#define FOREIGN_SHARE 0.3

/* Of one side; filled in by it. */
struct counts {
    double switches;
    double syscalls; /* -1: cannot be counted here */
    int failed;
};

struct measurement {
    struct hk_link link;
    struct hk_perf_access access;
    int cpus[2];
    struct counts *counts; /* by side; shared */
};

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static double switches_now(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return (double)(usage.ru_nvcsw + usage.ru_nivcsw);
}

static enum hk_status answer(void *context, void *buffer, size_t capacity, size_t request_bytes,
                             size_t *reply_bytes)
{
    (void)context, (void)buffer, (void)capacity;
    *reply_bytes = request_bytes;
    return HK_OK;
}

/* One side's share of n round trips, with the calls that its role makes. */
static enum hk_status round_trips(struct hk_link *link, enum hk_side side, unsigned char *buffer,
                                  uint32_t n)
{
    enum hk_status status = HK_OK;
    size_t bytes;

    for (uint32_t i = 0; i < n && status == HK_OK; i++) {
        if (side == HK_CLIENT) {
            status = hk_link_call(link, buffer, MESSAGE_BYTES, buffer, MESSAGE_BYTES, &bytes);
            continue;
        }
        status = hk_link_receive(link, side, buffer, MESSAGE_BYTES, &bytes);
        if (status == HK_OK)
            status = answer(NULL, buffer, MESSAGE_BYTES, bytes, &bytes);
        if (status == HK_OK)
            status = hk_link_send(link, side, buffer, bytes);
    }
    return status;
}

static void count_side(struct measurement *m, enum hk_side side)
{
    struct counts *counts = &m->counts[side];
    struct hk_perf perf;
    uint64_t before = 0, after = 0;
    unsigned char own[MESSAGE_BYTES];

    pin(m->cpus[side]);
    counts->failed = 1;
    if (hk_link_attach(&m->link, side) != HK_OK)
        return;
    unsigned char *buffer = hk_link_message(&m->link, side);
    buffer = buffer ? buffer : own;
    memset(buffer, 0x23, MESSAGE_BYTES);
    if (round_trips(&m->link, side, buffer, WARM_UP_COUNT) != HK_OK)
        return;
    hk_perf_open(&m->access, 0, &perf);
    double switches = switches_now();
    bool counted = hk_perf_read(&perf, HK_PERF_SYSCALLS, &before);
    if (round_trips(&m->link, side, buffer, ROUND_TRIPS) != HK_OK)
        return;
    counted = hk_perf_read(&perf, HK_PERF_SYSCALLS, &after) && counted;
    counts->switches = (switches_now() - switches) / ROUND_TRIPS;
    counts->syscalls = counted ? (double)(after - before) / ROUND_TRIPS : -1;
    hk_perf_close(&perf);
    counts->failed = 0;
}

struct thread_argument {
    struct measurement *m;
    enum hk_side side;
};

static void *thread_main(void *argument)
{
    struct thread_argument *a = argument;

    count_side(a->m, a->side);
    return NULL;
}

static void run_threads(struct measurement *m)
{
    struct thread_argument arguments[2] = {{m, HK_CLIENT}, {m, HK_SERVER}};
    pthread_t threads[2];

    for (int side = 0; side < 2; side++)
        assert_int_equal(pthread_create(&threads[side], NULL, thread_main, &arguments[side]), 0);
    for (int side = 0; side < 2; side++)
        pthread_join(threads[side], NULL);
}

static void run_processes(struct measurement *m)
{
    pid_t pids[2];

    for (int side = 0; side < 2; side++) {
        pids[side] = fork();
        assert_true(pids[side] >= 0);
        if (pids[side] > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(GUARD_S);
        count_side(m, (enum hk_side)side);
        hk_link_close(&m->link);
        _exit(0);
    }
    for (int i = 0; i < 2; i++) {
        int wait_status;
        pid_t pid = wait(&wait_status);
        if (wait_status != 0)
            hk_link_mark_dead(&m->link, pid == pids[HK_CLIENT] ? HK_CLIENT : HK_SERVER);
    }
}

static void measure(const struct hk_transport *transport, int client_cpu, int server_cpu,
                    struct counts counts[2])
{
    const struct hk_transport_options options = {.message_bytes = MESSAGE_BYTES};
    struct measurement m = {.cpus = {client_cpu, server_cpu}};

    hk_perf_access_init(&m.access);
    m.counts = mmap(NULL, 2 * sizeof(struct counts), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(m.counts, MAP_FAILED);
    assert_int_equal(hk_link_open(transport, &options, &m.link), HK_OK);
    if (transport->flags & HK_TRANSPORT_THREADS)
        run_threads(&m);
    else
        run_processes(&m);
    hk_link_close(&m.link);
    memcpy(counts, m.counts, 2 * sizeof(struct counts));
    munmap(m.counts, 2 * sizeof(struct counts));
    assert_int_equal(counts[HK_CLIENT].failed, 0);
    assert_int_equal(counts[HK_SERVER].failed, 0);
}

/* Inside [low, high], where -1 is no bound. */
static void check_bounds(const char *what, double value, double low, double high)
{
    if ((low >= 0 && value < low) || (high >= 0 && value > high))
        print_error("    %s: %.3f is not in [%g, %g]\n", what, value, low, high);
    assert_true(low < 0 || value >= low);
    assert_true(high < 0 || value <= high);
}

static double with_foreign(double max)
{
    return max < 0 ? -1 : max * (1 + FOREIGN_SHARE) + 0.1;
}

static void check_syscalls(const struct hk_transport_claim *claim, const struct counts counts[2])
{
    const double slack = 0.05; /* the reading of the counter itself */

    if (counts[HK_CLIENT].syscalls < 0 || counts[HK_SERVER].syscalls < 0)
        return;
    check_bounds("client's system calls", counts[HK_CLIENT].syscalls,
                 claim->client_syscalls_min - slack,
                 claim->client_syscalls_max < 0 ? -1 : claim->client_syscalls_max + slack);
    check_bounds("server's system calls", counts[HK_SERVER].syscalls,
                 claim->server_syscalls_min - slack,
                 claim->server_syscalls_max < 0 ? -1 : claim->server_syscalls_max + slack);
}

static int second_cpu(int first)
{
    cpu_set_t set;

    sched_getaffinity(0, sizeof(set), &set);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (cpu != first && CPU_ISSET((size_t)cpu, &set))
            return cpu;
    return -1;
}

static void test_claim(void **state)
{
    const struct hk_transport *transport = *state;
    const struct hk_transport_claim *claim = &transport->claim;
    char reason[HK_REASON_BYTES];
    struct counts counts[2];
    int cpu = sched_getcpu(), other = second_cpu(cpu);

    if (transport->flags & HK_TRANSPORT_LOCAL)
        return;
    if (hk_transport_probe(transport, reason) != HK_OK) {
        print_message("    %s: skipped: %s\n", transport->name, reason);
        skip();
    }
    if (!(transport->flags & HK_TRANSPORT_TWO_CPUS)) {
        measure(transport, cpu, cpu, counts);
        double switches = counts[0].switches + counts[1].switches;
        print_message("    %-22s one CPU:  %.2f switches, %.2f + %.2f system calls\n",
                      transport->name, switches, counts[0].syscalls, counts[1].syscalls);
        check_bounds("switches on one CPU", switches, claim->same_core_switches_min,
                     with_foreign(claim->same_core_switches_max));
        check_syscalls(claim, counts);
    }
    if (other < 0)
        return;
    measure(transport, cpu, other, counts);
    double switches = counts[0].switches + counts[1].switches;
    print_message("    %-22s two CPUs: %.2f switches, %.2f + %.2f system calls\n",
                  transport->name, switches, counts[0].syscalls, counts[1].syscalls);
    check_bounds("switches on two CPUs", switches, -1,
                 with_foreign(claim->cross_core_switches_max));
    check_syscalls(claim, counts);
}

static bool is_chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[TRANSPORTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < hk_transport_count && count < TRANSPORTS_MAX; i++)
        if (is_chosen(hk_transports[i]->name, argc, argv))
            tests[count++] = (struct CMUnitTest){
                .name = hk_transports[i]->name,
                .test_func = test_claim,
                .initial_state = (void *)(uintptr_t)hk_transports[i],
            };
    return _cmocka_run_group_tests("claims", tests, count, NULL, NULL) != 0;
}
