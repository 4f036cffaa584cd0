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
};

int main(uint64_t argument, uint64_t *ipc_page)
{
    char wanted[32];

    (void)argument;
    if (!hk_boot_value("scenario", wanted, sizeof(wanted))) {
        hk_say("fail", "no scenario= on the command line");
        return 1;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(scenarios); i++) {
        size_t bytes = hk_text_bytes(scenarios[i].name);

        if (bytes == hk_text_bytes(wanted) && hk_text_equal(scenarios[i].name, wanted, bytes))
            return scenarios[i].run(ipc_page);
    }
    hk_say("fail", "no such scenario");
    return 1;
}
