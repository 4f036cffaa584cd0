/* SPDX-License-Identifier: MIT */
/* What F6 and F7 know of the guest's delayed wake-ups: moments of a lateness log, from its sums. */
#ifndef HK_JUDGE_DELAYED_H
#define HK_JUDGE_DELAYED_H

#include "cells.h"

struct hk_delayed {
    double d0_ns;    /* minimum: the constant part */
    double delta_ns; /* mean - d0 */
    double sigma_ns;
    double rho1;
    size_t count; /* wake-ups */
    size_t launches;
    bool exact;
};

/*
 * Read the log of one law of delays ("exponential").
 *
 * Returns HK_OK; HK_ENOENT when the run has it not, or its delays do not differ.
 */
enum hk_status hk_delayed_read(const struct hk_run *run, const char *law, struct hk_delayed *out);

#endif
