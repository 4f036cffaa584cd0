/* SPDX-License-Identifier: MIT */
/* Experiments over transports share this: a client, and servers in a chain or side by side. */
#ifndef HK_RUN_LINKS_H
#define HK_RUN_LINKS_H

#include <pthread.h>

#include "experiment.h"

/* What a server does on a link it has attached to, until the client ends it. */
typedef enum hk_status hk_link_loop(struct hk_task *task, struct hk_link *link, size_t server);

struct hk_links {
    const struct hk_transport *transport;
    size_t bytes;          /* of a request */
    size_t reply_bytes;    /* of its reply: as many, but the null transport gives none */
    size_t capacity;       /* of a buffer, >= 1 */
    size_t count;          /* links open */
    bool chain;            /* server i forwards over link i + 1 */
    bool batch;            /* all sides run under SCHED_BATCH */
    hk_link_loop *loop;
    _Atomic uint64_t *delay_ticks; /* burnt before each send; in shared memory; NULL: none */
    struct hk_link links[HK_SERVERS_MAX];
    unsigned char *request;
    unsigned char *reply;
    unsigned char *out;    /* the messages: request and reply, or the transport's own memory */
    unsigned char *in;
    pthread_t thread;      /* the server, for transports between threads */
    bool thread_started;
    int polling_fd;        /* keeps idle CPUs polling; -1: not asked for */
};

/*
 * Find the transport in the task's name, place it, open `count` links; fills task->state,
 * server_count and the expectation of one round trip through `count` servers. The loop is
 * hk_links_echo until the experiment says otherwise.
 */
enum hk_status hk_links_open(struct hk_task *task, size_t count, bool chain);
void hk_links_close(struct hk_task *task);

/* Server process (or thread) number `server`: attach, serve until the client ends. */
enum hk_status hk_links_serve(struct hk_task *task, size_t server);

/* Measuring process: attach as the client of link 0; starts the server when it is a thread. */
enum hk_status hk_links_enter(struct hk_task *task);
enum hk_status hk_links_leave(struct hk_task *task);

/* Answer requests with themselves, or with what the next server of the chain answers. */
hk_link_loop hk_links_echo;

/* n round trips. */
enum hk_status hk_links_run(struct hk_task *task, uint64_t n);

/* One round trip whose reply must be what was sent. */
enum hk_status hk_links_verify(struct hk_task *task);

#endif
