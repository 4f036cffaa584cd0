/* SPDX-License-Identifier: MIT */
/* What the runner asks of a leader: a plain struct, since both are the same program. */
#ifndef HK_RUN_REQUEST_H
#define HK_RUN_REQUEST_H

#include "experiment.h"

#define HK_REQUEST_MAGIC 0x686b7271u /* "hkrq" */

struct hk_request_task {
    char name[HK_NAME_BYTES];
    uint32_t index;
    uint64_t seed;
    bool count_syscalls;
};

struct hk_request {
    uint32_t magic;
    uint32_t bytes; /* sizeof(struct hk_request): the same program? */
    int32_t runner; /* process that asks; the leader ends when it is not its child; 0: wrapped */
    uint32_t task_count;
    uint32_t pair_rounds; /* not 0: tasks 0 and 1 are to be compared */
    uint64_t deadline_ns; /* from the start of the launch */
    struct hk_clock clock;
    struct hk_perf_access access;
    struct hk_places places;
    struct hk_effort effort;
    struct hk_request_task tasks[HK_TASKS_MAX];
};

#endif
