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
    HK_PEER_SEMAPHORE, /* waits for one, posts the other */
    HK_PEER_NOTIFY,    /* likewise with notifications */
    HK_PEER_CHANNEL,   /* what one channel brings goes to the sender's channel */
    HK_PEER_IRQ,       /* a driver: receives interrupts of HK_PEER_LINE and acknowledges them */
    HK_PEER_LOAD,      /* computes and sleeps for times drawn from a seed, for ever */
    HK_PEER_FILL,      /* fills a megabyte with a pattern and ends */
    HK_PEER_YIELD,     /* gives its turn away for ever */
    HK_PEER_SERIAL,    /* a driver of the serial port: bytes go out, come back, and are signalled */
    HK_PEER_TOUCH,     /* reads and writes the pages of its region, and ends; a pager helps */
    HK_PEER_FORWARD_ANY, /* as HK_PEER_FORWARD, with messages of any length */
    HK_PEER_DELAY_ECHO,    /* as HK_PEER_ECHO, and */
    HK_PEER_DELAY_FORWARD, /* as HK_PEER_FORWARD; each send waits the message's second word */
    HK_PEER_FILTER,    /* a row of experiments_extension.c and a datagram: the verdict goes back */
    HK_PEER_ROLES,
};

#define HK_PEER_LINE 6
#define HK_PEER_CHANNEL_BYTES 256

/* HK_PEER_SERIAL: the first serial port, and what its notification says: a byte has come. */
#define HK_PEER_SERIAL_PORT 0x3f8
#define HK_PEER_SERIAL_PORTS 8
#define HK_PEER_SERIAL_LINE 4
#define HK_PEER_SERIAL_BYTE 0x100 /* and the byte below */

/* Let so many instructions pass, an even number above 0; what surrounds them is the same for all. */
static inline void hk_peer_delay(uint64_t instructions)
{
    uint64_t turns = instructions / 2;

    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
}

/* HK_PEER_TOUCH: where, and what its exit code says when it was not all zero. */
#define HK_PEER_REGION 0x0000300000000000
#define HK_PEER_REGION_PAGES 12
#define HK_PEER_TOUCH_PATTERN 1 /* all HK_PAGER_PATTERN */
#define HK_PEER_TOUCH_WRONG 2   /* or a register changed */

/*
 * Start a peer.
 *
 * role  [in]  enum hk_peer_role
 * next  [in]  handle it may call, or HK_HANDLE_SELF for none
 *
 * Returns HK_OK or the first status that was not.
 */
enum hk_status hk_peer_start(enum hk_peer_role role, uint64_t next, struct hk_server *server);

/* Give a peer that waits for it two handles of ours, with these rights: the peer's in and out. */
bool hk_peer_give(const struct hk_server *server, uint64_t in, uint64_t out, uint64_t rights);

#endif
