/* SPDX-License-Identifier: MIT */
#ifndef HK_JUDGE_STANDING_H
#define HK_JUDGE_STANDING_H

#include "hk/judge/judge.h"

/* The textbook's name in a comparison's regime: of the models compared there, the first. */
const char *hk_judge_textbook(const struct hk_judge *judge, const struct hk_comparison *c);

/*
 * The model that stands in a comparison's regime: what its verdict says to hold; where nothing did,
 * the last one, which is the strongest by its derivation.
 */
const char *hk_judge_standing(const struct hk_judge *judge, const struct hk_comparison *c);

#endif
