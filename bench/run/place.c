/* SPDX-License-Identifier: MIT */
#include <sched.h>

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
    enum hk_place place = HK_PLACE_SAME_CORE;
    char name[32];

    if (hk_name_text(task->name, "place", name, sizeof name) == HK_OK &&
        hk_place_find(name, &place) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "no place is called %s", name);
    if (!task->places->available[place])
        return hk_task_refuse(task, HK_ENOTSUP, "%s", task->places->reasons[place]);
    task->cpus[0] = task->places->pairs[place].client;
    task->cpus[1] = task->places->pairs[place].server;
    return HK_OK;
}
