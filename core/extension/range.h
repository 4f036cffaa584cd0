/* SPDX-License-Identifier: MIT */
/*
 * What the verifier knows of a number: that it lies in an interval of unsigned numbers. Pure:
 * values in, values out.
 */
#ifndef HK_EXTENSION_RANGE_H
#define HK_EXTENSION_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct hk_range {
    uint64_t min, max; /* min <= max */
};

static inline struct hk_range hk_range_number(uint64_t number)
{
    return (struct hk_range){ number, number };
}

/* Every number of so many bits, 1 to 64. */
static inline struct hk_range hk_range_bits(unsigned bits)
{
    return (struct hk_range){ 0, UINT64_MAX >> (64 - bits) };
}

static inline bool hk_range_is_number(struct hk_range range)
{
    return range.min == range.max;
}

static inline bool hk_range_within(struct hk_range inner, struct hk_range outer)
{
    return outer.min <= inner.min && inner.max <= outer.max;
}

/* All results of an operation of HK_ALU_LIST (instruction.h), and possibly more. */
struct hk_range hk_range_alu(unsigned operation, int offset, bool wide, struct hk_range a,
                             struct hk_range b);

/* The same of HK_NEG, and of HK_END to so many bits. */
struct hk_range hk_range_negate(bool wide, struct hk_range a);
struct hk_range hk_range_order(bool swap, int bits, struct hk_range a);

/*
 * What is left of two numbers where a comparison of HK_JUMP_LIST holds, or does not.
 *
 * a, b  [in,out]  changed only where there is something left
 *
 * Returns false where it never does.
 */
bool hk_range_assume(unsigned operation, bool wide, bool holds, struct hk_range *a,
                     struct hk_range *b);

#endif
