/* SPDX-License-Identifier: MIT */
/* scenario=table: the kernel's table of tests on the booted kernel. */
#include "kernel/boot.h"
#include "kernel/scenario.h"
#include "table.h"

static void print_failure(struct hk_kernel *kernel, const struct hk_test_row *row,
                          const struct hk_test *test)
{
    hk_print(kernel, HK_PROTOCOL " fail ");
    hk_print(kernel, row->name);
    hk_print(kernel, ": ");
    hk_print(kernel, test->failed);
    hk_print(kernel, " line ");
    hk_print_number(kernel, test->line);
    hk_print(kernel, "\n");
}

static bool run_tables(struct hk_cpu *cpu)
{
    bool held = true;

    for (const struct hk_test_row *const *table = hk_test_tables; *table != NULL; table++) {
        for (const struct hk_test_row *row = *table; row->name != NULL; row++) {
            struct hk_test test;

            hk_test_run(cpu, row, &test);
            if (test.failed != NULL) {
                print_failure(cpu->kernel, row, &test);
                held = false;
                continue;
            }
            hk_print(cpu->kernel, HK_PROTOCOL " log ok ");
            hk_print(cpu->kernel, row->name);
            hk_print(cpu->kernel, "\n");
        }
    }
    return held;
}

const struct hk_kernel_scenario hk_kernel_scenarios[] = {
    { "tour", hk_scenario_tour },
    { "table", run_tables },
    { NULL, NULL },
};
