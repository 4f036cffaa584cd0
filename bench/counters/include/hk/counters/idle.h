/* SPDX-License-Identifier: MIT */
/*
 * How deep idle CPUs sleep: /dev/cpu_dma_latency. Held at 0 an idle CPU polls, and
 * a wake-up from another CPU costs a tenth of one that must end a halt.
 */
#ifndef HK_COUNTERS_IDLE_H
#define HK_COUNTERS_IDLE_H

#include <stdint.h>

#include "hk/base/status.h"
#include "hk/counters/perf.h"

/*
 * Keep idle CPUs polling until the file descriptor is closed.
 *
 * fd      [out]
 * reason  [out]  on HK_ENOTSUP: cause and remedy
 */
enum hk_status hk_idle_hold_polling(int *fd, char reason[HK_REASON_TEXT_BYTES]);

/*
 * Latency that all holders together allow now, us; a large number when nobody holds it.
 *
 * Returns HK_OK; HK_ENOTSUP when the device cannot be read.
 */
enum hk_status hk_idle_latency_us(int32_t *latency_us);

#endif
