/* SPDX-License-Identifier: MIT */
/*
 * The floor of any exchange between two CPUs: one cache line written by one and
 * read by the other, there and back. A virtual machine moves between modes that
 * differ fivefold, so it is measured before and after what it explains.
 */
#ifndef HK_COUNTERS_FLOOR_H
#define HK_COUNTERS_FLOOR_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/counters/clock.h"

#define HK_FLOOR_BATCH_COUNT 200u /* round trips timed together */

/*
 * Bounce a cache line between two CPUs.
 *
 * clock        [in]   calibrated
 * cpus         [in]   two different CPUs of the affinity mask
 * duration_ns  [in]   how long to measure, at most 1 s; both CPUs spin that long
 * batch_ns     [out]  round trip per batch, ns; room for batch_max values
 * batch_max    [in]   >= 1
 * batch_count  [out]  batches done, at most batch_max
 *
 * The calling thread keeps its affinity. Never runs longer than duration_ns + 1 s, even
 * when the other CPU is taken away. Returns HK_OK; HK_EINVAL; HK_ENOTSUP when a CPU cannot
 * be had; HK_ETIMEOUT when not one batch was done; HK_ENOMEM.
 */
enum hk_status hk_floor_measure(const struct hk_clock *clock, const int cpus[2],
                                uint64_t duration_ns, double *batch_ns, size_t batch_max,
                                size_t *batch_count);

#endif
