/* SPDX-License-Identifier: MIT */
/* Any file given as another program's results; what is accepted must be a sound run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/result/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_foreign foreign;
    char error[HK_TEXT_BYTES];
    if (hk_foreign_decode((const char *)data, bytes, &foreign, error) != HK_OK)
        return 0;
    const struct hk_run *run = &foreign.run;
    if (run->launch_count == 0)
        abort();
    for (size_t i = 0; i < run->launch_count; i++) {
        const struct hk_launch *launch = &run->launches[i];
        if (i > 0 && strcmp(launch[-1].name, launch->name) > 0)
            abort();
        if (i > 0 && strcmp(launch[-1].name, launch->name) == 0 && launch[-1].index >= launch->index)
            abort();
        if ((launch->state == HK_LAUNCH_OK) != (launch->reason == NULL))
            abort();
        for (size_t c = 0; c < launch->counter_count; c++)
            if (!isfinite(launch->counters[c].value))
                abort();
    }
    hk_foreign_fini(&foreign);
    return 0;
}
