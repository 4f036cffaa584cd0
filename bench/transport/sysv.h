/* SPDX-License-Identifier: MIT */
/*
 * System V objects outlive their processes. Where the process may, it enters an
 * IPC namespace of its own, which dies with it; elsewhere every object carries
 * a key that begins with 'hk', its creator removes it at close, and
 * hk_transport_sweep() removes those whose users are all dead.
 */
#ifndef HK_TRANSPORT_SYSV_H
#define HK_TRANSPORT_SYSV_H

#include "link.h"

/* Creates a message queue; it already names this process as its user. */
enum hk_status hk_sysv_msg_create(int *id);

/* Creates a set of `count` semaphores at 0; it already names this process as its user. */
enum hk_status hk_sysv_sem_create(int count, int *id);

#endif
