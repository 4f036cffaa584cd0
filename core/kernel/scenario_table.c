/* SPDX-License-Identifier: MIT */
/* The kernel's own scenarios; the kernel for tests links another table (test/scenario_table.c). */
#include "kernel/scenario.h"

const struct hk_kernel_scenario hk_kernel_scenarios[] = {
    { "tour", hk_scenario_tour },
    { NULL, NULL },
};
