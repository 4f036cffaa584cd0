/* SPDX-License-Identifier: MIT */
/* What hkbench calibrate found, put to use. */
#ifndef HK_CLI_ADVICE_H
#define HK_CLI_ADVICE_H

#include "hk/compare/compare.h"
#include "hk/history/calibration.h"
#include "hk/machine/probe.h"

/* Identity of this machine, as in its record. Returns HK_OK; HK_ENOMEM. */
enum hk_status hk_cli_machine_id(char *id, size_t capacity);

/*
 * Where this way of comparing cries wolf too often, turn slower times into undecided ones that
 * say so; counts stay as they are.
 *
 * root     [in]  results folder that holds the calibration
 * machine  [in]  where the times were measured; NULL: here
 */
void hk_cli_advise(struct hk_comparison *comparison, const char *root, const char *machine,
                   enum hk_verdict_path path);

/* Which ways to a verdict are calibrated, and which only advise: a row of doctor's. */
void hk_cli_describe_gate(const struct hk_calibration *calibration,
                          struct hk_probe_result *result);

#endif
