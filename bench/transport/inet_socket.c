/* SPDX-License-Identifier: MIT */
/* TCP without Nagle's delay, and connected UDP sockets, both over the loopback device. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket_pair.h"
#include "transports.h"

enum hk_status hk_loopback_socket(int type, struct sockaddr_in *address, int *fd)
{
    struct sockaddr_in bound = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(bound);
    int opened = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (opened < 0)
        return hk_errno_status(errno);
    if (bind(opened, (struct sockaddr *)&bound, length) != 0 ||
        getsockname(opened, (struct sockaddr *)&bound, &length) != 0) {
        hk_fd_close(&opened);
        return HK_ENOTSUP;
    }
    *address = bound;
    *fd = opened;
    return HK_OK;
}

enum hk_status hk_loopback_connect(int fds[2])
{
    struct sockaddr_in address;
    int listener, ends[2] = {-1, -1};
    int one = 1;
    enum hk_status status = hk_loopback_socket(SOCK_STREAM, &address, &listener);

    if (status != HK_OK)
        return status;
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ends[0] >= 0 && listen(listener, 1) == 0 &&
        connect(ends[0], (struct sockaddr *)&address, sizeof(address)) == 0)
        ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    hk_fd_close(&listener);
    if (ends[1] < 0) {
        hk_fd_close(&ends[0]);
        return HK_ENOTSUP;
    }
    for (int side = 0; side < 2; side++) {
        setsockopt(ends[side], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        fds[side] = ends[side];
    }
    return HK_OK;
}

static enum hk_status tcp_probe(char reason[HK_REASON_BYTES])
{
    int fds[2];

    if (hk_loopback_connect(fds) != HK_OK)
        return hk_reason_set(reason, "no TCP over 127.0.0.1: bring the loopback device up "
                                     "(ip link set lo up)");
    hk_fd_close(&fds[0]);
    hk_fd_close(&fds[1]);
    return HK_OK;
}

static enum hk_status tcp_open(struct hk_link *link)
{
    int fds[2];
    enum hk_status status = hk_loopback_connect(fds);

    return status == HK_OK ? hk_socket_pair_open(link, fds) : status;
}

static enum hk_status udp_connect(int fds[2])
{
    struct sockaddr_in addresses[2];
    enum hk_status status;

    fds[0] = fds[1] = -1;
    status = hk_loopback_socket(SOCK_DGRAM, &addresses[0], &fds[0]);
    if (status == HK_OK)
        status = hk_loopback_socket(SOCK_DGRAM, &addresses[1], &fds[1]);
    for (int side = 0; side < 2 && status == HK_OK; side++)
        if (connect(fds[side], (struct sockaddr *)&addresses[!side], sizeof(addresses[0])) != 0)
            status = HK_ENOTSUP;
    if (status != HK_OK) {
        hk_fd_close(&fds[0]);
        hk_fd_close(&fds[1]);
    }
    return status;
}

static enum hk_status udp_probe(char reason[HK_REASON_BYTES])
{
    int fds[2];

    if (udp_connect(fds) != HK_OK)
        return hk_reason_set(reason, "no UDP over 127.0.0.1: bring the loopback device up "
                                     "(ip link set lo up)");
    hk_fd_close(&fds[0]);
    hk_fd_close(&fds[1]);
    return HK_OK;
}

static enum hk_status udp_open(struct hk_link *link)
{
    int fds[2];
    enum hk_status status = udp_connect(fds);

    return status == HK_OK ? hk_socket_pair_open(link, fds) : status;
}

/* UDP drops what the receiver has no room for; credit keeps it from getting there. */
static uint32_t udp_window(const struct hk_link *link)
{
    /* Half of a default receive buffer; a short datagram is booked as some 2 KiB. */
    size_t window = 104 * HK_KIB / (link->options.message_bytes + 2048);

    return window < 1 ? 1 : (uint32_t)window;
}

static enum hk_status udp_send(struct hk_link *link, enum hk_side side, const void *data,
                               size_t bytes)
{
    struct hk_socket_pair *state = link->state;
    struct hk_credit *credit = &state->credits[side];
    enum hk_status status = hk_credit_wait(link, side, credit, udp_window(link));

    if (status == HK_OK)
        status = hk_socket_packet_send(link, side, data, bytes);
    if (status == HK_OK)
        credit->sent++;
    return status;
}

static enum hk_status udp_receive(struct hk_link *link, enum hk_side side, void *data,
                                  size_t capacity, size_t *bytes)
{
    struct hk_socket_pair *state = link->state;
    enum hk_status status = hk_socket_packet_receive(link, side, data, capacity, bytes);

    if (status == HK_OK)
        hk_credit_take(link, side, &state->credits[side]);
    return status;
}

const struct hk_transport hk_transport_tcp = {
    .name = "tcp",
    .summary = "TCP over loopback, TCP_NODELAY",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = tcp_probe,
    .open = tcp_open,
    .attach = hk_socket_pair_attach,
    .send = hk_socket_stream_send,
    .receive = hk_socket_stream_receive,
    .close = hk_socket_pair_close,
};

const struct hk_transport hk_transport_udp = {
    .name = "udp",
    .summary = "connected UDP sockets over loopback",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = 65507, /* IPv4's largest payload */
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = udp_probe,
    .open = udp_open,
    .attach = hk_socket_pair_attach,
    .send = udp_send,
    .receive = udp_receive,
    .close = hk_socket_pair_close,
};
