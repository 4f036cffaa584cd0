/* SPDX-License-Identifier: MIT */
/* What `hkbench predict` knows when it is done, for people and for programs. */
#ifndef HK_CLI_PREDICT_PRINT_H
#define HK_CLI_PREDICT_PRINT_H

#include "hk/guest/sweep.h"
#include "hk/judge/placements.h"
#include "hk/predict/prices.h"

struct hk_prediction_task {
    struct hk_sweep_workload workload;
    struct hk_run run; /* of the primitives */
    struct hk_prices prices;
    struct hk_priced priced[HK_PLACEMENTS]; /* by set of services in servers */
    bool asked;
    uint32_t asked_set; /* if asked */
};

/*
 * A placement as the kernel's place= has it, as the set of services in servers.
 *
 * Returns HK_OK; HK_EPARSE.
 */
enum hk_status hk_placement_parse(const char *text, uint32_t *set);

void hk_prediction_print(const struct hk_prediction_task *task);

/* Prints one line on stderr on failure. HK_OK; HK_ENOMEM. */
enum hk_status hk_prediction_print_json(const struct hk_prediction_task *task);

#endif
