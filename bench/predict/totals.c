/* SPDX-License-Identifier: MIT */
#include "hk/predict/totals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "equations.h"
#include "hk/base/units.h"
#include "hk/judge/placements.h"
#include "hk/stats/error.h"
#include "hk/stats/quantile.h"
#include "scenarios.h"

#define ALL_SERVERS (HK_PLACEMENTS - 1)
#define CONFIDENCE 0.95
#define MIXED_MIN 9       /* workloads: 90 % */
#define STEADY_REQUESTS 4096
#define PASSES_MAX 20
#define SETTLED_RATIO 0.01
#define LAUNCHES_MAX 64
#define REMEDY "measure them with: hkbench run --full --filter native/workload"

static const char prefix[] = "native/workload/";

/*
 * Time passes as fast as prices say, which may be off: what has a period, and what waits for it,
 * happens more or less often.
 */
static const double clocks[] = {0.95, 1, 1.05};

/* The cells go on drawing for as long as they run: no region, no moment that it begins at. */
static struct hk_mix steady(const struct hk_mix *mix)
{
    struct hk_mix longer = *mix;

    longer.requests = STEADY_REQUESTS;
    return longer;
}

/* --- what was measured --------------------------------------------------------------------- */

static bool holds(const struct hk_launch *launch, double *ns)
{
    return launch->state == HK_LAUNCH_OK && !hk_launch_disturbed(launch) &&
           !hk_launch_slow(launch) && hk_launch_counter(launch, "mean_ns", ns) && *ns > 0;
}

enum hk_status hk_totals_measured(const struct hk_run *run, const char *workload,
                                  const char *transport, uint32_t set, double *ns)
{
    const struct hk_launch *first = NULL;
    char name[2 * HK_NAME_BYTES];
    double means[LAUNCHES_MAX];
    size_t launches = 0, count = 0;

    if (set == 0)
        snprintf(name, sizeof name, "%s%s/servers:0", prefix, workload);
    else
        snprintf(name, sizeof name, "%s%s/over:%s/servers:%u", prefix, workload, transport, set);
    if (hk_run_cell(run, name, &first, &launches) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < launches && count < LAUNCHES_MAX; i++)
        count += holds(&first[i], &means[count]);
    if (count == 0 || hk_sample_sort(means, count) != HK_OK)
        return HK_ENOENT;
    return hk_quantile(means, count, 0.5, ns);
}

static bool is_primitive(const char *workload)
{
    for (unsigned i = 0; i < HK_PRIMITIVES; i++) {
        struct hk_sweep_workload primitive;
        hk_primitive_make(i, &primitive);
        if (strcmp(primitive.name, workload) == 0)
            return true;
    }
    return false;
}

bool hk_totals_next(const struct hk_run *run, const char *transport, size_t *launch,
                    char workload[HK_NAME_BYTES], uint32_t *set)
{
    for (size_t i = *launch; i < run->launch_count; i++) {
        const char *name = run->launches[i].name;
        char over[HK_NAME_BYTES];
        int64_t servers;

        if (strncmp(name, prefix, sizeof prefix - 1) != 0 ||
            (i > 0 && strcmp(name, run->launches[i - 1].name) == 0) ||
            hk_name_part(name, 2, workload, HK_NAME_BYTES) != HK_OK || is_primitive(workload) ||
            hk_name_int(name, "servers", &servers) != HK_OK || servers < 0 ||
            servers > (int64_t)ALL_SERVERS)
            continue;
        if (servers != 0 && (hk_name_text(name, "over", over, sizeof over) != HK_OK ||
                             strcmp(over, transport) != 0))
            continue;
        *set = (uint32_t)servers;
        *launch = i + 1;
        return true;
    }
    return false;
}

/* --- prices -------------------------------------------------------------------------------- */

static enum hk_status fit_service(const struct hk_run *run, unsigned service,
                                  struct hk_totals *totals, char error[HK_TEXT_BYTES])
{
    struct hk_equations e;

    hk_equations_init(&e, service);
    e.shares = true; /* in a steady state some works always come together */
    if (service == HK_SERVICE_TIMER)
        e.work_count--; /* every alarm goes off: one price for both */
    for (unsigned i = 0; i < HK_PRIMITIVES_SINGLE; i++) {
        struct hk_sweep_workload workload;
        struct hk_replay replay;
        double ns;

        hk_primitive_make(i, &workload);
        if (hk_primitive_service(i) != service ||
            hk_totals_measured(run, workload.name, "", 0, &ns) != HK_OK)
            continue;
        const struct hk_mix mix = steady(&workload.mix);
        const enum hk_status status = hk_replay_counted(&mix, ns, &replay);
        if (status != HK_OK)
            return status;
        hk_equations_add(&e, &replay, ns, totals->ns);
    }
    const enum hk_status status = hk_equations_solve(&e, totals->ns, &totals->fit_error_max);
    totals->single_count += e.cell_count;
    if (status != HK_ENOISE)
        return status;
    snprintf(error, HK_TEXT_BYTES, "%.300s has not the single workloads of %s natively; " REMEDY,
             run->path, hk_equations_who(service));
    return HK_ENOENT;
}

/* --- a workload ------------------------------------------------------------------------------ */

static enum hk_status cross(const struct hk_totals *totals, const struct hk_replay *replay,
                            uint32_t set, double *ns)
{
    struct hk_crossings crossings;
    struct hk_estimate time;
    bool stronger;

    *ns = 0;
    if (set == 0)
        return HK_OK;
    hk_crossings_count_servers(replay, set, &crossings);
    const enum hk_status status =
        hk_crossings_predict(&crossings, &totals->costs, &time, &stronger);
    if (status == HK_OK)
        *ns = time.value;
    return status;
}

/* The whole of a request, where every request takes so much longer than the services do. */
static enum hk_status add_up(const struct hk_totals *totals, const struct hk_mix *mix,
                             uint32_t set, double clock, double *crossing_ns, double *ns)
{
    struct hk_replay_costs costs = {0};
    struct hk_replay replay;

    for (enum hk_work w = 0; w < HK_WORKS; w++)
        costs.unit[w] = clock * totals->ns[w];
    costs.unit[HK_WORK_REQUEST] += clock * *crossing_ns;
    enum hk_status status = hk_mix_replay(mix, &costs, 0, &replay);
    if (status == HK_OK)
        status = cross(totals, &replay, set, crossing_ns);
    if (status != HK_OK)
        return status;
    *ns = *crossing_ns;
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        *ns += totals->ns[w] * replay.work[w];
    return HK_OK;
}

/*
 * How long the crossings of a request take, when requests come as fast as they are then answered:
 * the longer they take, the more periods pass meanwhile, which cross themselves.
 */
static enum hk_status settle(const struct hk_totals *totals, const struct hk_mix *mix,
                             uint32_t set, double *crossing_ns)
{
    enum hk_status status = HK_OK;
    double before_ns = -1, ns;

    *crossing_ns = 0;
    for (unsigned i = 0; set != 0 && i < PASSES_MAX && status == HK_OK &&
                         fabs(*crossing_ns - before_ns) > SETTLED_RATIO * *crossing_ns; i++) {
        before_ns = *crossing_ns;
        status = add_up(totals, mix, set, 1, crossing_ns, &ns);
    }
    return status;
}

/* The mean over the clocks, and their range. */
static enum hk_status range_of(const struct hk_totals *totals, const struct hk_mix *mix,
                               uint32_t set, struct hk_predicted *out)
{
    const struct hk_mix longer = steady(mix);
    struct hk_predicted p = {.interval = {INFINITY, 0, CONFIDENCE}};
    double settled_ns;
    enum hk_status status = settle(totals, &longer, set, &settled_ns);

    for (size_t i = 0; i < HK_ARRAY_COUNT(clocks) && status == HK_OK; i++) {
        double crossing_ns = settled_ns, ns = 0;
        status = add_up(totals, &longer, set, clocks[i], &crossing_ns, &ns);
        p.value += ns / HK_ARRAY_COUNT(clocks);
        p.interval.lower = fmin(p.interval.lower, ns);
        p.interval.upper = fmax(p.interval.upper, ns);
    }
    if (status == HK_OK)
        *out = p;
    return status;
}

enum hk_status hk_totals_predict(const struct hk_totals *totals, const struct hk_mix *mix,
                                 uint32_t set, struct hk_predicted *out)
{
    const struct hk_totals_tried *here = &totals->in_process, *there = &totals->in_servers;
    struct hk_predicted p;

    if (set >= HK_PLACEMENTS)
        return HK_EINVAL;
    if (set != 0 && there->count == 0)
        return HK_ENOENT;
    const enum hk_status status = range_of(totals, mix, set, &p);
    if (status != HK_OK)
        return status;
    /* with some in servers, what either alone is off */
    const double margin = set == 0 ? here->margin : fmax(here->margin, there->margin);
    p.interval.lower *= exp(-margin);
    p.interval.upper *= exp(margin);
    p.interval.confidence_ratio =
        set == 0 ? here->confidence_ratio : fmin(here->confidence_ratio, there->confidence_ratio);
    *out = p;
    return HK_OK;
}

/* --- margins --------------------------------------------------------------------------------- */

static enum hk_status try_mixed(const struct hk_run *run, const char *transport, uint32_t set,
                                const struct hk_totals *totals, struct hk_totals_tried *out)
{
    double outside[HK_PRIMITIVES_MIXED], error[HK_PRIMITIVES_MIXED];
    struct hk_totals_tried tried = {0};

    for (unsigned i = HK_PRIMITIVES_SINGLE; i < HK_PRIMITIVES; i++) {
        struct hk_sweep_workload workload;
        struct hk_predicted p;
        double ns;

        hk_primitive_make(i, &workload);
        if (hk_totals_measured(run, workload.name, transport, set, &ns) != HK_OK)
            continue;
        const enum hk_status status = range_of(totals, &workload.mix, set, &p);
        if (status != HK_OK)
            return status;
        outside[tried.count] = fmax(0, fmax(log(p.interval.lower / ns),
                                            log(ns / p.interval.upper)));
        error[tried.count++] = fabs(p.value / ns - 1);
    }
    if (tried.count < MIXED_MIN)
        return HK_ENOISE;
    tried.confidence_ratio =
        fmin((double)tried.count / (double)(tried.count + 1), CONFIDENCE);
    enum hk_status status =
        hk_conformal_half_width(outside, tried.count, tried.confidence_ratio, &tried.margin);
    if (status == HK_OK)
        status = hk_sample_sort(error, tried.count);
    if (status == HK_OK)
        status = hk_quantile(error, tried.count, 0.5, &tried.error_median);
    if (status == HK_OK)
        *out = tried;
    return status;
}

enum hk_status hk_totals_fit(const struct hk_run *run, const char *transport,
                             const struct hk_crossing_costs *costs, struct hk_totals *out,
                             char error[HK_TEXT_BYTES])
{
    struct hk_totals t = {0};

    snprintf(error, HK_TEXT_BYTES, "the native prices of %.300s cannot be fitted", run->path);
    enum hk_status status = fit_service(run, HK_SERVICE_CLIENT, &t, error);
    for (unsigned service = 0; service < HK_SERVICES && status == HK_OK; service++)
        status = fit_service(run, service, &t, error);
    if (status == HK_OK) {
        status = try_mixed(run, transport, 0, &t, &t.in_process);
        if (status == HK_ENOISE)
            snprintf(error, HK_TEXT_BYTES, "%.300s has too few mixed workloads in process for an "
                     "interval; " REMEDY, run->path);
    }
    if (status == HK_OK && costs != NULL) {
        t.costs = *costs;
        status = try_mixed(run, transport, ALL_SERVERS, &t, &t.in_servers);
        status = status == HK_ENOISE ? HK_OK : status;
    }
    if (status == HK_OK)
        *out = t;
    return status;
}
