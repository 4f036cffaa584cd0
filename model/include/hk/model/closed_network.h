/* SPDX-License-Identifier: MIT */
/*
 * Several clients on the same server: a closed network of stations. What F4's
 * single client cannot say: how far throughput grows before a station is full.
 */
#ifndef HK_MODEL_CLOSED_NETWORK_H
#define HK_MODEL_CLOSED_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"

#define HK_STATIONS_MAX 16u

/* A place where an operation spends time. */
struct hk_station {
    double demand_ns; /* time per operation, summed over its visits, >= 0 */
    bool delay;       /* nobody waits here: think time, a wait on something not shared */
};

/* Asymptotic bounds: no client count gives more, none gives less. */
struct hk_closed_bounds {
    double upper_per_s;   /* min(N / (D + Z), 1 / D_max) */
    double lower_per_s;   /* N / (N D + Z) */
    double knee_clients;  /* (D + Z) / D_max: beyond it, somebody waits */
    size_t bottleneck;    /* station of D_max */
};

/*
 * Bounds on throughput, whatever the laws of the service times.
 *
 * stations  [in]   station_count in 1..HK_STATIONS_MAX; one without delay has demand > 0
 * clients   [in]   N >= 1, each with one outstanding operation
 * bounds    [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if demands overflow.
 * Source: Denning & Buzen 1978 (Computing Surveys 10(3)); Lazowska et al. 1984,
 * chapter 5.
 */
enum hk_status hk_closed_bounds(const struct hk_station *stations, size_t station_count,
                                size_t clients, struct hk_closed_bounds *bounds);

struct hk_closed_load {
    double throughput_per_s;
    double response_ns;                     /* of an operation, delays left out */
    double queue_mean[HK_STATIONS_MAX];     /* operations at a station, one in service included */
    double utilisation_ratio[HK_STATIONS_MAX]; /* 0 for delays */
};

/*
 * Exact mean value analysis for one class of clients.
 *
 * Assumed: product form (exponential service where an arriving client waits its
 * turn, or processor sharing), so that an arriving client sees the network with
 * one client fewer.
 *
 * Returns as hk_closed_bounds. Cost O(clients * stations), no allocation; clients
 * up to 10^6, HK_ETOOBIG beyond.
 * Source: Reiser & Lavenberg 1980 (JACM 27(2)).
 */
enum hk_status hk_closed_solve(const struct hk_station *stations, size_t station_count,
                               size_t clients, struct hk_closed_load *load);

#endif
