/* SPDX-License-Identifier: MIT */
/* POSIX shared memory that nobody outside a launch sees. */
#ifndef HK_PATH_SHM_H
#define HK_PATH_SHM_H

#include "hk/base/status.h"
#include "hk/transport/transport.h"

/*
 * Give the calling process, and all that it forks from then on, an empty /dev/shm of their own, in
 * a mount namespace of their own. What they leave there is gone with the last of them, whatever
 * ended them.
 *
 * Returns HK_OK; HK_ENOTSUP with cause and remedy.
 */
enum hk_status hk_shm_private(char reason[HK_REASON_BYTES]);

#endif
