/* SPDX-License-Identifier: MIT */
/* What launches that measure two sides in turns would give, in noise of known kind. */
#ifndef HK_COMPARE_TEST_ABBA_H
#define HK_COMPARE_TEST_ABBA_H

#include "hk/stats/noise.h"

/*
 * Log ratios of launches that measure A and B in ABBA or BAAB rounds: what every launch of a
 * comparison gives. The noise runs on from epoch to epoch and from launch to launch; each
 * launch has a layout effect of its own on either side.
 *
 * effect  [in]   ln(B / A)
 * sd      [in]   of the noise of one epoch
 * d       [out]  count values, the median over ROUNDS
 */
void abba_launches(struct hk_noise_source *noise, double effect, double sd, double *d,
                   size_t count);

#endif
