/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "hk/base/units.h"
#include "paths.h"

const struct hk_path *const hk_paths[] = {
    &hk_path_getppid,
};

const size_t hk_path_count = HK_ARRAY_COUNT(hk_paths);

enum hk_status hk_path_find(const char *name, const struct hk_path **path)
{
    for (size_t i = 0; i < hk_path_count; i++) {
        if (strcmp(hk_paths[i]->name, name) == 0) {
            *path = hk_paths[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}
