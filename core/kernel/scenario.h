/* SPDX-License-Identifier: MIT */
/*
 * Scenarios that the kernel runs itself, before any program: they need no ring 3,
 * so they are the same hosted and booted. All others are programs of init.
 */
#ifndef HK_KERNEL_SCENARIO_H
#define HK_KERNEL_SCENARIO_H

#include "kernel/types.h"

struct hk_kernel_scenario {
    const char *name;
    /* returns whether all that must hold held; leaves nothing behind */
    bool (*run)(struct hk_cpu *cpu);
};

/* Ends with a row without a name. */
extern const struct hk_kernel_scenario hk_kernel_scenarios[];

/* A walk through processes, pages and channels that logs every step. */
bool hk_scenario_tour(struct hk_cpu *cpu);

/*
 * Run the scenario of the command line if it is one of the kernel's, and shut down.
 *
 * Returns false, with nothing done, if it is not.
 */
bool hk_scenario_boot(struct hk_cpu *cpu);

#endif
