/* SPDX-License-Identifier: MIT */
/*
 * The smallest server: whatever comes goes back. Its endpoint arrives as the
 * handle in the argument.
 */
#include "user/user.h"

int main(uint64_t argument, uint64_t *ipc_page)
{
    uint64_t badge, w0 = 0, w1 = 0;
    int64_t words = 0;

    (void)ipc_page;
    while (words >= 0)
        words = hk_reply_wait(argument, (uint64_t)words, &badge, &w0, &w1);
    return 1;
}
