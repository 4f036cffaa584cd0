/* SPDX-License-Identifier: MIT */
/* Names of services: a client looks a service up and gets the right to call it. */
#ifndef HK_KERNEL_SERVICE_H
#define HK_KERNEL_SERVICE_H

#include "kernel/types.h"

#define HK_SERVICE_COUNT 16
#define HK_SERVICE_NAME_BYTES 16

struct hk_service_entry {
    char name[HK_SERVICE_NAME_BYTES]; /* empty: free entry */
    struct hk_endpoint *endpoint;     /* held */
};

struct hk_service_registry {
    struct hk_service_entry entries[HK_SERVICE_COUNT];
};

#endif
