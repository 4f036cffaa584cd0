/* SPDX-License-Identifier: MIT */
/* Any command line: the kernel boots or says why not, and shuts down without leaks. */
#include <stdlib.h>

#include "hk/base/units.h"
#include "hk/core/hosted.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_hosted *hosted;
    char line[600];
    uint64_t code;

    if (bytes >= sizeof(line))
        return -1;
    memcpy(line, data, bytes);
    line[bytes] = '\0';
    if (hk_hosted_create(HK_MIB, &hosted) != HK_OK)
        abort();
    if (hk_hosted_boot(hosted, line) == HK_OK && !hk_hosted_is_off(hosted, &code))
        abort();
    if (hk_hosted_destroy(hosted) != 0)
        abort();
    return 0;
}
