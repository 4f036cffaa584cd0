/* SPDX-License-Identifier: MIT */
/* Any text given as an exported history; what is accepted must export to what is accepted again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/history/export.h"
#include "hk/history/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct hk_history *open_empty(void)
{
    struct hk_history *history = NULL;
    char error[HK_TEXT_BYTES];

    if (hk_history_open(":memory:", true, &history, error) != HK_OK)
        abort();
    return history;
}

static bool import(struct hk_history *history, const char *data, size_t bytes)
{
    char error[HK_TEXT_BYTES];
    size_t added;
    char *text = malloc(bytes + 1);

    if (text == NULL)
        abort();
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    const enum hk_status status =
        hk_history_import_csv(history, text, bytes, "file", &added, error);
    free(text);
    return status == HK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_history *first = open_empty();
    struct hk_history_list list;
    char *text = NULL;
    size_t length = 0;

    if (import(first, (const char *)data, bytes) && hk_history_list(first, NULL, &list) == HK_OK) {
        FILE *out = open_memstream(&text, &length);
        struct hk_history *second = open_empty();
        bool cut = false; /* titles longer than the export gives them room */
        for (size_t i = 0; i < list.count; i++)
            cut = cut || strlen(list.series[i].name) > 255 || strlen(list.series[i].metric) > 63 ||
                  strlen(list.series[i].basis) > 511;
        if (out == NULL || hk_export_find("csv")->write(first, &list, out) != HK_OK ||
            fclose(out) != 0 || (!cut && !import(second, text, length)))
            abort();
        free(text);
        hk_history_list_fini(&list);
        hk_history_close(second);
    }
    hk_history_close(first);
    return 0;
}
