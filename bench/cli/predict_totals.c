/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "place_print.h"
#include "predict_print.h"

#define TRIED_MAX 256

/* --- finding --------------------------------------------------------------------------------- */

/* One cell of a workload that nothing was fitted on, against its prediction. */
static void try_cell(struct hk_prediction_task *t, const char *workload, uint32_t set,
                     const char *folder, double *error)
{
    struct hk_sweep_workload found;
    struct hk_predicted p;
    char why[256];
    double ns;

    if (t->tried.count == TRIED_MAX ||
        hk_sweep_workload_find(folder, workload, &found, why) != HK_OK ||
        hk_totals_measured(&t->bodies, workload, t->transport, set, &ns) != HK_OK ||
        hk_totals_predict(&t->totals, &found.mix, set, &p) != HK_OK)
        return;
    t->tried.inside += p.interval.lower <= ns && ns <= p.interval.upper;
    error[t->tried.count++] = fabs(p.value / ns - 1);
}

static void try_all(struct hk_prediction_task *t, const char *folder)
{
    double *error = calloc(TRIED_MAX, sizeof *error);
    char workload[HK_NAME_BYTES];
    size_t launch = 0;
    uint32_t set;

    if (error == NULL)
        return;
    while (hk_totals_next(&t->bodies, t->transport, &launch, workload, &set))
        try_cell(t, workload, set, folder, error);
    if (t->tried.count > 0 && hk_sample_sort(error, t->tried.count) == HK_OK) {
        (void)hk_quantile(error, t->tried.count, 0.5, &t->tried.error_median);
        t->tried.error_max = error[t->tried.count - 1];
    }
    free(error);
}

void hk_prediction_totals(struct hk_prediction_task *t, const char *folder)
{
    char error[HK_TEXT_BYTES];

    if (hk_totals_fit(&t->bodies, t->transport, t->has_crossings ? &t->costs : NULL, &t->totals,
                      error) != HK_OK) {
        hk_prediction_refuse(t, "time of a whole request: %s", error);
        return;
    }
    if (t->totals.in_servers.count == 0)
        hk_prediction_refuse(t, "time of a whole request with servers: %s; measure what is missing "
                             "over pipe with: hkbench run --full --filter "
                             "'native/(workload|syscall|round_trip|chain)'",
                             t->has_crossings ? "too few mixed workloads over that transport"
                                              : "no costs of crossings");
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        t->has_total[set] =
            hk_totals_predict(&t->totals, &t->workload.mix, set, &t->total[set]) == HK_OK;
    if (!t->has_total[0])
        hk_prediction_refuse(t, "time of a whole request: mixing a period takes longer than the "
                             "period");
    try_all(t, folder);
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_tried(const char *where, const struct hk_totals_tried *tried)
{
    printf("%s %.1f %% off in the median of %zu mixed workloads", where,
           100 * tried->error_median, tried->count);
}

static void print_total(const struct hk_prediction_task *t, const char *title, uint32_t set)
{
    const struct hk_predicted *p = &t->total[set];
    char text[HK_SET_BYTES];
    double ns;

    if (!t->has_total[set])
        return;
    hk_set_text(set, text);
    printf("%-10s %-57s %9.3f us  [%8.3f, %8.3f]", title, text, p->value / HK_NS_PER_US,
           p->interval.lower / HK_NS_PER_US, p->interval.upper / HK_NS_PER_US);
    if (set != 0)
        printf("  %+8.1f %%", 100 * (p->value / t->total[0].value - 1));
    if (hk_totals_measured(&t->bodies, t->workload.name, t->transport, set, &ns) == HK_OK)
        printf("  measured %.3f us", ns / HK_NS_PER_US);
    puts("");
}

void hk_prediction_print_totals(const struct hk_prediction_task *t)
{
    const struct hk_totals *totals = &t->totals;

    if (!t->has_total[0])
        return;
    printf("\ntotal      of a request on this machine without thinking, %.0f %% interval; run %s:\n"
           "           bodies of services from %zu single workloads (worst fit %.1f %%), servers "
           "over %s by F3;", 100 * t->total[0].interval.confidence_ratio, t->bodies.path,
           totals->single_count, 100 * totals->fit_error_max, t->transport);
    print_tried(" in process", &totals->in_process);
    if (totals->in_servers.count > 0)
        print_tried(", in servers", &totals->in_servers);
    puts("");
    if (t->tried.count > 0)
        printf("           tried on %zu cells of workloads that nothing was fitted on: %.1f %% off "
               "in the median, %.1f %% at worst, %zu inside\n", t->tried.count,
               100 * t->tried.error_median, 100 * t->tried.error_max, t->tried.inside);
    print_total(t, "in process", 0);
    for (unsigned service = 0; service < HK_SERVICES; service++)
        if (t->priced[0].replay.requests[service] > 0)
            print_total(t, "", 1u << service);
    print_total(t, "servers", HK_PLACEMENTS - 1);
    if (t->asked)
        print_total(t, "--place", t->asked_set);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *tried_json(const struct hk_totals_tried *tried)
{
    return json_pack("{s:I, s:f, s:f}", "mixed_count", (json_int_t)tried->count,
                     "mixed_error_median_ratio", tried->error_median, "confidence_ratio",
                     tried->confidence_ratio);
}

json_t *hk_prediction_totals_json(const struct hk_prediction_task *t)
{
    json_t *object = json_object();

    if (!t->has_total[0])
        return object;
    json_object_update_new(
        object, json_pack("{s:s, s:s, s:s, s:I, s:f, s:o}", "run", t->bodies.path, "formula",
                          "F3 with native prices of each service", "transport", t->transport,
                          "single_cells_count", (json_int_t)t->totals.single_count,
                          "fit_error_max_ratio", t->totals.fit_error_max, "in_process",
                          tried_json(&t->totals.in_process)));
    if (t->totals.in_servers.count > 0)
        json_object_set_new(object, "in_servers", tried_json(&t->totals.in_servers));
    if (t->tried.count > 0)
        json_object_set_new(object, "tried",
                            json_pack("{s:I, s:I, s:f, s:f}", "cells_count",
                                      (json_int_t)t->tried.count, "inside_count",
                                      (json_int_t)t->tried.inside, "error_median_ratio",
                                      t->tried.error_median, "error_max_ratio",
                                      t->tried.error_max));
    return object;
}
