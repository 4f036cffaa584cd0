/* SPDX-License-Identifier: MIT */
/*
 * The guest side of a run: boot the kernel several times, decode, compare, hand over launches.
 *
 * Counts come from TCG under icount with the counting plugin, where every boot must say the same.
 * When KVM passes its self-check the same experiments run there as well, for cycles; their cells
 * are named guest_kvm/... so that times and counts never share a cell.
 */
#ifndef HK_GUEST_RUN_H
#define HK_GUEST_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/files.h"
#include "hk/guest/qemu.h"
#include "hk/result/result.h"

/* A stock Linux kernel as the guest, with the native experiments in its initramfs. */
struct hk_guest_linux {
    const char *kernel; /* bzImage */
    const char *append; /* more for its command line; NULL: nothing */
    const char *const *cells; /* native names; their rows are linux/... */
    size_t cell_count;
    const char *const *modules; /* files of the kernel's modules that the cells need */
    size_t module_count;
};

struct hk_guest_options {
    const struct hk_guest_linux *linux_guest; /* NULL: our own kernel */
    const struct hk_guest_files *files;
    const char *program; /* NULL: qemu-system-x86_64 from PATH */
    enum hk_qemu_machine machine;
    uint32_t memory_mib; /* of the guest */
    uint32_t boots;      /* of each composition, 2 to 100: fewer cannot tell exact from near */
    uint32_t timeout_ms; /* of one boot */
    bool kvm;            /* try KVM too, after its self-check */
    const char *const *places; /* compositions, one after the other; of our own kernel only */
    uint32_t place_count;      /* 1 to 100; of Linux: 1 */

    bool (*wanted)(void *user, const char *name); /* NULL: every cell */
    enum hk_status (*on_launch)(void *user, const struct hk_launch *launch);
    /* where a cell's instructions are, from its first counted boot; NULL: none */
    void (*on_function)(void *user, const char *cell, const char *function, double instructions);
    void (*on_boot)(void *user, uint32_t done, uint32_t total); /* NULL: none */
    void *user;
    const volatile sig_atomic_t *stop; /* may be NULL */
};

struct hk_guest_summary {
    uint32_t exact_count; /* cells */
    uint32_t near_count;
    uint32_t timed_count;
    uint32_t invalid_count;
    uint32_t absent_count;
    uint64_t leak_count;             /* objects the kernel still held at shutdown, over all boots */
    bool kvm;                        /* trusted and used */
    char clock[HK_QEMU_ERROR_BYTES]; /* one line: which clock was chosen and why */
};

/* Count a cell by its first launch. */
void hk_guest_summary_add(struct hk_guest_summary *summary, const struct hk_launch *launch);

/*
 * Run the kernel's experiments in each composition.
 *
 * Cells that do not depend on the composition are in all of them, and have to be equal in all of
 * them to be exact. After a boot that fails, the next composition goes on.
 *
 * options  [in]   on_launch is called for each launch, boot by boot within a cell; its status ends
 *                 the run when it is not HK_OK
 * summary  [out]  valid also on failure, for what was done
 * error    [out]  on failure one line for people
 *
 * Counting is checked first (hk/guest/check.h). Returns HK_OK; HK_EINVAL for a bad option; HK_EROW when the kernel reported a failure, leaked or
 * ended without its last line: the rows before it have been handed over; else what hk_qemu_run,
 * hk_guest_report_parse or on_launch returned.
 */
enum hk_status hk_guest_run(const struct hk_guest_options *options,
                            struct hk_guest_summary *summary, char error[HK_QEMU_ERROR_BYTES]);

#endif
