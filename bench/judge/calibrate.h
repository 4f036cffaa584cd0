/* SPDX-License-Identifier: MIT */
#ifndef HK_JUDGE_CALIBRATE_H
#define HK_JUDGE_CALIBRATE_H

#include "hk/judge/judge.h"

/*
 * Give the prediction intervals of times on this machine the width that errors in the other regimes
 * ask for: those of what stands there, or, for what does not stand, of the same model. Verdicts do
 * not change: they have their own intervals. Where fewer than 19 errors are known from other
 * regimes, or all of them are nothing, an interval stays.
 *
 * judge  [in,out]  comparisons of all regimes
 *
 * Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_judge_calibrate(struct hk_judge *judge);

#endif
