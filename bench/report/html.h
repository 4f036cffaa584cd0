/* SPDX-License-Identifier: MIT */
/* Writing HTML: text is escaped here and nowhere else. */
#ifndef HK_REPORT_HTML_H
#define HK_REPORT_HTML_H

#include <stdio.h>

/* Text with &, <, > and quotes as entities; control characters as spaces. */
void html_text(FILE *out, const char *text);

/* <td>text</td>, or the element given. */
void html_element(FILE *out, const char *element, const char *text);

/* <td class="number"> with four significant digits and a thin space between thousands. */
void html_number(FILE *out, double value);

/* An SVG file's text, without prolog, its ids made unique by the prefix. */
void html_svg(FILE *out, const char *svg, const char *prefix, const char *label);

#endif
