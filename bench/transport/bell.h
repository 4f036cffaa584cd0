/* SPDX-License-Identifier: MIT */
/* A doorbell each way: eventfds that count, private to this folder. */
#ifndef HK_TRANSPORT_BELL_H
#define HK_TRANSPORT_BELL_H

#include "link.h"

struct hk_bells {
    int fds[2]; /* by the side that waits */
};

/* Returns HK_OK; HK_ENOMEM. Undone by hk_bells_close. */
enum hk_status hk_bells_open(struct hk_bells *bells);
void hk_bells_close(struct hk_bells *bells);

/* Announces one message to the peer of side; one system call. */
enum hk_status hk_bell_ring(struct hk_link *link, enum hk_side side, const struct hk_bells *bells);

/* Waits for one announcement; one system call. */
enum hk_status hk_bell_wait(struct hk_link *link, enum hk_side side, const struct hk_bells *bells);

#endif
