/* SPDX-License-Identifier: MIT */
/* A tiny effort: enough for structure, not for numbers. */
#ifndef HK_RUN_TEST_SMOKE_H
#define HK_RUN_TEST_SMOKE_H

#include "hk/base/units.h"
#include "hk/run/run.h"

static const struct hk_effort smoke_effort = {
    .launches_min = 1,
    .launches_max = 1,
    .interval_ratio = 0.5,
    .warm_ns = HK_NS_PER_MS,
    .block_ns = 300 * HK_NS_PER_US,
    .block_count = 6,
    .blocks_ns_max = 10 * HK_NS_PER_MS,
    .latency_ns = 2 * HK_NS_PER_MS,
    .latency_count_max = 500,
    .verify_count = 50,
    .floor_ns = HK_NS_PER_MS,
    .session_ns = 100 * HK_NS_PER_MS,
    .sporadic_ns = 50 * HK_NS_PER_MS,
};

#endif
