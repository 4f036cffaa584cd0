/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "experiment.h"

static uint32_t allowed_cpus(cpu_set_t *mask)
{
    if (sched_getaffinity(0, sizeof *mask, mask) != 0)
        CPU_ZERO(mask);
    return (uint32_t)CPU_COUNT(mask);
}

uint32_t hk_cpu_count(void)
{
    cpu_set_t mask;

    return allowed_cpus(&mask);
}

int hk_nth_cpu(uint32_t n)
{
    cpu_set_t mask;
    const uint32_t count = allowed_cpus(&mask);

    if (count == 0)
        return 0;
    n %= count;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mask) && n-- == 0)
            return (int)cpu;
    return 0;
}

enum hk_status hk_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? HK_OK : HK_ENOTSUP;
}

enum hk_status hk_task_place(struct hk_task *task)
{
    char place[32];

    task->cpus[0] = task->cpus[1] = hk_nth_cpu(hk_cpu_count() - 1);
    if (hk_name_text(task->name, "place", place, sizeof place) != HK_OK ||
        strcmp(place, "same_core") == 0)
        return HK_OK;
    if (strcmp(place, "cross_core") != 0)
        return hk_task_refuse(task, HK_ENOTSUP, "no %s pair of CPUs in the affinity mask", place);
    if (hk_cpu_count() < 2)
        return hk_task_refuse(task, HK_ENOTSUP,
                              "one CPU only; give the process two (taskset, cpuset)");
    task->cpus[1] = hk_nth_cpu(hk_cpu_count() - 2);
    return HK_OK;
}
