/* SPDX-License-Identifier: MIT */
#include "hk/predict/prices.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/guest/primitives.h"
#include "hk/judge/placements.h"
#include "hk/model/queue.h"
#include "hk/stats/error.h"
#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"
#include "equations.h"
#include "scenarios.h"

#define ALL_SERVERS (HK_PLACEMENTS - 1)
#define CONFIDENCE 0.95
#define MIXED_MIN 9 /* workloads: 90 % */

/* Were these the requests that this hkbench thinks the workload makes? */
static bool requests_agree(const struct hk_placement_cell *cell, const struct hk_replay *replay,
                           unsigned service)
{
    char name[64];
    double requests = 0;

    if (service == HK_SERVICE_CLIENT)
        return true;
    snprintf(name, sizeof name, "hk_requests_%s", hk_equations_who(service));
    (void)hk_launch_counter(cell->launch, name, &requests);
    return requests == (double)replay->requests[service];
}

/* What a request of a client takes that asks for nothing. */
static enum hk_status idle_latency(const struct hk_run *run, double *instructions)
{
    struct hk_placement_cell cell;

    if (hk_placement_read(run, HK_PRIMITIVE_SINGLE "idle", 0, &cell) != HK_OK ||
        !hk_quantity_counted(cell.launch, HK_P50, instructions))
        return HK_ENOENT;
    return HK_OK;
}

/*
 * What a request takes where no alarm waits any more when the next is set: the client was thinking
 * when it went off. This tells setting an alarm from its going off; the mean has both.
 */
static void add_latency_equation(const struct hk_run *run, const struct hk_launch *launch,
                                 struct hk_equations *e)
{
    const size_t last = e->count - 1;
    double idle = 0;
    double latency = 0;

    if (idle_latency(run, &idle) != HK_OK || !hk_quantity_counted(launch, HK_P50, &latency))
        return;
    e->cost[e->count] = latency - idle;
    e->scale[e->count] = e->scale[last];
    for (size_t i = 0; i < e->work_count; i++)
        e->units[e->count][i] = e->works[i] == HK_WORK_ALARM_RING ? 0 : e->units[last][i];
    e->count++;
}

/* Add a single workload on one side as an equation; a cell that does not hold adds none. */
static enum hk_status add_equation(const struct hk_run *run, unsigned single, enum hk_side side,
                                   const struct hk_prices *prices, struct hk_equations *e,
                                   char error[HK_TEXT_BYTES])
{
    struct hk_sweep_workload workload;
    struct hk_placement_cell cell;
    struct hk_replay replay;

    hk_primitive_make(single, &workload);
    if (hk_placement_read(run, workload.name, side == HK_IN_SERVER ? ALL_SERVERS : 0, &cell) !=
        HK_OK)
        return HK_OK;
    enum hk_status status =
        hk_replay_counted(&workload.mix, cell.instructions - hk_thinking(&workload.mix), &replay);
    if (status != HK_OK)
        return status;
    if (!requests_agree(&cell, &replay, e->service)) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: %s is another workload than this hkbench's; count "
                 "again with: hkbench run --placements --workload primitives", run->path,
                 workload.name);
        return HK_ESCHEMA;
    }
    hk_equations_add(e, &replay, cell.instructions - hk_thinking(&workload.mix),
                     prices->instructions[side]);
    if (e->service == HK_SERVICE_TIMER && replay.work[HK_WORK_ALARM_WAITING] == 0)
        add_latency_equation(run, cell.launch, e);
    return HK_OK;
}

/* Prices of one service on the sides from..to; the client's work is the same on both. */
static enum hk_status fit_service(const struct hk_run *run, unsigned service, enum hk_side from,
                                  enum hk_side to, struct hk_prices *prices,
                                  char error[HK_TEXT_BYTES])
{
    struct hk_equations e;
    enum hk_status status = HK_OK;

    hk_equations_init(&e, service);
    for (unsigned i = 0; i < HK_PRIMITIVES_SINGLE; i++)
        for (enum hk_side side = from; side <= to && status == HK_OK; side++)
            if (hk_primitive_service(i) == service)
                status = add_equation(run, i, side, prices, &e, error);
    if (status != HK_OK)
        return status;
    status = hk_equations_solve(&e, prices->instructions[from], &prices->fit_error_max);
    if (status == HK_ENOISE) {
        snprintf(error, HK_TEXT_BYTES, "%.300s has not the single workloads of %s; count them "
                 "with: hkbench run --placements --workload primitives", run->path,
                 hk_equations_who(service));
        return HK_ENOENT;
    }
    if (status != HK_OK)
        return status;
    for (enum hk_side side = from; side <= to; side++)
        for (size_t k = 0; k < e.work_count; k++)
            prices->instructions[side][e.works[k]] = prices->instructions[from][e.works[k]];
    prices->single_count += e.cell_count;
    return HK_OK;
}

/* The mixer that nobody holds up, on both sides. */
static enum hk_status fit_wakes(const struct hk_run *run, struct hk_prices *prices,
                                char error[HK_TEXT_BYTES])
{
    for (enum hk_side side = HK_IN_KERNEL; side < HK_SIDES; side++) {
        struct hk_placement_cell cell;
        if (hk_placement_read(run, HK_PRIMITIVE_SINGLE "mixer",
                              side == HK_IN_SERVER ? ALL_SERVERS : 0, &cell) != HK_OK ||
            !hk_quantity_counted(cell.launch, HK_LATENESS, &prices->wake_ns[side])) {
            snprintf(error, HK_TEXT_BYTES, "%.300s does not tell how late a mixer wakes; count "
                     "again with: hkbench run --placements --workload primitives", run->path);
            return HK_ENOENT;
        }
    }
    return HK_OK;
}

/* Mixed workloads, one quantity. */
struct mixed {
    double error[HK_PRIMITIVES_MIXED * HK_PRIMITIVES_MASKS]; /* of cells, where it is a ratio */
    size_t cell_count;
    double outside[HK_PRIMITIVES_MIXED]; /* of a workload's worst cell */
    size_t count;
};

static bool is_time(enum hk_quantity q)
{
    return q == HK_LATENESS || q == HK_JITTER; /* may be next to nothing: no ratio */
}

/* How far off, and how far outside of its range: a workload's cells resemble each other. */
static void add_mixed(const struct hk_predicted *p, enum hk_quantity q, double counted,
                      struct mixed *m, double *worst)
{
    const struct hk_interval *range = &p->interval;
    const double below = is_time(q) ? range->lower - counted : log(range->lower / counted);
    const double above = is_time(q) ? counted - range->upper : log(counted / range->upper);

    m->error[m->cell_count++] = is_time(q) ? 0 : fabs(p->value / counted - 1);
    *worst = fmax(*worst, fmax(below, above));
}

static enum hk_status mixed_errors(const struct hk_run *run, unsigned number,
                                   const struct hk_prices *prices,
                                   struct mixed mixed[HK_QUANTITIES])
{
    size_t before[HK_QUANTITIES];
    double worst[HK_QUANTITIES] = {0};
    struct hk_sweep_workload workload;

    hk_primitive_make(HK_PRIMITIVES_SINGLE + number, &workload);
    for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++)
        before[q] = mixed[q].cell_count;
    for (unsigned k = 0; k < HK_PRIMITIVES_MASKS; k++) {
        const uint32_t set = ALL_SERVERS - hk_primitive_masks(number)[k];
        struct hk_placement_cell cell;
        struct hk_priced priced;
        if (hk_placement_read(run, workload.name, set, &cell) != HK_OK)
            continue;
        const enum hk_status status = hk_scenarios_run(prices, &workload.mix, set, &priced);
        if (status != HK_OK)
            return status;
        for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++) {
            double counted = 0;
            if (hk_quantity_counted(cell.launch, q, &counted) &&
                (!is_time(q) || priced.mixer.wakes > 0))
                add_mixed(&priced.of[q], q, counted, &mixed[q], &worst[q]);
        }
    }
    for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++)
        if (mixed[q].cell_count > before[q])
            mixed[q].outside[mixed[q].count++] = worst[q];
    return HK_OK;
}

/* Of so few, the largest: one more workload is within it in n of n + 1 cases. */
static enum hk_status fit_margin(const struct mixed *m, double *margin, double *confidence)
{
    const double attained = (double)m->count / (double)(m->count + 1);

    if (m->count < MIXED_MIN)
        return HK_ENOISE;
    *confidence = fmin(attained, CONFIDENCE);
    return hk_conformal_half_width(m->outside, m->count, *confidence, margin);
}

static enum hk_status fit_width(const struct hk_run *run, struct hk_prices *prices,
                                char error[HK_TEXT_BYTES])
{
    struct mixed mixed[HK_QUANTITIES] = {0};
    struct mixed *whole = &mixed[HK_PER_REQUEST];
    enum hk_status status = HK_OK;

    for (unsigned i = 0; i < HK_PRIMITIVES_MIXED && status == HK_OK; i++)
        status = mixed_errors(run, i, prices, mixed);
    for (enum hk_quantity q = 0; q < HK_QUANTITIES && status == HK_OK; q++) {
        status = fit_margin(&mixed[q], &prices->margin[q], &prices->confidence_ratio[q]);
        if (status == HK_ENOISE)
            snprintf(error, HK_TEXT_BYTES, "%.300s has %zu mixed workloads, too few for an "
                     "interval; count them with: hkbench run --placements --workload primitives",
                     run->path, mixed[q].count);
    }
    if (status != HK_OK)
        return status;
    prices->mixed_count = whole->count;
    prices->playing_count = mixed[HK_JITTER].count;
    status = hk_sample_sort(whole->error, whole->cell_count);
    return status == HK_OK
               ? hk_quantile(whole->error, whole->cell_count, 0.5, &prices->mixed_error_median)
               : status;
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
        status = fit_wakes(run, &p, error);
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
    const enum hk_status status = hk_scenarios_run(prices, mix, set, &p);
    if (status != HK_OK)
        return status;
    for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++) {
        struct hk_interval *interval = &p.of[q].interval;
        const double margin = prices->margin[q];
        interval->confidence_ratio = prices->confidence_ratio[q];
        interval->lower = is_time(q) ? fmax(interval->lower - margin, 0)
                                     : interval->lower * exp(-margin);
        interval->upper = is_time(q) ? interval->upper + margin : interval->upper * exp(margin);
    }
    *out = p;
    return HK_OK;
}

enum hk_status hk_priced_underruns(const struct hk_priced *priced, struct hk_interval *out)
{
    const struct hk_priced_mixer *m = &priced->mixer;

    if (m->wakes == 0)
        return HK_ENOENT;
    if (m->underruns == 0 && m->longest_ns <= m->headroom_ns) {
        *out = (struct hk_interval){0, 0, CONFIDENCE};
        return HK_OK;
    }
    return hk_proportion_interval(m->underruns, m->wakes, CONFIDENCE, out);
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
    const struct hk_predicted *whole = &priced->of[HK_PER_REQUEST];
    const double service_ns = whole->value - hk_thinking(mix);
    const double cv2 = priced->replay.busy_cv2;
    struct hk_priced_load load = {.interval_ns = {0, INFINITY, CONFIDENCE}};

    if (mix->rate_per_s == 0 || !(service_ns > 0))
        return HK_EINVAL;
    load.utilisation_ratio = (double)mix->rate_per_s * service_ns / (double)HK_NS_PER_S;
    enum hk_status status = respond(mix, service_ns, cv2, &load.response_ns);
    if (status == HK_ERANGE)
        out->utilisation_ratio = load.utilisation_ratio;
    if (status == HK_OK)
        status = respond(mix, fmax(whole->interval.lower - hk_thinking(mix), 1), cv2,
                         &load.interval_ns.lower);
    if (status != HK_OK)
        return status;
    (void)respond(mix, whole->interval.upper - hk_thinking(mix), cv2, &load.interval_ns.upper);
    *out = load;
    return HK_OK;
}
