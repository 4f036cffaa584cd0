/* SPDX-License-Identifier: MIT */
/*
 * Checks against programs of others that measure the same path. Launches alternate, all on one
 * CPU; the ratio is of our launch to the peer's next to it.
 */
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "program.h"
#include "selfcheck.h"

enum { LAUNCHES_MAX = 1000, TEXT_BYTES = 16384, ARGUMENTS_MAX = 8 };

static const uint64_t limit_ns = 60ull * HK_NS_PER_S;

struct peer {
    const char *argv[ARGUMENTS_MAX];
    const char *name;    /* NULL: argv[0] */
    bool own;            /* installed with this program */
    const char *pattern; /* extended regular expression; group 1 is the figure */
    double figure_ns;    /* one unit of the figure, for one operation of our cell */
    const char *counter; /* of our cell: the statistic that the peer prints */
    const char *const *environment; /* NULL-terminated "NAME=value", or NULL */
    const char *remedy;             /* when there is no such program */
};

static enum hk_status read_figure(const char *text, const char *pattern, double *figure)
{
    regmatch_t groups[2];
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
        return HK_EINVAL;
    const int match = regexec(&regex, text, HK_ARRAY_COUNT(groups), groups, 0);
    regfree(&regex);
    if (match != 0)
        return HK_EPARSE;
    const double value = strtod(text + groups[1].rm_so, NULL);
    if (!(value > 0) || !isfinite(value))
        return HK_EPARSE;
    *figure = value;
    return HK_OK;
}

static enum hk_status run_peer(const struct hk_check_session *session, const struct peer *peer,
                               double *peer_ns, char reason[HK_TEXT_BYTES])
{
    const struct hk_program program = {.argv = peer->argv,
                                       .folder = peer->own ? session->own : session->peers,
                                       .environment = peer->environment,
                                       .limit_ns = limit_ns,
                                       .stop = session->stop};
    const char *name = peer->name != NULL ? peer->name : peer->argv[0];
    char text[TEXT_BYTES];
    double figure;
    enum hk_status status = hk_program_run(&program, text, sizeof text);

    if (status == HK_ENOENT) {
        snprintf(reason, HK_TEXT_BYTES, "%s not found: %s", name, peer->remedy);
        return HK_ENOTSUP;
    }
    /* Some end with another status than 0 after a good run: the figure decides. */
    if (status == HK_OK || status == HK_EIO)
        status = read_figure(text, peer->pattern, &figure);
    if (status != HK_OK) {
        snprintf(reason, HK_TEXT_BYTES, "%s printed no figure (%s)", name,
                 hk_status_text(status));
        return status;
    }
    *peer_ns = figure * peer->figure_ns;
    return HK_OK;
}

/* One launch of each, the peer first in every other round. */
static enum hk_status run_round(const struct hk_check_session *session,
                                const struct hk_check *check, uint32_t index, double *ours_ns,
                                double *peer_ns, char reason[HK_TEXT_BYTES])
{
    const struct peer *peer = check->row;
    enum hk_status status = HK_OK;

    for (uint32_t turn = 0; turn < 2 && status == HK_OK; turn++)
        status = (turn ^ index) % 2 == 0
                     ? run_peer(session, peer, peer_ns, reason)
                     : hk_selfcheck_launch(session, check->b, peer->counter, index, ours_ns,
                                           reason);
    return status;
}

/* Trying again would not help, or take too long. */
static bool is_final(enum hk_status status)
{
    return status == HK_EINTR || status == HK_ENOTSUP || status == HK_EPARSE ||
           status == HK_ETIMEOUT;
}

static enum hk_status compare(const struct hk_check_session *session, const struct hk_check *check,
                              bool ratio, struct hk_check_result *result)
{
    double values[LAUNCHES_MAX];
    struct hk_selfcheck_pin before;
    enum hk_status status = HK_OK;
    double ours_ns = 0, peer_ns = 0;
    size_t n = 0;

    hk_selfcheck_pin(&before);
    for (uint32_t i = 0; i < session->launches; i++) {
        status = run_round(session, check, i, &ours_ns, &peer_ns, result->reason);
        session->step(session->step_context);
        if (is_final(status))
            break;
        if (status == HK_OK)
            values[n++] = ratio ? log(ours_ns / peer_ns) : ours_ns - peer_ns;
    }
    hk_selfcheck_unpin(&before);
    if (is_final(status))
        return status;
    return hk_selfcheck_summarise(values, n, result);
}

static enum hk_status peer_difference(const struct hk_check_session *session,
                                      const struct hk_check *check,
                                      struct hk_check_result *result)
{
    return compare(session, check, false, result);
}

static enum hk_status peer_ratio(const struct hk_check_session *session,
                                 const struct hk_check *check, struct hk_check_result *result)
{
    const enum hk_status status = compare(session, check, true, result);

    if (status == HK_OK) {
        result->value = exp(result->value);
        result->lower = exp(result->lower);
        result->upper = exp(result->upper);
    }
    return status;
}

/* Skips lmbench's own search for a long enough interval, which takes a minute when disturbed. */
static const char *const lmbench_environment[] = {"ENOUGH=5000", "TIMING_O=0", "LOOP_O=0", NULL};
static const char lmbench[] = "build lmbench 3 and name its folder with --peers";

/* Processor time: what a neighbour takes of the wall clock is not the loop's. */
static const struct peer google_benchmark = {
    .argv = {"hkbench-gbench", "--benchmark_filter=^native/null_cpp$",
             "--benchmark_min_time=0.01", "--benchmark_repetitions=9",
             "--benchmark_report_aggregates_only=true", "--benchmark_format=csv", NULL},
    .own = true,
    .pattern = "_median\",[0-9]+,[0-9.e+-]+,([0-9.e+-]+),",
    .figure_ns = 1,
    .counter = "cost_ns",
    .remedy = "it is installed beside hkbench; libbenchmark-dev is needed to build it",
};

#define PERF(...)                                                                                 \
    {                                                                                             \
        .argv = {"perf", "bench", __VA_ARGS__, NULL}, .pattern = "([0-9.]+) usecs/op",            \
        .figure_ns = HK_NS_PER_US, .counter = "mean_ns", .remedy = "install linux-perf"           \
    }
static const struct peer perf_pipe = PERF("sched", "pipe", "-l", "20000");
static const struct peer perf_syscall = PERF("syscall", "basic", "-l", "200000");

/* Server and client of its own on the loopback; both keep our CPU. The median of single ones. */
#define SOCKPERF(port, flags)                                                                     \
    {                                                                                             \
        .argv = {"sh", "-c", "sockperf sr -i 127.0.0.1 -p " port flags " >/dev/null 2>&1 & "      \
                 "sleep 0.3; sockperf pp -i 127.0.0.1 -p " port flags " -t 1 --full-rtt -m 64",   \
                 NULL},                                                                           \
        .name = "sockperf", .pattern = "percentile 50.000 = +([0-9.]+)",                          \
        .figure_ns = HK_NS_PER_US, .counter = "hk_latency_ns_p50", .remedy = "install sockperf"   \
    }
static const struct peer sockperf_udp = SOCKPERF("21113", "");
static const struct peer sockperf_tcp = SOCKPERF("21114", " --tcp");

/* One repetition each: ours are the launches; its usual eleven take a minute when disturbed. */
#define LMBENCH(text, unit_ns, ...)                                                               \
    {                                                                                             \
        .argv = {__VA_ARGS__, NULL}, .pattern = text, .figure_ns = (unit_ns),                     \
        .counter = "median_ns", .environment = lmbench_environment, .remedy = lmbench             \
    }
static const struct peer lat_pipe =
    LMBENCH("^Pipe latency: ([0-9.]+) microseconds", HK_NS_PER_US, "lat_pipe", "-N", "1");
static const struct peer lat_unix =
    LMBENCH("^AF_UNIX sock stream latency: ([0-9.]+) microseconds", HK_NS_PER_US, "lat_unix", "-N",
            "1");
/* One hand-over; a round trip is two. It waits and posts in one system call, so that neither side
 * ever sees the other's message before it answers: a server needs two (decision 0370). */
static const struct peer lat_sem =
    LMBENCH("^Semaphore latency: ([0-9.]+) microseconds", 2 * HK_NS_PER_US, "lat_sem", "-N", "1");
static const struct peer lat_syscall =
    LMBENCH("^Simple syscall: ([0-9.]+) microseconds", HK_NS_PER_US, "lat_syscall", "-N",
            "1", "null");

#define NO_SLOWER .unit = "ratio", .bound_low = -INFINITY, .bound_high = 1.05, .measure = peer_ratio

const struct hk_check hk_checks_peers[] = {
    {.name = "empty_iteration",
     .what = "empty iteration - Google Benchmark's C++ loop",
     .unit = "ns",
     .b = "native/harness/empty",
     .bound_low = -0.05,
     .bound_high = 0.05,
     .row = &google_benchmark,
     .measure = peer_difference},
    {.name = "peer_perf_pipe", .what = "pipe round trip / perf bench sched pipe",
     .b = "native/round_trip/pipe/place:same_core/bytes:4", .row = &perf_pipe, NO_SLOWER},
    {.name = "peer_perf_syscall", .what = "getppid / perf bench syscall basic",
     .b = "native/syscall/getppid/bytes:0", .row = &perf_syscall, NO_SLOWER},
    {.name = "peer_sockperf_udp", .what = "UDP round trip / sockperf ping-pong",
     .b = "native/round_trip/udp/place:same_core/bytes:64", .row = &sockperf_udp, NO_SLOWER},
    {.name = "peer_sockperf_tcp", .what = "TCP round trip / sockperf ping-pong --tcp",
     .b = "native/round_trip/tcp/place:same_core/bytes:64", .row = &sockperf_tcp, NO_SLOWER},
    {.name = "peer_lat_pipe", .what = "pipe round trip / lmbench lat_pipe",
     .b = "native/round_trip/pipe/place:same_core/bytes:1", .row = &lat_pipe, NO_SLOWER},
    {.name = "peer_lat_unix", .what = "Unix stream round trip / lmbench lat_unix",
     .b = "native/round_trip/unix_stream/place:same_core/bytes:1", .row = &lat_unix, NO_SLOWER},
    {.name = "peer_lat_sem",
     .what = "System V semaphore round trip / 2 x lmbench lat_sem, which carries nothing (no bound)",
     .unit = "ratio",
     .b = "native/round_trip/sysv_sem_shm/place:same_core/bytes:1",
     .bound_low = -INFINITY,
     .bound_high = INFINITY,
     .row = &lat_sem,
     .measure = peer_ratio},
    {.name = "peer_lat_syscall", .what = "getppid / lmbench lat_syscall null",
     .b = "native/syscall/getppid/bytes:0", .row = &lat_syscall, NO_SLOWER},
};
const size_t hk_checks_peers_count = HK_ARRAY_COUNT(hk_checks_peers);
