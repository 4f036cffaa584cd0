/* SPDX-License-Identifier: MIT */
/*
 * The kernel core's ring in shared memory, with three ways to wait: sleep on a
 * futex, spin, or spin for a while and then sleep; between processes and between
 * threads.
 *
 * Sleeping. Who waits writes 1 into its wait word, looks at the ring once more
 * and sleeps while the word is 1. Who has changed the ring looks at that word
 * afterwards. A full fence between the write and the look on both sides makes
 * sure that one of them sees the other.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring_pair.h"
#include "transports.h"

/* Polls between two looks at what the peer is doing. */
#define CHECK_POLLS 1024u

enum wait_policy { WAIT_FUTEX, WAIT_SPIN, WAIT_SPIN_FUTEX };

/* Of one direction. */
struct wait_words {
    _Alignas(HK_APART) _Atomic uint32_t receiver;
    _Alignas(HK_APART) _Atomic uint32_t sender;
};

struct shared_ring {
    struct hk_ring_pair rings;
    struct wait_words *words; /* by sending side; in shared memory */
    bool sleeps;
    uint32_t spin_polls; /* before sleeping; UINT32_MAX: never sleeps */
    int futex_flags;
};

static enum hk_status ring_open(struct hk_link *link, enum wait_policy policy)
{
    bool threads = link->transport->flags & HK_TRANSPORT_THREADS;
    struct shared_ring *state = malloc(sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    *state = (struct shared_ring){
        .sleeps = policy != WAIT_SPIN,
        .spin_polls = policy == WAIT_FUTEX  ? 0
                      : policy == WAIT_SPIN ? UINT32_MAX
                                            : link->options.spin_count,
        .futex_flags = threads ? FUTEX_PRIVATE_FLAG : 0,
    };
    link->state = state;
    void *words = mmap(NULL, 2 * sizeof(struct wait_words), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (words == MAP_FAILED)
        return HK_ENOMEM;
    state->words = words;
    return hk_ring_pair_open(&state->rings, link->options.message_bytes,
                             policy == WAIT_SPIN ? HK_RING_SLOTS_TURN : HK_RING_SLOTS_STREAM);
}

static enum hk_status futex_open(struct hk_link *link)
{
    return ring_open(link, WAIT_FUTEX);
}

static enum hk_status spin_open(struct hk_link *link)
{
    return ring_open(link, WAIT_SPIN);
}

static enum hk_status spin_futex_open(struct hk_link *link)
{
    return ring_open(link, WAIT_SPIN_FUTEX);
}

static enum hk_status ring_attach(struct hk_link *link, enum hk_side side)
{
    struct shared_ring *state = link->state;

    (void)side;
    hk_ring_pair_touch(&state->rings);
    return HK_OK;
}

static void ring_close(struct hk_link *link)
{
    struct shared_ring *state = link->state;

    hk_ring_pair_close(&state->rings);
    if (state->words)
        munmap(state->words, 2 * sizeof(struct wait_words));
    free(state);
}

/* A message to take, or room for one? */
static inline bool ring_ready(struct hk_ring_end *end, bool sending)
{
    struct hk_ring_slot *slot;
    uint32_t bytes;

    return sending ? hk_ring_reserve(end, &slot) != HK_EFULL
                   : hk_ring_peek(end, &slot, &bytes) != HK_EEMPTY;
}

/*
 * Once in CHECK_POLLS polls: is the peer alive, and does it wait for our CPU?
 * Only then is the CPU given up, because elsewhere that would cost a system call.
 */
static enum hk_status spin_check(const struct hk_link *link, enum hk_side side)
{
    uint32_t cpu = (uint32_t)sched_getcpu();

    atomic_store_explicit(&hk_link_own(link, side)->cpu, cpu, memory_order_relaxed);
    if (hk_link_peer_gone(link, side))
        return HK_EPEER;
    if (atomic_load_explicit(&hk_link_peer(link, side)->cpu, memory_order_relaxed) == cpu)
        sched_yield();
    return HK_OK;
}

/* Returns HK_OK when ready; HK_EEMPTY after all polls; HK_EPEER. */
static inline enum hk_status spin(const struct hk_link *link, enum hk_side side,
                                  struct hk_ring_end *end, bool sending, uint32_t polls)
{
    for (uint32_t n = 0; polls == UINT32_MAX || n < polls; n++) {
        if (ring_ready(end, sending))
            return HK_OK;
        /* Looking less often leaves the line to its writer: measured a fifth faster than without. */
        __builtin_ia32_pause();
        if (n % CHECK_POLLS == CHECK_POLLS - 1) {
            enum hk_status status = spin_check(link, side);
            if (status != HK_OK)
                return ring_ready(end, sending) ? HK_OK : status;
        }
    }
    return HK_EEMPTY;
}

static enum hk_status sleep_until_ready(const struct hk_link *link, enum hk_side side,
                                        struct hk_ring_end *end, bool sending,
                                        _Atomic uint32_t *word, int futex_flags)
{
    for (;;) {
        atomic_store_explicit(word, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (ring_ready(end, sending)) {
            atomic_store_explicit(word, 0, memory_order_relaxed);
            return HK_OK;
        }
        /* Once more after the news: the peer's last message came before its death. */
        if (hk_link_peer_gone(link, side))
            return ring_ready(end, sending) ? HK_OK : HK_EPEER;
        if (syscall(SYS_futex, word, FUTEX_WAIT | futex_flags, 1, NULL, NULL, 0) != 0 &&
            errno != EINTR && errno != EAGAIN)
            return hk_errno_status(errno);
        if (ring_ready(end, sending))
            return HK_OK;
    }
}

static enum hk_status wait_until_ready(const struct hk_link *link, enum hk_side side,
                                       struct shared_ring *state, struct hk_ring_end *end,
                                       bool sending)
{
    enum hk_side sender = sending ? side : hk_side_other(side);
    struct wait_words *words = &state->words[sender];
    enum hk_status status = HK_EEMPTY;

    if (state->spin_polls > 0)
        status = spin(link, side, end, sending, state->spin_polls);
    if (status != HK_EEMPTY)
        return status;
    return sleep_until_ready(link, side, end, sending, sending ? &words->sender : &words->receiver,
                             state->futex_flags);
}

/* After the ring has changed: wakes who sleeps on it. */
static inline void wake(const struct shared_ring *state, _Atomic uint32_t *word)
{
    if (!state->sleeps)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(word, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(word, 0, memory_order_relaxed);
    syscall(SYS_futex, word, FUTEX_WAKE | state->futex_flags, 1, NULL, NULL, 0);
}

/*
 * Copies a payload. A call of memcpy for a few bytes would be a tenth of a whole
 * round trip: short payloads are moved in two overlapping halves.
 */
static inline void copy_payload(unsigned char *to, const unsigned char *from, size_t bytes)
{
    struct {
        uint64_t words[2];
    } first, last; /* moved in registers */
    uint64_t first_word, last_word;

    if (bytes > 32) {
        memcpy(to, from, bytes);
    } else if (bytes >= 16) {
        memcpy(&first, from, 16);
        memcpy(&last, from + bytes - 16, 16);
        memcpy(to, &first, 16);
        memcpy(to + bytes - 16, &last, 16);
    } else if (bytes >= 8) {
        memcpy(&first_word, from, 8);
        memcpy(&last_word, from + bytes - 8, 8);
        memcpy(to, &first_word, 8);
        memcpy(to + bytes - 8, &last_word, 8);
    } else {
        for (size_t i = 0; i < bytes; i++)
            to[i] = from[i];
    }
}

static inline enum hk_status ring_put(struct hk_link *link, enum hk_side side,
                                      struct shared_ring *state, const void *data, size_t bytes)
{
    struct hk_ring_end *end = &state->rings.out[side];
    struct hk_ring_slot *slot;
    enum hk_status status;

    while ((status = hk_ring_reserve(end, &slot)) == HK_EFULL) {
        status = wait_until_ready(link, side, state, end, true);
        if (status != HK_OK)
            return status;
    }
    if (status != HK_OK)
        return status;
    if (bytes > end->message_bytes)
        return HK_ETOOBIG;
    slot->to = state->rings.in[side].position; /* what this side has released: see ring_take */
    copy_payload(slot->payload, data, bytes);
    status = hk_ring_commit(end, (uint32_t)bytes);
    wake(state, &state->words[side].receiver);
    return status;
}

static inline enum hk_status ring_take(struct hk_link *link, enum hk_side side,
                                       struct shared_ring *state, void *data, size_t capacity,
                                       size_t *bytes)
{
    struct hk_ring_end *end = &state->rings.in[side];
    struct hk_ring_slot *slot;
    uint32_t got;
    enum hk_status status;

    while ((status = hk_ring_peek(end, &slot, &got)) == HK_EEMPTY) {
        status = wait_until_ready(link, side, state, end, false);
        if (status != HK_OK)
            return status;
    }
    if (status != HK_OK)
        return status;
    if (got > capacity)
        return HK_ETOOBIG;
    hk_ring_learn(&state->rings.out[side], slot->to);
    copy_payload(data, slot->payload, got);
    hk_ring_release(end);
    wake(state, &state->words[hk_side_other(side)].sender);
    *bytes = got;
    return HK_OK;
}

static enum hk_status ring_send(struct hk_link *link, enum hk_side side, const void *data,
                                size_t bytes)
{
    return ring_put(link, side, link->state, data, bytes);
}

static enum hk_status ring_receive(struct hk_link *link, enum hk_side side, void *data,
                                   size_t capacity, size_t *bytes)
{
    return ring_take(link, side, link->state, data, capacity, bytes);
}

static enum hk_status ring_call(struct hk_link *link, const void *request, size_t request_bytes,
                                void *reply, size_t capacity, size_t *reply_bytes)
{
    struct shared_ring *state = link->state;
    enum hk_status status = ring_put(link, HK_CLIENT, state, request, request_bytes);

    if (status != HK_OK)
        return status;
    return ring_take(link, HK_CLIENT, state, reply, capacity, reply_bytes);
}

/*
 * A futex round trip: each side wakes the other and sleeps. On one CPU the woken
 * side may run at once and answer before the waker has gone to sleep: then the
 * client only wakes and the server only sleeps.
 */
#define FUTEX_CLAIM                                                                               \
    {                                                                                             \
        .same_core_switches_min = 1.9, .same_core_switches_max = 2.2,                             \
        .cross_core_switches_max = 2.2, .client_syscalls_min = 0.9, .client_syscalls_max = 2.1,   \
        .server_syscalls_min = 0.9, .server_syscalls_max = 2.1                                    \
    }
/* On a CPU of its own each side makes no system call; on a shared one it yields. */
#define SPIN_CLAIM                                                                                \
    {                                                                                             \
        .same_core_switches_min = -1, .same_core_switches_max = -1,                               \
        .cross_core_switches_max = 0.1, .client_syscalls_min = 0, .client_syscalls_max = 0.1,     \
        .server_syscalls_min = 0, .server_syscalls_max = 0.1                                      \
    }
#define SPIN_FUTEX_CLAIM                                                                          \
    {                                                                                             \
        .same_core_switches_min = -1, .same_core_switches_max = -1,                               \
        .cross_core_switches_max = 2.2, .client_syscalls_min = 0, .client_syscalls_max = 2.1,     \
        .server_syscalls_min = 0, .server_syscalls_max = 2.1                                      \
    }

#define RING_ROW(row, text, row_flags, row_open, row_claim)                                       \
    const struct hk_transport hk_transport_##row = {                                              \
        .name = #row,                                                                             \
        .summary = text,                                                                          \
        .flags = (row_flags),                                                                     \
        .message_bytes_max = HK_MIB,                                                              \
        .claim = row_claim,                                                                       \
        .open = row_open,                                                                         \
        .attach = ring_attach,                                                                    \
        .send = ring_send,                                                                        \
        .receive = ring_receive,                                                                  \
        .call = ring_call,                                                                        \
        .close = ring_close,                                                                      \
    }

RING_ROW(futex_ring, "shared-memory ring, waiting on a futex", 0, futex_open, FUTEX_CLAIM);
RING_ROW(spin_ring, "shared-memory ring, spinning", HK_TRANSPORT_TWO_CPUS, spin_open, SPIN_CLAIM);
RING_ROW(spin_futex_ring, "shared-memory ring, spinning and then waiting on a futex",
         HK_TRANSPORT_TWO_CPUS, spin_futex_open, SPIN_FUTEX_CLAIM);
RING_ROW(thread_futex_ring, "the same between threads: futex", HK_TRANSPORT_THREADS, futex_open,
         FUTEX_CLAIM);
RING_ROW(thread_spin_ring, "the same between threads: spinning",
         HK_TRANSPORT_THREADS | HK_TRANSPORT_TWO_CPUS, spin_open, SPIN_CLAIM);
RING_ROW(thread_spin_futex_ring, "the same between threads: spinning, then futex",
         HK_TRANSPORT_THREADS | HK_TRANSPORT_TWO_CPUS, spin_futex_open, SPIN_FUTEX_CLAIM);
