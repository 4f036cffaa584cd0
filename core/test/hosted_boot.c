/* SPDX-License-Identifier: MIT */
/* hosted_boot COMMAND_LINE: boots the hosted kernel, prints its console, exits as the machine. */
#include <stdio.h>

#include "hk/base/units.h"
#include "hk/core/hosted.h"

static void print(void *context, const char *text, uint64_t bytes)
{
    fwrite(text, 1, bytes, context);
}

int main(int argc, char **argv)
{
    struct hk_hosted *hosted;
    uint64_t code = HK_EXIT_FAIL;

    if (argc != 2 || hk_hosted_create(4 * HK_MIB, &hosted) != HK_OK)
        return 2;
    hk_hosted_console(hosted, print, stdout);
    if (hk_hosted_boot(hosted, argv[1]) != HK_OK || !hk_hosted_is_off(hosted, &code))
        code = HK_EXIT_FAIL;
    hk_hosted_destroy(hosted);
    return code == HK_EXIT_PASS ? 0 : 1;
}
