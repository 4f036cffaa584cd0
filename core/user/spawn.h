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
 * Start a program as a server: it gets the receive right of a new endpoint, as
 * the handle in its argument.
 *
 * name  [in]  of the module
 *
 * Returns HK_OK or the first status that was not.
 */
enum hk_status hk_server_start(const char *name, struct hk_server *server);

/* Kill it and drop both handles. */
void hk_server_stop(struct hk_server *server);

#endif
