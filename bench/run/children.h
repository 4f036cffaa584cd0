/* SPDX-License-Identifier: MIT */
/* The processes of a launch: forked so that none outlives its leader, seen by pidfd. */
#ifndef HK_RUN_CHILDREN_H
#define HK_RUN_CHILDREN_H

#include "experiment.h"
#include "wire.h"

enum hk_child_role { HK_CHILD_SERVER, HK_CHILD_MEASURER, HK_CHILD_HELPER };

enum { HK_CHILDREN_MAX = 128 };

struct hk_child {
    enum hk_child_role role;
    size_t task;   /* index in the request */
    size_t number; /* of the server or helper */
    pid_t pid;
    int pidfd;
    int output_fd; /* measurer: where its launch comes from; -1 after its end */
    bool alive;
    int wait_status;
    struct hk_bytes output;
};

struct hk_children {
    size_t count;
    struct hk_child all[HK_CHILDREN_MAX];
};

/*
 * Fork a child of the calling leader. In the child *child_fd is where a measurer writes
 * (else -1), and the function returns HK_OK with *in_child set; there, only _exit ends it.
 *
 * close_fd  [in]  descriptor of the leader that the child must not keep
 *
 * Returns HK_OK; HK_ENOMEM when the system refuses another process; HK_EFULL.
 */
enum hk_status hk_child_fork(struct hk_children *children, enum hk_child_role role, size_t task,
                             size_t number, int close_fd, bool *in_child, int *child_fd);

/*
 * Wait for something to happen: output of measurers is collected, deaths are reaped.
 *
 * watch_fd    [in]  also woken by this descriptor's hang-up (the runner's end); -1: none
 * timeout_ms  [in]
 *
 * Returns HK_OK; HK_EPEER when watch_fd hung up.
 */
enum hk_status hk_children_wait(struct hk_children *children, int watch_fd, int timeout_ms);

/* SIGKILL to those of a role that live; all of them when role < 0. */
void hk_children_kill(struct hk_children *children, int role);

/* Reap everybody; they have been killed or are about to end. */
void hk_children_reap(struct hk_children *children);

void hk_children_fini(struct hk_children *children);

#endif
