/* SPDX-License-Identifier: MIT */
/* Stands in for file_fuse.c where libfuse3 is not installed. */
#include <stdio.h>

#include "files.h"

static enum hk_status none_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    (void)file;
    snprintf(reason, HK_REASON_BYTES,
             "built without libfuse3; install libfuse3-dev and build again");
    return HK_ENOTSUP;
}

static enum hk_status none_serve(struct hk_file *file)
{
    (void)file;
    return HK_OK;
}

const struct hk_file_service hk_file_service_fuse = {
    .name = "fuse",
    .summary = "the same file system in a server, behind FUSE",
    .caches = 1u << HK_FILE_KEPT | 1u << HK_FILE_DIRECT | 1u << HK_FILE_WRITEBACK |
              1u << HK_FILE_PASSTHROUGH,
    .splices = true,
    .server = true,
    .syscalls = 1,
    .open = none_open,
    .serve = none_serve,
    .run = hk_file_run_syscalls,
};
