/* SPDX-License-Identifier: MIT */
/* A device driver: its interrupts are messages; it counts and acknowledges them. */
#include "services/rows.h"

struct driver {
    uint64_t interrupt_count;
};

enum hk_status hk_driver_handle(struct hk_service_host *host, void *state,
                                struct hk_service_message *message)
{
    struct driver *driver = state;

    if (message->badge == HK_SERVICE_IRQ_BADGE) {
        driver->interrupt_count += message->word[0];
        host->irq_ack(host, HK_DRIVER_LINE);
        return HK_OK;
    }
    if (message->word[0] != HK_DRIVER_COUNT)
        return HK_ENOSYS;
    message->word[1] = driver->interrupt_count;
    return HK_OK;
}
