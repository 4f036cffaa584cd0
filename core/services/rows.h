/* SPDX-License-Identifier: MIT */
/* The functions behind hk_services[]. */
#ifndef HK_SERVICES_ROWS_H
#define HK_SERVICES_ROWS_H

#include "services/services.h"

/* Pages of memory that each has. */
#define HK_FILE_PAGES 255
#define HK_NET_PAGES 144
#define HK_BLOCK_PAGES 178
#define HK_AUDIO_PAGES 9
#define HK_TIMER_PAGES 4
#define HK_DISPLAY_PAGES 39
#define HK_PRINT_PAGES 62
#define HK_MEMORY_PAGES 2

/* And of what its device sees, where it has one. */
#define HK_BLOCK_DEVICE_PAGES 3
#define HK_DISPLAY_DEVICE_PAGES 20

#define X(number, name)                                             \
    void hk_##name##_start(struct hk_service_host *host);           \
    enum hk_status hk_##name##_handle(struct hk_service_host *host, \
                                      struct hk_service_message *message);
HK_SERVICE_LIST(X)
#undef X

#endif
