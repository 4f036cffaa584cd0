/* SPDX-License-Identifier: MIT */
/* The program "versions": a service that is replaced while its clients call it, and such a client. */
#ifndef HK_USER_VERSIONS_H
#define HK_USER_VERSIONS_H

#include "user/worker.h"

#define HK_VERSIONS_SERVICE "versions"
#define HK_VERSIONS_CLIENTS 2

enum hk_versions_role { HK_VERSIONS_SERVER, HK_VERSIONS_CLIENT };

/* A client's part of the shared page at HK_WORKER_PAGE. */
struct hk_versions_count {
    uint64_t answers;
    uint64_t statuses; /* calls that ended with HK_EPEER; each was made again */
    uint64_t wrong;    /* anything else; must stay 0 */
    uint64_t version;  /* of the last answer */
};

/* Handle of the endpoint and version of a server; handle of the page and number of a client. */
static inline uint64_t hk_versions_argument(enum hk_versions_role role, uint64_t handle,
                                            uint64_t number)
{
    return handle | number << 8 | (uint64_t)role << 32;
}

/* What a server answers to x, beside its version. */
static inline uint64_t hk_versions_answer(uint64_t x)
{
    return x * 2385 + 7411;
}

#endif
