/* SPDX-License-Identifier: MIT */
/* Writes the sample run under the folder given and prints its own folder. */
#include <limits.h>
#include <stdio.h>

#include "sample_run.h"

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    if (argc != 2) {
        fputs("usage: write_sample_run FOLDER\n", stderr);
        return 2;
    }
    enum hk_status status = sample_run_write(argv[1], path, sizeof(path));
    if (status != HK_OK) {
        fprintf(stderr, "%s\n", hk_status_text(status));
        return 1;
    }
    puts(path);
    return 0;
}
