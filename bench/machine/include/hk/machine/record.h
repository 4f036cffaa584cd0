/* SPDX-License-Identifier: MIT */
/*
 * The machine record: what a cost depends on and a reader of a result must know.
 *
 * One JSON object. Its "id" is stable over reboots, kernels and hypervisor hosts
 * of one kind: processor, number of CPUs, hypervisor, host model. What may change
 * on one machine (kernel, microcode, mitigations, clocksource, preemption) is
 * recorded beside it and compared when runs are mixed.
 */
#ifndef HK_MACHINE_RECORD_H
#define HK_MACHINE_RECORD_H

#include "hk/base/status.h"

/*
 * Describe this machine.
 *
 * system_root  [in]   "" for this machine; a folder with copies of /proc and /sys for tests
 * json         [out]  one JSON object; to be freed by the caller
 *
 * A fact that the machine does not tell is absent, never guessed. Costs
 * milliseconds. Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_machine_record(const char *system_root, char **json);

#endif
