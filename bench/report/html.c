/* SPDX-License-Identifier: MIT */
#include "html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

void html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
        }
    }
}

void html_element(FILE *out, const char *element, const char *text)
{
    fprintf(out, "<%s>", element);
    html_text(out, text);
    fprintf(out, "</%s>", element);
}

void html_number(FILE *out, double value)
{
    fputs("<td class=\"number\">", out);
    double size = fabs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e9)) {
        fprintf(out, "%.3e", value);
    } else {
        int decimals = size >= 1000 || size == 0 ? 0 : 3 - (int)floor(log10(size));
        char digits[64];
        snprintf(digits, sizeof(digits), "%.*f", decimals < 0 ? 0 : decimals, value);
        size_t whole = strcspn(digits, ".");
        for (size_t i = 0; digits[i]; i++) {
            if (i > 0 && i < whole && digits[i - 1] != '-' && (whole - i) % 3 == 0)
                fputs("&#8201;", out);
            fputc(digits[i], out);
        }
    }
    fputs("</td>", out);
}

/* Places in an SVG after which a local name stands. */
static const char *const references[] = { " id=\"", " id='", "href=\"#", "href='#", "url(#" };

void html_svg(FILE *out, const char *svg, const char *prefix, const char *label)
{
    const char *at = strstr(svg, "<svg");
    if (!at)
        return;
    at += strlen("<svg");
    fputs("<svg role=\"img\" aria-label=\"", out);
    html_text(out, label);
    fputc('"', out);
    while (*at) {
        size_t i = 0;
        while (i < HK_ARRAY_COUNT(references) &&
               strncmp(at, references[i], strlen(references[i])) != 0)
            i++;
        if (i == HK_ARRAY_COUNT(references)) {
            fputc(*at++, out);
            continue;
        }
        fprintf(out, "%s%s-", references[i], prefix);
        at += strlen(references[i]);
    }
}
