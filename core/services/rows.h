/* SPDX-License-Identifier: MIT */
/* The functions behind hk_services[]. */
#ifndef HK_SERVICES_ROWS_H
#define HK_SERVICES_ROWS_H

#include "services/services.h"

#define HK_DRIVER_LINE 5

enum hk_status hk_fs_handle(struct hk_service_host *host, void *state,
                            struct hk_service_message *message);
enum hk_status hk_driver_handle(struct hk_service_host *host, void *state,
                            struct hk_service_message *message);
enum hk_status hk_memory_handle(struct hk_service_host *host, void *state,
                            struct hk_service_message *message);

#endif
