/* SPDX-License-Identifier: MIT */
/*
 * Golden section search. GSL's minimisers want an interior point below both ends; here the least
 * value may lie at an end.
 */
#ifndef HK_MODEL_GOLDEN_H
#define HK_MODEL_GOLDEN_H

typedef double (*golden_fn)(const void *context, double at);

/*
 * Argument of the least value of a function with one minimum between low and high.
 *
 * steps  [in]  each narrows the bracket to 0.618 of its length and costs one evaluation
 *
 * Values that are not finite lose against those that are, if they are +infinity.
 */
double golden_minimise(golden_fn f, const void *context, double low, double high, int steps);

#endif
