/* SPDX-License-Identifier: MIT */
/* Lines of comma-separated values, whoever wrote them. */
#ifndef HK_RESULT_CSV_H
#define HK_RESULT_CSV_H

#include <stddef.h>

/*
 * Split one line in place; a quoted field may hold commas, doubled quotes and line breaks.
 *
 * cursor    [in,out]  start of the line, which ends with NUL at last; then of the next, or the
 *                     end of the text
 * fields    [out]     capacity of them, NUL-terminated, in the text
 *
 * Returns the number of fields; 0 for more than capacity or a quote without its end.
 * Source: RFC 4180.
 */
size_t hk_csv_split(char **cursor, char **fields, size_t capacity);

#endif
