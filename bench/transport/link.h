/* SPDX-License-Identifier: MIT */
/*
 * What transports and the generic link code share, private to this folder.
 *
 * Death of the peer. Each attached process has one watcher thread that sleeps
 * on the peer's pidfd. When the peer dies it sets the peer's `dead` word and
 * sends this side's thread a signal with an empty handler, again and again
 * until the side has noticed, so that whatever system call it sleeps in ends
 * with EINTR. Nothing of this is on the timed path: transports use their plain
 * blocking calls, without timeouts, and ask hk_link_peer_gone() only when a
 * call was interrupted or a spin has lasted long. The watcher keeps a file
 * table of its own, so that descriptors of the side stay unshared and cheap.
 */
#ifndef HK_TRANSPORT_LINK_H
#define HK_TRANSPORT_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "hk/transport/transport.h"

/* Two lines apart, because adjacent-line prefetchers pair lines. */
#define HK_APART (2 * HK_CACHE_LINE_BYTES)

struct hk_link_side {
    _Alignas(HK_APART) _Atomic uint32_t attached; /* futex word */
    _Atomic uint32_t pid;
    _Atomic uint32_t tid;
    _Atomic uint32_t cpu;     /* where it was last seen; for spins that share a CPU */
    _Atomic uint32_t dead;    /* set by the peer's watcher or by the parent */
    _Atomic uint32_t warned;  /* one interrupted call was repeated after the peer's death */
    _Atomic uint32_t noticed; /* this side knows that its peer is dead */
    _Alignas(HK_APART) _Atomic uint32_t consumed; /* messages taken; credit for the peer */
};

struct hk_link_shared {
    struct hk_link_side sides[2];
    _Alignas(HK_APART) _Atomic uint32_t finished; /* the client ended the link in order */
};

/* Allocated in the process that attaches, one for each side it plays. */
struct hk_link_watch {
    struct hk_link *link;
    enum hk_side side;
    pthread_t thread;
    int stop_fd;
    pid_t pid;
    pid_t tid; /* of the thread to wake */
};

static inline enum hk_side hk_side_other(enum hk_side side)
{
    return side == HK_CLIENT ? HK_SERVER : HK_CLIENT;
}

static inline struct hk_link_side *hk_link_own(const struct hk_link *link, enum hk_side side)
{
    return &link->shared->sides[side];
}

static inline struct hk_link_side *hk_link_peer(const struct hk_link *link, enum hk_side side)
{
    return &link->shared->sides[hk_side_other(side)];
}

/* True once the peer is known to be dead; the watcher then stops waking this side. */
static inline bool hk_link_peer_gone(const struct hk_link *link, enum hk_side side)
{
    if (!atomic_load_explicit(&hk_link_peer(link, side)->dead, memory_order_acquire))
        return false;
    atomic_store_explicit(&hk_link_own(link, side)->noticed, 1, memory_order_relaxed);
    return true;
}

/*
 * What a failed system call means for the caller.
 *
 * Returns HK_OK when it was a mere interruption and is to be repeated; HK_EPEER
 * when the peer is gone; else the status of the error.
 */
enum hk_status hk_link_error(const struct hk_link *link, enum hk_side side, int error);

/*
 * One step of waiting for something that no call can wait for (a full ring with
 * a doorbell in one direction only): sleeps about 50 us.
 *
 * Returns HK_OK to look again; HK_EPEER when the peer is gone.
 */
enum hk_status hk_link_pause(const struct hk_link *link, enum hk_side side);

/*
 * Credit for transports that would lose or overwrite messages: at most `window`
 * sent and not yet consumed. The sender counts in private and reads the peer's
 * word only when its credit is used up.
 */
struct hk_credit {
    uint32_t sent;
    uint32_t consumed; /* by the peer, as last seen */
    uint32_t taken;    /* by this side */
};

/* Sender: waits until one more message may be sent. */
static inline enum hk_status hk_credit_wait(const struct hk_link *link, enum hk_side side,
                                            struct hk_credit *credit, uint32_t window)
{
    while (credit->sent - credit->consumed >= window) {
        credit->consumed = atomic_load_explicit(&hk_link_peer(link, side)->consumed,
                                                memory_order_acquire);
        if (credit->sent - credit->consumed < window)
            break;
        enum hk_status status = hk_link_pause(link, side);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* Receiver: gives the credit of one message back. */
static inline void hk_credit_take(const struct hk_link *link, enum hk_side side,
                                  struct hk_credit *credit)
{
    atomic_store_explicit(&hk_link_own(link, side)->consumed, ++credit->taken,
                          memory_order_release);
}

/* Closes a descriptor once. */
void hk_fd_close(int *fd);

/* Writes cause and remedy of a missing transport. Returns HK_ENOTSUP. */
enum hk_status hk_reason_set(char reason[HK_REASON_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
