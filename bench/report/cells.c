/* SPDX-License-Identifier: MIT */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

bool cell_next(const struct hk_run *run, size_t *next, struct cell *cell)
{
    if (*next >= run->launch_count)
        return false;
    const struct hk_launch *first = &run->launches[*next];
    *cell = (struct cell){ .name = first->name, .launches = first };
    while (*next < run->launch_count && strcmp(run->launches[*next].name, cell->name) == 0) {
        cell->ok_count += run->launches[*next].state == HK_LAUNCH_OK;
        cell->count++;
        (*next)++;
    }
    return true;
}

int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Hyndman and Fan's definition 7: linear between order statistics. */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

bool cell_spread(const struct cell *cell, const char *counter, struct spread *spread)
{
    double *values = malloc((cell->count + 1) * sizeof(*values));
    if (!values)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < cell->count; i++)
        if (cell->launches[i].state == HK_LAUNCH_OK &&
            hk_launch_counter(&cell->launches[i], counter, &values[n]))
            n++;
    qsort(values, n, sizeof(*values), compare_doubles);
    if (n > 0)
        *spread = (struct spread){
            .count = n,
            .median = quantile(values, n, 0.5),
            .least = values[0],
            .lower = quantile(values, n, 0.25),
            .upper = quantile(values, n, 0.75),
            .most = values[n - 1],
        };
    free(values);
    return n > 0;
}

enum hk_status cell_series(const struct cell *cell, const char *series, double **values,
                           size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < cell->count; i++) {
        const struct hk_series *one = hk_launch_series(&cell->launches[i], series);
        if (one && cell->launches[i].state == HK_LAUNCH_OK)
            total += one->count;
    }
    double *all = NULL;
    if (total > 0 && !(all = malloc(total * sizeof(*all))))
        return HK_ENOMEM;
    total = 0;
    for (size_t i = 0; i < cell->count; i++) {
        const struct hk_series *one = hk_launch_series(&cell->launches[i], series);
        if (!one || cell->launches[i].state != HK_LAUNCH_OK || one->count == 0)
            continue;
        memcpy(all + total, one->values, one->count * sizeof(*all));
        total += one->count;
    }
    *values = all;
    *count = total;
    return HK_OK;
}
