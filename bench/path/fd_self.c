/* SPDX-License-Identifier: MIT */
/*
 * One process that writes to a descriptor and reads the same bytes back: the
 * kernel entry of the transport over that type of file, without a second process
 * and without a switch.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "paths.h"

struct fd_state {
    int write_fd;
    int read_fd;
    struct hk_path_buffers buffers;
};

/* Owns the descriptors from now on, also when it fails. */
static enum hk_status fd_state_create(const struct hk_path_options *options, int write_fd,
                                      int read_fd, void **state)
{
    struct fd_state *s = calloc(1, sizeof(*s));
    enum hk_status status = s ? hk_path_buffers_init(&s->buffers, options->bytes) : HK_ENOMEM;

    if (status != HK_OK) {
        close(write_fd);
        if (read_fd != write_fd)
            close(read_fd);
        free(s);
        return status;
    }
    s->write_fd = write_fd;
    s->read_fd = read_fd;
    *state = s;
    return HK_OK;
}

static void fd_close(void *state)
{
    struct fd_state *s = state;

    close(s->write_fd);
    if (s->read_fd != s->write_fd)
        close(s->read_fd);
    hk_path_buffers_fini(&s->buffers);
    free(s);
}

static enum hk_status fd_verify(void *state)
{
    const struct fd_state *s = state;

    return hk_path_buffers_verify(&s->buffers);
}

static enum hk_status stream_run(void *state, uint64_t n)
{
    const struct fd_state *s = state;
    const size_t bytes = s->buffers.bytes;

    for (uint64_t i = 0; i < n; i++) {
        if (write(s->write_fd, s->buffers.out, bytes) != (ssize_t)bytes)
            return HK_EIO;
        size_t got = 0;
        do {
            ssize_t r = read(s->read_fd, s->buffers.in + got, bytes - got);
            if (r < 0 || (r == 0 && bytes > 0))
                return HK_EIO;
            got += (size_t)r;
        } while (got < bytes);
    }
    return HK_OK;
}

static enum hk_status packet_run(void *state, uint64_t n)
{
    const struct fd_state *s = state;
    const size_t bytes = s->buffers.bytes;

    for (uint64_t i = 0; i < n; i++) {
        if (send(s->write_fd, s->buffers.out, bytes, 0) != (ssize_t)bytes)
            return hk_errno_status(errno);
        if (recv(s->read_fd, s->buffers.in, bytes, 0) != (ssize_t)bytes)
            return errno == EAGAIN ? HK_ETIMEOUT : HK_EIO;
    }
    return HK_OK;
}

/* A datagram that the kernel drops must not hang the caller; costs nothing while none is lost. */
static void receive_within_a_second(int fd)
{
    struct timeval second = {.tv_sec = 1};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
}

/* What a pipe and the socket buffers hold by default, so that the writer never sleeps. */
#define SELF_BYTES_MAX (64 * HK_KIB)

static enum hk_status pipe_open(const struct hk_path_options *options, void **state)
{
    int fds[2];

    if (options->bytes > SELF_BYTES_MAX)
        return HK_EINVAL;
    if (pipe(fds) != 0)
        return hk_errno_status(errno);
    return fd_state_create(options, fds[1], fds[0], state);
}

static enum hk_status unix_open(const struct hk_path_options *options, int type, void **state)
{
    int fds[2];

    if (options->bytes > SELF_BYTES_MAX)
        return HK_EINVAL;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        return hk_errno_status(errno);
    return fd_state_create(options, fds[0], fds[1], state);
}

static enum hk_status unix_stream_open(const struct hk_path_options *options, void **state)
{
    return unix_open(options, SOCK_STREAM, state);
}

static enum hk_status unix_dgram_open(const struct hk_path_options *options, void **state)
{
    return unix_open(options, SOCK_DGRAM, state);
}

static enum hk_status unix_seqpacket_open(const struct hk_path_options *options, void **state)
{
    return unix_open(options, SOCK_SEQPACKET, state);
}

/* Less than the send buffer that a TCP socket starts with. */
#define TCP_BYTES_MAX (8 * HK_KIB)

static enum hk_status tcp_open(const struct hk_path_options *options, void **state)
{
    int fds[2];

    if (options->bytes > TCP_BYTES_MAX)
        return HK_EINVAL;
    enum hk_status status = hk_loopback_connect(fds);
    if (status != HK_OK)
        return status;
    /* One read brings the whole payload, however it was cut. */
    int low = (int)options->bytes;
    if (low > 0)
        setsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
    return fd_state_create(options, fds[0], fds[1], state);
}

static enum hk_status tcp_probe(char reason[HK_REASON_BYTES])
{
    int fds[2];

    if (hk_loopback_connect(fds) != HK_OK)
        return hk_path_refuse(reason, "no TCP over 127.0.0.1: ip link set lo up");
    close(fds[0]);
    close(fds[1]);
    return HK_OK;
}

#define UDP_BYTES_MAX 65507u /* IPv4's largest payload */

static enum hk_status udp_open(const struct hk_path_options *options, void **state)
{
    struct sockaddr_in address;
    int fd;

    if (options->bytes > UDP_BYTES_MAX)
        return HK_EINVAL;
    enum hk_status status = hk_loopback_socket(SOCK_DGRAM, &address, &fd);
    if (status != HK_OK)
        return status;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return HK_ENOTSUP;
    }
    receive_within_a_second(fd);
    return fd_state_create(options, fd, fd, state);
}

static enum hk_status udp_probe(char reason[HK_REASON_BYTES])
{
    struct sockaddr_in address;
    int fd;

    if (hk_loopback_socket(SOCK_DGRAM, &address, &fd) != HK_OK)
        return hk_path_refuse(reason, "no UDP over 127.0.0.1: ip link set lo up");
    close(fd);
    return HK_OK;
}

/* IPv4's largest payload less the echo header. */
#define ICMP_BYTES_MAX 65499u

static enum hk_status icmp_socket(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int opened = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

    if (opened < 0)
        return hk_errno_status(errno);
    if (connect(opened, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(opened);
        return HK_ENOTSUP;
    }
    receive_within_a_second(opened);
    *fd = opened;
    return HK_OK;
}

static enum hk_status icmp_open(const struct hk_path_options *options, void **state)
{
    const struct hk_path_options with_header = {.bytes = options->bytes + sizeof(struct icmphdr)};
    const struct icmphdr header = {.type = ICMP_ECHO};
    int fd;

    if (options->bytes > ICMP_BYTES_MAX)
        return HK_EINVAL;
    enum hk_status status = icmp_socket(&fd);
    if (status == HK_OK)
        status = fd_state_create(&with_header, fd, fd, state);
    if (status == HK_OK)
        memcpy(((struct fd_state *)*state)->buffers.out, &header, sizeof(header));
    return status;
}

static enum hk_status icmp_verify(void *state)
{
    const struct fd_state *s = state;
    const size_t header = sizeof(struct icmphdr);

    if (s->buffers.in[0] != ICMP_ECHOREPLY)
        return HK_EROW;
    return memcmp(s->buffers.in + header, s->buffers.out + header, s->buffers.bytes - header) == 0
               ? HK_OK
               : HK_EROW;
}

static enum hk_status icmp_probe(char reason[HK_REASON_BYTES])
{
    int fd;

    if (icmp_socket(&fd) != HK_OK)
        return hk_path_refuse(reason, "ping sockets are not allowed; "
                                      "sysctl net.ipv4.ping_group_range='0 2147483647'");
    close(fd);
    return HK_OK;
}

static enum hk_status eventfd_open(const struct hk_path_options *options, void **state)
{
    const struct hk_path_options count = {.bytes = sizeof(uint64_t)};

    if (options->bytes > 0)
        return HK_EINVAL;
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0)
        return hk_errno_status(errno);
    enum hk_status status = fd_state_create(&count, fd, fd, state);
    if (status == HK_OK)
        /* Any count but the largest, which the kernel refuses. */
        ((struct fd_state *)*state)->buffers.out[7] = 0x23;
    return status;
}

#define FD_ROW(row, text, of, max, row_probe, row_open, row_run, row_verify)                      \
    const struct hk_path hk_path_##row = {                                                        \
        .name = #row,                                                                             \
        .summary = text,                                                                          \
        .transport = of,                                                                          \
        .bytes_max = max,                                                                         \
        .syscalls = 2,                                                                            \
        .probe = row_probe,                                                                       \
        .open = row_open,                                                                         \
        .run = row_run,                                                                           \
        .verify = row_verify,                                                                     \
        .close = fd_close,                                                                        \
    }

FD_ROW(pipe_self, "write to and read from one's own pipe", "pipe", SELF_BYTES_MAX, NULL, pipe_open,
       stream_run, fd_verify);
FD_ROW(unix_stream_self, "write and read over one's own Unix stream pair", "unix_stream",
       SELF_BYTES_MAX, NULL, unix_stream_open, stream_run, fd_verify);
FD_ROW(unix_dgram_self, "send and receive over one's own Unix datagram pair", "unix_dgram",
       SELF_BYTES_MAX, NULL, unix_dgram_open, packet_run, fd_verify);
FD_ROW(unix_seqpacket_self, "send and receive over one's own Unix packet pair", "unix_seqpacket",
       SELF_BYTES_MAX, NULL, unix_seqpacket_open, packet_run, fd_verify);
FD_ROW(tcp_self, "write and read over one's own TCP connection", "tcp", TCP_BYTES_MAX, tcp_probe,
       tcp_open, stream_run, fd_verify);
FD_ROW(udp_self, "a UDP socket connected to itself: the kernel's stack returns the datagram", "udp",
       UDP_BYTES_MAX, udp_probe, udp_open, packet_run, fd_verify);
FD_ROW(icmp_echo, "an echo request answered inside the kernel", "udp", ICMP_BYTES_MAX, icmp_probe,
       icmp_open, packet_run, icmp_verify);
FD_ROW(eventfd_self, "write and read of one's own eventfd", "eventfd_shm", 0, NULL, eventfd_open,
       stream_run, fd_verify);
