/* SPDX-License-Identifier: MIT */
/* The rows of hk_paths, one file per family. */
#ifndef HK_PATH_PATHS_H
#define HK_PATH_PATHS_H

#include "hk/path/path.h"

extern const struct hk_path hk_path_getppid;

#endif
