/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HK_ATTACH_TIMEOUT_NS (5ull * HK_NS_PER_S)
#define HK_ATTACH_POLL_NS (50ull * HK_NS_PER_MS)
#define HK_PAUSE_NS (50ull * HK_NS_PER_US)
#define HK_WAKE_INTERVAL_MS 5
#define HK_SPIN_COUNT_DEFAULT 2000
/* Enough for poll() and tgkill(), also with a sanitizer's frames. */
#define HK_WATCH_STACK_BYTES (256u * HK_KIB)

/* Ends a system call of a side whose peer died; glibc keeps the first two for itself. */
static int wake_signal(void)
{
    return SIGRTMIN + 4;
}

static void wake_handler(int signal)
{
    (void)signal;
}

enum hk_status hk_errno_status(int error)
{
    switch (error) {
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
        return HK_ENOMEM;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return HK_ENOTSUP;
    case EPERM:
    case EACCES:
        return HK_EPERM;
    case EMSGSIZE:
    case E2BIG:
        return HK_ETOOBIG;
    case ENOSPC:
        return HK_ENOSPC;
    case EINVAL:
        return HK_EINVAL;
    case EFAULT:
        return HK_EFAULT;
    case ENOTCONN:
    case ECONNABORTED:
        return HK_EPEER;
    default:
        return HK_EIO;
    }
}

/*
 * A call may be interrupted although the peer's last message has come (Unix
 * streams do that): it gets one more chance after the peer's death is known.
 */
static enum hk_status interrupted(const struct hk_link *link, enum hk_side side)
{
    if (!atomic_load_explicit(&hk_link_peer(link, side)->dead, memory_order_acquire))
        return HK_OK;
    if (atomic_exchange(&hk_link_own(link, side)->warned, 1) == 0)
        return HK_OK;
    return hk_link_peer_gone(link, side) ? HK_EPEER : HK_OK;
}

enum hk_status hk_link_error(const struct hk_link *link, enum hk_side side, int error)
{
    switch (error) {
    case EINTR:
        return interrupted(link, side);
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOTCONN:
    case EIDRM:
    case ESRCH:
        atomic_store_explicit(&hk_link_own(link, side)->noticed, 1, memory_order_relaxed);
        return HK_EPEER;
    default:
        return hk_errno_status(error);
    }
}

enum hk_status hk_link_pause(const struct hk_link *link, enum hk_side side)
{
    if (hk_link_peer_gone(link, side))
        return HK_EPEER;
    nanosleep(&(struct timespec){.tv_nsec = HK_PAUSE_NS}, NULL);
    return HK_OK;
}

void hk_fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum hk_status hk_reason_set(char reason[HK_REASON_BYTES], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, HK_REASON_BYTES, format, arguments);
    va_end(arguments);
    return HK_ENOTSUP;
}

enum hk_status hk_transport_probe(const struct hk_transport *transport,
                                  char reason[HK_REASON_BYTES])
{
    return transport->probe ? transport->probe(reason) : HK_OK;
}

enum hk_status hk_link_open(const struct hk_transport *transport,
                            const struct hk_transport_options *options, struct hk_link *link)
{
    struct hk_link opened = {
        .transport = transport, .options = *options, .peer_pidfd = {-1, -1}};
    char reason[HK_REASON_BYTES];

    if (options->message_bytes < 1 || options->message_bytes > transport->message_bytes_max)
        return HK_EINVAL;
    if (hk_transport_probe(transport, reason) != HK_OK)
        return HK_ENOTSUP;
    if (opened.options.spin_count == 0)
        opened.options.spin_count = HK_SPIN_COUNT_DEFAULT;
    void *shared = mmap(NULL, sizeof(struct hk_link_shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return HK_ENOMEM;
    opened.shared = shared;
    enum hk_status status = transport->open ? transport->open(&opened) : HK_OK;
    if (status != HK_OK) {
        if (opened.state && transport->close)
            transport->close(&opened);
        munmap(shared, sizeof(struct hk_link_shared));
        return status;
    }
    *link = opened;
    return HK_OK;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * HK_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
}

/* Sleeps until the peer has attached. */
static enum hk_status wait_for_peer(const struct hk_link *link, enum hk_side side)
{
    struct hk_link_side *peer = hk_link_peer(link, side);
    uint64_t deadline_ns = now_ns() + HK_ATTACH_TIMEOUT_NS;
    struct timespec step = {.tv_nsec = HK_ATTACH_POLL_NS};

    while (!atomic_load_explicit(&peer->attached, memory_order_acquire)) {
        if (hk_link_peer_gone(link, side))
            return HK_EPEER;
        if (now_ns() > deadline_ns)
            return HK_ETIMEOUT;
        syscall(SYS_futex, &peer->attached, FUTEX_WAIT, 0, &step, NULL, 0);
    }
    return HK_OK;
}

static int tgkill_wake(pid_t pid, pid_t tid)
{
    return (int)syscall(SYS_tgkill, pid, tid, wake_signal());
}

/* Leaves the watcher no descriptor but its two: those it inherited would keep ends open. */
static void close_all_but(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b);
    unsigned high = (unsigned)(a < b ? b : a);

    if (low > 0)
        close_range(0, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0u, 0);
}

static void *watch(void *argument)
{
    struct hk_link_watch *w = argument;
    struct pollfd fds[2] = {{.fd = w->stop_fd, .events = POLLIN},
                            {.fd = w->link->peer_pidfd[w->side], .events = POLLIN}};

    if (unshare(CLONE_FILES) == 0)
        close_all_but(fds[0].fd, fds[1].fd);
    while (poll(fds, 2, -1) < 0 || fds[1].revents == 0)
        if (fds[0].revents)
            return NULL;
    atomic_store(&hk_link_peer(w->link, w->side)->dead, 1);
    while (!atomic_load(&hk_link_own(w->link, w->side)->noticed)) {
        tgkill_wake(w->pid, w->tid);
        if (poll(fds, 1, HK_WAKE_INTERVAL_MS) > 0)
            break;
    }
    return NULL;
}

/* Starts the watcher with every signal blocked, so that it never takes one meant for the side. */
static enum hk_status watch_start(struct hk_link *link, enum hk_side side)
{
    struct hk_link_watch *w = calloc(1, sizeof(*w));
    pthread_attr_t attributes;
    sigset_t all, before;

    if (!w)
        return HK_ENOMEM;
    *w = (struct hk_link_watch){
        .link = link, .side = side, .pid = getpid(), .tid = gettid(), .stop_fd = -1};
    w->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (w->stop_fd < 0) {
        free(w);
        return HK_ENOMEM;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, HK_WATCH_STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&w->thread, &attributes, watch, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        hk_fd_close(&w->stop_fd);
        free(w);
        return HK_ENOMEM;
    }
    link->watch[side] = w;
    return HK_OK;
}

static void watch_stop(struct hk_link *link, enum hk_side side)
{
    struct hk_link_watch *w = link->watch[side];

    link->watch[side] = NULL;
    /* A process forked from an attached side has the record but not the thread. */
    if (!w || w->pid != getpid())
        return;
    eventfd_write(w->stop_fd, 1);
    pthread_join(w->thread, NULL);
    hk_fd_close(&w->stop_fd);
    free(w);
}

static void wake_signal_enable(void)
{
    struct sigaction action = {.sa_handler = wake_handler}; /* no SA_RESTART: calls must end */
    sigset_t set;

    sigaction(wake_signal(), &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, wake_signal());
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum hk_status hk_link_attach(struct hk_link *link, enum hk_side side)
{
    struct hk_link_side *own = hk_link_own(link, side);
    bool threads = link->transport->flags & HK_TRANSPORT_THREADS;

    if (link->transport->flags & HK_TRANSPORT_LOCAL)
        return HK_OK;
    wake_signal_enable();
    atomic_store(&own->pid, (uint32_t)getpid());
    atomic_store(&own->tid, (uint32_t)gettid());
    atomic_store(&own->cpu, (uint32_t)sched_getcpu());
    if (link->transport->attach) {
        enum hk_status status = link->transport->attach(link, side);
        if (status != HK_OK)
            return status;
    }
    atomic_store_explicit(&own->attached, 1, memory_order_release);
    futex_wake_all(&own->attached);

    enum hk_status status = wait_for_peer(link, side);
    if (status != HK_OK || threads)
        return status;
    pid_t peer = (pid_t)atomic_load(&hk_link_peer(link, side)->pid);
    link->peer_pidfd[side] = (int)syscall(SYS_pidfd_open, peer, 0);
    if (link->peer_pidfd[side] < 0)
        return errno == ESRCH ? HK_EPEER : hk_errno_status(errno);
    return watch_start(link, side);
}

void hk_link_mark_dead(struct hk_link *link, enum hk_side side)
{
    struct hk_link_side *dead = &link->shared->sides[side];
    struct hk_link_side *other = hk_link_peer(link, side);

    atomic_store(&dead->dead, 1);
    futex_wake_all(&dead->attached);
    /* Between processes the watcher does the rest. */
    if (!(link->transport->flags & HK_TRANSPORT_THREADS))
        return;
    for (int ms = 0; ms < HK_PEER_TIMEOUT_MS && !atomic_load(&other->noticed); ms++) {
        pid_t tid = (pid_t)atomic_load(&other->tid);
        if (tid == 0 || tgkill_wake(getpid(), tid) != 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = HK_NS_PER_MS}, NULL);
    }
}

bool hk_link_peer_alive(const struct hk_link *link, enum hk_side side)
{
    struct pollfd fd = {.fd = link->peer_pidfd[side], .events = POLLIN};

    if (link->transport->flags & HK_TRANSPORT_LOCAL)
        return true;
    if (atomic_load(&hk_link_peer(link, side)->dead))
        return false;
    return fd.fd < 0 || poll(&fd, 1, 0) == 0;
}

enum hk_status hk_link_call(struct hk_link *link, const void *request, size_t request_bytes,
                            void *reply, size_t capacity, size_t *reply_bytes)
{
    if (request_bytes > link->options.message_bytes)
        return HK_ETOOBIG;
    if (link->transport->call)
        return link->transport->call(link, request, request_bytes, reply, capacity, reply_bytes);
    enum hk_status status = link->transport->send(link, HK_CLIENT, request, request_bytes);
    if (status != HK_OK)
        return status;
    return link->transport->receive(link, HK_CLIENT, reply, capacity, reply_bytes);
}

/* The client has said that no request follows. A caller that waits gets an empty reply. */
static enum hk_status serve_end(struct hk_link *link, const void *buffer)
{
    if (link->transport->flags & HK_TRANSPORT_CALL_ONLY)
        link->transport->send(link, HK_SERVER, buffer, 0);
    return HK_OK;
}

enum hk_status hk_link_serve(struct hk_link *link, void *buffer, size_t capacity,
                             hk_transport_handler *handler, void *context)
{
    const struct hk_transport *transport = link->transport;
    const _Atomic uint32_t *finished = &link->shared->finished;
    size_t bytes;

    for (;;) {
        enum hk_status status = transport->receive(link, HK_SERVER, buffer, capacity, &bytes);
        /* A client that ended in order sent an empty message last; it may have exited since. */
        if (status == HK_EPEER)
            return atomic_load(finished) ? HK_OK : HK_EPEER;
        if (status != HK_OK)
            return status;
        if (bytes == 0 && atomic_load_explicit(finished, memory_order_relaxed))
            return serve_end(link, buffer);
        status = handler(context, buffer, capacity, bytes, &bytes);
        if (status != HK_OK)
            return status;
        if (bytes > link->options.message_bytes)
            return HK_ETOOBIG;
        status = transport->send(link, HK_SERVER, buffer, bytes);
        if (status != HK_OK)
            return status;
    }
}

enum hk_status hk_link_finish(struct hk_link *link)
{
    unsigned char nothing[HK_CACHE_LINE_BYTES];
    size_t bytes;

    if (link->transport->flags & HK_TRANSPORT_LOCAL)
        return HK_OK;
    atomic_store(&link->shared->finished, 1);
    if (link->transport->flags & HK_TRANSPORT_CALL_ONLY)
        return hk_link_call(link, nothing, 0, nothing, sizeof(nothing), &bytes);
    return link->transport->send(link, HK_CLIENT, nothing, 0);
}

void hk_link_close(struct hk_link *link)
{
    for (int side = HK_CLIENT; side <= HK_SERVER; side++) {
        watch_stop(link, (enum hk_side)side);
        hk_fd_close(&link->peer_pidfd[side]);
    }
    if (link->state && link->transport->close)
        link->transport->close(link);
    link->state = NULL;
    if (link->shared)
        munmap(link->shared, sizeof(struct hk_link_shared));
    link->shared = NULL;
}
