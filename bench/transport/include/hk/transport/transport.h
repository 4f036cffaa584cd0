/* SPDX-License-Identifier: MIT */
/*
 * A transport carries messages between a client and a server.
 *
 * One file per transport fills one `struct hk_transport`; the registry lists
 * them; one conformance program holds all of them to this contract. A link is
 * one client-server pair over a transport. Its life:
 *
 *   open     in the process that will be the parent of both sides
 *   attach   once in each side, after fork (or in each thread), by the generic
 *            code in link.c, which also tells each side who its peer is
 *   send/receive/call   in the attached side, the timed path
 *   close    in every process that holds the link, also after a crash
 *
 * Nothing on the timed path allocates, prints or locks. A side whose peer died
 * gets HK_EPEER within HK_PEER_TIMEOUT_MS, whatever it was doing.
 */
#ifndef HK_TRANSPORT_TRANSPORT_H
#define HK_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_REASON_BYTES 160

/* A blocked side notices a dead peer within this time. */
#define HK_PEER_TIMEOUT_MS 200

enum hk_side { HK_CLIENT = 0, HK_SERVER = 1 };

/* What a transport is, as data. */
enum hk_transport_flag {
    HK_TRANSPORT_THREADS = 1 << 0,   /* both sides are threads of one process */
    HK_TRANSPORT_LOCAL = 1 << 1,     /* no second side runs: null and inline */
    HK_TRANSPORT_TWO_CPUS = 1 << 2,  /* spins: meaningless when both sides share a CPU */
    HK_TRANSPORT_ZERO_COPY = 1 << 3, /* payload is not copied by the transport */
    HK_TRANSPORT_UPCALL = 1 << 4,    /* the kernel calls the server on a client's syscall */
    HK_TRANSPORT_DATAGRAM = 1 << 5,  /* keeps message boundaries by itself */
    HK_TRANSPORT_CALL_ONLY = 1 << 6, /* no one-way streams: a message lives until it is answered */
};

/*
 * What one round trip of a short message must do; the harness counts, and a row
 * that did something else is INVALID. Counts are per round trip: switches of
 * both sides together, system calls per side. A bound of -1 is not claimed.
 */
struct hk_transport_claim {
    double same_core_switches_min;
    double same_core_switches_max;
    double cross_core_switches_max;
    double client_syscalls_min;
    double client_syscalls_max;
    double server_syscalls_min;
    double server_syscalls_max;
};

struct hk_transport_options {
    size_t message_bytes; /* largest message either side will send, >= 1 */
    uint32_t spin_count;  /* spin-then-block transports: polls before blocking */
};

struct hk_link;

struct hk_transport {
    const char *name;    /* as in experiment names: "pipe", "unix_stream" */
    const char *summary; /* one line for `list` */
    uint32_t flags;      /* enum hk_transport_flag */
    size_t message_bytes_max;
    struct hk_transport_claim claim;

    /*
     * Says whether this machine has it. On HK_ENOTSUP the reason names the
     * cause and the remedy. NULL: always available.
     */
    enum hk_status (*probe)(char reason[HK_REASON_BYTES]);

    /* Creates both sides into link->state. Leaves nothing behind on error. */
    enum hk_status (*open)(struct hk_link *link);

    /*
     * Completes one side after fork: registers buffers, asks for rights. The peer
     * may not have attached yet. May be NULL.
     */
    enum hk_status (*attach)(struct hk_link *link, enum hk_side side);

    /* Sends one message; blocks while the transport is full. data is not kept. */
    enum hk_status (*send)(struct hk_link *link, enum hk_side side, const void *data, size_t bytes);

    /*
     * Receives one message; blocks while there is none. capacity >= the link's
     * message_bytes, else HK_EINVAL or HK_ETOOBIG.
     */
    enum hk_status (*receive)(struct hk_link *link, enum hk_side side, void *data, size_t capacity,
                              size_t *bytes);

    /* Client's send + receive in one; NULL: the generic one. */
    enum hk_status (*call)(struct hk_link *link, const void *request, size_t request_bytes,
                           void *reply, size_t capacity, size_t *reply_bytes);

    /*
     * Zero-copy transports: the memory of message_bytes that moves without a
     * copy; NULL where there is none, and then any memory does.
     */
    void *(*message)(struct hk_link *link, enum hk_side side);

    /* Releases everything link->state owns in this process; safe after a failed open. */
    void (*close)(struct hk_link *link);
};

/* Answers one request in place: buffer holds the request, then the reply. */
typedef enum hk_status hk_transport_handler(void *context, void *buffer, size_t capacity,
                                            size_t request_bytes, size_t *reply_bytes);

/* What both processes see of a link: in shared memory, mapped by hk_link_open. */
struct hk_link_shared;

struct hk_link {
    const struct hk_transport *transport;
    struct hk_transport_options options;
    struct hk_link_shared *shared;
    void *state;       /* the transport's own, allocated by open */
    int peer_pidfd[2]; /* indexed by own side; -1 until attached, or for threads */
    struct hk_link_watch *watch[2]; /* notices the peer's death; link.c */
    /* Local transports call the server's handler directly. */
    hk_transport_handler *inline_handler;
    void *inline_context;
};

/* The registry: every transport, in the order `list` prints them. */
extern const struct hk_transport *const hk_transports[];
extern const size_t hk_transport_count;

/*
 * Find a transport by name.
 *
 * Returns HK_OK; HK_ENOENT when no transport has that name.
 */
enum hk_status hk_transport_find(const char *name, const struct hk_transport **transport);

/*
 * Ask whether a transport works here.
 *
 * reason  [out]  on HK_ENOTSUP: cause and remedy, one line
 *
 * Returns HK_OK or HK_ENOTSUP.
 */
enum hk_status hk_transport_probe(const struct hk_transport *transport,
                                  char reason[HK_REASON_BYTES]);

/*
 * Open both sides of a link in the parent, before fork.
 *
 * options  [in]   message_bytes in [1, transport->message_bytes_max]
 * link     [out]  to be closed with hk_link_close in every process
 *
 * Returns HK_OK; HK_EINVAL for a size out of range; HK_ENOTSUP, HK_ENOMEM or
 * HK_EIO when the system refuses.
 */
enum hk_status hk_link_open(const struct hk_transport *transport,
                            const struct hk_transport_options *options, struct hk_link *link);

/*
 * Enter a link as one side, in the thread that will use it; the link must not
 * move in memory afterwards. Takes the real-time signal SIGRTMIN + 4 for this
 * process: it interrupts a side that waits for a dead peer. Waits (sleeping, at
 * most 5 s) until the other side has attached too, so that no run times the
 * start-up of its peer.
 *
 * Returns HK_OK; HK_EPEER when the other side died before attaching;
 * HK_ETIMEOUT.
 */
enum hk_status hk_link_attach(struct hk_link *link, enum hk_side side);

/*
 * Say, in the process that forked a side and collected its wait status, that
 * the side is gone: wakes a peer that waits in shared memory.
 */
void hk_link_mark_dead(struct hk_link *link, enum hk_side side);

/* True while the other side of `side` lives; one system call. */
bool hk_link_peer_alive(const struct hk_link *link, enum hk_side side);

/*
 * Where a side should build its messages and have them received: a zero-copy
 * transport moves this memory without a copy, and copies any other.
 *
 * Returns message_bytes of memory, valid until hk_link_close; NULL when any memory is as good.
 */
static inline void *hk_link_message(struct hk_link *link, enum hk_side side)
{
    return link->transport->message ? link->transport->message(link, side) : NULL;
}

/*
 * Send one message without waiting for an answer. The timed path.
 *
 * bytes  [in]  0 ... the link's message_bytes
 *
 * Returns HK_OK; HK_ETOOBIG; HK_EPEER; HK_ENOTSUP for local transports and for
 * the client of a transport that has calls only.
 */
static inline enum hk_status hk_link_send(struct hk_link *link, enum hk_side side,
                                          const void *data, size_t bytes)
{
    if (bytes > link->options.message_bytes)
        return HK_ETOOBIG;
    return link->transport->send(link, side, data, bytes);
}

/*
 * Receive one message, in the order sent. The timed path.
 *
 * capacity  [in]  room in data, at least the link's message_bytes
 *
 * Returns HK_OK; HK_EINVAL for too little room; HK_EPEER; HK_ENOTSUP as hk_link_send.
 */
static inline enum hk_status hk_link_receive(struct hk_link *link, enum hk_side side, void *data,
                                             size_t capacity, size_t *bytes)
{
    if (capacity < link->options.message_bytes)
        return HK_EINVAL;
    return link->transport->receive(link, side, data, capacity, bytes);
}

/* Client's round trip: the transport's own call, or send + receive. The timed path. */
enum hk_status hk_link_call(struct hk_link *link, const void *request, size_t request_bytes,
                            void *reply, size_t capacity, size_t *reply_bytes);

/*
 * Server's loop: receive, handle, send, until the client finishes or dies or
 * the handler returns an error.
 *
 * buffer  [in]  capacity bytes, at least the link's message_bytes
 *
 * Returns HK_OK when the client ended the link in order; HK_EPEER when it
 * died; else the handler's or the transport's status.
 */
enum hk_status hk_link_serve(struct hk_link *link, void *buffer, size_t capacity,
                             hk_transport_handler *handler, void *context);

/* Client's orderly end: the server's hk_link_serve returns HK_OK. */
enum hk_status hk_link_finish(struct hk_link *link);

/*
 * Release what this process holds of the link. Idempotent. The process that
 * opened the link keeps it open until both sides have ended, because its close
 * removes what the kernel would otherwise keep (System V objects).
 */
void hk_link_close(struct hk_link *link);

/*
 * Remove what earlier, killed runs of this user left behind (System V queues
 * and semaphores with our key mark whose creator is dead).
 *
 * removed  [out]  number of objects removed
 */
enum hk_status hk_transport_sweep(uint32_t *removed);

#endif
