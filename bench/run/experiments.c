/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "experiment.h"
#include "experiments.h"
#include "hk/base/units.h"

const struct hk_experiment *const hk_experiments[] = {
    &hk_experiment_syscall,
    &hk_experiment_round_trip,
    &hk_experiment_one_way,
    &hk_experiment_chain,
    &hk_experiment_inject,
    &hk_experiment_inject_syscall,
    &hk_experiment_copy,
    &hk_experiment_remap,
    &hk_experiment_fallback,
    &hk_experiment_wakeup,
    &hk_experiment_underrun,
    &hk_experiment_floor,
    &hk_experiment_harness,
    &hk_experiment_file_read,
    &hk_experiment_file_write,
    &hk_experiment_file_stat,
    &hk_experiment_file_lookup,
};

const size_t hk_experiment_count = HK_ARRAY_COUNT(hk_experiments);

const struct hk_experiment *hk_experiment_find(const char *name)
{
    char world[16], kind[32];

    if (hk_name_part(name, 0, world, sizeof world) != HK_OK || strcmp(world, "native") != 0 ||
        hk_name_part(name, 1, kind, sizeof kind) != HK_OK)
        return NULL;
    for (size_t i = 0; i < hk_experiment_count; i++)
        if (strcmp(hk_experiments[i]->kind, kind) == 0)
            return hk_experiments[i];
    return NULL;
}

const char *hk_experiment_summary(const char *kind)
{
    for (size_t i = 0; i < hk_experiment_count; i++)
        if (strcmp(hk_experiments[i]->kind, kind) == 0)
            return hk_experiments[i]->summary;
    return NULL;
}

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
