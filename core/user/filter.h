/* SPDX-License-Identifier: MIT */
/*
 * One packet filter in two forms: a program for the extension's machine, made by size or by
 * branching, and the same decision as a function. The repeated part, what follows it and the number
 * of instructions are those of the native experiment "extension", so that both can be judged by one
 * formula. The head is not: here it compares with the packet's end, there it loads by offset.
 */
#ifndef HK_USER_FILTER_H
#define HK_USER_FILTER_H

#include <stdbool.h>

#include "extension/extension.h"

#define HK_FILTER_WORDS 8 /* of a datagram */
#define HK_FILTER_SIZE_MIN 16u
#define HK_FILTER_BRANCHES_MAX 14u

enum hk_filter_shape {
    HK_FILTER_STRAIGHT, /* so many instructions, each executed */
    HK_FILTER_BRANCHY,  /* so many branches that the verifier must follow both ways */
};

struct hk_filter {
    enum hk_filter_shape shape;
    uint64_t size; /* instructions, or branches */
};

/* A filter in one word: its shape is the highest bit, its size the lower half. */
static inline struct hk_filter hk_filter_unpack(uint64_t packed)
{
    return (struct hk_filter){ (enum hk_filter_shape)(packed >> 63), (uint32_t)packed };
}

static inline bool hk_filter_is_good(const struct hk_filter *filter)
{
    if (filter->shape == HK_FILTER_STRAIGHT)
        return filter->size >= HK_FILTER_SIZE_MIN && filter->size <= HK_EXTENSION_INSTRUCTIONS_MAX;
    return filter->size >= 1 && filter->size <= HK_FILTER_BRANCHES_MAX;
}

/* Make the program of a good filter. Returns its length: size, or 20 and three for each branch. */
uint32_t hk_filter_program(const struct hk_filter *filter,
                           struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX]);

/* A datagram that passes; and what the program says of it. 0: dropped. */
void hk_filter_datagram(uint64_t word[HK_FILTER_WORDS]);
uint64_t hk_filter_decide(const struct hk_filter *filter, const uint64_t word[HK_FILTER_WORDS]);

#endif
