/* SPDX-License-Identifier: MIT */
/* Any text given as a cell name or a filter. */
#include <stdlib.h>
#include <string.h>

#include "hk/result/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *name = malloc(bytes + 1);
    if (!name)
        return 0;
    memcpy(name, data, bytes);
    name[bytes] = '\0';
    char part[HK_NAME_BYTES], small[4];
    int64_t value;
    bool legal = hk_name_check(name) == HK_OK;
    if (hk_name_int(name, "bytes", &value) == HK_OK &&
        hk_name_text(name, "bytes", part, sizeof(part)) != HK_OK)
        abort();
    for (size_t i = 0; i < 5; i++) {
        enum hk_status status = hk_name_part(name, i, part, sizeof(part));
        if (legal && status != HK_OK && status != HK_ENOENT)
            abort();
        (void)hk_name_part(name, i, small, sizeof(small));
    }
    (void)hk_name_text(name, "", small, sizeof(small));
    free(name);
    return 0;
}
