/* SPDX-License-Identifier: MIT */
/* A pair of connected Unix sockets, of each of the three types. */
#include <errno.h>
#include <sys/socket.h>

#include "socket_pair.h"
#include "transports.h"

/* What a default installation's socket buffers (208 KiB) hold in one message. */
#define PACKET_BYTES_MAX (128 * HK_KIB)

static enum hk_status open_pair(struct hk_link *link, int type)
{
    int fds[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        return hk_errno_status(errno);
    hk_socket_room(fds[0], link->options.message_bytes);
    hk_socket_room(fds[1], link->options.message_bytes);
    return hk_socket_pair_open(link, fds);
}

static enum hk_status stream_open(struct hk_link *link)
{
    return open_pair(link, SOCK_STREAM);
}

static enum hk_status dgram_open(struct hk_link *link)
{
    return open_pair(link, SOCK_DGRAM);
}

static enum hk_status seqpacket_open(struct hk_link *link)
{
    return open_pair(link, SOCK_SEQPACKET);
}

/*
 * On one CPU a stream's round trip has two to four switches: its sender is also
 * woken when the receiver has consumed the data.
 */
const struct hk_transport hk_transport_unix_stream = {
    .name = "unix_stream",
    .summary = "Unix stream socket pair: send and recv",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 4.1,
              .cross_core_switches_max = 4.1,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = stream_open,
    .attach = hk_socket_pair_attach,
    .send = hk_socket_stream_send,
    .receive = hk_socket_stream_receive,
    .close = hk_socket_pair_close,
};

const struct hk_transport hk_transport_unix_dgram = {
    .name = "unix_dgram",
    .summary = "Unix datagram socket pair: send and recv",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = PACKET_BYTES_MAX,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = dgram_open,
    .attach = hk_socket_pair_attach,
    .send = hk_socket_packet_send,
    .receive = hk_socket_packet_receive,
    .close = hk_socket_pair_close,
};

const struct hk_transport hk_transport_unix_seqpacket = {
    .name = "unix_seqpacket",
    .summary = "Unix sequenced-packet socket pair: send and recv",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = PACKET_BYTES_MAX,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = seqpacket_open,
    .attach = hk_socket_pair_attach,
    .send = hk_socket_packet_send,
    .receive = hk_socket_packet_receive,
    .close = hk_socket_pair_close,
};
