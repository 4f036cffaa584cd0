/* SPDX-License-Identifier: MIT */
#include "hk/predict/prices.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "hk/guest/primitives.h"
#include "hk/judge/placements.h"
#include "hk/model/queue.h"
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
    double scale[2 * HK_PRIMITIVES_SINGLE]; /* of an error that is small: the whole but thinking */
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
    return hk_mix_replay(mix, clock, 0, replay);
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
    e->scale[e->count] = fmax(e->cost[e->count], 1);
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
        weights[i] = 1 / (e->scale[i] * e->scale[i]);
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
            fmax(prices->fit_error_max, fabs(fitted - e->cost[i]) / e->scale[i]);
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
    status = e.count > e.work_count ? solve_positive(&e, price) : HK_ENOISE;
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

/*
 * What has a period falls where the clock says, and the clock is only as good as the prices: the
 * workload is repeated on clocks that go slower and faster by as much as prices may be off, and
 * begun at several moments of the mixer's period.
 */
static const double clocks[] = {0.95, 0.975, 1, 1.025, 1.05};
static const double phases[] = {0, 0.25, 0.5, 0.75};
#define SCENARIOS (HK_ARRAY_COUNT(clocks) * HK_ARRAY_COUNT(phases))

static enum hk_status replay_at(const struct hk_mix *mix, const double *costs, double clock,
                                double phase, double *instructions, struct hk_replay *replay)
{
    double scaled[HK_WORKS];

    for (enum hk_work w = 0; w < HK_WORKS; w++)
        scaled[w] = costs[w] * clock;
    const enum hk_status status = hk_mix_replay(mix, scaled, phase, replay);
    if (status != HK_OK)
        return status;
    *instructions = thinking(mix);
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        *instructions += costs[w] * replay->work[w];
    return HK_OK;
}

/* Mean of all scenarios, and their range as the interval. */
static enum hk_status predict_range(const struct hk_prices *prices, const struct hk_mix *mix,
                                    uint32_t set, struct hk_priced *out)
{
    double costs[HK_WORKS];
    double sum = 0;

    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        const unsigned service = hk_work_service(w);
        const enum hk_side side = service != HK_SERVICE_CLIENT && (set >> service & 1) != 0
                                      ? HK_IN_SERVER : HK_IN_KERNEL;
        costs[w] = prices->instructions[side][w];
    }
    out->interval = (struct hk_interval){INFINITY, -INFINITY, CONFIDENCE};
    for (size_t i = 0; i < SCENARIOS; i++) {
        const double clock = clocks[i % HK_ARRAY_COUNT(clocks)];
        const double phase = phases[i / HK_ARRAY_COUNT(clocks)];
        struct hk_replay replay;
        double instructions = 0;
        const enum hk_status status = replay_at(mix, costs, clock, phase, &instructions, &replay);
        if (status != HK_OK)
            return status;
        if (clock == 1 && phase == 0)
            out->replay = replay;
        sum += instructions;
        out->interval.lower = fmin(out->interval.lower, instructions);
        out->interval.upper = fmax(out->interval.upper, instructions);
    }
    out->instructions = sum / SCENARIOS;
    return HK_OK;
}

/* Of all cells of mixed workloads: how far off, and how far outside of the range, as logarithms. */
static enum hk_status mixed_errors(const struct hk_run *run, const struct hk_prices *prices,
                                   double *errors, double *outside, size_t *count)
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
            const enum hk_status status = predict_range(prices, &workload.mix, set, &priced);
            if (status != HK_OK)
                return status;
            errors[*count] = fabs(log(priced.instructions / cell.instructions));
            outside[(*count)++] = fmax(0, fmax(log(priced.interval.lower / cell.instructions),
                                               log(cell.instructions / priced.interval.upper)));
        }
    }
    return HK_OK;
}

static enum hk_status fit_width(const struct hk_run *run, struct hk_prices *prices,
                                char error[HK_TEXT_BYTES])
{
    double errors[HK_PRIMITIVES_MIXED * HK_PRIMITIVES_MASKS];
    double outside[HK_PRIMITIVES_MIXED * HK_PRIMITIVES_MASKS];
    size_t n = 0;
    enum hk_status status = mixed_errors(run, prices, errors, outside, &n);

    if (status == HK_OK)
        status = n == 0 ? HK_ENOISE
                        : hk_conformal_half_width(outside, n, CONFIDENCE, &prices->margin_ln);
    if (status == HK_ENOISE)
        snprintf(error, HK_TEXT_BYTES, "%.300s has %zu cells of mixed workloads, too few for an "
                 "interval; count them with: hkbench run --placements --workload primitives",
                 run->path, n);
    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        errors[i] = expm1(errors[i]);
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
    const enum hk_status status = predict_range(prices, mix, set, &p);
    if (status != HK_OK)
        return status;
    p.interval.lower *= exp(-prices->margin_ln);
    p.interval.upper *= exp(prices->margin_ln);
    *out = p;
    return HK_OK;
}

/* Mean response when a request takes so long. */
static enum hk_status respond(const struct hk_mix *mix, double service_ns, double cv2,
                              double *response_ns)
{
    const struct hk_queue_load load = {
        .arrivals_per_s = {(double)mix->rate_per_s, 0, 1},
        .service_ns = {service_ns, 0, 1},
        .arrival_cv2 = 1,
        .service_cv2 = cv2,
    };
    struct hk_estimate wait_ns;
    const enum hk_status status = hk_queue_wait_poisson(&load, &wait_ns);

    if (status == HK_OK)
        *response_ns = service_ns + wait_ns.value;
    return status;
}

enum hk_status hk_priced_under_load(const struct hk_priced *priced, const struct hk_mix *mix,
                                    struct hk_priced_load *out)
{
    const double service_ns = priced->instructions - thinking(mix);
    const double cv2 = priced->replay.busy_cv2;
    struct hk_priced_load load = {.interval_ns = {0, INFINITY, CONFIDENCE}};

    if (mix->rate_per_s == 0 || !(service_ns > 0))
        return HK_EINVAL;
    load.utilisation_ratio = (double)mix->rate_per_s * service_ns / (double)HK_NS_PER_S;
    enum hk_status status = respond(mix, service_ns, cv2, &load.response_ns);
    if (status == HK_ERANGE)
        out->utilisation_ratio = load.utilisation_ratio;
    if (status == HK_OK)
        status = respond(mix, fmax(priced->interval.lower - thinking(mix), 1), cv2,
                         &load.interval_ns.lower);
    if (status != HK_OK)
        return status;
    (void)respond(mix, priced->interval.upper - thinking(mix), cv2, &load.interval_ns.upper);
    *out = load;
    return HK_OK;
}
