/* SPDX-License-Identifier: MIT */
/* Where this installation keeps the guest's files, for every command that boots it. */
#ifndef HK_CLI_GUEST_FILES_H
#define HK_CLI_GUEST_FILES_H

#include "hk/guest/files.h"

/* Find them from the program's own place; prints the error as `command`. HK_OK, HK_ENOENT. */
enum hk_status hk_cli_guest_files(const char *command, struct hk_guest_files *files);

#endif
