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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/replay.h"
#include "hk/result/result.h"
#include "hk/stats/estimate.h"

enum hk_side { HK_IN_KERNEL, HK_IN_SERVER, HK_SIDES };

/* What is predicted of a workload in a placement. In the guest an instruction is a nanosecond. */
enum hk_quantity {
    HK_PER_REQUEST, /* mean, thinking included */
    HK_P50,         /* of one request from when it is made: what is due before it and what */
    HK_P90,         /* interrupts it included; the least that so many of a hundred requests of */
    HK_P99,         /* the longer region do not exceed */
    HK_LATENESS,    /* of the mixer's wake-ups, mean */
    HK_JITTER,      /* of its period: root mean square of how much lateness changes, F6 */
    HK_QUANTITIES,
};

/*
 * What was counted of a quantity in a launch of a placement. False: it tells nothing of it, as of
 * lateness where no mixer woke.
 */
bool hk_quantity_counted(const struct hk_launch *launch, enum hk_quantity quantity, double *value);

struct hk_prices {
    double instructions[HK_SIDES][HK_WORKS]; /* of a unit; of the client the same on both sides */
    size_t single_count;     /* cells that the prices were fitted on */
    double fit_error_max;    /* the largest |fitted - counted| among them, of the service's
                                own work, by all that was counted but thinking */
    size_t mixed_count;      /* mixed workloads that were predicted in vain */
    double mixed_error_median; /* |predicted / counted - 1| of their cells, of HK_PER_REQUEST */
    double margin[HK_QUANTITIES]; /* all cells of as many of them as confidence says were within
                                     their range and so much more: in logarithms, of HK_LATENESS
                                     and HK_JITTER in ns */
    double confidence_ratio[HK_QUANTITIES]; /* 0.95, or what as many as there are attain */
    size_t playing_count;    /* of them, those whose mixer wakes, for these two */
    double wake_ns[HK_SIDES]; /* how late a mixer wakes when only its client thinks */
};

/*
 * Fit prices on a run of hkbench run --placements --workload primitives, and the margin of
 * prediction intervals on its mixed workloads, of which no price knows. A prediction is a range
 * first, over clocks that go up to 5 % wrong and over moments of the mixer's period at which the
 * client may begin, because what has a period happens once more or less often by a hair; the margin
 * is what workloads are outside of theirs, each by its worst cell, as cells of one workload
 * resemble each other. Assumed: the mixed workloads are exchangeable, with each other and with
 * those to be predicted. Of n of them a margin attains n / (n + 1) at most, which is what
 * confidence_ratio says where that is below 0.95: of lateness and jitter, for which only those
 * count that play.
 * Source: Romano, Patterson, Candes 2019 (NeurIPS), conformalised ranges.
 *
 * error  [out]  on failure one line for people with the remedy
 *
 * Returns HK_OK; HK_ENOENT when cells are missing; HK_ENOISE when the mixed ones are too few for
 * 90 %; HK_ESCHEMA when the run's workloads are not those of this hkbench; HK_ENOMEM.
 */
enum hk_status hk_prices_fit(const struct hk_run *run, struct hk_prices *prices,
                             char error[HK_TEXT_BYTES]);

struct hk_predicted {
    double value;
    struct hk_interval interval; /* of a run of this workload with this seed */
};

/* The mixer's wake-ups over all clocks and moments. */
struct hk_priced_mixer {
    uint64_t wakes;            /* 0: it does not play, and has no lateness and jitter */
    uint64_t underruns;        /* of them, later than the device's buffers last */
    double headroom_ns;        /* all buffers but one */
    double longest_ns;         /* nobody holds the processor for longer: no wake-up is as late */
    double jitter_textbook_ns; /* F6 without dependence: delta sqrt 2 */
    double underrun_textbook;  /* F7: exponential with the same delta, per period */
};

struct hk_priced {
    struct hk_predicted of[HK_QUANTITIES];
    struct hk_priced_mixer mixer;
    struct hk_replay replay;
};

/*
 * Predict a workload.
 *
 * Latencies are quantiles of the law of the workload's own requests, each priced: they are sorted,
 * as quantiles do not add. A mixer wakes late by what it takes to wake it (wake_ns) and by what is
 * left of the time for which the processor is held: a call of a service in the kernel holds it to
 * its end, one of a server while its messages are transferred, for which the difference of its
 * prices is taken. F6 and F7 are evaluated on that lateness.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE when the mixer leaves no time to anybody else; HK_ENOMEM.
 */
enum hk_status hk_prices_predict(const struct hk_prices *prices, const struct hk_mix *mix,
                                 uint32_t set, struct hk_priced *out);

/*
 * The share of periods without a mixer in time, F7 on the law of its lateness: 95 % exact interval
 * over the wake-ups of all scenarios, which are a repetition's and not a run's. 0 and nothing else
 * where the longest time for which the processor is held leaves headroom.
 *
 * Returns HK_OK; HK_ENOENT when the mixer does not play.
 */
enum hk_status hk_priced_underruns(const struct hk_priced *priced, struct hk_interval *out);

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
