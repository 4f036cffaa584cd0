/* SPDX-License-Identifier: MIT */
#include "run_argument.h"

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
