/* SPDX-License-Identifier: MIT */
#include "kernel/scenario.h"

#include "kernel/boot.h"
#include "kernel/kernel.h"

static bool is(const char *name, const char *value, uint64_t bytes)
{
    uint64_t i = 0;

    while (i < bytes && name[i] == value[i])
        i++;
    return i == bytes && name[i] == '\0';
}

bool hk_scenario_boot(struct hk_cpu *cpu)
{
    const char *value;
    uint64_t bytes = hk_boot_option(cpu->kernel, "scenario", &value);

    if (bytes == 0)
        return false;
    for (const struct hk_kernel_scenario *row = hk_kernel_scenarios; row->name != NULL; row++) {
        if (!is(row->name, value, bytes))
            continue;
        hk_shutdown(cpu, row->run(cpu) ? HK_EXIT_PASS : HK_EXIT_FAIL);
        return true;
    }
    return false;
}
