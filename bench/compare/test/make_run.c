/* SPDX-License-Identifier: MIT */
#include "make_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool good)
{
    if (!good) {
        fprintf(stderr, "no memory, or a bad value\n");
        exit(1);
    }
}

void run_make(struct hk_run *run, const char *machine, const char *note)
{
    char record[128];

    snprintf(record, sizeof record, "{\"id\": \"%s\", \"kernel\": \"6.1\"}", machine);
    *run = (struct hk_run){.path = strdup("run"), .machine_id = strdup(machine),
                           .machine_json = strdup(record), .arguments = strdup(""),
                           .started = strdup(""), .note = strdup(note)};
    need(run->path && run->machine_id && run->machine_json && run->note);
}

struct hk_launch *run_add(struct hk_run *run, const char *cell, uint32_t index,
                          enum hk_exactness exactness, const char *counter, double value)
{
    if ((run->launch_count & (run->launch_count - 1)) == 0) {
        const size_t capacity = run->launch_count == 0 ? 1 : 2 * run->launch_count;
        run->launches = realloc(run->launches, capacity * sizeof *run->launches);
        need(run->launches != NULL);
    }
    struct hk_launch *launch = &run->launches[run->launch_count++];
    need(hk_launch_init(launch, cell, index, 1) == HK_OK);
    launch->exactness = exactness;
    need(hk_launch_add_counter(launch, counter, value) == HK_OK);
    return launch;
}
