/* SPDX-License-Identifier: MIT */
/* What the readers of foreign JSON and CSV share: making a launch of a row. */
#ifndef HK_RESULT_FOREIGN_ROWS_H
#define HK_RESULT_FOREIGN_ROWS_H

#include <stdint.h>

#include "hk/result/foreign.h"

/* What a row says of itself before its counters; texts live during the call. */
struct hk_foreign_row {
    const char *name;
    int64_t repetition; /* -1: it does not say */
    int64_t family;     /* -1: it does not say */
    const char *unit;
    const char *label;  /* or NULL */
    const char *failure; /* why it has no time, or NULL */
    double real_time;   /* NaN: no number */
    double cpu_time;
};

struct hk_foreign_rows {
    struct hk_foreign *foreign;
    size_t capacity;
    int64_t *families; /* of each launch, beside foreign->run.launches */
};

__attribute__((format(printf, 3, 4))) enum hk_status
hk_foreign_fail(char error[HK_TEXT_BYTES], enum hk_status status, const char *format, ...);

/*
 * Append a row as a launch without counters but those of its time.
 *
 * launch  [out]  the launch, for its counters; valid until the next row
 *
 * Returns HK_OK; HK_EPARSE for an unknown time unit or a name that is empty or too long;
 * HK_ENOMEM.
 */
enum hk_status hk_foreign_add(struct hk_foreign_rows *rows, const struct hk_foreign_row *row,
                              struct hk_launch **launch, char error[HK_TEXT_BYTES]);

/* Add a row's counter, or count it as dropped: without a name, not finite, or named as one of
 * those that its time became. HK_ENOMEM. */
enum hk_status hk_foreign_add_counter(struct hk_foreign *foreign, struct hk_launch *launch,
                                      const char *name, double value);

/*
 * Sort by name and repetition, number those that did not say which they are.
 *
 * Returns HK_OK; HK_EEMPTY without rows; HK_EPARSE when two benchmarks share a name.
 */
enum hk_status hk_foreign_sort(struct hk_foreign_rows *rows, char error[HK_TEXT_BYTES]);

/* The reader of CSV. Text ends in NUL and is changed. */
enum hk_status hk_foreign_decode_csv(char *text, size_t bytes, struct hk_foreign_rows *rows,
                                     char error[HK_TEXT_BYTES]);

#endif
