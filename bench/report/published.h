/* SPDX-License-Identifier: MIT */
/* Figures that others published, and the cells of ours that come nearest to them. */
#ifndef HK_REPORT_PUBLISHED_H
#define HK_REPORT_PUBLISHED_H

#include <stddef.h>

/* How two costs of ours are put beside the figure. */
enum published_as {
    PUBLISHED_TIMES, /* cost over the other's */
    PUBLISHED_LOSS,  /* throughput lost against the other, percent */
    PUBLISHED_ALONE, /* nothing here measures it */
};

struct published {
    const char *what;
    const char *figure;
    const char *source;
    enum published_as as;
    const char *cell;    /* NULL when alone */
    const char *against;
};

extern const struct published published_figures[];
extern const size_t published_count;

#endif
