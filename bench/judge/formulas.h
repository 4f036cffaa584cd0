/* SPDX-License-Identifier: MIT */
/* The rows of hk_judge_formulas, one file each; the signatures are those of its members. */
#ifndef HK_JUDGE_FORMULAS_H
#define HK_JUDGE_FORMULAS_H

#include "hk/judge/judge.h"

enum hk_status hk_f1_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f1_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f2_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f2_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f3_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f3_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f5_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f5_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f6_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f6_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f7_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f7_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_service_fit(const struct hk_run *training, struct hk_rng *rng,
                              struct hk_judge *judge);
enum hk_status hk_service_validate(const struct hk_run *training, const struct hk_run *target,
                                   struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f4_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f4_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f9_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f9_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f3_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge);
enum hk_status hk_f3_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f6_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge);
enum hk_status hk_f6_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f7_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge);
enum hk_status hk_f7_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_f8_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge);
enum hk_status hk_f8_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_load_fit(const struct hk_run *training, struct hk_rng *rng,
                           struct hk_judge *judge);
enum hk_status hk_load_validate(const struct hk_run *training, const struct hk_run *target,
                                struct hk_rng *rng, struct hk_judge *judge);
enum hk_status hk_block_fit(const struct hk_run *training, struct hk_rng *rng,
                            struct hk_judge *judge);
enum hk_status hk_block_validate(const struct hk_run *training, const struct hk_run *target,
                                 struct hk_rng *rng, struct hk_judge *judge);

#endif
