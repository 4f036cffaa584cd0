/* SPDX-License-Identifier: MIT */
/* Runs in memory, for tests. */
#ifndef HK_COMPARE_TEST_MAKE_RUN_H
#define HK_COMPARE_TEST_MAKE_RUN_H

#include "hk/result/result.h"

/* An empty run of a machine; note as a counted run has it, or "". */
void run_make(struct hk_run *run, const char *machine, const char *note);

/* Append a launch with one counter; it stays in place until the next call. */
struct hk_launch *run_add(struct hk_run *run, const char *cell, uint32_t index,
                          enum hk_exactness exactness, const char *counter, double value);

#endif
