/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ranks.h"

const bool hk_ranks_with_mpi = false;

enum hk_status hk_ranks_init(struct hk_ranks *ranks)
{
    *ranks = (struct hk_ranks){.rank = 0, .count = 1};
    return HK_OK;
}

enum hk_status hk_ranks_gather(const struct hk_ranks *ranks, const struct hk_rare_total *own,
                               size_t slot_count, struct hk_rare_total *all)
{
    (void)ranks;
    memcpy(all, own, slot_count * sizeof *all);
    return HK_OK;
}

bool hk_ranks_any(const struct hk_ranks *ranks, bool here)
{
    (void)ranks;
    return here;
}

void hk_ranks_fini(void)
{
}
