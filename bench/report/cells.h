/* SPDX-License-Identifier: MIT */
/* What figures and tables take from a cell: numbers over its launches. */
#ifndef HK_REPORT_CELLS_H
#define HK_REPORT_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/result/result.h"

/* The launches of one cell, a slice of the run. */
struct cell {
    const char *name;
    const struct hk_launch *launches;
    size_t count;
    size_t ok_count;
};

/* Iterate: start with *next = 0; false at the end. */
bool cell_next(const struct hk_run *run, size_t *next, struct cell *cell);

struct spread {
    size_t count;
    double median;
    double least;
    double lower; /* quartiles */
    double upper;
    double most;
};

/* A counter over the launches that are OK; false when none has it. */
bool cell_spread(const struct cell *cell, const char *counter, struct spread *spread);

/*
 * A series of all OK launches, one after the other.
 *
 * values  [out]  to be freed by the caller; NULL when there is none
 */
enum hk_status cell_series(const struct cell *cell, const char *series, double **values,
                           size_t *count);

int compare_doubles(const void *a, const void *b);

#endif
