/* SPDX-License-Identifier: MIT */
/* What init can run. A scenario returns 0 when all that must hold held. */
#ifndef HK_USER_SCENARIO_H
#define HK_USER_SCENARIO_H

#include <stdint.h>

struct hk_scenario {
    const char *name;
    int (*run)(uint64_t *ipc_page);
};

int hk_scenario_hello(uint64_t *ipc_page);
int hk_scenario_experiments(uint64_t *ipc_page);
int hk_scenario_faults(uint64_t *ipc_page);
int hk_scenario_services(uint64_t *ipc_page);
int hk_scenario_isolation(uint64_t *ipc_page);
int hk_scenario_fuzz(uint64_t *ipc_page);
int hk_scenario_policy(uint64_t *ipc_page);
int hk_scenario_versions(uint64_t *ipc_page);
int hk_scenario_paging(uint64_t *ipc_page);
int hk_scenario_outages(uint64_t *ipc_page);
int hk_scenario_virtio(uint64_t *ipc_page);
int hk_scenario_workload(uint64_t *ipc_page);
int hk_scenario_devices(uint64_t *ipc_page);

#endif
