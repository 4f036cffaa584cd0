/* SPDX-License-Identifier: MIT */
#include "hk/counters/pace.h"

#include <stddef.h>
#include <stdint.h>

enum { TURNS = 20000 };

/* Four sums that do not wait for each other; the barriers keep the compiler from adding ahead. */
static void work(void)
{
    uint64_t a = 1, b = 2, c = 3, d = 4;

    for (uint32_t i = 0; i < TURNS; i++) {
        a += i, b += i, c += i, d += i;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
        a += i, b += i, c += i, d += i;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    }
}

void hk_pace_measure(const struct hk_clock *clock, double piece_ns[HK_PACE_PIECES])
{
    for (size_t i = 0; i < HK_PACE_PIECES; i++) {
        const uint64_t start = hk_clock_start(clock);
        work();
        piece_ns[i] = hk_clock_ns(clock, hk_clock_stop(clock) - start);
    }
}
