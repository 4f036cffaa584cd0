/* SPDX-License-Identifier: MIT */
/* Block devices whose bytes the kernel has itself, and one that was never tried. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "hk/base/units.h"
#include "mount.h"

enum hk_status hk_block_check(const struct hk_file *file, char reason[HK_REASON_BYTES])
{
    if (file->options.bytes % HK_PAGE_BYTES == 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "block devices are read in multiples of %d bytes",
             HK_PAGE_BYTES);
    return HK_EINVAL;
}

/* --- a loop device over memory: the kernel's own block server --------------------------------- */

static enum hk_status open_loop(struct hk_file *file, int image, char reason[HK_REASON_BYTES])
{
    char path[HK_LOOP_PATH_BYTES];
    int device;

    const enum hk_status status = hk_loop_open(image, &device, path, reason);
    if (status != HK_OK)
        return status;
    file->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    const int error = errno;
    close(device);
    if (file->fd >= 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "%s: %s; run as root", path, strerror(error));
    return HK_ENOTSUP;
}

static enum hk_status loop_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    const size_t bytes = file->options.bytes;

    enum hk_status status = hk_block_check(file, reason);
    if (status != HK_OK)
        return status;
    const int image = memfd_create("hk_loop", MFD_CLOEXEC);
    if (image < 0)
        return HK_ENOMEM;
    status = pwrite(image, file->expected, bytes, 0) == (ssize_t)bytes
                 ? open_loop(file, image, reason)
                 : HK_ENOMEM;
    close(image);
    return status;
}

const struct hk_file_service hk_file_service_loop = {
    .name = "loop",
    .summary = "a loop device whose image lies in memory: threads of the kernel answer",
    .caches = 1u << HK_FILE_DIRECT,
    .kernel_threads = true,
    .preemptions = 1, /* of the client, by the thread that reads for it */
    .syscalls = 1,
    .open = loop_open,
    .run = hk_file_run_syscalls,
};

/* --- ublk ------------------------------------------------------------------------------------- */

static enum hk_status ublk_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    (void)file;
    snprintf(reason, HK_REASON_BYTES, "ublk was never tried with hkbench, on any machine, and "
             "there is no code for it; native/block_read/nbd stands nearest");
    return HK_ENOTSUP;
}

const struct hk_file_service hk_file_service_ublk = {
    .name = "ublk",
    .summary = "a block device in a server, over io_uring: never tried",
    .caches = 1u << HK_FILE_DIRECT,
    .open = ublk_open,
    .run = hk_file_run_syscalls,
};
