/* SPDX-License-Identifier: MIT */
/* The files a guest run needs, in a build tree or where they were installed. */
#ifndef HK_GUEST_FILES_H
#define HK_GUEST_FILES_H

#include "hk/base/status.h"

#define HK_GUEST_PATH_BYTES 4096

struct hk_guest_files {
    char kernel[HK_GUEST_PATH_BYTES];
    char programs[HK_GUEST_PATH_BYTES];
    char plugin[HK_GUEST_PATH_BYTES];
    char probe[HK_GUEST_PATH_BYTES];
    char model[HK_GUEST_PATH_BYTES];
    char workloads[HK_GUEST_PATH_BYTES]; /* folder of the NAME.ini */
    char linux_init[HK_GUEST_PATH_BYTES]; /* first program of a Linux guest */
};

/*
 * Find the files, starting from the folder of the running program.
 *
 * folder  [in]   where the executable lies: the build folder, or <prefix>/bin
 * files   [out]  written only on success
 * error   [out]  on failure one line for people that names what is missing
 *
 * Returns HK_OK or HK_ENOENT.
 */
enum hk_status hk_guest_files_find(const char *folder, struct hk_guest_files *files,
                                   char error[512]);

/* The same from the running program's own place. HK_ENOENT also when /proc is not mounted. */
enum hk_status hk_guest_files_own(struct hk_guest_files *files, char error[512]);

#endif
