/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include <mpi.h>

#include "ranks.h"

const bool hk_ranks_with_mpi = true;

/* A total travels as its doubles. */
_Static_assert(sizeof(struct hk_rare_total) % sizeof(double) == 0, "only doubles");
enum { DOUBLES = sizeof(struct hk_rare_total) / sizeof(double) };

enum hk_status hk_ranks_init(struct hk_ranks *ranks)
{
    int provided = 0;
    int rank = 0;
    int count = 1;
    /* Threads compute, the first one communicates. */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_FUNNELED || MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &count) != MPI_SUCCESS)
        return HK_ENOTSUP;
    *ranks = (struct hk_ranks){.rank = (size_t)rank, .count = (size_t)count};
    return HK_OK;
}

enum hk_status hk_ranks_gather(const struct hk_ranks *ranks, const struct hk_rare_total *own,
                               size_t slot_count, struct hk_rare_total *all)
{
    (void)ranks;
    if (slot_count > INT_MAX / DOUBLES)
        return HK_ETOOBIG;
    const int doubles = (int)slot_count * DOUBLES;
    return MPI_Allgather(own, doubles, MPI_DOUBLE, all, doubles, MPI_DOUBLE, MPI_COMM_WORLD) ==
                   MPI_SUCCESS
               ? HK_OK
               : HK_EPEER;
}

bool hk_ranks_any(const struct hk_ranks *ranks, bool here)
{
    int mine = here;
    int any = here;
    (void)ranks;
    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return any != 0;
}

void hk_ranks_fini(void)
{
    MPI_Finalize();
}
