/* SPDX-License-Identifier: MIT */
/* Starting servers: a process, an endpoint it receives from, and our right to call it. */
#ifndef HK_USER_SPAWN_H
#define HK_USER_SPAWN_H

#include "user/user.h"

struct hk_server {
    uint64_t process;  /* handle */
    uint64_t endpoint; /* handle with all rights */
};

/*
 * Create a process for a server and an endpoint; it does not run yet.
 *
 * name    [in]  of the module
 * theirs  [out] the endpoint's handle in its table, with the receive right
 *
 * Returns HK_OK or the first status that was not; nothing stays then.
 */
enum hk_status hk_server_create(const char *name, struct hk_server *server, uint64_t *theirs);

/* Kill it and drop both handles. */
void hk_server_stop(struct hk_server *server);

#endif
