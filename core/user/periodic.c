/* SPDX-License-Identifier: MIT */
/*
 * A periodic thread with a buffer of one period against competitors with seeded
 * bursts, under every policy: how late it wakes and how often the buffer runs dry.
 * Virtual time makes the figures the same in every run.
 */
#include "user/experiments.h"

#define PERIOD_NS HK_NS_PER_MS
#define PERIODS 64
#define COMPETITORS 3
#define PRIORITY_HIGH 20

/* A policy that a server supplies has no row: there is no such server here. */
static const char *const policies[] = {
    [HK_POLICY_ROUND_ROBIN] = "round_robin",
    [HK_POLICY_PRIORITY] = "priority",
    [HK_POLICY_EDF] = "edf",
};

struct wakeups {
    uint64_t late_ns[PERIODS]; /* ascending */
    uint64_t underruns;
};

static void insert(struct wakeups *result, uint64_t count, uint64_t late_ns)
{
    uint64_t at = count;

    for (; at > 0 && result->late_ns[at - 1] > late_ns; at--)
        result->late_ns[at] = result->late_ns[at - 1];
    result->late_ns[at] = late_ns;
}

/* Absolute sleeps on the grid: what is late once does not shift the rest. */
static void wake_up_periodically(struct wakeups *result)
{
    uint64_t next_ns = (uint64_t)hk_syscall0(HK_SYS_clock) + PERIOD_NS;

    result->underruns = 0;
    for (uint64_t i = 0; i < PERIODS; i++, next_ns += PERIOD_NS) {
        uint64_t late_ns;

        (void)hk_syscall(HK_SYS_sleep, next_ns, 0, 0);
        late_ns = (uint64_t)hk_syscall0(HK_SYS_clock) - next_ns;
        insert(result, i, late_ns);
        result->underruns += late_ns > PERIOD_NS;
    }
}

/* "guest/<experiment>/absolute/policy:<policy>/competitors:<n>/period_us:<n>" */
static void begin(struct hk_line *line, const char *experiment, uint64_t policy,
                  uint64_t competitors)
{
    hk_line_begin(line, "value");
    hk_line_text(line, "guest/");
    hk_line_text(line, experiment);
    hk_line_text(line, "/absolute/policy:");
    hk_line_text(line, policies[policy]);
    hk_line_text(line, "/competitors:");
    hk_line_number(line, competitors);
    hk_line_text(line, "/period_us:");
    hk_line_number(line, PERIOD_NS / HK_NS_PER_US);
    hk_line_field(line, "wakeups", PERIODS);
}

static void report(uint64_t policy, uint64_t competitors, const struct wakeups *result)
{
    uint64_t sum_ns = 0;
    struct hk_line line;

    for (uint64_t i = 0; i < PERIODS; i++)
        sum_ns += result->late_ns[i];
    begin(&line, "wakeup", policy, competitors);
    hk_line_field(&line, "lateness_ns_mean", sum_ns / PERIODS);
    hk_line_field(&line, "lateness_ns_p50", result->late_ns[PERIODS / 2]);
    hk_line_field(&line, "lateness_ns_max", result->late_ns[PERIODS - 1]);
    hk_line_end(&line);
    begin(&line, "underrun", policy, competitors);
    hk_line_field(&line, "underruns", result->underruns);
    hk_line_end(&line);
}

static void run(uint64_t policy, uint64_t competitors)
{
    struct hk_lab lab = { 0 };
    struct wakeups result;

    for (uint64_t i = 0; i < competitors; i++)
        hk_lab_peer(&lab, HK_PEER_LOAD, HK_HANDLE_SELF);
    (void)hk_syscall(HK_SYS_policy_select, policy, 0, 0);
    wake_up_periodically(&result);
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_ROUND_ROBIN, 0, 0);
    hk_lab_clear(&lab);
    if (lab.error != NULL)
        hk_say("fail", lab.error);
    else
        report(policy, competitors, &result);
}

void hk_periodic_report(void)
{
    (void)hk_syscall(HK_SYS_thread_policy, HK_HANDLE_SELF, PRIORITY_HIGH, PERIOD_NS);
    for (uint64_t policy = 0; policy < HK_ARRAY_COUNT(policies); policy++) {
        run(policy, 0);
        run(policy, COMPETITORS);
    }
}
