/* SPDX-License-Identifier: MIT */
/* The first program: runs the scenario of the command line. Scenarios are rows. */
#include "user/scenario.h"
#include "user/user.h"

static const struct hk_scenario scenarios[] = {
    { "hello", hk_scenario_hello },
    { "experiments", hk_scenario_experiments },
    { "faults", hk_scenario_faults },
    { "services", hk_scenario_services },
    { "isolation", hk_scenario_isolation },
    { "fuzz", hk_scenario_fuzz },
    { "policy", hk_scenario_policy },
    { "versions", hk_scenario_versions },
    { "paging", hk_scenario_paging },
    { "outages", hk_scenario_outages },
    { "virtio", hk_scenario_virtio },
    { "workload", hk_scenario_workload },
    { "devices", hk_scenario_devices },
};

/* Say which scenarios there are, and switch off: only another command line helps. */
static void refuse(void)
{
    struct hk_line line;

    hk_line_begin(&line, "fail");
    hk_line_text(&line, "scenario= takes tour, which the kernel runs itself, or one of init's:");
    for (size_t i = 0; i < HK_ARRAY_COUNT(scenarios); i++) {
        hk_line_text(&line, " ");
        hk_line_text(&line, scenarios[i].name);
    }
    hk_line_end(&line);
    (void)hk_syscall(HK_SYS_power_off, HK_EXIT_COMMAND_LINE, 0, 0);
}

int main(uint64_t argument, uint64_t *ipc_page)
{
    char wanted[32];

    (void)argument;
    if (!hk_boot_value("scenario", wanted, sizeof(wanted)))
        wanted[0] = '\0';
    for (size_t i = 0; i < HK_ARRAY_COUNT(scenarios); i++) {
        size_t bytes = hk_text_bytes(scenarios[i].name);

        if (bytes == hk_text_bytes(wanted) && hk_text_equal(scenarios[i].name, wanted, bytes))
            return scenarios[i].run(ipc_page);
    }
    refuse();
    return 1;
}
