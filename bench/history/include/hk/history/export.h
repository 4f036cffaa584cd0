/* SPDX-License-Identifier: MIT */
/* A history in the formats of others. */
#ifndef HK_HISTORY_EXPORT_H
#define HK_HISTORY_EXPORT_H

#include <stdio.h>

#include "hk/history/history.h"

/* One format. */
struct hk_export_format {
    const char *name; /* "google", "bencher", "csv", "openmetrics" */
    const char *what; /* who reads it, one line */
    enum hk_status (*write)(struct hk_history *history, const struct hk_history_list *list,
                            FILE *out);
};

extern const struct hk_export_format hk_export_formats[];
extern const size_t hk_export_format_count;

/* By name; NULL when there is none. */
const struct hk_export_format *hk_export_find(const char *name);

#endif
