/* SPDX-License-Identifier: MIT */
#include "hk/path/shm.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "mount.h"

enum hk_status hk_shm_private(char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_mount_allow(reason);

    if (status != HK_OK)
        return status;
    /* Private before anything is mounted: otherwise everybody would see it. */
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "no /dev/shm of our own: %s; run as root, or allow user "
             "namespaces (sysctl user.max_user_namespaces)", strerror(errno));
    return HK_ENOTSUP;
}
