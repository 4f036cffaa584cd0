/* SPDX-License-Identifier: MIT */
/* Any bytes a broken emulator may leave as counts. */
#include <stddef.h>
#include <stdint.h>

#include "hk/guest/counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_counts counts;
    char error[256];

    if (hk_counts_parse((const char *)data, bytes, &counts, error) == HK_OK) {
        hk_counts_fini(&counts);
    }
    return 0;
}
