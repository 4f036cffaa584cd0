/* SPDX-License-Identifier: MIT */
/* The program "worker": counts in a shared page and gives its turn away after each count. */
#ifndef HK_USER_WORKER_H
#define HK_USER_WORKER_H

#include "user/user.h"

#define HK_WORKER_PAGE 0x0000300000000000 /* where the shared page is, in everybody's space */
#define HK_WORKER_SLOTS 8                 /* counters in it */

/* The program's argument. */
static inline uint64_t hk_worker_argument(uint64_t shm, uint64_t slot, uint64_t priority)
{
    return shm | slot << 8 | priority << 16;
}

#endif
