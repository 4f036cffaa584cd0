/* SPDX-License-Identifier: MIT */
#include "hk/model/closed_network.h"

#include "check.h"
#include "hk/base/units.h"

#define CLIENTS_MAX 1000000u

struct demands {
    double shared_ns; /* D */
    double think_ns;  /* Z */
    double most_ns;   /* D_max */
    size_t bottleneck;
};

static enum hk_status demands_sum(const struct hk_station *stations, size_t count,
                                  size_t clients, struct demands *out)
{
    if (!stations || count == 0 || count > HK_STATIONS_MAX || clients == 0) {
        return HK_EINVAL;
    }
    struct demands sum = {0};
    for (size_t i = 0; i < count; i++) {
        const double demand = stations[i].demand_ns;
        if (!check_not_negative(demand)) {
            return HK_EINVAL;
        }
        if (stations[i].delay) {
            sum.think_ns += demand;
            continue;
        }
        sum.shared_ns += demand;
        if (demand > sum.most_ns) {
            sum.most_ns = demand;
            sum.bottleneck = i;
        }
    }
    if (!(sum.most_ns > 0.0)) {
        return HK_EINVAL;
    }
    if (!isfinite((double)clients * (sum.shared_ns + sum.think_ns)) ||
        !isfinite(HK_NS_PER_S / sum.most_ns)) {
        return HK_ERANGE;
    }
    *out = sum;
    return HK_OK;
}

enum hk_status hk_closed_bounds(const struct hk_station *stations, size_t station_count,
                                size_t clients, struct hk_closed_bounds *bounds)
{
    struct demands d;
    if (!bounds) {
        return HK_EINVAL;
    }
    const enum hk_status status = demands_sum(stations, station_count, clients, &d);
    if (status != HK_OK) {
        return status;
    }
    const double n = (double)clients;
    const double alone_ns = d.shared_ns + d.think_ns;
    *bounds = (struct hk_closed_bounds){
        .upper_per_s = HK_NS_PER_S * fmin(n / alone_ns, 1.0 / d.most_ns),
        .lower_per_s = HK_NS_PER_S * n / (n * d.shared_ns + d.think_ns),
        .knee_clients = alone_ns / d.most_ns,
        .bottleneck = d.bottleneck,
    };
    return HK_OK;
}

enum hk_status hk_closed_solve(const struct hk_station *stations, size_t station_count,
                               size_t clients, struct hk_closed_load *load)
{
    struct demands d;
    if (!load) {
        return HK_EINVAL;
    }
    const enum hk_status status = demands_sum(stations, station_count, clients, &d);
    if (status != HK_OK) {
        return status;
    }
    if (clients > CLIENTS_MAX) {
        return HK_ETOOBIG;
    }
    double queue[HK_STATIONS_MAX] = {0};
    double residence_ns[HK_STATIONS_MAX] = {0};
    double per_ns = 0.0;
    double response_ns = 0.0;
    for (size_t n = 1; n <= clients; n++) {
        response_ns = 0.0;
        for (size_t i = 0; i < station_count; i++) {
            const double waiting = stations[i].delay ? 0.0 : queue[i];
            residence_ns[i] = stations[i].demand_ns * (1.0 + waiting);
            response_ns += stations[i].delay ? 0.0 : residence_ns[i];
        }
        per_ns = (double)n / (d.think_ns + response_ns);
        for (size_t i = 0; i < station_count; i++) {
            queue[i] = per_ns * residence_ns[i];
        }
    }
    *load = (struct hk_closed_load){
        .throughput_per_s = per_ns * HK_NS_PER_S,
        .response_ns = response_ns,
    };
    for (size_t i = 0; i < station_count; i++) {
        load->queue_mean[i] = queue[i];
        load->utilisation_ratio[i] = stations[i].delay ? 0.0 : per_ns * stations[i].demand_ns;
    }
    return HK_OK;
}
