/* SPDX-License-Identifier: MIT */
/* Many tests at once: adjusted p values, in the order the p values came. */
#ifndef HK_STATS_MULTIPLE_H
#define HK_STATS_MULTIPLE_H

#include <stddef.h>

#include "hk/base/status.h"

/*
 * Holm's step-down adjustment: rejecting adjusted[i] <= alpha keeps the chance of
 * any false rejection at alpha. For gates.
 *
 * p         [in]   m values in [0, 1]: of all tests run, not only of those shown
 * m         [in]   >= 1
 * adjusted  [out]  m values in [0, 1]; may be p itself
 *
 * Returns HK_OK; HK_EINVAL (a value outside [0, 1] included); HK_ENOMEM.
 * Source: Holm 1979 (Scandinavian Journal of Statistics 6).
 */
enum hk_status hk_adjust_holm(const double *p, size_t m, double *adjusted);

/*
 * Benjamini-Hochberg adjustment: rejecting adjusted[i] <= q keeps the expected
 * share of false rejections at q. For reports.
 *
 * Arguments and result as hk_adjust_holm.
 * Source: Benjamini & Hochberg 1995 (J. R. Statist. Soc. B 57(1)).
 */
enum hk_status hk_adjust_benjamini_hochberg(const double *p, size_t m, double *adjusted);

#endif
