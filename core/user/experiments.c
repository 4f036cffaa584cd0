/* SPDX-License-Identifier: MIT */
/*
 * The experiments of the guest, one row each.
 *
 * A body runs its operation n times and does nothing else. It is run for N and
 * for 2N in marked regions, so what surrounds the loop cancels, and under icount
 * the figures are exact. What has to be there first is made by prepare, outside.
 */
#include "user/experiments.h"

#include "hk/base/mark.h"
#include "user/compose.h"
#include "user/scenario.h"

#define OPS_DEFAULT 64
#define WARM_UP_OPS 8

/*
 * What takes long and is the same wherever services are is asked of one composition, what differs
 * between the two sides of the boundary of two: not of the hybrid, which is booted most.
 */
#define MICROKERNEL 0u
#define MONOLITH ((1u << HK_SERVICES) - 1)

/* One marked region; its number is the count of begin marks so far. */
static uint64_t measure(struct hk_lab *lab, const struct hk_experiment *row, uint64_t ops)
{
    uint64_t start, end;

    lab->regions++;
    HK_MARK(HK_MARK_BEGIN);
    start = hk_lab_clock();
    row->run(lab, ops);
    end = hk_lab_clock();
    HK_MARK(HK_MARK_END);
    return end - start;
}

static void report_absent(const char *name, const char *reason)
{
    struct hk_line line;

    hk_line_begin(&line, "absent");
    hk_line_text(&line, name);
    hk_line_text(&line, " ");
    hk_line_text(&line, reason);
    hk_line_end(&line);
}

static void run_row(struct hk_lab *lab, const struct hk_experiment *row)
{
    uint64_t ops = row->ops != 0 ? row->ops : OPS_DEFAULT;
    uint64_t region = lab->regions;
    uint64_t ticks_n = 0, ticks_2n = 0;
    struct hk_line line;

    lab->parameter = row->parameter;
    lab->processed = 0;
    lab->error = NULL;
    if (row->prepare != NULL)
        row->prepare(lab);
    if (lab->error == NULL) {
        row->run(lab, ops < WARM_UP_OPS ? ops : WARM_UP_OPS);
        ticks_n = measure(lab, row, ops);
        ticks_2n = measure(lab, row, 2 * ops);
    }
    if (row->finish != NULL)
        row->finish(lab);
    if (lab->error != NULL) {
        report_absent(row->name, lab->error);
        lab->failed = true;
        return;
    }
    hk_line_begin(&line, "row");
    hk_line_text(&line, row->name);
    if (row->placed != 0)
        hk_line_text(&line, lab->placement & 1u << (row->placed - 1) ? "/place:kernel"
                                                                     : "/place:server");
    hk_line_field(&line, "ops", ops);
    hk_line_field(&line, "ticks_n", ticks_n);
    hk_line_field(&line, "ticks_2n", ticks_2n);
    hk_line_field(&line, "region_n", region);
    hk_line_field(&line, "region_2n", region + 1);
    if (lab->processed != 0)
        hk_line_field(&line, "processed_count", lab->processed);
    hk_line_end(&line);
}

static const struct hk_experiment_table *const tables[] = {
    &hk_experiments_call,
    &hk_experiments_stream,
    &hk_experiments_object,
    &hk_experiments_memory,
};

static void run_table(struct hk_lab *lab, const struct hk_experiment_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        run_row(lab, &table->rows[i]);
}

int hk_scenario_experiments(uint64_t *ipc_page)
{
    struct hk_lab lab = { .ipc_page = ipc_page };
    struct hk_composition composition;

    /* fixed priorities: nobody's turn ends by time in the middle of a region */
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_PRIORITY, 0, 0);
    /* before the services: how many are processes must not show in what needs none */
    for (size_t t = 0; t < HK_ARRAY_COUNT(tables); t++)
        run_table(&lab, tables[t]);
    if (hk_compose(&composition) != HK_OK) {
        hk_say("fail", "the services do not start");
        return 1;
    }
    lab.placement = composition.placement;
    run_table(&lab, &hk_experiments_service);
    if (lab.placement == MICROKERNEL)
        run_table(&lab, &hk_experiments_twin);
    if (lab.placement == MICROKERNEL || lab.placement == MONOLITH)
        run_table(&lab, &hk_experiments_extension);
    HK_MARK(HK_MARK_DISARM);
    if (lab.placement == MICROKERNEL || lab.placement == MONOLITH)
        lab.failed |= !hk_staleness_report(ipc_page, lab.placement == MONOLITH);
    hk_compose_stop(&composition);
    hk_periodic_report();
    if (lab.placement == MICROKERNEL) {
        hk_delays_report();
        lab.failed |= !hk_fallback_report();
    }
    return lab.failed ? 1 : 0;
}
