/* SPDX-License-Identifier: MIT */
/* File services of the Linux kernel: in memory, and on a disk in memory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "mount.h"

static enum hk_status tmpfs_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    static const struct hk_mount_option options[] = {{"size", "8m"}, {NULL, NULL}};
    enum hk_status status = hk_mount_allow(reason);

    if (status == HK_OK)
        status = hk_mount_open("tmpfs", options, &file->folder, reason);
    return status == HK_OK ? hk_file_open_in_folder(file, true, reason) : status;
}

const struct hk_file_service hk_file_service_tmpfs = {
    .name = "tmpfs",
    .summary = "the kernel's file system in memory",
    .caches = 1u << HK_FILE_KEPT,
    .syscalls = 1,
    .open = tmpfs_open,
    .run = hk_file_run_syscalls,
};

/* --- ext4 on a loop device ------------------------------------------------------------------ */

static const off_t image_bytes = 16 * (off_t)HK_MIB;

/* The program makes the file system in an image that has no name. */
_Noreturn static void become_mkfs(int image)
{
    static const char *const places[] = {"/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"};
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", image);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        fcntl(image, F_SETFD, 0) != 0)
        _exit(126);
    for (size_t i = 0; i < HK_ARRAY_COUNT(places); i++)
        execl(places[i], places[i], "-q", "-F", "-E", "lazy_itable_init=0,nodiscard", path,
              (char *)NULL);
    _exit(127);
}

static enum hk_status make_image(int image, char reason[HK_REASON_BYTES])
{
    const pid_t parent = getpid();
    int state = 0;

    const pid_t pid = fork();
    if (pid < 0)
        return HK_ENOMEM;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            become_mkfs(image);
        _exit(1);
    }
    while (waitpid(pid, &state, 0) < 0)
        if (errno != EINTR)
            return HK_EIO;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "%s; %s",
             WEXITSTATUS(state) == 127 ? "mkfs.ext4 is not installed" : "mkfs.ext4 failed",
             "install Debian's package e2fsprogs");
    return HK_ENOTSUP;
}

static enum hk_status mount_image(struct hk_file *file, int image, char reason[HK_REASON_BYTES])
{
    char path[HK_LOOP_PATH_BYTES];
    int device;

    enum hk_status status = hk_loop_open(image, &device, path, reason);
    if (status != HK_OK)
        return status;
    const struct hk_mount_option options[] = {{"source", path}, {NULL, NULL}};
    status = hk_mount_open("ext4", options, &file->folder, reason);
    close(device);
    return status;
}

static enum hk_status ext4_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    const int image = memfd_create("hk_ext4", MFD_CLOEXEC);

    if (image < 0 || ftruncate(image, image_bytes) != 0) {
        if (image >= 0)
            close(image);
        return HK_ENOMEM;
    }
    enum hk_status status = make_image(image, reason);
    if (status == HK_OK)
        status = mount_image(file, image, reason);
    close(image);
    if (status == HK_OK)
        status = hk_file_open_in_folder(file, true, reason);
    /* Blocks are allocated when data is written back: not while something is timed. */
    if (status == HK_OK && syncfs(file->fd) != 0)
        status = HK_EIO;
    return status;
}

const struct hk_file_service hk_file_service_ext4 = {
    .name = "ext4",
    .summary = "ext4 on a loop device whose image lies in memory",
    .caches = 1u << HK_FILE_KEPT | 1u << HK_FILE_DIRECT,
    .syscalls = 1,
    .open = ext4_open,
    .run = hk_file_run_syscalls,
};
