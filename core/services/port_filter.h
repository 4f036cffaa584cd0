/* SPDX-License-Identifier: MIT */
/*
 * A program of a client that looks at what arrives at the client's port. There is one at a time. It
 * is filled in part by part, verified in steps, and from then on asked about each packet. It runs
 * where the service is: in the kernel or in the server.
 */
#ifndef HK_SERVICES_PORT_FILTER_H
#define HK_SERVICES_PORT_FILTER_H

#include "extension/verify.h"
#include "services/services.h"

#define HK_PORT_FILTER_VALUE_BYTES 8192u /* of all its maps */

enum hk_port_filter_state { HK_PORT_FILTER_NONE, HK_PORT_FILTER_FILLING, HK_PORT_FILTER_VERIFYING,
                            HK_PORT_FILTER_ATTACHED };

struct hk_port_filter {
    uint64_t state; /* what counts for a successor is whether it is attached */
    uint64_t port;
    uint64_t filled; /* instructions */
    struct hk_extension extension;
    struct hk_map maps[HK_EXTENSION_MAPS];
    struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX];
    unsigned char values[HK_PORT_FILTER_VALUE_BYTES] __attribute__((aligned(8)));
    struct hk_verifier verifier;
};

/* A server starts: what its predecessor had not finished is gone. */
void hk_port_filter_start(struct hk_port_filter *filter);

/*
 * The requests HK_NET_PROGRAM, HK_NET_FILTER, HK_NET_UNFILTER and HK_NET_VALUE (services.h) of
 * whose port it is.
 *
 * Returns HK_OK; HK_EBUSY: for HK_NET_FILTER, verifying goes on, ask again; for HK_NET_PROGRAM there
 * is a program already, maybe of another port; HK_EEXIST: for HK_NET_FILTER, it is verified and
 * looks at packets already; HK_ENOENT: there is none of this port; HK_EINVAL: the program was
 * rejected, and word 1 says why and word 2 where, or word 1 is 0, and a part is not the next one or
 * more instructions are asked for than were filled in; HK_ETOOBIG; HK_ENOSYS.
 */
enum hk_status hk_port_filter_handle(struct hk_port_filter *filter,
                                     struct hk_service_message *message);

/* Whether a packet for a port may go on. */
static inline bool hk_port_filter_passes(const struct hk_port_filter *filter, uint64_t port,
                                         const unsigned char *packet, uint64_t bytes)
{
    return filter->state != HK_PORT_FILTER_ATTACHED || filter->port != port ||
           hk_extension_run(&filter->extension, packet, (uint32_t)bytes) != 0;
}

/* The port is closed. */
void hk_port_filter_close(struct hk_port_filter *filter, uint64_t port);

#endif
