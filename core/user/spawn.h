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

/*
 * Start a driver of the serial port that has these three handles and no other right; what it reads
 * arrives at the notification.
 *
 * ports, line    [in]  HK_IO_PORTS and HK_IO_LINE of peer.h's port
 * notification   [in]  ours to wait for
 */
enum hk_status hk_serial_start(uint64_t ports, uint64_t line, uint64_t notification,
                               struct hk_server *server);

/* Kill it and drop both handles. */
void hk_server_stop(struct hk_server *server);

#endif
