/* SPDX-License-Identifier: MIT */
/*
 * io_uring over a pair of Unix packet sockets. A client's call submits the send
 * and the receive together and waits once: one system call. With SQPOLL a
 * kernel thread takes submissions, and the one call left is for waiting.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "socket_pair.h"
#include "transports.h"

/* What a default installation's socket buffers hold in one message. */
#define PACKET_BYTES_MAX (128 * HK_KIB)
#define RING_ENTRIES 8
/* How long the kernel's thread polls for more; then a submission has to wake it. */
#define POLL_IDLE_MS 20

enum operation { OPERATION_SEND, OPERATION_RECEIVE, OPERATION_COUNT };

struct uring_state {
    struct hk_socket_pair pair; /* first: the sockets' own functions work on it */
    struct io_uring ring;
    bool has_ring;
    bool polled;
};

static int ring_init(struct io_uring *ring, bool polled)
{
    struct io_uring_params polling = {.flags = IORING_SETUP_SQPOLL,
                                      .sq_thread_idle = POLL_IDLE_MS};
    struct io_uring_params fast = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                            IORING_SETUP_DEFER_TASKRUN};

    if (polled)
        return io_uring_queue_init_params(RING_ENTRIES, ring, &polling);
    if (io_uring_queue_init_params(RING_ENTRIES, ring, &fast) == 0)
        return 0;
    /* Before Linux 6.1. */
    return io_uring_queue_init(RING_ENTRIES, ring, 0);
}

static enum hk_status probe(char reason[HK_REASON_BYTES], bool polled)
{
    struct io_uring ring;

    if (ring_init(&ring, polled) < 0)
        return hk_reason_set(reason, "io_uring is refused: sysctl kernel.io_uring_disabled=0, and "
                                     "a container that lets it through");
    io_uring_queue_exit(&ring);
    return HK_OK;
}

static enum hk_status plain_probe(char reason[HK_REASON_BYTES])
{
    return probe(reason, false);
}

static enum hk_status polled_probe(char reason[HK_REASON_BYTES])
{
    return probe(reason, true);
}

static enum hk_status uring_open(struct hk_link *link, bool polled)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return hk_errno_status(errno);
    hk_socket_room(fds[0], link->options.message_bytes);
    hk_socket_room(fds[1], link->options.message_bytes);
    enum hk_status status = hk_socket_pair_open(link, fds);
    if (status != HK_OK)
        return status;
    struct uring_state *state = realloc(link->state, sizeof(*state));
    if (!state)
        return HK_ENOMEM;
    state->has_ring = false;
    state->polled = polled;
    link->state = state;
    return HK_OK;
}

static enum hk_status plain_open(struct hk_link *link)
{
    return uring_open(link, false);
}

static enum hk_status polled_open(struct hk_link *link)
{
    return uring_open(link, true);
}

/* The ring belongs to one process: made after the sides have parted. */
static enum hk_status uring_attach(struct hk_link *link, enum hk_side side)
{
    struct uring_state *state = link->state;
    int error = ring_init(&state->ring, state->polled);

    if (error < 0)
        return hk_errno_status(-error);
    state->has_ring = true;
    return hk_socket_pair_attach(link, side);
}

static void prepare(struct uring_state *state, enum operation operation, int fd, const void *data,
                    size_t bytes)
{
    /* Never full: at most OPERATION_COUNT are under way. */
    struct io_uring_sqe *entry = io_uring_get_sqe(&state->ring);

    if (operation == OPERATION_SEND)
        io_uring_prep_send(entry, fd, data, bytes, MSG_NOSIGNAL);
    else
        io_uring_prep_recv(entry, fd, (void *)(uintptr_t)data, bytes, 0);
    io_uring_sqe_set_data64(entry, (uint64_t)operation);
}

/* Submits what is prepared and waits for `count` results. */
static enum hk_status submit(struct hk_link *link, enum hk_side side, unsigned count,
                             int results[OPERATION_COUNT])
{
    struct uring_state *state = link->state;
    struct io_uring_cqe *done;
    int n = io_uring_submit_and_wait(&state->ring, count);

    if (n < 0 && n != -EINTR)
        return hk_errno_status(-n);
    while (count > 0) {
        int error = io_uring_wait_cqe(&state->ring, &done);
        if (error == 0) {
            results[io_uring_cqe_get_data64(done) % OPERATION_COUNT] = done->res;
            io_uring_cqe_seen(&state->ring, done);
            count--;
            continue;
        }
        enum hk_status status = hk_link_error(link, side, -error);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status uring_send(struct hk_link *link, enum hk_side side, const void *data,
                                 size_t bytes)
{
    struct uring_state *state = link->state;
    int results[OPERATION_COUNT] = {-EINTR, 0};
    enum hk_status status = HK_OK;

    while (results[OPERATION_SEND] < 0 && status == HK_OK) {
        prepare(state, OPERATION_SEND, state->pair.fds[side], data, bytes);
        status = submit(link, side, 1, results);
        if (status == HK_OK && results[OPERATION_SEND] < 0)
            status = hk_link_error(link, side, -results[OPERATION_SEND]);
    }
    return status;
}

static enum hk_status received(struct hk_link *link, enum hk_side side, int result, size_t *bytes)
{
    const struct uring_state *state = link->state;

    if (result < 0)
        return hk_link_error(link, side, -result);
    if (result == 0 && hk_socket_hung_up(state->pair.fds[side]))
        return HK_EPEER;
    *bytes = (size_t)result;
    return HK_OK;
}

static enum hk_status uring_receive(struct hk_link *link, enum hk_side side, void *data,
                                    size_t capacity, size_t *bytes)
{
    struct uring_state *state = link->state;
    int results[OPERATION_COUNT] = {0, -EINTR};
    enum hk_status status = HK_OK;

    while (results[OPERATION_RECEIVE] < 0 && status == HK_OK) {
        prepare(state, OPERATION_RECEIVE, state->pair.fds[side], data, capacity);
        status = submit(link, side, 1, results);
        if (status == HK_OK)
            status = received(link, side, results[OPERATION_RECEIVE], bytes);
    }
    return status;
}

static enum hk_status uring_call(struct hk_link *link, const void *request, size_t request_bytes,
                                 void *reply, size_t capacity, size_t *reply_bytes)
{
    struct uring_state *state = link->state;
    int fd = state->pair.fds[HK_CLIENT];
    int results[OPERATION_COUNT];

    prepare(state, OPERATION_SEND, fd, request, request_bytes);
    prepare(state, OPERATION_RECEIVE, fd, reply, capacity);
    enum hk_status status = submit(link, HK_CLIENT, OPERATION_COUNT, results);
    if (status != HK_OK)
        return status;
    if (results[OPERATION_SEND] < 0)
        status = hk_link_error(link, HK_CLIENT, -results[OPERATION_SEND]);
    if (status == HK_OK)
        status = received(link, HK_CLIENT, results[OPERATION_RECEIVE], reply_bytes);
    return status;
}

static void uring_close(struct hk_link *link)
{
    struct uring_state *state = link->state;

    if (state->has_ring)
        io_uring_queue_exit(&state->ring);
    hk_socket_pair_close(link);
}

const struct hk_transport hk_transport_io_uring = {
    .name = "io_uring",
    .summary = "io_uring over Unix packet sockets: send and receive in one submission",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = PACKET_BYTES_MAX,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 1,
              .client_syscalls_max = 1,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = plain_probe,
    .open = plain_open,
    .attach = uring_attach,
    .send = uring_send,
    .receive = uring_receive,
    .call = uring_call,
    .close = uring_close,
};

const struct hk_transport hk_transport_io_uring_sqpoll = {
    .name = "io_uring_sqpoll",
    .summary = "the same with kernel threads that poll for submissions",
    .flags = HK_TRANSPORT_DATAGRAM | HK_TRANSPORT_TWO_CPUS,
    .message_bytes_max = PACKET_BYTES_MAX,
    /*
     * More calls where the kernel's thread has gone to sleep meanwhile; whether its
     * switches count as the process's depends on who counts.
     */
    .claim = {.same_core_switches_min = -1,
              .same_core_switches_max = -1,
              .cross_core_switches_max = -1,
              .client_syscalls_min = 1,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 4},
    .probe = polled_probe,
    .open = polled_open,
    .attach = uring_attach,
    .send = uring_send,
    .receive = uring_receive,
    .call = uring_call,
    .close = uring_close,
};
