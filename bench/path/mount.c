/* SPDX-License-Identifier: MIT */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    const bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return written;
}

/* A user namespace in which we are who we were. */
static bool enter_namespaces(void)
{
    const unsigned user = getuid(), group = getgid();
    char users[32], groups[32];

    snprintf(users, sizeof users, "%u %u 1", user, user);
    snprintf(groups, sizeof groups, "%u %u 1", group, group);
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

enum hk_status hk_mount_allow(char reason[HK_REASON_BYTES])
{
    const int context = fsopen("tmpfs", FSOPEN_CLOEXEC);

    if (context >= 0) {
        close(context);
        return HK_OK;
    }
    if (errno == EPERM && enter_namespaces())
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "nothing can be mounted: %s; run as root, or allow user "
             "namespaces (sysctl user.max_user_namespaces)", strerror(errno));
    return HK_ENOTSUP;
}

/* -1 with errno. */
static int mount_once(const char *type, const struct hk_mount_option *options)
{
    const int context = fsopen(type, FSOPEN_CLOEXEC);
    int fd = -1;

    if (context < 0)
        return -1;
    int failed = 0;
    for (; options->key != NULL && failed == 0; options++)
        failed = fsconfig(context, FSCONFIG_SET_STRING, options->key, options->value, 0);
    if (failed == 0)
        failed = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (failed == 0)
        fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    const int error = errno;
    close(context);
    errno = error;
    return fd;
}

enum hk_status hk_mount_open(const char *type, const struct hk_mount_option *options, int *fd,
                             char reason[HK_REASON_BYTES])
{
    const int mounted = mount_once(type, options);

    if (mounted < 0) {
        snprintf(reason, HK_REASON_BYTES, "%s cannot be mounted: %s; %s", type, strerror(errno),
                 errno == ENODEV ? "load its kernel module" : "run as root");
        return HK_ENOTSUP;
    }
    *fd = mounted;
    return HK_OK;
}

static enum hk_status refuse_loop(char reason[HK_REASON_BYTES])
{
    snprintf(reason, HK_REASON_BYTES, "no loop device: %s; run as root on a kernel with "
             "CONFIG_BLK_DEV_LOOP (modprobe loop)", strerror(errno));
    return HK_ENOTSUP;
}

enum hk_status hk_loop_open(int image_fd, int *fd, char path[HK_LOOP_PATH_BYTES],
                            char reason[HK_REASON_BYTES])
{
    const struct loop_config config = {.fd = (__u32)image_fd,
                                       .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
    const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int device = -1;

    if (control < 0)
        return refuse_loop(reason);
    /* Another process may take the number that was free: then the next one. */
    for (int tries = 0; tries < 16 && device < 0; tries++) {
        const int number = ioctl(control, LOOP_CTL_GET_FREE);
        snprintf(path, HK_LOOP_PATH_BYTES, "/dev/loop%d", number);
        device = number < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
        if (device < 0)
            break;
        if (ioctl(device, LOOP_CONFIGURE, &config) != 0) {
            const int error = errno;
            close(device);
            device = -1;
            errno = error;
            if (error != EBUSY)
                break;
        }
    }
    const int error = errno;
    close(control);
    errno = error;
    if (device < 0)
        return refuse_loop(reason);
    *fd = device;
    return HK_OK;
}
