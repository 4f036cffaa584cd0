/* SPDX-License-Identifier: MIT */
/*
 * What the machine did besides us: time stolen by the hypervisor, busy time per
 * CPU, pressure. The kernel accounts the first two in ticks of 10 ms, so ratios
 * over less than a second are coarse.
 */
#ifndef HK_COUNTERS_HOST_H
#define HK_COUNTERS_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

struct hk_host_times {
    uint64_t busy_ns;  /* all but idle, I/O wait and steal; guests counted once */
    uint64_t steal_ns;
    uint64_t total_ns;
};

/*
 * Read /proc/stat for some CPUs, summed.
 *
 * cpus       [in]   numbers of the CPUs
 * cpu_count  [in]   0: the whole machine
 *
 * Returns HK_OK; HK_EIO when /proc is not there.
 */
enum hk_status hk_host_read(const int *cpus, size_t cpu_count, struct hk_host_times *times);

/*
 * Time during which some runnable task had to wait for a CPU, since boot, ns.
 *
 * Returns HK_OK; HK_ENOTSUP without pressure stall information (CONFIG_PSI).
 */
enum hk_status hk_host_pressure_ns(uint64_t *waiting_ns);

/*
 * Fraction of the CPUs' time between two readings that went to others.
 *
 * own_cpu_ns  [in]  CPU time of our own processes in the same span
 *
 * Returns a ratio in [0, 1]; 0 when no time was accounted.
 */
double hk_host_foreign_ratio(const struct hk_host_times *before, const struct hk_host_times *after,
                             uint64_t own_cpu_ns);

/* Fraction of the CPUs' time between two readings that the hypervisor kept. */
double hk_host_steal_ratio(const struct hk_host_times *before, const struct hk_host_times *after);

#endif
