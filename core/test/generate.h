/* SPDX-License-Identifier: MIT */
/* Programs for the verifier, made from bytes: mostly sensible ones, with a mistake here and there. */
#ifndef HK_TEST_GENERATE_H
#define HK_TEST_GENERATE_H

#include "extension/extension.h"
#include "test/fuzz/input.h"

#define HK_GENERATE_INSTRUCTIONS 160u

/* Fill instructions[HK_GENERATE_INSTRUCTIONS]; returns how many there are. */
uint32_t hk_generate(struct input *input, const struct hk_map *maps, uint32_t map_count,
                     struct hk_instruction *instructions);

#endif
