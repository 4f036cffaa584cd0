/* SPDX-License-Identifier: MIT */
/* Any bytes as what `fit` and `validate` left in a run folder; a zero byte parts the two files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hk/judge/judge.h"

/* In the working folder, which is the build's. */
static const char folder[] = "fuzz_judge_run";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void put(const char *file, const uint8_t *data, size_t bytes)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const uint8_t *parting = bytes > 0 ? memchr(data, 0, bytes) : NULL;
    const size_t first = parting != NULL ? (size_t)(parting - data) : bytes;
    struct hk_judge judge, untouched;
    char error[HK_TEXT_BYTES] = "";

    mkdir(folder, 0777);
    put("parameters.json", data, first);
    put("verdicts.json", parting != NULL ? parting + 1 : data,
        parting != NULL ? bytes - first - 1 : 0);
    memset(&judge, 0x5a, sizeof judge);
    memcpy(&untouched, &judge, sizeof judge);
    if (hk_judge_read(folder, &judge, error) == HK_OK) {
        hk_judge_fini(&judge);
        return 0;
    }
    if (error[0] == '\0' || memcmp(&judge, &untouched, sizeof judge) != 0)
        abort();
    return 0;
}
