/* SPDX-License-Identifier: MIT */
/* A history from the CSV that one was exported to. */
#ifndef HK_HISTORY_IMPORT_H
#define HK_HISTORY_IMPORT_H

#include <stdbool.h>

#include "hk/history/history.h"

/* How such a file begins; columns of series follow, titled "name metric kind basis". */
#define HK_HISTORY_CSV_START "time,commit,machine"

/*
 * Add the jobs of an exported history in their order.
 *
 * text    [in]   any bytes; is changed
 * bytes   [in]   text[bytes] is NUL
 * source  [in]   the file, for the jobs and for messages
 * added   [out]  jobs that were added; 0 on failure
 * error   [out]  on failure one line
 *
 * All jobs are added or none. How many launches stand behind a value, the two times of a ratio
 * (it is kept as a ratio to 1), and what was accepted, are not in such a file.
 *
 * Returns HK_OK; HK_EPARSE for what is no such file, is cut short, names a series twice, or has a
 * value that is none; HK_EEMPTY without any value; the statuses of hk_history_add: HK_EEXIST when
 * a row of the same number, commit and time was imported before from a source of this name. Under
 * another name the same file is another source.
 */
enum hk_status hk_history_import_csv(struct hk_history *history, char *text, size_t bytes,
                                     const char *source, size_t *added,
                                     char error[HK_TEXT_BYTES]);

#endif
