/* SPDX-License-Identifier: MIT */
/* Any line a damaged launches.jsonl may hold; what is accepted must survive a round trip. */
#include <stdlib.h>
#include <string.h>

#include "hk/result/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_launch launch, again;
    char error[HK_TEXT_BYTES];
    if (hk_launch_decode((const char *)data, bytes, &launch, error) != HK_OK)
        return 0;
    char *text = NULL;
    if (hk_launch_encode(&launch, &text) != HK_OK)
        abort();
    if (hk_launch_decode(text, strlen(text), &again, error) != HK_OK ||
        again.counter_count != launch.counter_count || again.series_count != launch.series_count ||
        strcmp(again.name, launch.name) != 0 || again.seed != launch.seed)
        abort();
    hk_launch_fini(&again);
    hk_launch_fini(&launch);
    free(text);
    return 0;
}
