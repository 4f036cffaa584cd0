/* SPDX-License-Identifier: MIT */
/*
 * Names of services: a client looks a name up and gets the right to call it.
 *
 * A service may be replaced while clients live: the new version registers under
 * the same name; clients of the old one get HK_EPEER when it ends, look the name up
 * again and, between two versions, may wait for the next.
 */
#ifndef HK_KERNEL_SERVICE_H
#define HK_KERNEL_SERVICE_H

#include "kernel/thread.h"
#include "kernel/types.h"

#define HK_SERVICE_COUNT 16
#define HK_SERVICE_NAME_BYTES 16 /* up to 15 characters */

struct hk_service_entry {
    char name[HK_SERVICE_NAME_BYTES]; /* empty: free entry */
    struct hk_endpoint *endpoint;     /* held */
};

struct hk_service_registry {
    struct hk_service_entry entries[HK_SERVICE_COUNT];
    struct hk_wait_queue waiters; /* lookups; wait.address and wait.bytes are the name */
};

/*
 * Register a service, instead of the one that had the name before.
 *
 * name      [in]  1 to 15 characters, terminated
 * endpoint  [in]  where it receives; the registry holds it
 *
 * Returns HK_OK; HK_EINVAL for the name; HK_ENOSPC. Lookups that wait for the name return.
 */
enum hk_status hk_service_register(struct hk_cpu *cpu, const char *name,
                                   struct hk_endpoint *endpoint);

/* Forget a name. HK_OK; HK_ENOENT. */
enum hk_status hk_service_unregister(struct hk_cpu *cpu, const char *name);

/* Find a live service. HK_OK; HK_ENOENT when there is none or nobody receives there any more. */
enum hk_status hk_service_find(const struct hk_kernel *kernel, const char *name,
                               struct hk_endpoint **endpoint);

/* Forget all names (shutdown). */
void hk_service_fini(struct hk_cpu *cpu);

#endif
