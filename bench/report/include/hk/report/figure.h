/* SPDX-License-Identifier: MIT */
/*
 * Figures of a run. Each has a row here, a gnuplot script plots/<name>.gp, and
 * a function that writes what the script reads: plain columns, one block per
 * series. The numbers in a figure are those of the run and of its judge.
 */
#ifndef HK_REPORT_FIGURE_H
#define HK_REPORT_FIGURE_H

#include <stddef.h>
#include <stdio.h>

#include "hk/base/status.h"
#include "hk/judge/judge.h"
#include "hk/result/result.h"

struct hk_report_source {
    const struct hk_run *run;
    const struct hk_judge *judge; /* parameters and verdicts of the run; may be empty */
};

struct hk_figure {
    const char *name;    /* of the script and of the files: "round_trip" */
    const char *title;
    const char *reading; /* how to read it, for people */
    const char *needs;   /* what must have been measured for it to have points */

    /*
     * Writes the script's data.
     *
     * points  [out]  number of points; 0 when the run has nothing for this figure
     *
     * Returns HK_OK; HK_ENOMEM; HK_EIO, HK_ENOSPC when out cannot be written.
     */
    enum hk_status (*write)(const struct hk_report_source *source, FILE *out, size_t *points);
};

extern const struct hk_figure hk_figures[];
extern const size_t hk_figure_count;

enum hk_figure_format { HK_FIGURE_SVG, HK_FIGURE_PNG, HK_FIGURE_TERMINAL };

/* HK_ENOENT, with *format untouched, for a name that is not "svg" or "png". */
enum hk_status hk_figure_format_find(const char *name, enum hk_figure_format *format);

/* Ending of a file in that format: "svg". */
const char *hk_figure_format_name(enum hk_figure_format format);

/*
 * Write <folder>/<name>.dat, or no file when the run has nothing for the figure.
 *
 * Returns HK_OK; HK_EEMPTY when there is nothing; HK_ENOMEM, HK_EPERM, HK_ENOSPC, HK_EIO.
 */
enum hk_status hk_figure_write_data(const struct hk_figure *figure,
                                    const struct hk_report_source *source, const char *folder);

/*
 * Draw <folder>/<name>.dat with gnuplot into <folder>/<name>.<format>, or on
 * standard output for a terminal.
 *
 * scripts  [in]   folder of the gnuplot scripts
 * folder   [in]   absolute
 * caption  [in]   n and machine, one line
 * error    [out]  on failure, one line with the remedy
 *
 * Returns HK_OK; HK_ENOTSUP when gnuplot is not installed; HK_EIO when it failed or took
 * longer than a minute.
 */
enum hk_status hk_figure_draw(const struct hk_figure *figure, const char *scripts,
                              const char *folder, enum hk_figure_format format,
                              const char *caption, char error[HK_TEXT_BYTES]);

/* The caption of every figure of a run: launches, machine, kernel, day. */
void hk_figure_caption(const struct hk_run *run, char *caption, size_t capacity);

#endif
