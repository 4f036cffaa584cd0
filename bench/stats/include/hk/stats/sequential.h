/* SPDX-License-Identifier: MIT */
/* Looking at data several times while they come in, at one overall level. */
#ifndef HK_STATS_SEQUENTIAL_H
#define HK_STATS_SEQUENTIAL_H

#include <stddef.h>

#include "hk/base/status.h"

#define HK_LOOKS_MAX 10u

/*
 * Levels at which to test at each of several looks, so that a true null hypothesis is
 * rejected at any of them with probability alpha in all.
 *
 * information_ratio  [in]   look_count values, ascending, in (0, 1]: share of the launches
 *                           that a look has; the last is 1
 * look_count         [in]   1..HK_LOOKS_MAX
 * alpha              [in]   two-sided, inside (0, 1)
 * level              [out]  look_count two-sided levels, ascending; the last is near alpha
 *
 * The looks must be declared before the first one. Exact for normal means, the usual
 * approximation for rank tests.
 *
 * Returns HK_OK; HK_EINVAL for bad arguments. Cost about 1 ms a look.
 * Source: Lan & DeMets 1983 (Biometrika 70) with the spending function of O'Brien-Fleming type;
 * Armitage, McPherson & Rowe 1969 for the recursive integration.
 */
enum hk_status hk_look_levels(const double *information_ratio, size_t look_count, double alpha,
                              double *level);

#endif
