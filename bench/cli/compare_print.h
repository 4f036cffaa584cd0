/* SPDX-License-Identifier: MIT */
/* A comparison as a table, as JSON, as Markdown; on standard output. */
#ifndef HK_CLI_COMPARE_PRINT_H
#define HK_CLI_COMPARE_PRINT_H

#include "command.h"
#include "hk/compare/compare.h"

enum hk_compare_format { HK_COMPARE_TABLE, HK_COMPARE_JSON, HK_COMPARE_MARKDOWN };

/*
 * Print it.
 *
 * a, b  [in]  what the sides are called: paths or commands
 *
 * Returns HK_OK; HK_EINVAL when a name is no UTF-8 and JSON was asked for.
 */
enum hk_status hk_compare_print(const struct hk_comparison *comparison, const char *a,
                                const char *b, enum hk_compare_format format);

/* 0 same or faster, 1 slower, 4 undecided. */
enum hk_exit hk_compare_exit(const struct hk_comparison *comparison);

#endif
