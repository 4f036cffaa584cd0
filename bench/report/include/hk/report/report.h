/* SPDX-License-Identifier: MIT */
/* The report of a run: one HTML file without scripts and without any reference to the outside. */
#ifndef HK_REPORT_REPORT_H
#define HK_REPORT_REPORT_H

#include "hk/report/figure.h"
#include "hk/report/worlds.h"

/*
 * Write the report as text.
 *
 * worlds  [in]   what stands beside this run's cells in other worlds
 * folder  [in]   with the figures <name>.svg; those that are missing are named as missing
 * html    [out]  to be freed by the caller
 *
 * Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_report_html(const struct hk_report_source *source,
                              const struct hk_worlds *worlds, const char *folder, char **html);

#endif
