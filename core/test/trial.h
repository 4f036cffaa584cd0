/* SPDX-License-Identifier: MIT */
/* One program made from bytes: verified, and if it is accepted run on packets under the oracle. */
#ifndef HK_TEST_TRIAL_H
#define HK_TEST_TRIAL_H

#include "extension/verify.h"
#include "test/fuzz/input.h"

struct hk_trials {
    uint64_t programs, processed, instructions, run; /* of accepted ones: processed and run */
    uint64_t result[HK_REJECTS];
};

/* Aborts where an accepted program breaks a promise. */
void hk_trial(struct input *input, struct hk_trials *trials);

#endif
