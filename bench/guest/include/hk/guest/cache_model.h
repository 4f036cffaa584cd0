/* SPDX-License-Identifier: MIT */
/*
 * A deterministic model of caches and TLBs, for prices an emulator cannot show.
 *
 * Set-associative structures with least-recently-used replacement: first-level instruction and data
 * caches over one last level, first-level instruction and data TLBs over one second level. It
 * counts events and knows no cycles. TLBs exist twice and see the same accesses: one pair is
 * emptied by a CR3 write (except for global pages), the other is tagged by address space as with
 * PCID and is never emptied. The difference of their misses is what PCID would save.
 *
 * A page is identified by its virtual page number and by its frame, so equal addresses in different
 * address spaces are different entries. Frames are coloured in the order in which they are first
 * touched, so results do not depend on where an allocator or a host happened to put a page.
 * For the same reason the TLB set of an upper-half page follows from its colour, not its address.
 * An access is charged to the page it starts in; bytes beyond the end of that page are not charged.
 */
#ifndef HK_GUEST_CACHE_MODEL_H
#define HK_GUEST_CACHE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"

/* entries: lines of a cache or pages of a TLB; a power of two times ways. */
struct hk_cache_geometry {
    uint32_t entries;
    uint32_t ways;
};

struct hk_cache_params {
    struct hk_cache_geometry l1i, l1d, l2; /* entries are cache lines */
    struct hk_cache_geometry itlb, dtlb, stlb;
    uint32_t line_bytes;    /* a power of two, 16 to 4096 */
    uint32_t global_kernel; /* 1: upper-half pages survive a CR3 write (global pages) */
};

#define HK_CACHE_EVENT_LIST(X)                                                                     \
    X(CACHE_MISSES, cache_misses) /* last level */                                                 \
    X(CACHE_MISSES_L1I, cache_misses_l1i)                                                          \
    X(CACHE_MISSES_L1D, cache_misses_l1d)                                                          \
    X(TLB_MISSES, tlb_misses) /* page walks: missed in both levels */                              \
    X(TLB_MISSES_ITLB, tlb_misses_itlb)                                                            \
    X(TLB_MISSES_DTLB, tlb_misses_dtlb)                                                            \
    X(TLB_MISSES_PCID, tlb_misses_pcid) /* page walks, had the machine PCID */

enum hk_cache_event {
#define X(name, text) HK_##name,
    HK_CACHE_EVENT_LIST(X)
#undef X
        HK_CACHE_EVENT_COUNT
};

/* Distinct page frames a model can colour between two resets. */
#define HK_CACHE_FRAME_CAPACITY 65536u

struct hk_cache_model;

/*
 * Check parameters and build an empty model.
 *
 * params  [in]   geometry; ways in 1..64, sets a power of two, at most 2^22 entries
 * model   [out]  written only on success; release with hk_cache_model_destroy
 *
 * Returns HK_OK; HK_EINVAL for a geometry outside the stated range; HK_ENOMEM.
 */
enum hk_status hk_cache_model_create(const struct hk_cache_params *params,
                                     struct hk_cache_model **model);
void hk_cache_model_destroy(struct hk_cache_model *model);

/* Empty every structure, forget the colours and zero the events. Cost O(entries). */
void hk_cache_model_reset(struct hk_cache_model *model);

/*
 * Account for an instruction fetch or a data access of `bytes` at `address`.
 *
 * frame  [in]  any value that identifies the physical page, the same for the same page
 *
 * Constant cost, no allocation. Beyond HK_CACHE_FRAME_CAPACITY distinct frames
 * all further ones share a colour; hk_cache_model_saturated then says so.
 */
void hk_cache_model_fetch(struct hk_cache_model *model, uint64_t address, uint64_t frame,
                          uint32_t bytes);
void hk_cache_model_data(struct hk_cache_model *model, uint64_t address, uint64_t frame,
                         uint32_t bytes);

/* Account for a write of CR3: non-global entries leave the TLBs that have no PCID. */
void hk_cache_model_cr3_write(struct hk_cache_model *model);

/* Events since the last reset, indexed by enum hk_cache_event. */
const uint64_t *hk_cache_model_events(const struct hk_cache_model *model);
bool hk_cache_model_saturated(const struct hk_cache_model *model);

/*
 * Read parameters from an INI file: sections l1i, l1d, l2 (size_bytes, ways), itlb, dtlb, stlb
 * (entries, ways) and page (global_kernel), line_bytes in section line.
 *
 * path    [in]   INI file
 * params  [out]  written only on success
 * error   [out]  on failure one line for people: file, line, cause
 *
 * Returns HK_OK; HK_ENOENT when the file cannot be opened; HK_EPARSE for a malformed line, an
 * unknown or repeated key, a missing key or a number that is none; HK_EINVAL for a geometry that
 * hk_cache_model_create would refuse.
 */
enum hk_status hk_cache_params_read(const char *path, struct hk_cache_params *params,
                                    char error[256]);

/* The check that hk_cache_model_create makes, without building a model. */
enum hk_status hk_cache_params_check(const struct hk_cache_params *params);

#endif
