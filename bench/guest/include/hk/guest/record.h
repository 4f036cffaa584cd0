/* SPDX-License-Identifier: MIT */
/* The guest's cells as a run directory: what `hkbench run --guest` and `--placements` do. */
#ifndef HK_GUEST_RECORD_H
#define HK_GUEST_RECORD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/run.h"
#include "hk/guest/sweep.h"
#include "hk/result/result.h"

struct hk_guest_plan {
    const struct hk_guest_files *files;
    const struct hk_guest_linux *linux_guest; /* NULL: our own kernel */
    const char *filter; /* POSIX extended regular expression searched in the names; NULL: all */
    const char *const *places; /* compositions */
    uint32_t place_count;
    const struct hk_sweep_workload *workloads; /* instead: these in all placements; NULL: none */
    uint32_t workload_count;
    uint32_t machines; /* QEMUs at a time, with workloads only */
    enum hk_qemu_machine machine;
    uint32_t memory_mib;
    uint32_t boots; /* of each composition, at least 2 */
    uint32_t timeout_ms;
    bool kvm; /* cycles too, where KVM passes its self-check */
    const char *out_root;
    const char *machine_json; /* the machine record */
    const char *arguments;    /* the command line, for run.json */

    const volatile sig_atomic_t *stop;                          /* may be NULL */
    void (*on_boot)(void *user, uint32_t done, uint32_t total); /* may be NULL */
    void *user;
};

struct hk_guest_outcome {
    char path[4096]; /* of the run directory; empty when none was made */
    bool partial;
    struct hk_guest_summary summary;
};

/*
 * Boot, count and write a run directory.
 *
 * outcome  [out]  valid also on failure, for what was written
 * error    [out]  on failure one line with cause and remedy
 *
 * The run directory exists as soon as a launch was handed over; a run that ends early is valid and
 * marked partial, with the cause as its note. functions.tsv beside the launches says where each
 * cell's instructions are: cell, function, instructions per operation; not with workloads.
 *
 * Returns HK_OK; HK_EPARSE for a bad expression; HK_ENOENT when it matches no cell; else the
 * statuses of hk_guest_run and of the result writer.
 */
enum hk_status hk_guest_record(const struct hk_guest_plan *plan, struct hk_guest_outcome *outcome,
                               char error[HK_TEXT_BYTES]);

#endif
