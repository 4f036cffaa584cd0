/* SPDX-License-Identifier: MIT */
/* One boot of the kernel: what it reported and what was counted. */
#ifndef HK_GUEST_BOOT_H
#define HK_GUEST_BOOT_H

#include <stdbool.h>

#include "hk/base/status.h"
#include "hk/guest/counts.h"
#include "hk/guest/qemu.h"
#include "hk/guest/report.h"

struct hk_guest_boot {
    struct hk_guest_report report; /* empty when it failed before it could be read */
    struct hk_counts counts;
    bool counted;
};

/*
 * Boot, decode, and judge by what the guest said of itself.
 *
 * boot   [in,out] zeroed before; after a failure it may hold the rows up to there. Release it with
 *                 hk_guest_boot_fini in any case
 * error  [out]    on failure one line for people
 *
 * Returns HK_OK; HK_EROW when the kernel reported a failure, leaked or ended without its last line;
 * else as hk_qemu_run, hk_guest_report_parse and hk_counts_parse.
 */
enum hk_status hk_guest_boot_run(const struct hk_qemu_options *qemu, struct hk_guest_boot *boot,
                                 char error[HK_QEMU_ERROR_BYTES]);
void hk_guest_boot_fini(struct hk_guest_boot *boot);

#endif
