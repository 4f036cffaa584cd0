/* SPDX-License-Identifier: MIT */
/*
 * The network service, wherever its stack runs: an echo over the kernel's own stack, over
 * lwIP in a server, or turned around by a program in the kernel. The client is an ordinary
 * socket in a network namespace that the server makes; everything in it is gone with the two
 * processes.
 */
#ifndef HK_PATH_NET_H
#define HK_PATH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/path/handover.h"

enum { HK_NET_BYTES_MAX = 1400 }; /* a packet of Ethernet's usual size holds it */

struct hk_net_options {
    bool stream;  /* TCP, else UDP */
    size_t bytes; /* there and back; 1 to HK_NET_BYTES_MAX */
};

struct hk_net;

/* A stack over a device. */
struct hk_net_service {
    const char *name; /* "kernel", "lwip", "xdp", "afxdp" */
    const char *over; /* "loopback", "veth", "tap", "packet"; "memory": in the client itself */
    const char *summary;
    bool streams;     /* it has TCP */
    int syscalls;     /* of the server per echo; 0: it has nothing to do */
    bool switches;    /* the server is switched to */
    uint16_t farewell_port; /* of the client's last datagram; 0: the echo's own */

    /*
     * In the server: make the namespaces and what answers, into net->server.
     *
     * client  [out]  socket of the client's namespace, not connected
     */
    enum hk_status (*open)(struct hk_net *net, int *client, char reason[HK_REASON_BYTES]);
    enum hk_status (*serve)(struct hk_net *net); /* answer until the client says farewell */

    /*
     * Instead of a socket: the stack in the client's own process, which is what a server does for
     * a packet without the way there. NULL: by a socket.
     */
    enum hk_status (*start)(struct hk_net *net); /* in the client: makes net->state */
    enum hk_status (*run)(struct hk_net *net, uint64_t n);
    void (*stop)(struct hk_net *net); /* releases it */
};

struct hk_net {
    const struct hk_net_service *service;
    struct hk_net_options options;
    struct hk_handover handover;
    int server;   /* the server's descriptor: socket, device; -1 */
    int socket;   /* the client's; -1 */
    void *state;  /* the service's own, in the process where its stack is */
    unsigned char request[HK_NET_BYTES_MAX];
    unsigned char reply[HK_NET_BYTES_MAX];
};

extern const struct hk_net_service *const hk_net_services[];
extern const size_t hk_net_service_count;

/* By name and device: HK_ENOENT. */
enum hk_status hk_net_service_find(const char *name, const char *over,
                                   const struct hk_net_service **service);

/* In the parent of both sides. HK_EINVAL with the reason; HK_ENOMEM. */
enum hk_status hk_net_init(struct hk_net *net, const struct hk_net_service *service,
                           const struct hk_net_options *options, char reason[HK_REASON_BYTES]);
void hk_net_fini(struct hk_net *net);

/* In the server. */
enum hk_status hk_net_serve(struct hk_net *net);

/* In the client: connect. HK_ENOTSUP with cause and remedy; HK_EPEER; HK_ETIMEOUT. */
enum hk_status hk_net_enter(struct hk_net *net, char reason[HK_REASON_BYTES]);

/* n echoes: the timed path. HK_ETIMEOUT when one does not come back within seconds. */
enum hk_status hk_net_run(struct hk_net *net, uint64_t n);

/* HK_EROW when what comes back is not what was sent. */
enum hk_status hk_net_verify(struct hk_net *net, uint64_t seed);

/* The client's orderly end. */
void hk_net_leave(struct hk_net *net);

#endif
