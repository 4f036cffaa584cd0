/* SPDX-License-Identifier: MIT */
/* The program "peer": the other side of an experiment. Its argument says which role it plays. */
#ifndef HK_USER_PEER_H
#define HK_USER_PEER_H

#include "user/spawn.h"

enum hk_peer_role {
    HK_PEER_ECHO,      /* short messages go back as they came */
    HK_PEER_ECHO_LONG, /* eleven registers go back as they came */
    HK_PEER_ECHO_ANY,  /* messages of any length go back */
    HK_PEER_FORWARD,   /* calls the next endpoint with what comes, replies what that replies */
    HK_PEER_SINK,      /* receives without replying */
    HK_PEER_STREAM,    /* bytes from one stream go back through another, by read and write */
    HK_PEER_EXCHANGE,  /* the same by exchange */
    HK_PEER_FILL,      /* fills a megabyte with a pattern and ends */
    HK_PEER_YIELD,     /* gives its turn away for ever */
    HK_PEER_ROLES,
};

/*
 * Start a peer.
 *
 * role  [in]  enum hk_peer_role
 * next  [in]  handle it may call, or HK_HANDLE_SELF for none
 *
 * Returns HK_OK or the first status that was not.
 */
enum hk_status hk_peer_start(enum hk_peer_role role, uint64_t next, struct hk_server *server);

#endif
