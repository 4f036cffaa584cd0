/* SPDX-License-Identifier: MIT */
/* Two tasks compared inside one measuring process. */
#ifndef HK_RUN_PAIR_H
#define HK_RUN_PAIR_H

#include "experiment.h"

#define HK_PAIR_COUNTER "hk_log_ratio"

/*
 * Interleave two entered tasks: rounds of one block each, in ABBA or BAAB order by chance.
 *
 * Servers that spin are stopped while the other side runs: they would burn its CPU.
 *
 * launch  [in,out]  gets HK_PAIR_COUNTER, the median of ln(t_B / t_A) over undisturbed rounds
 *
 * Returns HK_OK; HK_EINVAL or HK_ENOTSUP with tasks[0].reason when they cannot be paired;
 * HK_ENOISE when fewer than 5 rounds are left; the status of a failed operation.
 */
enum hk_status hk_pair_measure(struct hk_task tasks[2], uint32_t rounds, struct hk_launch *launch);

#endif
