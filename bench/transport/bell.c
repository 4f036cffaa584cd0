/* SPDX-License-Identifier: MIT */
#include "bell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum hk_status hk_bells_open(struct hk_bells *bells)
{
    for (int side = 0; side < 2; side++) {
        bells->fds[side] = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
        if (bells->fds[side] < 0) {
            if (side == 1)
                hk_fd_close(&bells->fds[0]);
            bells->fds[0] = -1;
            return HK_ENOMEM;
        }
    }
    return HK_OK;
}

void hk_bells_close(struct hk_bells *bells)
{
    hk_fd_close(&bells->fds[0]);
    hk_fd_close(&bells->fds[1]);
}

enum hk_status hk_bell_ring(struct hk_link *link, enum hk_side side, const struct hk_bells *bells)
{
    const uint64_t one = 1;

    while (write(bells->fds[hk_side_other(side)], &one, sizeof(one)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

enum hk_status hk_bell_wait(struct hk_link *link, enum hk_side side, const struct hk_bells *bells)
{
    uint64_t count;

    while (read(bells->fds[side], &count, sizeof(count)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}
