/* SPDX-License-Identifier: MIT */
#include "hk/counters/clock.h"

#include <cpuid.h>
#include <errno.h>
#include <stddef.h>

enum { BRACKETS = 16, READ_PAIRS = 256 };

/* CPUID 8000_0007h EDX bit 8: the counter keeps its rate in every power state. */
static bool tsc_is_invariant(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}

/* Virtual machines may hide the invariant bit but let the kernel keep time by the counter. */
static bool kernel_keeps_time_by_tsc(void)
{
    struct timespec resolution;
    const uint64_t before = __rdtsc();

    /* The vDSO answers at once only when the clock source is readable from user mode. */
    for (int i = 0; i < 64; i++)
        hk_clock_raw_ns();
    const uint64_t ticks = (__rdtsc() - before) / 64;
    return clock_getres(CLOCK_MONOTONIC_RAW, &resolution) == 0 && resolution.tv_nsec == 1 &&
           ticks < 200;
}

/* A pair of readings as close together as this machine gives: an interruption widens a bracket. */
static void read_pair(const struct hk_clock *clock, uint64_t *ticks, uint64_t *raw_ns)
{
    uint64_t narrowest = UINT64_MAX;

    for (int i = 0; i < BRACKETS; i++) {
        const uint64_t t0 = hk_clock_start(clock);
        const uint64_t raw = hk_clock_raw_ns();
        const uint64_t t1 = hk_clock_stop(clock);
        if (t1 - t0 >= narrowest)
            continue;
        narrowest = t1 - t0;
        *ticks = t0 + (t1 - t0) / 2;
        *raw_ns = raw;
    }
}

static double measure_read_ns(const struct hk_clock *clock)
{
    uint64_t least = UINT64_MAX;

    for (int repeat = 0; repeat < BRACKETS; repeat++) {
        const uint64_t t0 = hk_clock_start(clock);
        for (int i = 0; i < READ_PAIRS; i++) {
            hk_clock_start(clock);
            hk_clock_stop(clock);
        }
        const uint64_t t1 = hk_clock_stop(clock);
        least = t1 - t0 < least ? t1 - t0 : least;
    }
    return hk_clock_ns(clock, least) / READ_PAIRS;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec left = {(time_t)(ns / HK_NS_PER_S), (long)(ns % HK_NS_PER_S)};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

enum hk_status hk_clock_init(struct hk_clock *clock, uint64_t calibrate_ns)
{
    struct hk_clock c = {.ns_per_tick = 1.0};
    uint64_t ticks, raw_ns;

    if (calibrate_ns < HK_NS_PER_MS || calibrate_ns > HK_NS_PER_S)
        return HK_EINVAL;
    c.tsc = tsc_is_invariant() || kernel_keeps_time_by_tsc();
    read_pair(&c, &c.anchor_ticks, &c.anchor_raw_ns);
    sleep_ns(calibrate_ns);
    read_pair(&c, &ticks, &raw_ns);
    if (ticks <= c.anchor_ticks || raw_ns <= c.anchor_raw_ns)
        return HK_EIO;
    if (c.tsc)
        c.ns_per_tick = (double)(raw_ns - c.anchor_raw_ns) / (double)(ticks - c.anchor_ticks);
    c.read_ns = measure_read_ns(&c);
    *clock = c;
    return HK_OK;
}

enum hk_status hk_clock_check(const struct hk_clock *clock, double *error_ppm)
{
    uint64_t ticks, raw_ns;

    read_pair(clock, &ticks, &raw_ns);
    if (raw_ns < clock->anchor_raw_ns + HK_NS_PER_MS)
        return HK_ENOISE;
    const double ours = hk_clock_ns(clock, ticks - clock->anchor_ticks);
    const double theirs = (double)(raw_ns - clock->anchor_raw_ns);
    *error_ppm = (ours / theirs - 1.0) * 1e6;
    return HK_OK;
}
