/* SPDX-License-Identifier: MIT */
/* What `hkbench predict` knows when it is done, for people and for programs. */
#ifndef HK_CLI_PREDICT_PRINT_H
#define HK_CLI_PREDICT_PRINT_H

#include <jansson.h>

#include "hk/guest/sweep.h"
#include "hk/judge/placements.h"
#include "hk/predict/crossings.h"
#include "hk/predict/periods.h"
#include "hk/predict/prices.h"
#include "hk/predict/totals.h"
#include "hk/predict/waits.h"

#define HK_PREDICTION_ROWS 16
#define HK_PREDICTION_REFUSALS 8

/* A mixer as it would wake in one regime of the native run. */
struct hk_prediction_period {
    char cell[HK_NAME_BYTES];
    struct hk_periods periods;
};

/* Totals of cells that nothing was fitted on. */
struct hk_prediction_tried {
    size_t count;
    size_t inside; /* of their intervals */
    double error_median; /* |predicted / measured - 1| */
    double error_max;
};

struct hk_prediction_task {
    struct hk_sweep_workload workload;
    struct hk_run run; /* of the primitives */
    struct hk_prices prices;
    struct hk_priced priced[HK_PLACEMENTS]; /* by set of services in servers */
    bool asked;
    uint32_t asked_set; /* if asked */

    struct hk_run native; /* for crossings; without launches when there is none */
    const char *transport;
    bool has_crossings;
    struct hk_crossing_costs costs;
    struct hk_estimate crossing_ns[HK_PLACEMENTS];
    bool hops[HK_PLACEMENTS]; /* among three spaces, rather than c_ipc */
    struct hk_run bodies; /* for totals; as native */
    struct hk_totals totals;
    bool has_total[HK_PLACEMENTS];
    struct hk_predicted total[HK_PLACEMENTS]; /* ns */
    struct hk_prediction_tried tried;

    struct hk_run wakeups; /* for periods; as native */
    struct hk_prediction_period periods[HK_PREDICTION_ROWS];
    size_t period_count;

    struct hk_waits waits; /* count 0: not tried here */
    char waits_path[4096]; /* of the judged run */

    char refusals[HK_PREDICTION_REFUSALS][HK_TEXT_BYTES]; /* what no run carries, and the remedy */
    size_t refusal_count;
};

/* Say that something is not predicted, and what to do. */
__attribute__((format(printf, 2, 3))) void hk_prediction_refuse(struct hk_prediction_task *task,
                                                                const char *format, ...);

/* Whether a workload has an audio device with a period of its own. */
bool hk_mix_plays(const struct hk_mix *mix);

/* Predict jitter and underruns in every regime of the run of wake-ups. */
void hk_prediction_periods(struct hk_prediction_task *task, struct hk_rng *rng);

/*
 * Predict the time of a whole request from the run of bodies; folder: of the workloads that come
 * with hkbench, on which it is tried.
 */
void hk_prediction_totals(struct hk_prediction_task *task, const char *folder);
void hk_prediction_print_totals(const struct hk_prediction_task *task);
json_t *hk_prediction_totals_json(const struct hk_prediction_task *task);

void hk_prediction_print(const struct hk_prediction_task *task);

/* Prints one line on stderr on failure. HK_OK; HK_ENOMEM. */
enum hk_status hk_prediction_print_json(const struct hk_prediction_task *task);

#endif
