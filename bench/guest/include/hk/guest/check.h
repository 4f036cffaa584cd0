/* SPDX-License-Identifier: MIT */
/* Are this QEMU's counts, and this machine's KVM, to be believed? Asked before every run. */
#ifndef HK_GUEST_CHECK_H
#define HK_GUEST_CHECK_H

#include "hk/base/status.h"
#include "hk/guest/files.h"
#include "hk/guest/qemu.h"

/*
 * Count the probe guest and hold the counts against its own clock, region by region.
 *
 * The probe does nothing that makes the two differ except three page faults, whose instructions
 * begin twice. A QEMU whose plugin interface or clock behaves otherwise is found out here.
 *
 * program  [in]   as in struct hk_qemu_options
 * files    [in]   probe, plugin and model
 * reason   [out]  on failure one line, "cause; remedy" where there is a remedy
 *
 * Returns HK_OK; HK_EROW when a region's counts disagree; else as hk_qemu_run and hk_counts_parse.
 * Takes some tens of milliseconds.
 */
enum hk_status hk_guest_count_check(const char *program, const struct hk_guest_files *files,
                                    char reason[HK_QEMU_ERROR_BYTES]);

/*
 * Find out whether KVM can be trusted here, by the probe guest: 1000 dec/jnz pairs within 100
 * cycles each, user mode and back, an interrupt, all within two seconds. Nested or emulated KVM
 * that fails any of it would report the hypervisor's cost as the processor's.
 *
 * program  [in]   as in the options
 * probe    [in]   the probe guest's image
 * reason   [out]  on failure one line that says what was wrong
 *
 * Returns HK_OK or HK_ENOTSUP. Takes at most a little over two seconds.
 */
enum hk_status hk_guest_kvm_check(const char *program, const char *probe,
                                  char reason[HK_QEMU_ERROR_BYTES]);

#endif
