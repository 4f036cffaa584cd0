/* SPDX-License-Identifier: MIT */
/* What the supervisor tells the program "server", in one word. */
#ifndef HK_USER_SERVER_H
#define HK_USER_SERVER_H

#include <stdint.h>

/* A server's own time, i.e. its interrupts and timers, comes before its clients' work. */
#define HK_SERVER_PRIORITY 20

/* How it fails, for tests. */
enum hk_server_fault {
    HK_SERVER_HANGS,    /* never answers */
    HK_SERVER_CORRUPTS, /* writes over its own stack */
    HK_SERVER_GARBLES,  /* goes on, with nonsense in its answers */
    HK_SERVER_DAMAGES,  /* changes a byte of what outlives it, and ends */
    HK_SERVER_FAULTS,
};

/*
 * service   number
 * endpoint  its handle there
 * memory    handle of its shared memory there
 * frames    handle of what its device sees; HK_HANDLE_SELF: it has no device
 * after     fail instead of the answer number `after`, or from it on, 1 to 65535; 0: do not
 */
static inline uint64_t hk_server_argument(uint64_t service, uint64_t endpoint, uint64_t memory,
                                          uint64_t frames, enum hk_server_fault fault,
                                          uint64_t after)
{
    return service | endpoint << 8 | memory << 16 | (uint64_t)fault << 24 | after << 32 |
           frames << 48;
}

static inline uint64_t hk_server_argument_service(uint64_t argument)
{
    return argument & 0xff;
}

static inline uint64_t hk_server_argument_endpoint(uint64_t argument)
{
    return argument >> 8 & 0xff;
}

static inline uint64_t hk_server_argument_memory(uint64_t argument)
{
    return argument >> 16 & 0xff;
}

static inline enum hk_server_fault hk_server_argument_fault(uint64_t argument)
{
    return (enum hk_server_fault)(argument >> 24 & 0xff);
}

static inline uint64_t hk_server_argument_after(uint64_t argument)
{
    return argument >> 32 & 0xffff;
}

static inline uint64_t hk_server_argument_frames(uint64_t argument)
{
    return argument >> 48;
}

#endif
