/* SPDX-License-Identifier: MIT */
/*
 * Workloads in every placement of the services: one boot for each placement and repetition, two
 * machines at a time.
 */
#ifndef HK_GUEST_SWEEP_H
#define HK_GUEST_SWEEP_H

#include "hk/guest/mix.h"
#include "hk/guest/run.h"

#define HK_SWEEP_PLACEMENTS     (1u << HK_SERVICES)
#define HK_SWEEP_WORKLOADS_MAX  80u
#define HK_SWEEP_BOOT_WORKLOADS 8u  /* that one boot runs; more are boots of their own */
#define HK_SWEEP_NAME_BYTES     32u /* with the terminator */

struct hk_sweep_workload {
    char name[HK_SWEEP_NAME_BYTES]; /* letters, digits, _ and - */
    struct hk_mix mix;
};

/*
 * Find and read a workload.
 *
 * folder    [in]   where the files are that come with hkbench
 * word      [in]   a name, for FOLDER/NAME.ini, or a path that ends in .ini
 * workload  [out]  written only on success
 * error     [out]  on failure one line for people
 *
 * Returns HK_OK; HK_EINVAL for a name that no cell may have; else as hk_mix_read.
 */
enum hk_status hk_sweep_workload_find(const char *folder, const char *word,
                                      struct hk_sweep_workload *workload, char error[256]);

/*
 * Run workloads in all placements of which `wanted` wants a cell. Cells are named
 * guest/placement/<workload>/mask:<three digits>. Then what it is to lose a server, with all of
 * them outside the kernel: guest/outage/<service>/fault:<killed, hangs, corrupts, garbles or, of
 * those with two copies of what outlives them, damages>.
 *
 * options    [in]   places and kvm are not used; on_function is not called; boots is that of each
 *                   placement; callbacks come from several threads, but one at a time
 * workloads  [in]   1 to HK_SWEEP_WORKLOADS_MAX, each of another name
 * machines   [in]   QEMUs at a time, 1 to 64
 * summary    [out]  valid also on failure, for what was done
 * error      [out]  on failure one line for people
 *
 * A placement is handed over when all its boots are through, so a run that is stopped has whole
 * placements. After a boot that fails the others go on, and its status is returned in the end.
 * Statuses as hk_guest_run; HK_ENOENT when no cell is wanted.
 */
enum hk_status hk_guest_sweep(const struct hk_guest_options *options,
                              const struct hk_sweep_workload *workloads, uint32_t workload_count,
                              uint32_t machines, struct hk_guest_summary *summary,
                              char error[HK_QEMU_ERROR_BYTES]);

#endif
