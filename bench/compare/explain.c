/* SPDX-License-Identifier: MIT */
/* How much of a changed time its counted events explain: cost per event times their change. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/linear.h"
#include "internal.h"

/* Beyond this many standard errors, what is left over is no noise of the fit. */
#define LEFT_OVER_SD 2.0

static const struct {
    const char *counter;
    const char *name;
} events[] = {
    {"hk_switches_per_op", "switches"},
    {"hk_client_syscalls_per_op", "client's system calls"},
    {"hk_server_syscalls_per_op", "servers' system calls"},
    {"hk_client_page_faults_per_op", "page faults"},
};
enum { TERMS = 1 + HK_ARRAY_COUNT(events) }; /* a constant first */
_Static_assert(HK_EXPLAIN_CELLS_MIN >= TERMS + 5, "a fit needs cells to have an error of its own");

/* Median of a counter over the launches that have it; absent events are 0, or NAN if counted
 * only in some launches of other cells. */
static double counter_of(const struct hk_launch *launches, size_t count, const char *counter,
                         double *values)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (launches[i].state == HK_LAUNCH_OK &&
            hk_launch_counter(&launches[i], counter, &values[n]))
            n++;
    return n > 0 ? median_of(values, n) : NAN;
}

/* Time and events of a cell; false when some of them were not counted. */
static bool row_of(const struct hk_run *run, const char *name, double *time_ns, double x[TERMS])
{
    const struct hk_launch *first;
    size_t count;

    if (hk_run_cell(run, name, &first, &count) != HK_OK)
        return false;
    double *values = malloc(count * sizeof *values);
    if (values == NULL)
        return false;
    const size_t n = values_of(first, count, NULL, values);
    bool known = n > 0;
    *time_ns = known ? median_of(values, n) : NAN;
    x[0] = 1;
    for (size_t e = 0; e < HK_ARRAY_COUNT(events); e++) {
        x[1 + e] = counter_of(first, count, events[e].counter, values);
        known = known && !isnan(x[1 + e]);
    }
    free(values);
    return known;
}

/* Relative errors are alike over cells from ns to ms: weight 1 / t^2. */
static enum hk_status fit_costs(const struct hk_run *a, struct hk_linear_fit *fit)
{
    double *memory = malloc((TERMS + 2) * (a->launch_count + 1) * sizeof *memory);
    size_t n = 0;

    if (memory == NULL)
        return HK_ENOMEM;
    double *y = memory + TERMS * (a->launch_count + 1), *w = y + a->launch_count + 1;
    for (size_t i = 0; i < a->launch_count; i++) {
        const bool first = i == 0 || strcmp(a->launches[i - 1].name, a->launches[i].name) != 0;
        if (first && row_of(a, a->launches[i].name, &y[n], &memory[n * TERMS])) {
            w[n] = 1 / (y[n] * y[n]);
            n++;
        }
    }
    const struct hk_linear_data data = {memory, y, w, n, TERMS};
    const enum hk_status status =
        n < HK_EXPLAIN_CELLS_MIN ? HK_ENOISE : hk_linear_fit(&data, fit);
    free(memory);
    return status;
}

static void explain(struct hk_finding *f, const struct hk_linear_fit *fit, const double *x_a,
                    const double *x_b)
{
    double change[TERMS], explained, se;
    const double measured = f->b - f->a;
    /* The interval is of the ratio at about two standard errors on either side. */
    const double se_measured =
        isnan(f->interval.upper) ? 0 : f->a * (f->interval.upper - f->interval.lower) / 4;
    bool any = false;

    for (size_t i = 0; i < TERMS; i++) {
        change[i] = x_b[i] - x_a[i];
        any = any || fabs(change[i]) > 1e-9;
    }
    hk_linear_predict(fit, change, TERMS, &explained, &se);
    for (size_t e = 0; e < HK_ARRAY_COUNT(events); e++)
        cause_add(f, x_a[1 + e], x_b[1 + e], "event %s", events[e].name);
    const double left = measured - explained;
    const double z = left / fmax(hypot(se, se_measured), 1e-12);
    finding_say_more(f, "events explain %+.4g of %+.4g ns (+-%.2g); %+.4g left over%s",
                     any ? explained : 0, measured, se, left,
                     fabs(z) > LEFT_OVER_SD ? ": not explained, so cache, layout or noise" : "");
}

bool hk_compare_explain(struct hk_comparison *c, const struct hk_run *a, const struct hk_run *b)
{
    struct hk_linear_fit fit;
    double x_a[TERMS], x_b[TERMS], time_ns;

    if (fit_costs(a, &fit) != HK_OK)
        return false;
    for (size_t i = 0; i < c->finding_count; i++) {
        struct hk_finding *f = &c->findings[i];
        if (strcmp(f->quantity, "time") == 0 &&
            (f->verdict == HK_PAIRED_SLOWER || f->verdict == HK_PAIRED_FASTER) &&
            row_of(a, f->cell, &time_ns, x_a) && row_of(b, f->cell, &time_ns, x_b))
            explain(f, &fit, x_a, x_b);
    }
    return true;
}
