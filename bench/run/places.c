/* SPDX-License-Identifier: MIT */
#include "experiment.h"

enum hk_status hk_places_find(struct hk_places *places)
{
    struct hk_topology *topology;

    const enum hk_status status = hk_topology_create(&topology);
    if (status != HK_OK)
        return status;
    for (enum hk_place p = 0; p < HK_PLACE_COUNT; p++)
        places->available[p] =
            hk_topology_place(topology, p, &places->pairs[p], places->reasons[p]) == HK_OK;
    hk_topology_destroy(topology);
    return HK_OK;
}
