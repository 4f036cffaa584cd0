/* SPDX-License-Identifier: MIT */
/*
 * The clock of every timed path: the time stamp counter where it counts at a
 * constant rate, else CLOCK_MONOTONIC_RAW. Both are read without a system call.
 *
 * A tick may be coarse (26 cycles on some virtual machines): time many operations
 * together, never one of a few nanoseconds.
 */
#ifndef HK_COUNTERS_CLOCK_H
#define HK_COUNTERS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#include "hk/base/status.h"
#include "hk/base/units.h"

struct hk_clock {
    bool tsc;           /* false: a tick is a nanosecond of CLOCK_MONOTONIC_RAW */
    double ns_per_tick;
    double read_ns;     /* what one pair of reads costs by itself */
    uint64_t anchor_ticks; /* where calibration began, for hk_clock_check */
    uint64_t anchor_raw_ns;
};

/*
 * Calibrate against CLOCK_MONOTONIC_RAW.
 *
 * calibrate_ns  [in]   how long to sleep between the two readings, 1 ms to 1 s; the
 *                      relative error is about 100 ns / calibrate_ns
 * clock         [out]  copied freely, also to other processes of this machine
 *
 * Returns HK_OK; HK_EINVAL for a duration out of range; HK_EIO when the clock stands still.
 */
enum hk_status hk_clock_init(struct hk_clock *clock, uint64_t calibrate_ns);

/*
 * Compare the clock with CLOCK_MONOTONIC_RAW since calibration.
 *
 * error_ppm  [out]  signed; positive when our clock runs fast
 *
 * Returns HK_OK; HK_ENOISE when less than 1 ms has passed.
 */
enum hk_status hk_clock_check(const struct hk_clock *clock, double *error_ppm);

/* CLOCK_MONOTONIC, ns: for deadlines and periodic timers, not for costs. */
static inline uint64_t hk_monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
}

static inline uint64_t hk_clock_raw_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Now, in ticks, before a timed region: nothing of the region starts earlier. */
static inline uint64_t hk_clock_start(const struct hk_clock *clock)
{
    if (!clock->tsc)
        return hk_clock_raw_ns();
    _mm_lfence();
    const uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
}

/* Now, in ticks, after a timed region: everything of the region has been executed. */
static inline uint64_t hk_clock_stop(const struct hk_clock *clock)
{
    unsigned cpu;

    if (!clock->tsc)
        return hk_clock_raw_ns();
    const uint64_t t = __rdtscp(&cpu);
    _mm_lfence();
    return t;
}

static inline double hk_clock_ns(const struct hk_clock *clock, uint64_t ticks)
{
    return (double)ticks * clock->ns_per_tick;
}

static inline uint64_t hk_clock_ticks(const struct hk_clock *clock, double ns)
{
    return (uint64_t)(ns / clock->ns_per_tick);
}

/* Burn a known time without a system call: for injected delays. */
static inline void hk_clock_spin(const struct hk_clock *clock, uint64_t ticks)
{
    if (ticks == 0)
        return;
    const uint64_t start = hk_clock_start(clock);
    while (hk_clock_start(clock) - start < ticks)
        ;
}

#endif
