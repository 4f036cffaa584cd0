/* SPDX-License-Identifier: MIT */
/* The few things a launch asks of its own network namespaces. */
#ifndef HK_PATH_RTNETLINK_H
#define HK_PATH_RTNETLINK_H

#include <stdint.h>

#include "hk/base/status.h"
#include "hk/transport/transport.h"

enum { HK_MAC_BYTES = 6 };

/* A device of the calling thread's namespace. */
struct hk_net_device {
    const char *name;
    uint8_t mac[HK_MAC_BYTES];
};

/* All return HK_OK, or HK_ENOTSUP with what was refused and why. */

/* A pair of devices: one here, the other in the namespace of peer_fd. */
enum hk_status hk_net_veth(const struct hk_net_device *here, const struct hk_net_device *there,
                           int peer_fd, char reason[HK_REASON_BYTES]);

/* Bring up; address in host order with a prefix of 24 bits, 0: none. */
enum hk_status hk_net_up(const char *device, uint32_t address, char reason[HK_REASON_BYTES]);

/* Who has an address, so that nobody need be asked. */
enum hk_status hk_net_neighbour(const char *device, uint32_t address,
                                const uint8_t mac[HK_MAC_BYTES], char reason[HK_REASON_BYTES]);

/* Have checksums filled in before a packet reaches a device: who rewrites packets needs them. */
enum hk_status hk_net_checksums(const char *device, char reason[HK_REASON_BYTES]);

#endif
