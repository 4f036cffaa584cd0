/* SPDX-License-Identifier: MIT */
/*
 * Benchmark files of any program, read as a run: Google Benchmark's JSON and CSV, and what
 * hkbench itself writes in that format. Whoever compares or tracks then knows one form only.
 *
 * Each iteration row becomes a launch:
 *   name       of the benchmark (run_name)
 *   index      its repetition
 *   cost_ns    real_time in ns; in files of exact counts hk_instructions instead
 *   cpu_ns     cpu_time in ns; not with counts
 *   others     the row's counters, under their own names
 * A row that reports an error, was skipped, or whose time is no positive number is a launch
 * in state FAILED or INVALID with its reason: it has no value, and is never a time of 0.
 */
#ifndef HK_RESULT_FOREIGN_H
#define HK_RESULT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

struct hk_foreign {
    struct hk_run run;             /* machine_id is "foreign:<host>" unless hkbench wrote it */
    bool rows_are_launches;        /* hkbench wrote it; else rows may share one process */
    size_t aggregate_count;        /* mean, median, ... rows left out: rows are recomputed from */
    size_t counter_dropped_count;  /* counters that were NaN, infinite, no number, or named
                                    * as one of those above */
};

/*
 * Read a file's bytes. Any bytes are safe to give. In CSV, where nothing else tells them,
 * names that end in _mean, _median, _stddev, _cv, _BigO or _RMS are aggregates.
 *
 * text     [in]   bytes characters, need not end in NUL; JSON when it begins with '{', else CSV
 * foreign  [out]  to be released with hk_foreign_fini; written only on success
 * error    [out]  on failure: what is wrong, and the remedy, one line
 *
 * NaN and Infinity, which Google Benchmark writes into its JSON, are taken for missing.
 * Returns HK_OK; HK_EPARSE for what is no such file, is cut short, gives a key twice (a counter
 * called real_time would replace the time), has a time unit other than s, ms, us, ns, or has
 * two benchmarks of one name; HK_EEMPTY when no iteration row is left; HK_ENOMEM.
 * Cost O(bytes + rows log rows).
 * Source: the output of Google Benchmark 1.7.1 to 1.9.
 */
enum hk_status hk_foreign_decode(const char *text, size_t bytes, struct hk_foreign *foreign,
                                 char error[HK_TEXT_BYTES]);

/*
 * The same from a file; run.path is its path, and errors begin with it.
 *
 * Returns as hk_foreign_decode, and HK_ENOENT, HK_EPERM, HK_EIO, HK_ETOOBIG.
 */
enum hk_status hk_foreign_read(const char *path, struct hk_foreign *foreign,
                               char error[HK_TEXT_BYTES]);

void hk_foreign_fini(struct hk_foreign *foreign);

#endif
