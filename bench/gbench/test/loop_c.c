/* SPDX-License-Identifier: MIT */
#include "loops.h"

void hk_loop_c(struct hk_gbench_state *state, void *arg)
{
    (void)arg;
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
}
