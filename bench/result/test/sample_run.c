/* SPDX-License-Identifier: MIT */
#include "sample_run.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char sample_machine_json[] =
    "{\"id\": \"" SAMPLE_MACHINE_ID "\", \"host_name\": \"test\", \"cpu_count\": 2,"
    " \"cpu_mhz\": 2596.124, \"kernel\": \"6.1.0-test\", \"load_average\": [0.25, 1.5, 0.75],"
    " \"caches\": [{\"type\": \"Data\", \"level\": 1, \"size\": 49152, \"num_sharing\": 1}]}";

enum hk_status sample_append(struct hk_run_writer *writer, const char *name, uint32_t index,
                             double cost_ns)
{
    const double blocks[] = { cost_ns, cost_ns + 11.5, cost_ns * 1.25 };
    struct hk_launch launch;
    enum hk_status status = hk_launch_init(&launch, name, index, 17 + index);
    if (status != HK_OK)
        return status;
    hk_launch_add_counter(&launch, "cost_ns", cost_ns);
    hk_launch_add_counter(&launch, "hk_block_operations", 2469);
    hk_launch_add_counter(&launch, "hk_blocks_kept", 4);
    hk_launch_add_counter(&launch, "hk_blocks_dropped", 1);
    hk_launch_add_counter(&launch, "hk_switches_per_op", 2.0039);
    hk_launch_add_series(&launch, "block_mean_ns", blocks, 3);
    status = hk_run_append(writer, &launch);
    hk_launch_fini(&launch);
    return status;
}

static enum hk_status append_state(struct hk_run_writer *writer, const char *name,
                                   enum hk_launch_state state, const char *reason)
{
    struct hk_launch launch;
    enum hk_status status = hk_launch_init(&launch, name, 0, 1);
    if (status == HK_OK)
        status = hk_launch_set_state(&launch, state, reason);
    if (status == HK_OK)
        status = hk_run_append(writer, &launch);
    hk_launch_fini(&launch);
    return status;
}

static enum hk_status append_exact(struct hk_run_writer *writer)
{
    struct hk_launch launch;
    enum hk_status status = hk_launch_init(&launch, SAMPLE_GUEST, 0, 1);
    if (status != HK_OK)
        return status;
    launch.exactness = HK_EXACT;
    hk_launch_add_counter(&launch, "hk_instructions_kernel", 101);
    hk_launch_add_counter(&launch, "hk_instructions_user", 23);
    status = hk_run_append(writer, &launch);
    hk_launch_fini(&launch);
    return status;
}

static enum hk_status append_all(struct hk_run_writer *writer)
{
    static const double costs_ns[SAMPLE_PIPE_LAUNCHES] = { 3706.25, 3811.0, 3699.5 };
    /* Not in the order in which they are read back. */
    for (uint32_t i = SAMPLE_PIPE_LAUNCHES; i-- > 0;) {
        enum hk_status status = sample_append(writer, SAMPLE_PIPE, i, costs_ns[i]);
        if (status != HK_OK)
            return status;
    }
    enum hk_status status =
        sample_append(writer, "native/round_trip/pipe/place:same_core/bytes:4096", 0, 4806.5);
    if (status == HK_OK)
        status = sample_append(writer, "native/syscall/getppid/bytes:0", 0, 108.125);
    if (status == HK_OK)
        status = append_state(writer, "native/round_trip/futex/place:same_core/bytes:64",
                              HK_LAUNCH_INVALID, "3.9 switches per operation, claims 2");
    if (status == HK_OK)
        status = append_state(writer, "native/round_trip/pipe/place:smt/bytes:64",
                              HK_LAUNCH_UNAVAILABLE, "no core has two hardware threads");
    return status == HK_OK ? append_exact(writer) : status;
}

enum hk_status sample_run_write(const char *root, char *path, size_t capacity)
{
    struct hk_run_writer *writer = NULL;
    enum hk_status status =
        hk_run_create(root, sample_machine_json, "run --quick", 42, &writer);
    if (status != HK_OK)
        return status;
    snprintf(path, capacity, "%s", hk_run_writer_path(writer));
    status = append_all(writer);
    enum hk_status finished = hk_run_finish(writer, false, NULL);
    return status == HK_OK ? finished : status;
}

void sample_folder_make(char path[64])
{
    snprintf(path, 64, "/tmp/hkbench-test-XXXXXX");
    if (!mkdtemp(path)) {
        perror("mkdtemp");
        abort();
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void sample_folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
