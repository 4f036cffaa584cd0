/* SPDX-License-Identifier: MIT */
/* Checks that need nothing but this program: cells against cells. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "hk/run/run.h"
#include "hk/stats/noise.h"
#include "hk/stats/paired.h"
#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"
#include "selfcheck.h"

enum { LAUNCHES_MAX = 1000, PAIR_ROUNDS = 20, SAME_LAUNCHES = 10, SAME_ROUNDS = 10 };

static const double confidence = 0.95;
static const double alpha = 0.05;
static const uint64_t block_ns = HK_NS_PER_MS;

/* The neighbour takes about a quarter of a CPU, in pieces as long as a scheduler's slice. */
static const uint64_t neighbour_busy_ns = HK_NS_PER_MS;
static const long neighbour_sleep_ns = 3 * (long)HK_NS_PER_MS;

/* --- shared with the peers' checks ------------------------------------------- */

enum hk_status hk_selfcheck_launch(const struct hk_check_session *session, const char *cell,
                                   const char *counter, uint32_t index, double *value,
                                   char reason[HK_TEXT_BYTES])
{
    const struct hk_cell_plan plan = {.cell = cell, .index = index, .seed = session->seed,
                                      .launch_command = session->launch_command,
                                      .stop = session->stop};
    struct hk_launch launch;
    enum hk_status status = hk_cell_launch(&plan, &launch);

    if (status != HK_OK) {
        snprintf(reason, HK_TEXT_BYTES, "%s: %s", cell, hk_status_text(status));
        return status;
    }
    if (launch.state != HK_LAUNCH_OK || !hk_launch_counter(&launch, counter, value)) {
        status = launch.state == HK_LAUNCH_UNAVAILABLE ? HK_ENOTSUP : HK_EIO;
        snprintf(reason, HK_TEXT_BYTES, "%s: %.200s", cell,
                 launch.reason != NULL ? launch.reason : "no figure");
    }
    hk_launch_fini(&launch);
    return status;
}

enum hk_status hk_selfcheck_summarise(double *values, size_t n, struct hk_check_result *result)
{
    struct hk_interval interval;
    enum hk_status status = hk_sign_interval(values, n, confidence, &interval);

    if (status == HK_OK)
        status = hk_sample_sort(values, n);
    if (status == HK_OK)
        status = hk_quantile(values, n, 0.5, &result->value);
    result->count = n;
    if (status == HK_OK) {
        result->lower = interval.lower;
        result->upper = interval.upper;
    } else {
        snprintf(result->reason, sizeof result->reason,
                 "only %zu launches gave a figure; a 95 %% interval needs 6", n);
    }
    return status;
}

void hk_selfcheck_pin(struct hk_selfcheck_pin *before)
{
    cpu_set_t mask, one;

    _Static_assert(sizeof mask == sizeof before->mask, "a CPU mask");
    if (sched_getaffinity(0, sizeof mask, &mask) != 0)
        CPU_ZERO(&mask);
    memcpy(before->mask, &mask, sizeof mask);
    CPU_ZERO(&one);
    for (size_t cpu = CPU_SETSIZE; cpu-- > 0 && CPU_COUNT(&one) == 0;)
        if (CPU_ISSET(cpu, &mask))
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

void hk_selfcheck_unpin(const struct hk_selfcheck_pin *before)
{
    cpu_set_t mask;

    memcpy(&mask, before->mask, sizeof mask);
    sched_setaffinity(0, sizeof mask, &mask);
}

/* --- two cells side by side in every launch ----------------------------------- */

static enum hk_status pair_ratio(const struct hk_check_session *session,
                                 const struct hk_check *check, struct hk_check_result *result)
{
    double log_ratios[LAUNCHES_MAX];
    size_t n = 0;

    for (uint64_t i = 0; i < session->launches; i++) {
        const struct hk_pair_plan plan = {
            .a = check->a, .b = check->b, .launches = 1, .rounds = PAIR_ROUNDS,
            .block_ns = block_ns, .seed = session->seed + i,
            .launch_command = session->launch_command, .stop = session->stop};
        size_t got = 0;
        const enum hk_status status =
            hk_pair_run(&plan, &log_ratios[n], &got, result->reason);
        session->step(session->step_context);
        if (status == HK_EINTR || status == HK_ENOTSUP || status == HK_EINVAL)
            return status;
        n += status == HK_OK ? got : 0;
    }
    const enum hk_status status = hk_selfcheck_summarise(log_ratios, n, result);
    if (status == HK_OK) {
        result->value = exp(result->value);
        result->lower = exp(result->lower);
        result->upper = exp(result->upper);
    }
    return status;
}

/* --- two cells in alternating launches: a difference --------------------------- */

static enum hk_status cell_difference(const struct hk_check_session *session,
                                      const struct hk_check *check,
                                      struct hk_check_result *result)
{
    double differences_ns[LAUNCHES_MAX];
    struct hk_selfcheck_pin before;
    enum hk_status status = HK_OK;
    double a_ns, b_ns;
    size_t n = 0;

    hk_selfcheck_pin(&before);
    for (uint32_t i = 0; i < session->launches; i++) {
        status = hk_selfcheck_launch(session, check->a, "median_ns", i, &a_ns, result->reason);
        if (status == HK_OK)
            status = hk_selfcheck_launch(session, check->b, "median_ns", i, &b_ns, result->reason);
        session->step(session->step_context);
        if (status == HK_EINTR || status == HK_ENOTSUP)
            break;
        if (status == HK_OK)
            differences_ns[n++] = b_ns - a_ns;
    }
    hk_selfcheck_unpin(&before);
    if (status == HK_EINTR || status == HK_ENOTSUP)
        return status;
    return hk_selfcheck_summarise(differences_ns, n, result);
}

/* --- a cell against itself ------------------------------------------------------ */

_Noreturn static void be_neighbour(pid_t parent)
{
    const struct timespec pause = {0, neighbour_sleep_ns};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    while (getppid() == parent) {
        const uint64_t start_ns = hk_monotonic_ns();
        while (hk_monotonic_ns() - start_ns < neighbour_busy_ns)
            ;
        nanosleep(&pause, NULL);
    }
    _exit(0);
}

/* One comparison as a user would make it; *different when it rejects. */
static enum hk_status compare_same(const struct hk_check_session *session,
                                   const struct hk_check *check, uint64_t index, bool *different,
                                   char reason[HK_TEXT_BYTES])
{
    const struct hk_pair_plan plan = {
        .a = check->a, .b = check->a, .launches = SAME_LAUNCHES, .rounds = SAME_ROUNDS,
        .block_ns = block_ns, .seed = session->seed + index,
        .launch_command = session->launch_command, .stop = session->stop};
    const struct hk_paired_options options = {.alpha = alpha, .test = HK_PAIRED_WILCOXON};
    double log_ratios[SAME_LAUNCHES];
    struct hk_paired paired;
    size_t n;
    enum hk_status status = hk_pair_run(&plan, log_ratios, &n, reason);

    if (status == HK_OK && session->stop != NULL && *session->stop)
        return HK_EINTR;
    if (status == HK_OK)
        status = hk_paired_compare(log_ratios, n, &options, &paired);
    if (status == HK_OK)
        *different = paired.p_two_sided <= alpha;
    return status;
}

static enum hk_status compare_all(const struct hk_check_session *session,
                                  const struct hk_check *check, struct hk_check_result *result)
{
    uint64_t low, high, trials = 0, rejections = 0;

    for (uint64_t i = 0; i < session->comparisons; i++) {
        bool different;
        const enum hk_status status = compare_same(session, check, i, &different, result->reason);
        session->step(session->step_context);
        if (status == HK_EINTR || status == HK_ENOTSUP || status == HK_EINVAL)
            return status;
        if (status != HK_OK)
            continue;
        trials++;
        rejections += different;
    }
    result->count = trials;
    if (trials == 0)
        return HK_EIO;
    const enum hk_status status = hk_binomial_band(trials, alpha, confidence, &low, &high);
    result->bound_low = (double)low;
    result->bound_high = (double)high;
    result->value = result->lower = result->upper = (double)rejections;
    return status;
}

static enum hk_status same_loaded(const struct hk_check_session *session,
                                  const struct hk_check *check, struct hk_check_result *result)
{
    struct hk_selfcheck_pin before;
    enum hk_status status = HK_ENOMEM;
    const pid_t parent = getpid();

    hk_selfcheck_pin(&before); /* the neighbour shares the CPU that is measured */
    const pid_t neighbour = fork();
    if (neighbour == 0)
        be_neighbour(parent);
    if (neighbour > 0) {
        status = compare_all(session, check, result);
        kill(neighbour, SIGKILL);
        waitpid(neighbour, NULL, 0);
    }
    hk_selfcheck_unpin(&before);
    return status;
}

/* Of series that never change, 1 % may be said to. */
#define CHANGE_CHECK(noise, kind)                                                             \
    {.name = "change_" noise,                                                                 \
     .what = "changes found in series of noise alone, " noise ", at a level of 1 %",          \
     .unit = "rejections",                                                                    \
     .compares_often = true,                                                                  \
     .row = &(const enum hk_noise){kind},                                                     \
     .measure = hk_selfcheck_changes}

const struct hk_check hk_checks_own[] = {
    {.name = "spin_ring",
     .what = "round trip over the spinning ring / bare cache line, side by side in each launch",
     .unit = "ratio",
     .a = "native/floor/cache_line/place:cross_core",
     .b = "native/round_trip/spin_ring/place:cross_core/bytes:8",
     .bound_low = -INFINITY,
     .bound_high = 1.15,
     .measure = pair_ratio},
    {.name = "latency_sample",
     .what = "recording one latency sample - the two clock reads of it",
     .unit = "ns",
     .a = "native/harness/clock_pair",
     .b = "native/harness/latency_sample",
     .bound_low = -INFINITY,
     .bound_high = 5,
     .measure = cell_difference},
    {.name = "null_row",
     .what = "iteration of the null transport - an empty iteration (no bound)",
     .unit = "ns",
     .a = "native/harness/empty",
     .b = "native/round_trip/null/place:same_core/bytes:8",
     .bound_low = -INFINITY,
     .bound_high = INFINITY,
     .measure = cell_difference},
    {.name = "same",
     .what = "pipe against itself called different, alpha 5 %",
     .unit = "rejections",
     .a = "native/round_trip/pipe/place:same_core/bytes:64",
     .compares_often = true,
     .measure = compare_all},
    {.name = "same_loaded",
     .what = "the same beside a neighbour that takes a quarter of the CPU",
     .unit = "rejections",
     .a = "native/round_trip/pipe/place:same_core/bytes:64",
     .compares_often = true,
     .measure = same_loaded},
    {.name = "kernel_boot",
     .what = "first instruction of a microvm under TCG to the first line of a user program",
     .unit = "ms",
     .bound_low = -INFINITY,
     .bound_high = 25,
     .measure = hk_selfcheck_boot},
    CHANGE_CHECK("independent", HK_NOISE_INDEPENDENT),
    CHANGE_CHECK("ar3", HK_NOISE_AR3),
    CHANGE_CHECK("ar6", HK_NOISE_AR6),
    CHANGE_CHECK("spikes", HK_NOISE_SPIKES),
    CHANGE_CHECK("lognormal", HK_NOISE_LOGNORMAL),
};
const size_t hk_checks_own_count = HK_ARRAY_COUNT(hk_checks_own);
