/* SPDX-License-Identifier: MIT */
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
    &hk_experiment_queue,
    &hk_experiment_wakeup,
    &hk_experiment_underrun,
    &hk_experiment_floor,
    &hk_experiment_harness,
    &hk_experiment_guard,
    &hk_experiment_file_read,
    &hk_experiment_file_write,
    &hk_experiment_file_stat,
    &hk_experiment_file_lookup,
    &hk_experiment_extension,
    &hk_experiment_net_echo,
    &hk_experiment_audio,
    &hk_experiment_block_read,
    &hk_experiment_audio_server,
    &hk_experiment_workload,
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
