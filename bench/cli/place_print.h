/* SPDX-License-Identifier: MIT */
/* A study of placements for people, and for programs. */
#ifndef HK_CLI_PLACE_PRINT_H
#define HK_CLI_PLACE_PRINT_H

#include <jansson.h>

#include "hk/judge/judge.h"
#include "place_study.h"

#define HK_SET_BYTES 96

/* "190: file print", as place=mask:190 has it, and the services in servers. */
void hk_set_text(uint32_t set, char text[HK_SET_BYTES]);

/* On stdout; verdict: of F2 on this workload. */
void hk_place_print(const struct hk_place_study *study, const struct hk_judgement *verdict);

/* The same as an object; NULL when memory is short. */
json_t *hk_place_json(const struct hk_place_study *study, const struct hk_judgement *verdict);

#endif
