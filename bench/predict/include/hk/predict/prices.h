/* SPDX-License-Identifier: MIT */
/*
 * What each kind of a workload's work costs in the guest, in the kernel and in a server, from single
 * workloads (hk/guest/primitives.h); and with it what any workload costs in any placement. It is F3
 * with costs of its own for each service: T = sum of calls (c + t) + bytes c_copy, where the prices
 * of a server hold the transfers and those in the kernel do not.
 *
 * Sets are bit masks of the services that run in servers: 0 is the monolith.
 */
#ifndef HK_PREDICT_PRICES_H
#define HK_PREDICT_PRICES_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/replay.h"
#include "hk/result/result.h"
#include "hk/stats/estimate.h"

enum hk_side { HK_IN_KERNEL, HK_IN_SERVER, HK_SIDES };

struct hk_prices {
    double instructions[HK_SIDES][HK_WORKS]; /* of a unit; of the client the same on both sides */
    size_t single_count;     /* cells that the prices were fitted on */
    double fit_error_max;    /* the largest |fitted - counted| among them, of the service's
                                own work, by all that was counted but thinking */
    size_t mixed_count;      /* cells of mixed workloads that were predicted in vain */
    double mixed_error_median; /* |predicted / counted - 1| there */
    double margin_ln;        /* 95 % of them were within their range and so much more */
};

/*
 * Fit prices on a run of hkbench run --placements --workload primitives, and the margin of
 * prediction intervals on its mixed workloads, of which no price knows. A prediction is a range
 * first, over clocks that go up to 5 % wrong and over moments of the mixer's period at which the
 * client may begin, because what has a period happens once more or less often by a hair; the margin
 * is what cells are outside of theirs. Assumed: the mixed cells are exchangeable, with each other and
 * with those to be predicted. They are 16 workloads in 4 placements each, and cells of a workload
 * resemble each other: that is less evidence than up to 64 cells, and 95 % is nominal.
 * Source: Romano, Patterson, Candes 2019 (NeurIPS), conformalised ranges.
 *
 * error  [out]  on failure one line for people with the remedy
 *
 * Returns HK_OK; HK_ENOENT when cells are missing; HK_ENOISE when the mixed ones are too few for
 * 95 %; HK_ESCHEMA when the run's workloads are not those of this hkbench; HK_ENOMEM.
 */
enum hk_status hk_prices_fit(const struct hk_run *run, struct hk_prices *prices,
                             char error[HK_TEXT_BYTES]);

struct hk_priced {
    double instructions;         /* per request, thinking included */
    struct hk_interval interval; /* 95 %, of a run of this workload with this seed */
    struct hk_replay replay;
};

/*
 * Predict a workload's instructions per request.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE when the mixer leaves no time to anybody else.
 */
enum hk_status hk_prices_predict(const struct hk_prices *prices, const struct hk_mix *mix,
                                 uint32_t set, struct hk_priced *out);

/* An open system: requests that come whenever they come, in the guest's time. */
struct hk_priced_load {
    double utilisation_ratio;
    double response_ns;          /* mean, waiting included */
    struct hk_interval interval_ns; /* 95 %, by the interval of the service time; upper may be
                                       INFINITY: no longer sure that the queue ends */
};

/*
 * Response under the workload's rate_per_s: M/G/1, the service time is what a request takes without
 * thinking and varies as the requests of the workload do.
 *
 * Returns HK_OK; HK_EINVAL without a rate; HK_ERANGE at a utilisation of 1 and more, with
 * utilisation_ratio alone written.
 */
enum hk_status hk_priced_under_load(const struct hk_priced *priced, const struct hk_mix *mix,
                                    struct hk_priced_load *out);

#endif
