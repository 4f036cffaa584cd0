/* SPDX-License-Identifier: MIT */
/* What the kernel accounts for a process: switches and CPU time; no privilege needed. */
#ifndef HK_COUNTERS_PROCESS_H
#define HK_COUNTERS_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "hk/base/status.h"

struct hk_switches {
    uint64_t voluntary;
    uint64_t involuntary;
};

/*
 * Context switches of all threads of a process so far (of /proc).
 *
 * Returns HK_OK; HK_ENOENT when the process is gone. Cost about 20 us a thread.
 */
enum hk_status hk_process_switches(pid_t pid, struct hk_switches *switches);

/*
 * CPU time of all threads of a process so far, ns.
 *
 * Returns HK_OK; HK_ENOENT when the process is gone. Cost one system call.
 */
enum hk_status hk_process_cpu_ns(pid_t pid, uint64_t *cpu_ns);

#endif
