/* SPDX-License-Identifier: MIT */
#include "guest_files.h"

#include "command.h"

enum hk_status hk_cli_guest_files(const char *command, struct hk_guest_files *files)
{
    char error[512];
    const enum hk_status status = hk_guest_files_own(files, error);

    if (status != HK_OK)
        hk_cli_error(command, "%s", error);
    return status;
}
