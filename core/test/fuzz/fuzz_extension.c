/* SPDX-License-Identifier: MIT */
/* Bytes as a program; what the verifier accepts keeps its promises when it runs. */
#include "test/trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input = { data, bytes };
    struct hk_trials trials = { 0 };

    hk_trial(&input, &trials);
    return 0;
}
