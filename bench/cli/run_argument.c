/* SPDX-License-Identifier: MIT */
#include "run_argument.h"

#include <stdio.h>

#include "command.h"

enum hk_status hk_run_argument(const char *command, const char *path, const char *root,
                               struct hk_run *run)
{
    char latest[4096];
    char error[HK_TEXT_BYTES] = "";
    enum hk_status status = HK_OK;

    if (path == NULL) {
        status = hk_run_latest(root, NULL, latest, sizeof latest);
        path = latest;
    }
    if (status != HK_OK) {
        hk_cli_error(command, "no run under '%s' (%s); measure one with: hkbench run --quick",
                     root, hk_status_text(status));
        return status;
    }
    status = hk_run_read(path, run, error);
    if (status != HK_OK)
        hk_cli_error(command, "%s", error);
    return status;
}

enum hk_status hk_run_file_print(const char *command, const char *run_path, const char *file)
{
    char path[4096], bytes[4096];
    size_t n;

    const int length = snprintf(path, sizeof path, "%s/%s", run_path, file);
    FILE *f = length > 0 && length < (int)sizeof path ? fopen(path, "re") : NULL;
    if (f == NULL) {
        hk_cli_error(command, "cannot read %.300s/%s back", run_path, file);
        return HK_EIO;
    }
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        fwrite(bytes, 1, n, stdout); /* main looks whether it arrived */
    fclose(f);
    putchar('\n');
    return HK_OK;
}
