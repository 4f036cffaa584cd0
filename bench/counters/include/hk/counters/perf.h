/* SPDX-License-Identifier: MIT */
/*
 * Event counts of a process by perf_event_open: hardware events where there is a
 * performance monitoring unit, system calls where permitted. What cannot be counted is
 * absent, never zero. Software events are not here: switches and faults come from /proc
 * and rusage for nothing, while opening their perf events patches the kernel's text and
 * slows every context switch.
 *
 * Opening and closing HK_PERF_SYSCALLS costs tens of milliseconds, and while it is open
 * system calls of the whole machine are slower: never around a timed phase.
 */
#ifndef HK_COUNTERS_PERF_H
#define HK_COUNTERS_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hk/base/status.h"

#define HK_REASON_TEXT_BYTES 160

enum hk_perf_event {
    HK_PERF_CYCLES,
    HK_PERF_INSTRUCTIONS,
    HK_PERF_CACHE_MISSES,
    HK_PERF_BRANCH_MISSES,
    HK_PERF_SYSCALLS, /* tracepoint raw_syscalls:sys_enter */
    HK_PERF_EVENT_COUNT,
};

/* One row per event: its name in counters, "cycles". */
const char *hk_perf_event_name(enum hk_perf_event event);

/* What must be looked up once per machine; copied freely, also to other processes. */
struct hk_perf_access {
    uint64_t syscalls_id; /* number of the tracepoint; 0: system calls cannot be counted */
};

/* Look it up. Root without tracefs: in a mount namespace of a child, at about 10 ms. */
void hk_perf_access_init(struct hk_perf_access *access);

struct hk_perf {
    int fds[HK_PERF_EVENT_COUNT]; /* -1: not available */
};

/*
 * Start counting a process and the threads it makes from now on.
 *
 * pid   [in]   0: the calling process
 * perf  [out]  events that the machine or the permissions refuse are absent
 */
void hk_perf_open(const struct hk_perf_access *access, pid_t pid, struct hk_perf *perf);

/* Read one count; false when the event is absent or was never on the hardware. */
bool hk_perf_read(const struct hk_perf *perf, enum hk_perf_event event, uint64_t *count);

void hk_perf_close(struct hk_perf *perf);

/*
 * Say whether an event can be counted here.
 *
 * reason  [out]  on HK_ENOTSUP: cause and remedy
 */
enum hk_status hk_perf_probe(const struct hk_perf_access *access, enum hk_perf_event event,
                             char reason[HK_REASON_TEXT_BYTES]);

#endif
