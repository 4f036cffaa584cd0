/* SPDX-License-Identifier: MIT */
/*
 * The supervisor of the composition's servers: what the kernel does not run itself.
 * It holds the memory of each, so that a new server goes on where the last one died.
 */
#ifndef HK_USER_COMPOSE_H
#define HK_USER_COMPOSE_H

#include "services/services.h"
#include "user/server.h"
#include "user/spawn.h"

struct hk_composition {
    uint32_t placement; /* bit per service: in the kernel */
    struct hk_server server[HK_SERVICES]; /* of the others */
    uint32_t devices;   /* bit per service: it has one */
    uint64_t memory[HK_SERVICES];         /* handles of shared memory */
    uint64_t frames[HK_SERVICES];         /* of what devices see; HK_HANDLE_SELF: no device */
};

/* Start a process for every service that place= gives one, registered under its name. */
enum hk_status hk_compose(struct hk_composition *composition);

/*
 * Start the server of one service, or start another after hk_server_stop().
 *
 * fault, after  [in]  as in hk_server_argument(); after 0: it does not fail on purpose
 */
enum hk_status hk_compose_server(struct hk_composition *composition, enum hk_service_number number,
                                 enum hk_server_fault fault, uint64_t after);

/* Stop all servers, and let their memory go. */
void hk_compose_stop(struct hk_composition *composition);

#endif
