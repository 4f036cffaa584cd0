/* SPDX-License-Identifier: MIT */
/*
 * The processes under one MPI launcher that share a simulation. ranks_none.c is
 * the same for a process alone: hkbench itself, which measures, loads no MPI
 * library; under mpirun its simulate command becomes hkbench-mpi.
 */
#ifndef HK_CLI_RANKS_H
#define HK_CLI_RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/model/rare.h"

struct hk_ranks {
    size_t rank;
    size_t count;
};

/* HK_OK; HK_ENOTSUP when the MPI library does not start. */
enum hk_status hk_ranks_init(struct hk_ranks *ranks);

/*
 * Every rank gives slot_count totals and gets those of all: rank r's i-th at r * slot_count + i.
 *
 * Returns HK_OK; HK_EPEER when another rank is gone.
 */
enum hk_status hk_ranks_gather(const struct hk_ranks *ranks, const struct hk_rare_total *own,
                               size_t slot_count, struct hk_rare_total *all);

/* Whether it is so on any rank. */
bool hk_ranks_any(const struct hk_ranks *ranks, bool here);

void hk_ranks_fini(void);

/* Can this program be one of several? */
extern const bool hk_ranks_with_mpi;

#endif
