/* SPDX-License-Identifier: MIT */
#include "hk/report/worlds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "hk/base/units.h"

/*
 * A cell stands beside another where both do the same work for the caller. A Linux guest runs all
 * processes under SCHED_BATCH, so a chain stands beside the native one of that policy.
 */
const struct hk_world_row hk_world_rows[] = {
    {"null system call", "kernel",
     {"linux/syscall/getppid/bytes:0", "guest/syscall/null", "native/syscall/getppid/bytes:0"}},
    {"semaphore taken and given back", "kernel",
     {"linux/syscall/sysv_sem_self/bytes:0", "guest/syscall/semaphore_self",
      "native/syscall/sysv_sem_self/bytes:0"}},
    {"256 bytes to oneself through a queue", "kernel",
     {"linux/syscall/pipe_self/bytes:256", "guest/syscall/channel_self/bytes:256",
      "native/syscall/pipe_self/bytes:256"}},
    {"64 bytes there and back (ours: 10 words)", "server",
     {"linux/round_trip/pipe/place:same_core/bytes:64", "guest/round_trip/endpoint/spaces:2/words:10",
      "native/round_trip/pipe/place:same_core/bytes:64"}},
    {"256 bytes there and back through queues", "server",
     {"linux/round_trip/pipe/place:same_core/bytes:256", "guest/round_trip/channel/bytes:256",
      "native/round_trip/pipe/place:same_core/bytes:256"}},
    {"a byte there and back through streams", "server",
     {"linux/round_trip/pipe/place:same_core/bytes:1", "guest/round_trip/stream/bytes:1",
      "native/round_trip/pipe/place:same_core/bytes:1"}},
    {"request to a server, and its answer", "server",
     {"linux/chain/pipe/place:same_core/servers:1/bytes:1", "guest/chain/endpoint/servers:1",
      "native/chain/pipe/place:same_core/policy:batch/servers:1/bytes:1"}},
    {"the same through two servers", "server",
     {"linux/chain/pipe/place:same_core/servers:2/bytes:1", "guest/chain/endpoint/servers:2",
      "native/chain/pipe/place:same_core/policy:batch/servers:2/bytes:1"}},
    {"state of a file", "kernel",
     {NULL, "guest/service/file_stat/place:kernel", "native/file_stat/tmpfs"}},
    {"state of a file", "server",
     {NULL, "guest/service/file_stat/place:server", "native/file_stat/fuse/cache:direct"}},
    {"64 bytes of a file read", "kernel",
     {"linux/syscall/tmpfs_pread/bytes:64", "guest/service/file_read/bytes:64/place:kernel",
      "native/syscall/tmpfs_pread/bytes:64"}},
    {"64 bytes of a file read", "server",
     {NULL, "guest/service/file_read/bytes:64/place:server", NULL}},
    {"64 bytes of a file written", "kernel",
     {"linux/syscall/tmpfs_pwrite/bytes:64", "guest/service/file_write/bytes:64/place:kernel",
      "native/syscall/tmpfs_pwrite/bytes:64"}},
    {"64 bytes of a file written", "server",
     {NULL, "guest/service/file_write/bytes:64/place:server", NULL}},
    {"4096 bytes of a file read", "kernel",
     {"linux/syscall/tmpfs_pread/bytes:4096", "guest/service/file_read/bytes:4096/place:kernel",
      "native/file_read/tmpfs/bytes:4096"}},
    {"4096 bytes of a file read", "server",
     {NULL, "guest/service/file_read/bytes:4096/place:server",
      "native/file_read/fuse/cache:direct/bytes:4096"}},
    {"64 bytes to oneself as a datagram", "kernel",
     {"linux/syscall/udp_self/bytes:64", "guest/service/net_exchange/bytes:64/place:kernel",
      "native/syscall/udp_self/bytes:64"}},
    {"64 bytes to oneself as a datagram", "server",
     {NULL, "guest/service/net_exchange/bytes:64/place:server", NULL}},
    {"4096 bytes copied", "kernel",
     {"linux/copy/memcpy/state:l1/bytes:4096", "guest/copy/memcpy/bytes:4096/offset:0",
      "native/copy/memcpy/state:l1/bytes:4096"}},
    {"a page moved to another address", "kernel",
     {"linux/remap/mremap/bytes:4096", "guest/remap/page_remap/bytes:4096",
      "native/remap/mremap/bytes:4096"}},
};
const size_t hk_world_row_count = HK_ARRAY_COUNT(hk_world_rows);

static const struct {
    const char *name;
    const char *command; /* of hkbench */
    const char *more;    /* for one cell: a filter keeps it short */
} worlds_known[HK_WORLDS] = {
    [HK_WORLD_LINUX] = {"linux", "run --linux", " --full"},
    [HK_WORLD_GUEST] = {"guest", "run --guest", ""},
    [HK_WORLD_NATIVE] = {"native", "run", " --full"},
};

const char *hk_world_name(enum hk_world world)
{
    return worlds_known[world].name;
}

void hk_world_command(const char *cell, enum hk_world world, char command[HK_TEXT_BYTES])
{
    if (cell == NULL)
        snprintf(command, HK_TEXT_BYTES, "%s", worlds_known[world].command);
    else
        snprintf(command, HK_TEXT_BYTES, "%s%s --filter '^%s$'", worlds_known[world].command,
                 worlds_known[world].more, cell);
}

/* --- where the numbers come from ------------------------------------------------------ */

static bool has_cells(const struct hk_run *run, enum hk_world world)
{
    const struct hk_launch *first;
    size_t count;

    for (size_t i = 0; i < hk_world_row_count; i++)
        if (hk_world_rows[i].cell[world] != NULL &&
            hk_run_cell(run, hk_world_rows[i].cell[world], &first, &count) == HK_OK)
            return true;
    return false;
}

enum hk_status hk_worlds_add(struct hk_worlds *worlds, const char *path, bool *used,
                             char error[HK_TEXT_BYTES])
{
    struct hk_run run;
    const enum hk_status status = hk_run_read(path, &run, error);

    if (status != HK_OK)
        return status;
    *used = false;
    for (int world = 0; world < HK_WORLDS && !*used; world++) {
        if (worlds->have[world] || !has_cells(&run, (enum hk_world)world))
            continue;
        worlds->run[world] = run;
        worlds->have[world] = *used = true;
    }
    if (!*used)
        hk_run_fini(&run);
    return HK_OK;
}

enum hk_status hk_worlds_add_newest(struct hk_worlds *worlds, const char *root,
                                    char error[HK_TEXT_BYTES])
{
    const char *cells[HK_ARRAY_COUNT(hk_world_rows)];
    enum hk_status status = HK_OK;
    char path[4096];
    bool used;

    for (int world = 0; world < HK_WORLDS && status == HK_OK; world++) {
        size_t count = 0;
        if (worlds->have[world])
            continue;
        for (size_t i = 0; i < hk_world_row_count; i++)
            if (hk_world_rows[i].cell[world] != NULL)
                cells[count++] = hk_world_rows[i].cell[world];
        const struct hk_run_wanted wanted = {.cells = cells, .cell_count = count};
        if (hk_run_latest_with(root, &wanted, path, sizeof path) == HK_OK)
            status = hk_worlds_add(worlds, path, &used, error);
    }
    return status;
}

void hk_worlds_fini(struct hk_worlds *worlds)
{
    for (int world = 0; world < HK_WORLDS; world++)
        if (worlds->have[world])
            hk_run_fini(&worlds->run[world]);
    *worlds = (struct hk_worlds){0};
}

/* --- what they say --------------------------------------------------------------------- */

static double median_of(const struct cell *cell, const char *counter)
{
    struct spread spread;

    return cell_spread(cell, counter, &spread) ? spread.median : NAN;
}

struct hk_world_figure hk_worlds_figure(const struct hk_worlds *worlds,
                                        const struct hk_world_row *row, enum hk_world world)
{
    struct hk_world_figure figure = {.state = HK_WORLD_NONE};
    struct cell cell = {.name = row->cell[world]};

    if (cell.name == NULL)
        return figure;
    figure.state = HK_WORLD_MISSING;
    if (!worlds->have[world] ||
        hk_run_cell(&worlds->run[world], cell.name, &cell.launches, &cell.count) != HK_OK)
        return figure;
    figure.instructions_kernel = median_of(&cell, "hk_instructions_kernel");
    figure.instructions_user = median_of(&cell, "hk_instructions_user");
    figure.cost_ns = median_of(&cell, "cost_ns");
    figure.switches =
        median_of(&cell, world == HK_WORLD_NATIVE ? "hk_switches_per_op" : "hk_cr3_writes");
    figure.state = isnan(world == HK_WORLD_NATIVE ? figure.cost_ns : figure.instructions_kernel)
                       ? HK_WORLD_FAILED : HK_WORLD_OK;
    figure.reason = cell.launches[0].reason != NULL ? cell.launches[0].reason : "no numbers";
    return figure;
}
