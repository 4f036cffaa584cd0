/* SPDX-License-Identifier: MIT */
/*
 * How launches of one cell differ. Each is a sample of what the machine does that day: a log of
 * ten thousand wake-ups from one launch knows that launch well and the next one hardly.
 */
#ifndef HK_JUDGE_SCATTER_H
#define HK_JUDGE_SCATTER_H

#include "cells.h"

struct hk_scatter {
    double relative_error; /* standard error of the mean over the launches, as part of it */
    size_t launches;
};

/* A number > 0 of one launch's series; one that is not finite says nothing. */
typedef double hk_launch_statistic(const double *values, size_t n, const void *context);

/* The mean of it less a double, `context`: delta, by the least lateness of all launches. */
double hk_statistic_mean_beyond(const double *values, size_t n, const void *context);

/*
 * Returns HK_OK; HK_ENOENT when the run has no such cell; HK_ENOISE where fewer than 3 launches say
 * something, or their mean is not > 0.
 */
enum hk_status hk_cell_scatter(const struct hk_run *run, const char *cell, const char *series,
                               hk_launch_statistic *statistic, const void *context,
                               struct hk_scatter *out);

/*
 * The relative standard error to reckon with under the normal law: what one series says of itself,
 * or what the launches say, as wide as so few of them make it (Student 1908), if that is more.
 */
double hk_scatter_error(const struct hk_scatter *scatter, double own_error);

#endif
