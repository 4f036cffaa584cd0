/* SPDX-License-Identifier: MIT */
/* Any file in the calibration's place; what is accepted must be rates that can be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/history/calibration.h"
#include "hk/stats/gsl.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char root[] = "/tmp/hkbench-fuzz-XXXXXX";

static void tidy(void)
{
    char command[64] = "rm -rf ";

    if (system(strcat(command, root)) != 0)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char folder[64] = "";

    (void)argc, (void)argv;
    hk_gsl_init();
    if (mkdtemp(root) == NULL || hk_folder_make(strcat(strcat(folder, root), "/m")) != HK_OK)
        abort();
    return atexit(tidy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_calibration c;
    char path[96] = "", error[HK_TEXT_BYTES];

    strcat(strcat(path, root), "/m/calibration.json");
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0)
        abort();
    if (hk_calibration_read(root, "m", &c, error) != HK_OK)
        return 0;
    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        const struct hk_calibration_path *p = &c.paths[i];
        (void)hk_calibration_advisory(&c, (enum hk_verdict_path)i, error);
        if (p->trials > 0 && !(p->rejections <= p->trials && p->lower_ratio <= p->upper_ratio &&
                               p->lower_ratio >= 0 && p->upper_ratio <= 1))
            abort();
    }
    return 0;
}
