/* SPDX-License-Identifier: MIT */
/*
 * Mounts that no path leads to: they are reached through a descriptor only and are gone with
 * the last one, whatever ended the process that held it.
 */
#ifndef HK_PATH_MOUNT_H
#define HK_PATH_MOUNT_H

#include "hk/base/status.h"
#include "hk/transport/transport.h"

struct hk_mount_option {
    const char *key;
    const char *value;
};

/*
 * Get the right to mount: who has it not enters a user and a mount namespace of its own, under
 * its own names. Comes before a device to be mounted is opened.
 *
 * Returns HK_OK; HK_ENOTSUP with cause and remedy.
 */
enum hk_status hk_mount_allow(char reason[HK_REASON_BYTES]);

/*
 * Mount.
 *
 * type     [in]   "tmpfs", "fuse", "ext4"
 * options  [in]   ends with a NULL key
 * fd       [out]  of the root folder, for openat
 * reason   [out]  on HK_ENOTSUP: cause; remedy
 */
enum hk_status hk_mount_open(const char *type, const struct hk_mount_option *options, int *fd,
                             char reason[HK_REASON_BYTES]);

/*
 * Attach a loop device to an image; it detaches itself with its last user.
 *
 * fd      [out]  of the device: holds it until it is mounted
 * path    [out]  "/dev/loop3"
 */
enum { HK_LOOP_PATH_BYTES = 32 };
enum hk_status hk_loop_open(int image_fd, int *fd, char path[HK_LOOP_PATH_BYTES],
                            char reason[HK_REASON_BYTES]);

#endif
