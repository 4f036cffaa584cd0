/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "mount.h"
#include "nets.h"

const struct hk_net_service *const hk_net_services[] = {
    &hk_net_service_loopback,    &hk_net_service_veth, &hk_net_service_lwip_tap,
    &hk_net_service_lwip_packet, &hk_net_service_lwip_memory,
    &hk_net_service_xdp,         &hk_net_service_afxdp,
};
const size_t hk_net_service_count = HK_ARRAY_COUNT(hk_net_services);

const struct hk_net_device hk_net_client_device = {"hk_client", {2, 0x68, 0x6b, 0, 0, 1}};
const struct hk_net_device hk_net_server_device = {"hk_server", {2, 0x68, 0x6b, 0, 0, 2}};

static const char farewell[] = "hkbench: no more packets";

enum { REPLY_TIMEOUT_S = 2, CONNECT_TRIES = 3 };

enum hk_status hk_net_service_find(const char *name, const char *over,
                                   const struct hk_net_service **service)
{
    for (size_t i = 0; i < hk_net_service_count; i++) {
        if (strcmp(hk_net_services[i]->name, name) == 0 &&
            strcmp(hk_net_services[i]->over, over) == 0) {
            *service = hk_net_services[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

bool hk_net_is_farewell(const void *data, size_t bytes)
{
    return bytes == sizeof farewell && memcmp(data, farewell, sizeof farewell) == 0;
}

/* --- life ---------------------------------------------------------------------------------- */

enum hk_status hk_net_init(struct hk_net *net, const struct hk_net_service *service,
                           const struct hk_net_options *options, char reason[HK_REASON_BYTES])
{
    *net = (struct hk_net){.service = service, .options = *options, .server = -1, .socket = -1,
                           .handover = {-1, -1}};
    if (options->bytes < 1 || options->bytes > HK_NET_BYTES_MAX) {
        snprintf(reason, HK_REASON_BYTES, "an echo has 1 to %d bytes", HK_NET_BYTES_MAX);
        return HK_EINVAL;
    }
    if (options->stream && !service->streams) {
        snprintf(reason, HK_REASON_BYTES, "%s has no TCP", service->name);
        return HK_EINVAL;
    }
    return hk_handover_init(&net->handover);
}

void hk_net_fini(struct hk_net *net)
{
    if (net->server >= 0)
        close(net->server);
    if (net->socket >= 0)
        close(net->socket);
    net->server = net->socket = -1;
    if (net->service->stop != NULL && net->state != NULL)
        net->service->stop(net);
    hk_handover_fini(&net->handover);
}

enum hk_status hk_net_serve(struct hk_net *net)
{
    char reason[HK_REASON_BYTES] = "";
    int client = -1;

    enum hk_status status = net->service->open(net, &client, reason);
    status = hk_handover_give(&net->handover, status, reason, &client, 1);
    if (client >= 0)
        close(client);
    if (status == HK_OK)
        status = net->service->serve(net);
    return status == HK_ENOTSUP ? HK_OK : status; /* the client says so */
}

/* --- the client -------------------------------------------------------------------------------- */

static struct sockaddr_in address_of(uint32_t address)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(HK_NET_PORT),
                                .sin_addr.s_addr = htonl(address)};
}

static uint32_t server_address(const struct hk_net *net)
{
    return net->service == &hk_net_service_loopback ? HK_NET_LOOPBACK_ADDRESS
                                                    : HK_NET_SERVER_ADDRESS;
}

static enum hk_status socket_status(int error)
{
    switch (error) {
    case EAGAIN: return HK_ETIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE: return HK_EPEER;
    default: return hk_errno_status(error);
    }
}

/* A first packet may be lost while the stack at the other end still starts. */
static enum hk_status first_echo(struct hk_net *net)
{
    enum hk_status status = HK_ETIMEOUT;

    for (int tries = 0; tries < CONNECT_TRIES && status == HK_ETIMEOUT; tries++)
        status = hk_net_run(net, 1);
    return status;
}

enum hk_status hk_net_enter(struct hk_net *net, char reason[HK_REASON_BYTES])
{
    const struct sockaddr_in to = address_of(server_address(net));
    const struct timeval timeout = {.tv_sec = REPLY_TIMEOUT_S};

    enum hk_status status = hk_handover_take(&net->handover, &net->socket, 1, reason);
    if (status == HK_OK && net->service->start != NULL)
        status = net->service->start(net);
    if (status != HK_OK)
        return status;
    if (net->service->run != NULL)
        return hk_net_run(net, 1);
    if (setsockopt(net->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
        connect(net->socket, (const struct sockaddr *)&to, sizeof to) != 0)
        return socket_status(errno);
    return first_echo(net);
}

/* A stream may give a message in pieces. */
static enum hk_status receive_all(const struct hk_net *net, unsigned char *to)
{
    for (size_t got = 0; got < net->options.bytes;) {
        const ssize_t n = recv(net->socket, to + got, net->options.bytes - got, 0);
        if (n < 0)
            return socket_status(errno);
        if (n == 0)
            return HK_EPEER;
        got += (size_t)n;
    }
    return HK_OK;
}

enum hk_status hk_net_run(struct hk_net *net, uint64_t n)
{
    const size_t bytes = net->options.bytes;
    enum hk_status status = HK_OK;

    if (net->service->run != NULL)
        return net->service->run(net, n);
    for (uint64_t i = 0; i < n && status == HK_OK; i++) {
        if (send(net->socket, net->request, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
            return socket_status(errno);
        status = receive_all(net, net->reply);
    }
    return status;
}

enum hk_status hk_net_verify(struct hk_net *net, uint64_t seed)
{
    uint64_t x = seed;

    for (size_t i = 0; i < net->options.bytes; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
        net->request[i] = (unsigned char)(x >> 56);
    }
    const enum hk_status status = hk_net_run(net, 1);
    if (status != HK_OK)
        return status;
    return memcmp(net->request, net->reply, net->options.bytes) == 0 ? HK_OK : HK_EROW;
}

void hk_net_leave(struct hk_net *net)
{
    const struct hk_net_service *service = net->service;
    struct sockaddr_in to = address_of(server_address(net));

    if (net->socket < 0)
        return;
    if (service->farewell_port != 0)
        to.sin_port = htons(service->farewell_port);
    if (!net->options.stream && service->run == NULL)
        sendto(net->socket, farewell, sizeof farewell, MSG_NOSIGNAL, (struct sockaddr *)&to,
               sizeof to);
    close(net->socket);
    net->socket = -1;
}

/* --- namespaces ------------------------------------------------------------------------------------ */

enum hk_status hk_net_enter_namespace(char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_mount_allow(reason);

    if (status != HK_OK)
        return status;
    if (unshare(CLONE_NEWNET) == 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "no network namespace: %s; run as root", strerror(errno));
    return HK_ENOTSUP;
}

enum hk_status hk_net_socket(const struct hk_net *net, int *fd)
{
    const int one = 1;

    *fd = socket(AF_INET, (net->options.stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return hk_errno_status(errno);
    if (net->options.stream)
        setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return HK_OK;
}

static int present_namespace(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* In the client's namespace: the wire with its far end in the server's, and a socket. */
static enum hk_status open_near_end(const struct hk_net *net, bool rewrites, int far,
                                    int *client, char reason[HK_REASON_BYTES])
{
    const char *device = hk_net_client_device.name;

    enum hk_status status =
        hk_net_veth(&hk_net_client_device, &hk_net_server_device, far, reason);
    if (status == HK_OK)
        status = hk_net_up(device, HK_NET_CLIENT_ADDRESS, reason);
    if (status == HK_OK)
        status = hk_net_neighbour(device, HK_NET_SERVER_ADDRESS, hk_net_server_device.mac, reason);
    if (status == HK_OK && rewrites)
        status = hk_net_checksums(device, reason);
    return status == HK_OK ? hk_net_socket(net, client) : status;
}

enum hk_status hk_net_open_wire(const struct hk_net *net, bool rewrites, bool with_address,
                                int *client, char reason[HK_REASON_BYTES])
{
    enum hk_status status = hk_net_enter_namespace(reason);
    const int near = status == HK_OK ? present_namespace() : -1;

    if (status == HK_OK)
        status = hk_net_enter_namespace(reason);
    const int far = status == HK_OK ? present_namespace() : -1;
    if (status == HK_OK && (near < 0 || far < 0 || setns(near, CLONE_NEWNET) != 0))
        status = HK_EIO;
    if (status == HK_OK)
        status = open_near_end(net, rewrites, far, client, reason);
    if (status == HK_OK && setns(far, CLONE_NEWNET) != 0)
        status = HK_EIO;
    if (status == HK_OK)
        status = hk_net_up(hk_net_server_device.name, with_address ? HK_NET_SERVER_ADDRESS : 0,
                           reason);
    if (near >= 0)
        close(near);
    if (far >= 0)
        close(far);
    return status;
}

/* --- the kernel's stack ------------------------------------------------------------------------------ */

static enum hk_status bind_server(struct hk_net *net, uint32_t address)
{
    const struct sockaddr_in at = address_of(address);
    const enum hk_status status = hk_net_socket(net, &net->server);

    if (status != HK_OK)
        return status;
    if (bind(net->server, (const struct sockaddr *)&at, sizeof at) != 0 ||
        (net->options.stream && listen(net->server, 1) != 0))
        return hk_errno_status(errno);
    return HK_OK;
}

static enum hk_status loopback_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    enum hk_status status = hk_net_enter_namespace(reason);

    if (status == HK_OK)
        status = hk_net_up("lo", 0, reason);
    if (status == HK_OK)
        status = hk_net_socket(net, client);
    return status == HK_OK ? bind_server(net, HK_NET_LOOPBACK_ADDRESS) : status;
}

static enum hk_status veth_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_net_open_wire(net, false, true, client, reason);

    return status == HK_OK ? bind_server(net, HK_NET_SERVER_ADDRESS) : status;
}

static enum hk_status echo_datagrams(int fd)
{
    unsigned char buffer[HK_NET_BYTES_MAX];
    struct sockaddr_in from;

    for (;;) {
        socklen_t length = sizeof from;
        const ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
        if (n < 0)
            return hk_errno_status(errno);
        if (hk_net_is_farewell(buffer, (size_t)n))
            return HK_OK;
        if (sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length) != n)
            return hk_errno_status(errno);
    }
}

static enum hk_status echo_stream(int listener)
{
    const int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    unsigned char buffer[HK_NET_BYTES_MAX];
    ssize_t n;

    if (fd < 0)
        return hk_errno_status(errno);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
            break;
    close(fd);
    return HK_OK;
}

static enum hk_status kernel_serve(struct hk_net *net)
{
    return net->options.stream ? echo_stream(net->server) : echo_datagrams(net->server);
}

const struct hk_net_service hk_net_service_loopback = {
    .name = "kernel",
    .over = "loopback",
    .summary = "both ends in the kernel's stack, over the loopback device",
    .streams = true,
    .syscalls = 2,
    .switches = true,
    .open = loopback_open,
    .serve = kernel_serve,
};

const struct hk_net_service hk_net_service_veth = {
    .name = "kernel",
    .over = "veth",
    .summary = "both ends in the kernel's stack, two namespaces joined by veth",
    .streams = true,
    .syscalls = 2,
    .switches = true,
    .open = veth_open,
    .serve = kernel_serve,
};
