/* SPDX-License-Identifier: MIT */
/*
 * What the counting plugin counts in a region, and the file it writes.
 *
 * One line per region, then one per function that executed in it, then one line that ends the file:
 *
 *   HKC1 region=0 instructions_kernel=120 instructions_user=44 ... tlb_misses_pcid=0
 *   HKC1 function=hk_syscall_enter region=0 ring=kernel instructions=60
 *   HKC1 done regions=1 unmatched=0 saturated=0
 *
 * Cache and TLB events are there when the plugin was given a model. A file without its last line
 * was cut short and is refused.
 */
#ifndef HK_GUEST_COUNTS_H
#define HK_GUEST_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/guest/cache_model.h"

#define HK_COUNT_LIST(X)                                                                           \
    X(INSTRUCTIONS_KERNEL, instructions_kernel) /* begun at upper-half addresses */                \
    X(INSTRUCTIONS_USER, instructions_user)                                                        \
    X(LOADS, loads)                                                                                \
    X(STORES, stores)                                                                              \
    X(RING_ENTRIES, ring_entries) /* transitions from user to kernel */                            \
    X(CR3_WRITES, cr3_writes)

enum hk_count {
#define X(name, text) HK_COUNT_##name,
    HK_COUNT_LIST(X) HK_CACHE_EVENT_LIST(X)
#undef X
        HK_COUNT_COUNT
};

/* Name of a count as in the file, e.g. "instructions_kernel"; NULL beyond the list. */
const char *hk_count_name(enum hk_count count);

struct hk_function_count {
    char *name;
    uint64_t instructions;
};

struct hk_region_counts {
    uint64_t count[HK_COUNT_COUNT];
    size_t function_count;
    struct hk_function_count *functions; /* most instructions first */
};

struct hk_counts {
    size_t region_count;
    struct hk_region_counts *regions; /* in order of their begin marks */
};

/*
 * Read what a plugin wrote.
 *
 * text    [in]   the file's bytes, any
 * bytes   [in]   how many
 * counts  [out]  written only on success; release with hk_counts_fini
 * error   [out]  on failure one line for people
 *
 * Returns HK_OK; HK_EPARSE for a malformed, repeated or missing key, a line out of order or a file
 * without its end; HK_EROW when marks did not pair or the cache model ran out of frames; HK_ENOMEM.
 */
enum hk_status hk_counts_parse(const char *text, size_t bytes, struct hk_counts *counts,
                               char error[256]);
void hk_counts_fini(struct hk_counts *counts);

#endif
