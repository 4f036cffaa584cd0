/* SPDX-License-Identifier: MIT */
/* Any bytes as functions.tsv: refused with a reason, or read, written and read again alike. */
#include <stdlib.h>
#include <string.h>

#include "hk/compare/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_functions *read = NULL, *again = NULL;
    char error[HK_TEXT_BYTES] = "", *text;
    size_t length;

    if (hk_functions_parse((const char *)data, bytes, &read, error) != HK_OK) {
        if (error[0] == '\0' || read != NULL)
            abort();
        return 0;
    }
    if (hk_functions_text(read, &text, &length) != HK_OK ||
        hk_functions_parse(text, length, &again, error) != HK_OK)
        abort();
    struct hk_comparison none = {0};
    hk_compare_functions(&none, read, again);
    free(text);
    hk_functions_free(read);
    hk_functions_free(again);
    return 0;
}
