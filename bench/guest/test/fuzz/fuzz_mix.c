/* SPDX-License-Identifier: MIT */
/* Any text as a workload: what is accepted keeps the bounds that the guest relies on. */
#include <stdlib.h>
#include <string.h>

#include "hk/guest/mix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    struct hk_mix mix;
    char error[256];

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    if (hk_mix_parse(text, "fuzz", &mix, error) == HK_OK) {
        if (mix.requests < 1 || mix.requests > HK_MIX_REQUESTS_MAX || mix.entry_count < 1 ||
            mix.entry_count > HK_MIX_ENTRIES_MAX) {
            abort();
        }
        for (uint64_t i = 0; i < mix.entry_count; i++) {
            const struct hk_mix_entry *e = &mix.entry[i];

            if (e->action >= HK_MIX_ACTIONS || e->bytes_min > e->bytes_max ||
                e->bytes_max > HK_MIX_BYTES_MAX || e->count < 1 || e->count > HK_MIX_COUNT_MAX ||
                (e->weight == 0) == (e->period_ns == 0)) {
                abort();
            }
        }
    }
    free(text);
    return 0;
}
