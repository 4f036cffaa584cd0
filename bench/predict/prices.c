/* SPDX-License-Identifier: MIT */
#include "hk/predict/prices.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hk/guest/mix.h"
#include "hk/guest/primitives.h"
#include "hk/judge/placements.h"
#include "hk/stats/error.h"
#include "hk/stats/linear.h"
#include "hk/stats/quantile.h"

#define ALL_SERVERS (HK_PLACEMENTS - 1)
#define CONFIDENCE 0.95

/* The equations of one service on one side: units of its work per request against what they cost. */
struct equations {
    unsigned service;
    enum hk_work works[HK_LINEAR_TERMS_MAX];
    size_t work_count;
    double units[2 * HK_PRIMITIVES_SINGLE][HK_LINEAR_TERMS_MAX];
    double cost[2 * HK_PRIMITIVES_SINGLE];
    size_t count;
};

static double thinking(const struct hk_mix *mix)
{
    return (double)(mix->think_instructions / 2 * 2);
}

static const char *who(unsigned service)
{
    return service == HK_SERVICE_CLIENT ? "the client"
                                        : hk_mix_service_name((enum hk_service_number)service);
}

/* Were these the requests that this hkbench thinks the workload makes? */
static bool requests_agree(const struct hk_placement_cell *cell, const struct hk_replay *replay,
                           unsigned service)
{
    char name[64];
    double requests = 0;

    if (service == HK_SERVICE_CLIENT)
        return true;
    snprintf(name, sizeof name, "hk_requests_%s", who(service));
    (void)hk_launch_counter(cell->launch, name, &requests);
    return requests == (double)replay->requests[service];
}

/* Units per request where the clock is known: each request takes what it took on average. */
static enum hk_status replay_counted(const struct hk_mix *mix, double instructions,
                                     struct hk_replay *replay)
{
    double clock[HK_WORKS] = {0};

    clock[HK_WORK_REQUEST] = fmax(instructions - thinking(mix), 0);
    return hk_mix_replay(mix, clock, replay);
}

/* Add a single workload on one side as an equation; a cell that does not hold adds none. */
static enum hk_status add_equation(const struct hk_run *run, unsigned single, enum hk_side side,
                                   const struct hk_prices *prices, struct equations *e,
                                   char error[HK_TEXT_BYTES])
{
    struct hk_sweep_workload workload;
    struct hk_placement_cell cell;
    struct hk_replay replay;

    hk_primitive_make(single, &workload);
    if (hk_placement_read(run, workload.name, side == HK_IN_SERVER ? ALL_SERVERS : 0, &cell) !=
        HK_OK)
        return HK_OK;
    enum hk_status status = replay_counted(&workload.mix, cell.instructions, &replay);
    if (status != HK_OK)
        return status;
    if (!requests_agree(&cell, &replay, e->service)) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: %s is another workload than this hkbench's; count "
                 "again with: hkbench run --placements --workload primitives", run->path,
                 workload.name);
        return HK_ESCHEMA;
    }
    e->cost[e->count] = cell.instructions - thinking(&workload.mix);
    for (enum hk_work w = 0; w < HK_WORKS; w++) /* what the client's own work costs is known */
        if (e->service != HK_SERVICE_CLIENT && hk_work_service(w) == HK_SERVICE_CLIENT)
            e->cost[e->count] -= replay.work[w] * prices->instructions[side][w];
    for (size_t i = 0; i < e->work_count; i++)
        e->units[e->count][i] = replay.work[e->works[i]];
    e->count++;
    return HK_OK;
}

/* Least squares of relative errors over the terms that are left. */
static enum hk_status solve(const struct equations *e, const bool *left, size_t left_count,
                            double *price)
{
    double x[2 * HK_PRIMITIVES_SINGLE * HK_LINEAR_TERMS_MAX];
    double weights[2 * HK_PRIMITIVES_SINGLE];
    struct hk_linear_fit fit;
    size_t n = 0;

    for (size_t i = 0; i < e->count; i++) {
        for (size_t k = 0; k < e->work_count; k++)
            if (left[k])
                x[n++] = e->units[i][k];
        weights[i] = 1 / fmax(e->cost[i] * e->cost[i], 1);
    }
    const struct hk_linear_data data = {x, e->cost, weights, e->count, left_count};
    const enum hk_status status = hk_linear_fit(&data, &fit);
    if (status != HK_OK)
        return status;
    if (fit.rank < left_count)
        return HK_ENOISE;
    for (size_t k = 0, i = 0; k < e->work_count; k++)
        price[k] = left[k] ? fit.coefficient[i++] : 0;
    return HK_OK;
}

/* No work gives instructions back: a price below 0 is 0, one after the other. */
static enum hk_status solve_positive(const struct equations *e, double *price)
{
    bool left[HK_LINEAR_TERMS_MAX];
    size_t left_count = e->work_count;

    for (size_t k = 0; k < e->work_count; k++)
        left[k] = true;
    while (left_count > 0) {
        const enum hk_status status = solve(e, left, left_count, price);
        size_t least = 0;
        if (status != HK_OK)
            return status;
        for (size_t k = 1; k < e->work_count; k++)
            least = price[k] < price[least] ? k : least;
        if (price[least] >= 0)
            return HK_OK;
        left[least] = false;
        left_count--;
    }
    return HK_ENOISE;
}

static void note_errors(const struct equations *e, const double *price, struct hk_prices *prices)
{
    prices->single_count += e->count;
    for (size_t i = 0; i < e->count; i++) {
        double fitted = 0;
        for (size_t k = 0; k < e->work_count; k++)
            fitted += price[k] * e->units[i][k];
        prices->fit_error_max =
            fmax(prices->fit_error_max, fabs(fitted - e->cost[i]) / fmax(e->cost[i], 1));
    }
}

/* Prices of one service on the sides from..to; the client's work is the same on both. */
static enum hk_status fit_service(const struct hk_run *run, unsigned service, enum hk_side from,
                                  enum hk_side to, struct hk_prices *prices,
                                  char error[HK_TEXT_BYTES])
{
    struct equations e = {.service = service};
    double price[HK_LINEAR_TERMS_MAX];
    enum hk_status status = HK_OK;

    for (enum hk_work w = 0; w < HK_WORKS; w++)
        if (hk_work_service(w) == service)
            e.works[e.work_count++] = w;
    for (unsigned i = 0; i < HK_PRIMITIVES_SINGLE; i++)
        for (enum hk_side side = from; side <= to && status == HK_OK; side++)
            if (hk_primitive_service(i) == service)
                status = add_equation(run, i, side, prices, &e, error);
    if (status != HK_OK)
        return status;
    status = solve_positive(&e, price);
    if (status == HK_ENOISE) {
        snprintf(error, HK_TEXT_BYTES, "%.300s has not the single workloads of %s; count them "
                 "with: hkbench run --placements --workload primitives", run->path, who(service));
        return HK_ENOENT;
    }
    if (status != HK_OK)
        return status;
    for (enum hk_side side = from; side <= to; side++)
        for (size_t k = 0; k < e.work_count; k++)
            prices->instructions[side][e.works[k]] = price[k];
    note_errors(&e, price, prices);
    return HK_OK;
}

static enum hk_status predict_mean(const struct hk_prices *prices, const struct hk_mix *mix,
                                   uint32_t set, struct hk_priced *out)
{
    double costs[HK_WORKS];

    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        const unsigned service = hk_work_service(w);
        const enum hk_side side = service != HK_SERVICE_CLIENT && (set >> service & 1) != 0
                                      ? HK_IN_SERVER : HK_IN_KERNEL;
        costs[w] = prices->instructions[side][w];
    }
    const enum hk_status status = hk_mix_replay(mix, costs, &out->replay);
    if (status != HK_OK)
        return status;
    out->instructions = thinking(mix);
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        out->instructions += costs[w] * out->replay.work[w];
    return HK_OK;
}

/* ln(counted / predicted) of all cells of mixed workloads. */
static enum hk_status mixed_errors(const struct hk_run *run, const struct hk_prices *prices,
                                   double *errors, size_t *count)
{
    *count = 0;
    for (unsigned i = 0; i < HK_PRIMITIVES_MIXED; i++) {
        struct hk_sweep_workload workload;
        hk_primitive_make(HK_PRIMITIVES_SINGLE + i, &workload);
        for (unsigned k = 0; k < HK_PRIMITIVES_MASKS; k++) {
            const uint32_t set = ALL_SERVERS - hk_primitive_masks(i)[k];
            struct hk_placement_cell cell;
            struct hk_priced priced;
            if (hk_placement_read(run, workload.name, set, &cell) != HK_OK)
                continue;
            const enum hk_status status = predict_mean(prices, &workload.mix, set, &priced);
            if (status != HK_OK)
                return status;
            errors[(*count)++] = log(cell.instructions / priced.instructions);
        }
    }
    return HK_OK;
}

static enum hk_status fit_width(const struct hk_run *run, struct hk_prices *prices,
                                char error[HK_TEXT_BYTES])
{
    double errors[HK_PRIMITIVES_MIXED * HK_PRIMITIVES_MASKS];
    size_t n = 0;
    enum hk_status status = mixed_errors(run, prices, errors, &n);

    if (status == HK_OK)
        status = n == 0 ? HK_ENOISE
                        : hk_conformal_half_width(errors, n, CONFIDENCE, &prices->half_width_ln);
    if (status == HK_ENOISE)
        snprintf(error, HK_TEXT_BYTES, "%.300s has %zu cells of mixed workloads, too few for an "
                 "interval; count them with: hkbench run --placements --workload primitives",
                 run->path, n);
    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        errors[i] = fabs(expm1(-errors[i]));
    prices->mixed_count = n;
    status = hk_sample_sort(errors, n);
    return status == HK_OK ? hk_quantile(errors, n, 0.5, &prices->mixed_error_median) : status;
}

enum hk_status hk_prices_fit(const struct hk_run *run, struct hk_prices *prices,
                             char error[HK_TEXT_BYTES])
{
    struct hk_prices p = {0};

    snprintf(error, HK_TEXT_BYTES, "the prices of %.300s cannot be fitted", run->path);
    enum hk_status status =
        fit_service(run, HK_SERVICE_CLIENT, HK_IN_KERNEL, HK_IN_SERVER, &p, error);
    for (unsigned service = 0; service < HK_SERVICES && status == HK_OK; service++) {
        status = fit_service(run, service, HK_IN_KERNEL, HK_IN_KERNEL, &p, error);
        if (status == HK_OK)
            status = fit_service(run, service, HK_IN_SERVER, HK_IN_SERVER, &p, error);
    }
    if (status == HK_OK)
        status = fit_width(run, &p, error);
    if (status == HK_OK)
        *prices = p;
    return status;
}

enum hk_status hk_prices_predict(const struct hk_prices *prices, const struct hk_mix *mix,
                                 uint32_t set, struct hk_priced *out)
{
    struct hk_priced p;

    if (set >= HK_PLACEMENTS)
        return HK_EINVAL;
    const enum hk_status status = predict_mean(prices, mix, set, &p);
    if (status != HK_OK)
        return status;
    p.interval = (struct hk_interval){p.instructions * exp(-prices->half_width_ln),
                                      p.instructions * exp(prices->half_width_ln), CONFIDENCE};
    *out = p;
    return HK_OK;
}
