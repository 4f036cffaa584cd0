/* SPDX-License-Identifier: MIT */
/*
 * The regimes that F6 and F7 share: a periodic wake-up under a policy, a load
 * and perhaps a delay injected by construction (the positive control).
 */
#ifndef HK_JUDGE_REGIME_H
#define HK_JUDGE_REGIME_H

#include <stdbool.h>

#include "cells.h"

struct hk_regime {
    char text[96];               /* for the verdict: "native/absolute/fifo/idle" */
    char clock[24];              /* absolute, relative, device, queued */
    char lateness_cell[HK_NAME_BYTES];
    char interval_cell[HK_NAME_BYTES];
    double period_ns;
    bool control; /* a delay of known law is injected */
};

/*
 * Read a regime from the name of a wakeup or underrun cell.
 *
 * Lateness comes from other launches of the same policy, load, period and
 * injection: of a device's interrupts for a device, which have no timer slack,
 * and of the absolute timer for every clock that a thread sets for itself.
 *
 * Returns HK_OK; HK_EPARSE when a key is missing.
 */
enum hk_status hk_regime_read(const char *cell, struct hk_regime *regime);

#endif
