/* SPDX-License-Identifier: MIT */
#include "user/scenario.h"
#include "user/user.h"

int hk_scenario_experiments(uint64_t *ipc_page)
{
    (void)ipc_page;
    return 0;
}
