/* SPDX-License-Identifier: MIT */
/* The edge to GSL: its error handler and its codes. */
#ifndef HK_STATS_GSL_H
#define HK_STATS_GSL_H

#include "hk/base/status.h"

/*
 * Switch GSL's error handler off, so that GSL returns codes instead of aborting.
 *
 * GSL keeps the handler in one process-wide variable: the program calls this
 * once, first thing in main, before any thread exists. Libraries never do.
 */
void hk_gsl_init(void);

/*
 * Status for a GSL return code.
 *
 * gsl_code  [in]  what a gsl_* function returned
 *
 * Returns HK_OK for success; HK_EINVAL, HK_ENOMEM, HK_ERANGE where GSL says so;
 * HK_ENOISE where an iteration did not converge; HK_EINVAL for codes not known.
 */
enum hk_status hk_gsl_status(int gsl_code);

#endif
