/* SPDX-License-Identifier: MIT */
/* Stands in for net_lwip.c where lwIP is not installed. */
#include <stdio.h>

#include "nets.h"

static enum hk_status none_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    (void)net, (void)client;
    snprintf(reason, HK_REASON_BYTES, "built without lwIP; install liblwip-dev and build again");
    return HK_ENOTSUP;
}

static enum hk_status none_serve(struct hk_net *net)
{
    (void)net;
    return HK_ENOTSUP;
}

const struct hk_net_service hk_net_service_lwip_tap = {
    .name = "lwip", .over = "tap", .summary = "lwIP in a server, frames by a TAP device",
    .streams = true, .open = none_open, .serve = none_serve,
};

const struct hk_net_service hk_net_service_lwip_packet = {
    .name = "lwip", .over = "packet",
    .summary = "lwIP in a server, frames by a packet socket at the end of a veth",
    .streams = true, .open = none_open, .serve = none_serve,
};

const struct hk_net_service hk_net_service_lwip_memory = {
    .name = "lwip", .over = "memory", .summary = "lwIP in the client itself, frames in memory",
    .open = none_open, .serve = none_serve,
};
