/* SPDX-License-Identifier: MIT */
/* Any text in the file of the cache model; parameters that are accepted must make a model. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hk/guest/cache_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int fd = -1;
    struct hk_cache_params params;
    char path[32], error[256] = "";

    if (fd < 0)
        fd = memfd_create("params", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, bytes, 0) != (ssize_t)bytes)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (hk_cache_params_read(path, &params, error) == HK_OK) {
        if (hk_cache_params_check(&params) != HK_OK)
            abort();
    } else if (error[0] == '\0') {
        abort(); /* refused without a word */
    }
    return 0;
}
