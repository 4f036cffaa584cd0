/* SPDX-License-Identifier: MIT */
/* The network services and what their files share. net.c lists them. */
#ifndef HK_PATH_NETS_H
#define HK_PATH_NETS_H

#include "hk/path/net.h"
#include "rtnetlink.h"

/* The two ends of the wire, and the port that answers. */
#define HK_NET_CLIENT_ADDRESS 0x0a4d0001u /* 10.77.0.1 */
#define HK_NET_SERVER_ADDRESS 0x0a4d0002u
#define HK_NET_LOOPBACK_ADDRESS 0x7f000001u
enum { HK_NET_PORT = 7777, HK_NET_FAREWELL_PORT = 7778 };

extern const struct hk_net_device hk_net_client_device;
extern const struct hk_net_device hk_net_server_device;

extern const struct hk_net_service hk_net_service_loopback;
extern const struct hk_net_service hk_net_service_veth;
extern const struct hk_net_service hk_net_service_lwip_tap;
extern const struct hk_net_service hk_net_service_lwip_packet;
extern const struct hk_net_service hk_net_service_lwip_memory;
extern const struct hk_net_service hk_net_service_xdp;
extern const struct hk_net_service hk_net_service_afxdp;

/* Enter a network namespace of our own. HK_ENOTSUP with the reason. */
enum hk_status hk_net_enter_namespace(char reason[HK_REASON_BYTES]);

/*
 * Two namespaces joined by a wire: the caller ends in the server's.
 *
 * rewrites       [in]   somebody will rewrite the client's packets
 * with_address   [in]   the kernel has an address at the server's end
 * client         [out]  a socket of the client's namespace
 */
enum hk_status hk_net_open_wire(const struct hk_net *net, bool rewrites, bool with_address,
                                int *client, char reason[HK_REASON_BYTES]);

/* A socket of the present namespace for the options' protocol. */
enum hk_status hk_net_socket(const struct hk_net *net, int *fd);

/* Whether a datagram is the client's farewell. */
bool hk_net_is_farewell(const void *data, size_t bytes);

#endif
