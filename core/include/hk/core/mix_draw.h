/* SPDX-License-Identifier: MIT */
/*
 * What a workload draws, from its seed on: the client in the guest does it, and who predicts it
 * repeats it. The same numbers in the same order on both sides.
 */
#ifndef HK_CORE_MIX_DRAW_H
#define HK_CORE_MIX_DRAW_H

#include "hk/core/mix.h"

/* What the actions work on. */
#define HK_MIX_FILES 12u
#define HK_MIX_FILE_PAGES 16u
#define HK_MIX_DATAGRAM_BYTES 1472u
#define HK_MIX_BLOCKS 128u
#define HK_MIX_CACHED_FIRST 80u /* from here on blocks are cached when a workload begins */
#define HK_MIX_STREAMS 8u
#define HK_MIX_SCREEN_WIDTH 160u
#define HK_MIX_SCREEN_HEIGHT 120u

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t hk_mix_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* A number in 0 .. count - 1; count at least 1. */
static inline uint64_t hk_mix_choose(uint64_t *state, uint64_t count)
{
    return (uint64_t)((unsigned __int128)hk_mix_random(state) * count >> 64);
}

/* Logarithmically uniform: a size class is drawn, then a size of it. */
static inline uint64_t hk_mix_draw_bytes(uint64_t *state, const struct hk_mix_entry *entry)
{
    uint64_t low = entry->bytes_min, high;
    uint64_t classes = 0;

    while (low > 0 && low << classes <= entry->bytes_max / 2)
        classes++;
    if (low == 0 || classes == 0)
        return low + hk_mix_choose(state, entry->bytes_max - low + 1);
    low <<= hk_mix_choose(state, classes + 1);
    high = low * 2 - 1 < entry->bytes_max ? low * 2 - 1 : entry->bytes_max;
    return low + hk_mix_choose(state, high - low + 1);
}

/* One of the entries with a weight; weight_sum is that of all, above 0. */
static inline const struct hk_mix_entry *hk_mix_draw_entry(uint64_t *state,
                                                           const struct hk_mix *mix,
                                                           uint64_t weight_sum)
{
    const struct hk_mix_entry *entry = mix->entry;
    uint64_t at = hk_mix_choose(state, weight_sum);

    while (at >= entry->weight)
        at -= entry++->weight;
    return entry;
}

/* A buffer that is not aligned cannot take lent pages: its bytes are copied. */
static inline uint64_t hk_mix_draw_action(uint64_t *state, const struct hk_mix_entry *entry)
{
    if (entry->unaligned_percent == 0 || hk_mix_choose(state, 100) >= entry->unaligned_percent)
        return entry->action;
    return HK_MIX_FILE_READ;
}

/* A fifth of the blocks gets four fifths of the requests. */
static inline uint64_t hk_mix_draw_block(uint64_t *state)
{
    return hk_mix_choose(state, 5) == 0 ? hk_mix_choose(state, HK_MIX_BLOCKS)
                                        : hk_mix_choose(state, HK_MIX_BLOCKS / 5);
}

/* As many pixels as the bytes say, as a rectangle that is as wide as possible. */
static inline void hk_mix_area(uint64_t bytes, uint64_t *width, uint64_t *height)
{
    uint64_t pixels = bytes / 4 + 1;

    *width = pixels < HK_MIX_SCREEN_WIDTH ? pixels : HK_MIX_SCREEN_WIDTH;
    *height = pixels / *width < HK_MIX_SCREEN_HEIGHT ? pixels / *width : HK_MIX_SCREEN_HEIGHT;
}

#endif
