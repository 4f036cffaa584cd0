/* SPDX-License-Identifier: MIT */
#include "hk/counters/idle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char device[] = "/dev/cpu_dma_latency";

enum hk_status hk_idle_hold_polling(int *fd, char reason[HK_REASON_TEXT_BYTES])
{
    const int32_t latency_us = 0;
    const int opened = open(device, O_RDWR | O_CLOEXEC);

    if (opened >= 0 && write(opened, &latency_us, sizeof latency_us) == sizeof latency_us) {
        *fd = opened;
        return HK_OK;
    }
    snprintf(reason, HK_REASON_TEXT_BYTES, "%s: %s; run as root or give write access to it", device,
             strerror(errno));
    if (opened >= 0)
        close(opened);
    return HK_ENOTSUP;
}

enum hk_status hk_idle_latency_us(int32_t *latency_us)
{
    int32_t value;
    const int fd = open(device, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return HK_ENOTSUP;
    const ssize_t n = read(fd, &value, sizeof value);
    close(fd);
    if (n != (ssize_t)sizeof value)
        return HK_ENOTSUP;
    *latency_us = value;
    return HK_OK;
}
