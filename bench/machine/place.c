/* SPDX-License-Identifier: MIT */
/* Names of places, apart from the topology that finds them: they need no library. */
#include <string.h>

#include "hk/machine/topology.h"

static const char *const names[HK_PLACE_COUNT] = {
    [HK_PLACE_SAME_CORE] = "same_core",
    [HK_PLACE_CROSS_CORE] = "cross_core",
    [HK_PLACE_SMT] = "smt",
    [HK_PLACE_CROSS_SOCKET] = "cross_socket",
};

const char *hk_place_name(enum hk_place place)
{
    return (size_t)place < HK_PLACE_COUNT ? names[place] : NULL;
}

enum hk_status hk_place_find(const char *name, enum hk_place *place)
{
    for (size_t i = 0; i < HK_PLACE_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *place = (enum hk_place)i;
            return HK_OK;
        }
    }
    return HK_ENOENT;
}
