/* SPDX-License-Identifier: MIT */
/* What every experiment's task needs, whichever experiments there are. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "experiment.h"
#include "hk/base/units.h"

enum { FIFO_PRIORITY = 50 };

enum hk_status hk_task_refuse(struct hk_task *task, enum hk_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(task->reason, sizeof task->reason, format, args);
    va_end(args);
    return status;
}

int64_t hk_task_int(const struct hk_task *task, const char *key, int64_t fallback)
{
    int64_t value;

    return hk_name_int(task->name, key, &value) == HK_OK ? value : fallback;
}

enum hk_status hk_task_fifo(struct hk_task *task)
{
    const struct sched_param parameter = {.sched_priority = FIFO_PRIORITY};

    if (sched_setscheduler(0, SCHED_FIFO, &parameter) == 0)
        return HK_OK;
    return hk_task_refuse(task, HK_ENOTSUP, "SCHED_FIFO: %s; run as root or raise RLIMIT_RTPRIO",
                          strerror(errno));
}

void hk_sleep_until(uint64_t ns)
{
    const struct timespec t = {(time_t)(ns / HK_NS_PER_S), (long)(ns % HK_NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

uint64_t hk_mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void hk_fill(void *buffer, size_t bytes, uint64_t seed)
{
    unsigned char *at = buffer;

    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(hk_mix(seed, i / 8) >> (8 * (i % 8)));
}
