/* SPDX-License-Identifier: MIT */
/* The program "pager": serves page faults in the way its argument says. */
#ifndef HK_USER_PAGER_H
#define HK_USER_PAGER_H

#include "user/spawn.h"

enum hk_pager_way {
    HK_PAGER_FRESH,     /* a zeroed page */
    HK_PAGER_FILLED,    /* a page of its own, every word HK_PAGER_PATTERN, which leaves it */
    HK_PAGER_REFUSES,   /* a reply and no page */
    HK_PAGER_ELSEWHERE, /* another page of the region, again and again */
    HK_PAGER_IGNORES,   /* takes the next message without a reply */
    HK_PAGER_SLEEPS,    /* never comes back */
    HK_PAGER_LOOPS,
    HK_PAGER_EXITS,
    HK_PAGER_CRASHES,
    HK_PAGER_WAYS,
};

#define HK_PAGER_PATTERN 0x5eed5eed5eed5eed

/* Start a pager; it waits for the first fault when this returns. */
enum hk_status hk_pager_start(enum hk_pager_way way, struct hk_server *server);

#endif
