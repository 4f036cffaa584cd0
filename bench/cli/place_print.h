/* SPDX-License-Identifier: MIT */
/* A study of placements for people, and for programs. */
#ifndef HK_CLI_PLACE_PRINT_H
#define HK_CLI_PLACE_PRINT_H

#include <jansson.h>

#include "hk/judge/judge.h"
#include "place_study.h"

/* On stdout; verdict: of F2 on this workload. */
void hk_place_print(const struct hk_place_study *study, const struct hk_judgement *verdict);

/* The same as an object; NULL when memory is short. */
json_t *hk_place_json(const struct hk_place_study *study, const struct hk_judgement *verdict);

#endif
