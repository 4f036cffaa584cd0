/* SPDX-License-Identifier: MIT */
/* What the figures' scripts read, one function per figure; see struct hk_figure. */
#ifndef HK_REPORT_FIGURE_DATA_H
#define HK_REPORT_FIGURE_DATA_H

#include "hk/report/figure.h"

enum hk_status figure_round_trip(const struct hk_report_source *source, FILE *out, size_t *points);
enum hk_status figure_size(const struct hk_report_source *source, FILE *out, size_t *points);
enum hk_status figure_latency(const struct hk_report_source *source, FILE *out, size_t *points);
enum hk_status figure_lateness(const struct hk_report_source *source, FILE *out, size_t *points);
enum hk_status figure_underrun(const struct hk_report_source *source, FILE *out, size_t *points);
enum hk_status figure_prediction(const struct hk_report_source *source, FILE *out, size_t *points);

#endif
