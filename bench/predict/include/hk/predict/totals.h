/* SPDX-License-Identifier: MIT */
/*
 * What a request of a workload takes on this machine, without the client's thinking: the bodies of
 * core/services in time, from the cells native/workload of single workloads, and the crossings to
 * those that run in servers, by F3 (hk/predict/crossings.h). In process a service is called
 * directly: there is no crossing.
 *
 * Sets are bit masks of the services that run in servers: 0 is all in process.
 */
#ifndef HK_PREDICT_TOTALS_H
#define HK_PREDICT_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "hk/predict/crossings.h"
#include "hk/predict/prices.h"

/* How far off mixed workloads were, of which no price knows. */
struct hk_totals_tried {
    size_t count;            /* workloads */
    double error_median;     /* |predicted / measured - 1| */
    double margin;           /* in logarithms, beyond the range of the clocks */
    double confidence_ratio; /* that it attains, at most 0.95 */
};

struct hk_totals {
    double ns[HK_WORKS];  /* of a unit; what goes off with an alarm is in the alarm's */
    size_t single_count;  /* cells that they were fitted on */
    double fit_error_max; /* as of hk_prices */
    struct hk_totals_tried in_process;
    struct hk_totals_tried in_servers; /* all of them; count 0: nothing is known of servers */
    struct hk_crossing_costs costs;    /* of those */
};

/*
 * Fit prices, and margins on the mixed workloads of the run.
 *
 * transport  [in]  to servers, as cells and F3 name it
 * costs      [in]  of it; NULL: nobody knows, and in_servers.count is 0
 * error      [out] on failure one line for people with the remedy
 *
 * in_servers.count is also 0 where the run has not enough mixed workloads over the transport.
 *
 * Returns HK_OK; HK_ENOENT when single workloads are missing; HK_ENOISE when too few mixed ones
 * were measured in process for 90 %; HK_ENOMEM.
 */
enum hk_status hk_totals_fit(const struct hk_run *run, const char *transport,
                             const struct hk_crossing_costs *costs, struct hk_totals *out,
                             char error[HK_TEXT_BYTES]);

/*
 * Predict the mean time of a request, ns.
 *
 * Returns HK_OK; HK_EINVAL for no such set; HK_ENOENT for servers where in_servers.count is 0;
 * HK_ERANGE when the mixer leaves no time to anybody else; HK_ENOMEM.
 */
enum hk_status hk_totals_predict(const struct hk_totals *totals, const struct hk_mix *mix,
                                 uint32_t set, struct hk_predicted *out);

/*
 * What was measured of a workload: the median over launches of their means, ns.
 *
 * Returns HK_OK; HK_ENOENT when the run has no such cell, or no launch of it that holds.
 */
enum hk_status hk_totals_measured(const struct hk_run *run, const char *workload,
                                  const char *transport, uint32_t set, double *ns);

/*
 * The next cell of a workload that is no primitive: held out of every price and margin.
 *
 * launch     [in,out]  where to look from, 0 at first
 * transport  [in]      cells over others are passed over
 *
 * Returns false when there is none any more.
 */
bool hk_totals_next(const struct hk_run *run, const char *transport, size_t *launch,
                    char workload[HK_NAME_BYTES], uint32_t *set);

#endif
