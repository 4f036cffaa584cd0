/* SPDX-License-Identifier: MIT */
/*
 * How fast the core is that a thread runs on: what a fixed amount of work takes that needs all of
 * its adders. A neighbour on the core's other hardware thread makes it take up to twice as long, a
 * lower clock as much longer, and everything else with it; no counter of stolen time shows either.
 */
#ifndef HK_COUNTERS_PACE_H
#define HK_COUNTERS_PACE_H

#include "hk/counters/clock.h"

enum { HK_PACE_PIECES = 15 };

/*
 * Measure for about 0.2 ms, on the CPU the calling thread is on.
 *
 * clock     [in]   calibrated
 * piece_ns  [out]  each piece of work, ns; who is preempted meanwhile loses pieces, not the median
 */
void hk_pace_measure(const struct hk_clock *clock, double piece_ns[HK_PACE_PIECES]);

#endif
