/* SPDX-License-Identifier: MIT */
/*
 * What the kernel reported over its debug console, and its way into the result model.
 *
 * The lines are defined in hk/base/abi.h. The parser is strict: a line it does not know is an error
 * that quotes it, never skipped. A report without its last line is kept as far as it goes and
 * marked: the rows before a crash are as good as ever.
 */
#ifndef HK_GUEST_REPORT_H
#define HK_GUEST_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/counts.h"
#include "hk/result/result.h"

enum hk_guest_row_kind {
    HK_GUEST_ROW,    /* an experiment: cost per operation from two loop lengths */
    HK_GUEST_VALUE,  /* figures that are not per operation */
    HK_GUEST_ABSENT, /* cannot be had here, for the reason given */
    HK_GUEST_LAUNCH, /* a whole launch, from a guest that has the suite's own harness */
};

struct hk_guest_value {
    char *key;
    int64_t value;
};

struct hk_guest_row {
    enum hk_guest_row_kind kind;
    char *name;
    char *text; /* HK_GUEST_ABSENT: why; HK_GUEST_LAUNCH: the launch, as hk_launch_encode wrote it */
    uint64_t ops; /* N; this and the next four in HK_GUEST_ROW only */
    uint64_t ticks_n;
    uint64_t ticks_2n;
    uint64_t region_n;
    uint64_t region_2n;
    size_t value_count; /* the row's other keys */
    struct hk_guest_value *values;
};

struct hk_guest_report {
    char *scenario;
    char *place;
    bool done; /* the last line came: the kernel shut itself down */
    uint64_t leaks;
    size_t row_count;
    struct hk_guest_row *rows;
    size_t fail_count;
    char **fails; /* texts of what should have held and did not */
};

/*
 * Read a report.
 *
 * text    [in]   what the guest printed, any bytes; a last line without its end is dropped
 * report  [out]  written only on success; release with hk_guest_report_fini
 * error   [out]  on failure one line for people
 *
 * Returns HK_OK; HK_EPARSE for a line outside the protocol, a missing, repeated or malformed key, a
 * row name given twice or a row without operations; HK_ESCHEMA for another protocol version;
 * HK_ENOMEM.
 */
enum hk_status hk_guest_report_parse(const char *text, size_t bytes, struct hk_guest_report *report,
                                     char error[256]);
void hk_guest_report_fini(struct hk_guest_report *report);

/*
 * Turn a row into a launch: one boot is one launch.
 *
 * row     [in]   of any kind
 * counts  [in]   of the same boot; NULL when nothing was counted (KVM)
 * index   [in]   of the boot
 * launch  [out]  written only on success; release with hk_launch_fini
 *
 * Every counter is per operation, (C(2N) - C(N)) / N. With counts: hk_instructions_kernel and so on
 * as in hk/guest/counts.h, and hk_instructions_clock from the guest's own clock; it is smaller
 * where instructions fault and restart, larger where the processor halts. Without counts:
 * hk_cycles. The row's other keys become hk_<key>. A row whose regions do not exist or shrink from
 * N to 2N is HK_LAUNCH_INVALID with its reason, and so is a HK_GUEST_LAUNCH that cannot be read.
 *
 * Returns HK_OK or HK_ENOMEM.
 */
enum hk_status hk_guest_row_launch(const struct hk_guest_row *row, const struct hk_counts *counts,
                                   uint32_t index, struct hk_launch *launch);

/*
 * Call each(user, function, instructions per operation) for every function whose cost is not zero,
 * the dearest over 2N operations first. Nothing for a row without counted regions.
 */
void hk_guest_row_functions(const struct hk_guest_row *row, const struct hk_counts *counts,
                            void (*each)(void *user, const char *function, double instructions),
                            void *user);

/*
 * Decide between exact and near for the launches of one cell.
 *
 * EXACT when all that hold carry the same counters with equal values and there are at least two;
 * else NEAR, with the counters that differ as reason. Timed launches are left as they are.
 *
 * Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_guest_launches_classify(struct hk_launch *launches, size_t count);

/* NEAR for all that were counted; why is the reason of those that hold. HK_ENOMEM. */
enum hk_status hk_guest_launches_near(struct hk_launch *launches, size_t count, const char *why);

#endif
