/* SPDX-License-Identifier: MIT */
/* The report's style sheet. */
#ifndef HK_REPORT_STYLE_H
#define HK_REPORT_STYLE_H

extern const char report_style[];

#endif
