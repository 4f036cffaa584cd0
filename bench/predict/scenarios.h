/* SPDX-License-Identifier: MIT */
/* A workload at given prices: where a prediction starts, before its interval gets a margin. */
#ifndef HK_PREDICT_SCENARIOS_H
#define HK_PREDICT_SCENARIOS_H

#include "hk/predict/prices.h"

/* The client's own instructions before each request, as it counts them. */
static inline double hk_thinking(const struct hk_mix *mix)
{
    return (double)(mix->think_instructions / 2 * 2);
}

/* Units per request where the clock is known: each request takes what it took on average, ns and
 * thinking apart. Statuses of hk_mix_replay. */
enum hk_status hk_replay_counted(const struct hk_mix *mix, double request_ns,
                                 struct hk_replay *replay);

/*
 * Repeat a workload on several clocks and from several moments of the mixer's period on.
 *
 * set  [in]   below HK_PLACEMENTS
 * out  [out]  means of all scenarios, and their ranges as intervals
 *
 * Returns HK_OK; those of hk_mix_replay.
 */
enum hk_status hk_scenarios_run(const struct hk_prices *prices, const struct hk_mix *mix,
                                uint32_t set, struct hk_priced *out);

#endif
