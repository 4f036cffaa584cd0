/* SPDX-License-Identifier: MIT */
#include "delayed.h"

#include <math.h>

/* Mean of a counter over launches. */
static enum hk_status read_sum(const struct hk_run *run, const char *law, const char *counter,
                               struct hk_cell_values *cell, double *value)
{
    struct hk_estimate mean;

    if (hk_cell_read(run, counter, cell, "guest/wakeup/delayed/law:%s/record:lateness", law) !=
            HK_OK ||
        hk_cell_mean(cell, &mean) != HK_OK)
        return HK_ENOENT;
    *value = mean.value;
    return HK_OK;
}

enum hk_status hk_delayed_read(const struct hk_run *run, const char *law, struct hk_delayed *out)
{
    struct hk_cell_values cell;
    double n, least, sum, square, product;

    if (read_sum(run, law, "hk_periods", &cell, &n) != HK_OK || !(n >= 2) ||
        read_sum(run, law, "hk_lateness_ns_min", &cell, &least) != HK_OK ||
        read_sum(run, law, "hk_lateness_ns_sum", &cell, &sum) != HK_OK ||
        read_sum(run, law, "hk_lateness_square_sum", &cell, &square) != HK_OK ||
        read_sum(run, law, "hk_lateness_product_sum", &cell, &product) != HK_OK)
        return HK_ENOENT;
    const double mean = sum / n;
    const double variance = square / n - mean * mean;
    if (!(variance > 0) || !(mean > least))
        return HK_ENOENT;
    *out = (struct hk_delayed){
        .d0_ns = least,
        .delta_ns = mean - least,
        .sigma_ns = sqrt(variance),
        .rho1 = fmin(1, fmax(-1, (product / (n - 1) - mean * mean) / variance)),
        .count = (size_t)n,
        .launches = cell.count,
        .exact = cell.exact,
    };
    return HK_OK;
}
