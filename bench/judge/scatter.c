/* SPDX-License-Identifier: MIT */
#include "scatter.h"

#include <math.h>

#include "hk/stats/summary.h"

enum { LAUNCHES_MIN = 3 };

double hk_statistic_mean_beyond(const double *values, size_t n, const void *context)
{
    const double *least = context;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += values[i] - *least;
    return sum / (double)n;
}

enum hk_status hk_cell_scatter(const struct hk_run *run, const char *cell, const char *name,
                               hk_launch_statistic *statistic, const void *context,
                               struct hk_scatter *out)
{
    const struct hk_launch *first = NULL;
    struct hk_estimate mean;
    double values[HK_LAUNCHES_MAX];
    size_t launches = 0, n = 0;
    enum hk_status status = hk_run_cell(run, cell, &first, &launches);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < launches && n < HK_LAUNCHES_MAX; i++) {
        const struct hk_series *series = hk_launch_series(&first[i], name);
        if (first[i].state != HK_LAUNCH_OK || series == NULL || series->count == 0)
            continue;
        values[n] = statistic(series->values, series->count, context);
        n += isfinite(values[n]) ? 1 : 0;
    }
    if (n < LAUNCHES_MIN)
        return HK_ENOISE;
    status = hk_mean_estimate(values, n, &mean);
    if (status != HK_OK)
        return status;
    if (!(mean.value > 0))
        return HK_ENOISE;
    *out = (struct hk_scatter){mean.standard_error / mean.value, n};
    return HK_OK;
}

double hk_scatter_error(const struct hk_scatter *scatter, double own_error)
{
    const struct hk_estimate one = {1, scatter->relative_error, scatter->launches};
    struct hk_interval interval;

    if (scatter->launches < LAUNCHES_MIN || !(scatter->relative_error > 0) ||
        hk_mean_interval(&one, 0.95, &interval) != HK_OK)
        return own_error;
    return fmax(own_error, (interval.upper - 1) / HK_Z_95);
}
