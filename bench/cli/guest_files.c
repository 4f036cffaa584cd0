/* SPDX-License-Identifier: MIT */
#include "guest_files.h"

#include <string.h>
#include <unistd.h>

#include "command.h"

enum hk_status hk_cli_guest_files(const char *command, struct hk_guest_files *files)
{
    char folder[HK_GUEST_PATH_BYTES];
    char error[512];
    ssize_t bytes = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    char *slash;

    if (bytes <= 0) {
        hk_cli_error(command, "cannot find the folder of this program: is /proc mounted?");
        return HK_ENOENT;
    }
    folder[bytes] = '\0';
    slash = strrchr(folder, '/');
    *slash = '\0';
    if (hk_guest_files_find(folder, files, error) != HK_OK) {
        hk_cli_error(command, "%s", error);
        return HK_ENOENT;
    }
    return HK_OK;
}
