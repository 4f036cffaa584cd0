/* SPDX-License-Identifier: MIT */
/*
 * Real-time signals with up to eight bytes in their value, received by
 * sigwaitinfo or through a signalfd. The length travels in si_errno, which the
 * kernel carries and does not read. Signals are sent to the peer's thread, so
 * that no other thread takes them.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "link.h"
#include "transports.h"

struct signal_state {
    int fd;          /* signalfd of this side; -1 for sigwaitinfo */
    sigset_t set;    /* the one signal of this side's messages */
    bool is_blocked; /* by us, in this process */
};

/* Both directions have a signal of their own: a server may be the client of another link. */
static int message_signal(enum hk_side receiver)
{
    return SIGRTMIN + 5 + (int)receiver;
}

static enum hk_status signal_open(struct hk_link *link)
{
    struct signal_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    state->fd = -1;
    link->state = state;
    return HK_OK;
}

/* Before the peer may send: an unblocked signal without a handler would end this process. */
static enum hk_status signal_attach(struct hk_link *link, enum hk_side side)
{
    struct signal_state *state = link->state;
    sigset_t before;

    sigemptyset(&state->set);
    sigaddset(&state->set, message_signal(side));
    pthread_sigmask(SIG_BLOCK, &state->set, &before);
    state->is_blocked = !sigismember(&before, message_signal(side));
    return HK_OK;
}

static enum hk_status signalfd_attach(struct hk_link *link, enum hk_side side)
{
    struct signal_state *state = link->state;

    signal_attach(link, side);
    state->fd = signalfd(-1, &state->set, SFD_CLOEXEC);
    return state->fd >= 0 ? HK_OK : hk_errno_status(errno);
}

static enum hk_status signal_send(struct hk_link *link, enum hk_side side, const void *data,
                                  size_t bytes)
{
    const struct hk_link_side *peer = hk_link_peer(link, side);
    siginfo_t info = {.si_signo = message_signal(hk_side_other(side)), .si_code = SI_QUEUE};

    info.si_errno = (int)bytes;
    memcpy(&info.si_value, data, bytes);
    while (syscall(SYS_rt_tgsigqueueinfo, atomic_load_explicit(&peer->pid, memory_order_relaxed),
                   atomic_load_explicit(&peer->tid, memory_order_relaxed), info.si_signo,
                   &info) != 0) {
        /* EAGAIN: the user's limit of queued signals, and no call waits for that. */
        enum hk_status status =
            errno == EAGAIN ? hk_link_pause(link, side) : hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status deliver(const void *value, int length, void *data, size_t capacity,
                              size_t *bytes)
{
    if (length < 0 || (size_t)length > sizeof(union sigval))
        return HK_EPARSE;
    if ((size_t)length > capacity)
        return HK_ETOOBIG;
    memcpy(data, value, (size_t)length);
    *bytes = (size_t)length;
    return HK_OK;
}

static enum hk_status signal_receive(struct hk_link *link, enum hk_side side, void *data,
                                     size_t capacity, size_t *bytes)
{
    struct signal_state *state = link->state;
    siginfo_t info;

    while (sigwaitinfo(&state->set, &info) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return deliver(&info.si_value, info.si_errno, data, capacity, bytes);
}

static enum hk_status signalfd_receive(struct hk_link *link, enum hk_side side, void *data,
                                       size_t capacity, size_t *bytes)
{
    struct signal_state *state = link->state;
    struct signalfd_siginfo info;

    while (read(state->fd, &info, sizeof(info)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return deliver(&info.ssi_ptr, info.ssi_errno, data, capacity, bytes);
}

static void signal_close(struct hk_link *link)
{
    struct signal_state *state = link->state;

    if (state->is_blocked) {
        /* What still waits would be delivered, and that ends the process. */
        while (sigtimedwait(&state->set, NULL, &(struct timespec){0}) > 0)
            continue;
        pthread_sigmask(SIG_UNBLOCK, &state->set, NULL);
    }
    hk_fd_close(&state->fd);
    free(state);
}

const struct hk_transport hk_transport_rt_signal = {
    .name = "rt_signal",
    .summary = "real-time signals: rt_tgsigqueueinfo and sigwaitinfo; at most 8 bytes",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = sizeof(union sigval),
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = signal_open,
    .attach = signal_attach,
    .send = signal_send,
    .receive = signal_receive,
    .close = signal_close,
};

const struct hk_transport hk_transport_signalfd = {
    .name = "signalfd",
    .summary = "real-time signals read from a signalfd; at most 8 bytes",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = sizeof(union sigval),
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = signal_open,
    .attach = signalfd_attach,
    .send = signal_send,
    .receive = signalfd_receive,
    .close = signal_close,
};
