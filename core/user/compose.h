/* SPDX-License-Identifier: MIT */
/* The servers of the composition: what the kernel does not run itself. */
#ifndef HK_USER_COMPOSE_H
#define HK_USER_COMPOSE_H

#include "services/services.h"
#include "user/spawn.h"

struct hk_composition {
    uint32_t placement; /* bit per service: in the kernel */
    struct hk_server server[HK_SERVICES]; /* of the others */
};

/* Start a process for every service that place= gives one, registered under its name. */
enum hk_status hk_compose(struct hk_composition *composition);

/* Start, or start again, the server of one service. */
enum hk_status hk_compose_server(struct hk_composition *composition, enum hk_service_number number);

/* Stop all servers. */
void hk_compose_stop(struct hk_composition *composition);

/* Find a service, wherever it runs: a handle to call, or a status. */
int64_t hk_service_handle(enum hk_service_number number);

/*
 * One request.
 *
 * words  [in]  of the request
 * word   [in,out] request, then reply
 *
 * Returns the service's status, or that of the call.
 */
enum hk_status hk_service_request(uint64_t handle, uint64_t words,
                                  uint64_t word[HK_MESSAGE_REGISTER_WORDS]);

#endif
