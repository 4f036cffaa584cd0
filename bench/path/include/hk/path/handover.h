/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that one process of a launch makes and another one uses: a mount, a socket
 * in another network namespace. Who makes it may be refused, and then says why.
 */
#ifndef HK_PATH_HANDOVER_H
#define HK_PATH_HANDOVER_H

#include "hk/base/status.h"
#include "hk/transport/transport.h"

struct hk_handover {
    int giver; /* before fork both are open everywhere */
    int taker;
};

/* Make the way. HK_ENOMEM when the system has no descriptor left. */
enum hk_status hk_handover_init(struct hk_handover *handover);

/* Close what this process still has of it. Idempotent. */
void hk_handover_fini(struct hk_handover *handover);

/*
 * Give descriptors, or the reason why there are none; the giver keeps its own.
 *
 * status  [in]  HK_OK, or what was refused
 * fds     [in]  count descriptors, up to HK_HANDOVER_FDS_MAX; not looked at unless HK_OK
 *
 * Returns status; HK_EPEER when the taker is gone.
 */
enum { HK_HANDOVER_FDS_MAX = 4 };
enum hk_status hk_handover_give(struct hk_handover *handover, enum hk_status status,
                                const char *reason, const int *fds, size_t count);

/*
 * Wait for the giver.
 *
 * fds     [out]  count descriptors, closed on exec, to be closed by the caller
 * reason  [out]  what the giver said, when it was refused
 *
 * Returns HK_OK; what the giver was refused with; HK_EPEER when it ended without a word.
 */
enum hk_status hk_handover_take(struct hk_handover *handover, int *fds, size_t count,
                                char reason[HK_REASON_BYTES]);

#endif
